//! Files that a command writes: whole or not at all, with the rights that they had.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;

use similar::TextDiff;

use crate::show::{Failure, Result};

/// Lines around a change that a diff shows.
const DIFF_LINES_AROUND: usize = 3;

/// Puts the new text in the place of a file that is there. Where the path is a link, the file that it leads to is
/// replaced. A reader sees the old text or the new one.
pub fn replace(path: &Path, text: &str) -> Result {
    let cannot = |cause: std::io::Error| unwritable(path, &cause);
    let path = path.canonicalize().map_err(cannot)?;
    let facts = fs::metadata(&path).map_err(cannot)?;
    if facts.permissions().readonly() {
        let message = format!("`{}` is write-protected", path.display());
        return Err(Failure::new(message, "make it writable, or leave it out"));
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".strowger-").tempfile_in(folder).map_err(cannot)?;
    file.write_all(text.as_bytes()).map_err(cannot)?;
    file.as_file().set_permissions(facts.permissions()).map_err(cannot)?;
    // Only root may give a file away; for all others it is theirs already, or stays so.
    let _ = chown(file.path(), Some(facts.uid()), Some(facts.gid()));
    file.as_file().sync_all().map_err(cannot)?;
    file.persist(&path).map_err(|error| unwritable(&path, &error.error))?;
    Ok(())
}

pub fn unwritable(path: &Path, cause: &std::io::Error) -> Failure {
    Failure::new(format!("cannot write `{}`: {cause}", path.display()), "check the path and its permissions")
}

/// What changes, as a patch that `patch -p1` takes.
pub fn diff(name: &str, before: &str, after: &str) -> String {
    let (old, new) = (format!("a/{name}"), format!("b/{name}"));
    TextDiff::from_lines(before, after).unified_diff().context_radius(DIFF_LINES_AROUND).header(&old, &new).to_string()
}
