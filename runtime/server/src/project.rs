//! A project's folder: its files as bytes for a build, and whether something in it has changed. It does not know
//! what the files say.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use runtime_contract::program::Bundle;

use crate::config::FILE_NAME;

/// Files of a project.
pub const FILES_MAX: usize = 10_000;
/// Bytes of all files of a project.
pub const BUNDLE_BYTES_MAX: u64 = 512 << 20;
const FLOW_ENDING: &str = ".flow";
/// What callers hear lies below.
const PROMPTS: &str = "prompts/";
/// Folders inside each other.
const DEPTH_MAX: usize = 16;

/// Why a folder is no project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectError {
    pub message: String,
    pub help: String,
}

impl std::fmt::Display for ProjectError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}; {}", self.message, self.help)
    }
}

impl std::error::Error for ProjectError {}

/// One file that belongs to a project.
struct Entry {
    /// Relative to the project's folder, with `/`.
    name: String,
    path: PathBuf,
    bytes: u64,
    stamp: Stamp,
}

/// What the file system knows of a file, of which something differs after each change. Size and time of writing may be
/// kept (`cp -p`, an editor's rename); then the file is another one, or the time of its last change is.
#[derive(Hash)]
struct Stamp {
    bytes: u64,
    /// Device and number on it.
    file: (u64, u64),
    /// Seconds and nanoseconds.
    written: (i64, i64),
    /// The same; no program can set it.
    changed: (i64, i64),
}

impl Stamp {
    fn of(facts: &fs::Metadata) -> Stamp {
        Stamp {
            bytes: facts.len(),
            file: (facts.dev(), facts.ino()),
            written: (facts.mtime(), facts.mtime_nsec()),
            changed: (facts.ctime(), facts.ctime_nsec()),
        }
    }
}

/// Reads `strowger.yaml`, all `.flow` files, and what lies below `prompts/`, sorted by path. The data folder,
/// hidden folders and `target` are left out. A folder without a flow is no project: most likely it is another one, or its
/// files are just being moved.
pub fn read_bundle(folder: &Path, data: &Path) -> Result<Bundle, ProjectError> {
    let entries = entries(folder, data)?;
    if !entries.iter().any(|entry| entry.name.ends_with(FLOW_ENDING)) {
        return Err(ProjectError {
            message: format!("`{}` has no flow file", folder.display()),
            help: "name the folder in which the `.flow` files are".into(),
        });
    }
    read(entries)
}

/// A single flow file under its own name, and what lies below `prompts/` of the folder to which it belongs.
pub fn read_file_and_prompts(file: &Path, folder: &Path) -> Result<Bundle, ProjectError> {
    read(file_and_prompts(file, folder)?)
}

fn read(entries: Vec<Entry>) -> Result<Bundle, ProjectError> {
    let bytes: u64 = entries.iter().map(|entry| entry.bytes).sum();
    if bytes > BUNDLE_BYTES_MAX {
        return Err(ProjectError {
            message: format!("the project has {bytes} bytes; {BUNDLE_BYTES_MAX} is the most"),
            help: "shorten or remove audio files below `prompts/`".into(),
        });
    }
    let mut bundle = Bundle::default();
    for entry in entries {
        let read = fs::read(&entry.path).map_err(|error| unreadable(&entry.path, &error))?;
        bundle.files.push((entry.name, read.into()));
    }
    Ok(bundle)
}

/// The flow files of a project, sorted by path; as [`read_bundle`] finds them, and not read.
pub fn flow_files(folder: &Path, data: &Path) -> Result<Vec<PathBuf>, ProjectError> {
    let entries = entries(folder, data)?;
    Ok(entries.into_iter().filter(|entry| entry.name.ends_with(FLOW_ENDING)).map(|entry| entry.path).collect())
}

/// A number that changes when a file is written, added, removed or renamed. Of two changes within one tick of the file
/// system's clock (10 ms at most) only the first is sure to be seen.
pub fn fingerprint(folder: &Path, data: &Path) -> Result<u64, ProjectError> {
    Ok(fingerprint_of(&entries(folder, data)?))
}

/// The same of what [`read_file_and_prompts`] reads.
pub fn fingerprint_of_file(file: &Path, folder: &Path) -> Result<u64, ProjectError> {
    Ok(fingerprint_of(&file_and_prompts(file, folder)?))
}

fn fingerprint_of(entries: &[Entry]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for entry in entries {
        (&entry.name, &entry.stamp).hash(&mut hasher);
    }
    hasher.finish()
}

fn file_and_prompts(file: &Path, folder: &Path) -> Result<Vec<Entry>, ProjectError> {
    let facts = fs::metadata(file).map_err(|error| unreadable(file, &error))?;
    let name = file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let mut found = Vec::new();
    let prompts = folder.join(PROMPTS);
    if prompts.is_dir() {
        walk(&prompts, Path::new(""), PROMPTS, 1, &mut found)?;
    }
    found.retain(|entry| !entry.name.ends_with(FLOW_ENDING));
    found.push(Entry { name, path: file.to_owned(), bytes: facts.len(), stamp: Stamp::of(&facts) });
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn entries(folder: &Path, data: &Path) -> Result<Vec<Entry>, ProjectError> {
    let mut found = Vec::new();
    walk(folder, data, "", 0, &mut found)?;
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn walk(folder: &Path, data: &Path, prefix: &str, depth: usize, found: &mut Vec<Entry>) -> Result<(), ProjectError> {
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let entry = entry.map_err(|error| unreadable(folder, &error))?;
        let path = entry.path();
        let last = entry.file_name().to_string_lossy().into_owned();
        if last.starts_with('.') {
            continue;
        }
        let name = format!("{prefix}{last}");
        let belongs = name == FILE_NAME || name.ends_with(FLOW_ENDING);
        if entry.file_name().to_str().is_none() {
            if belongs || name.starts_with(PROMPTS) {
                return Err(no_file(&path, "has a name that is no UTF-8 text"));
            }
            continue;
        }
        let kind = entry.file_type().map_err(|error| unreadable(&path, &error))?;
        if kind.is_dir() {
            if belongs {
                return Err(no_file(&path, "is a folder"));
            }
            if path != data && last != "target" && depth < DEPTH_MAX {
                walk(&path, data, &format!("{name}/"), depth + 1, found)?;
            }
            continue;
        }
        if !(belongs || name.starts_with(PROMPTS)) {
            continue;
        }
        let facts = match fs::metadata(&path) {
            Ok(facts) => facts,
            Err(_) if kind.is_symlink() => return Err(no_file(&path, "is a link that leads nowhere")),
            // A file that is gone by now was on its way out; an editor's rename shows it at the next look.
            Err(_) => continue,
        };
        if !facts.is_file() {
            return Err(no_file(&path, &format!("is {}", kind_of(facts.file_type()))));
        }
        if found.len() >= FILES_MAX {
            return Err(ProjectError {
                message: format!("`{}` has more than {FILES_MAX} project files", folder.display()),
                help: "name the project's own folder, not one that holds many".into(),
            });
        }
        found.push(Entry { name, path, bytes: facts.len(), stamp: Stamp::of(&facts) });
    }
    Ok(())
}

/// What has the name of a project's file and is none is never read: a pipe could keep the reader for ever.
fn no_file(path: &Path, what: &str) -> ProjectError {
    ProjectError {
        message: format!("`{}` {what}, where a file of the project is wanted", path.display()),
        help: "rename or remove it".into(),
    }
}

/// What something is that is no file, with its article.
pub(crate) fn kind_of(kind: fs::FileType) -> &'static str {
    if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> ProjectError {
    ProjectError {
        message: format!("cannot read `{}`: {error}", path.display()),
        help: "check the path and its permissions".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_holds_what_a_version_is_made_of() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for name in [
            "strowger.yaml",
            "b.flow",
            "a/x.flow",
            "prompts/zh/w.wav",
            "README.md",
            "data/d.flow",
            ".git/h.flow",
            "target/t.flow",
        ] {
            fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            fs::write(root.join(name), name).unwrap();
        }
        let data = root.join("data");
        let bundle = read_bundle(root, &data).unwrap();
        let names: Vec<_> = bundle.files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a/x.flow", "b.flow", "prompts/zh/w.wav", "strowger.yaml"]);
        assert_eq!(bundle.files[1].1.as_ref(), b"b.flow");

        let before = fingerprint(root, &data).unwrap();
        fs::write(root.join("README.md"), "other words").unwrap();
        fs::write(root.join("data/strowger.db"), "rows").unwrap();
        assert_eq!(fingerprint(root, &data).unwrap(), before);
        fs::write(root.join("b.flow"), "longer than before").unwrap();
        assert_ne!(fingerprint(root, &data).unwrap(), before);
    }

    #[test]
    fn a_change_that_keeps_size_and_time_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let (root, data) = (folder.path(), folder.path().join("data"));
        let (file, other) = (root.join("a.flow"), root.join("a.new"));
        fs::write(&file, "one").unwrap();
        let written = fs::metadata(&file).unwrap().modified().unwrap();
        let looks = || (fingerprint(root, &data).unwrap(), fingerprint_of_file(&file, root).unwrap());
        let keep_time =
            |path: &Path| fs::File::options().write(true).open(path).unwrap().set_modified(written).unwrap();

        let before = looks();
        fs::write(&other, "two").unwrap();
        keep_time(&other);
        fs::rename(&other, &file).unwrap();
        let replaced = looks();
        assert!(before.0 != replaced.0 && before.1 != replaced.1, "replaced by another file");

        // Within one tick of the file system's clock nothing differs.
        let changed = || fs::metadata(&file).map(|facts| (facts.ctime(), facts.ctime_nsec())).unwrap();
        let begun = changed();
        while changed() == begun {
            fs::write(&file, "six").unwrap();
            keep_time(&file);
        }
        let rewritten = looks();
        assert!(replaced.0 != rewritten.0 && replaced.1 != rewritten.1, "written in place");
        assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), written);
        assert_eq!(looks(), rewritten);
    }

    #[test]
    fn a_single_file_has_the_prompts_of_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("prompts/zh")).unwrap();
        for name in ["b.flow", "a.flow", "prompts/zh/w.wav", "prompts/x.flow"] {
            fs::write(root.join(name), name).unwrap();
        }
        let bundle = read_file_and_prompts(&root.join("b.flow"), root).unwrap();
        let names: Vec<_> = bundle.files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["b.flow", "prompts/zh/w.wav"]);
        let before = fingerprint_of_file(&root.join("b.flow"), root).unwrap();
        fs::write(root.join("prompts/zh/w.wav"), "longer than before").unwrap();
        assert_ne!(fingerprint_of_file(&root.join("b.flow"), root).unwrap(), before);
    }

    #[test]
    fn what_is_no_file_is_named_and_never_waited_for() {
        for name in ["a.flow", "strowger.yaml", "prompts/a.wav"] {
            type Put = fn(&Path);
            let kinds: [(&str, Put); 4] = [
                ("is a folder", |path| fs::create_dir(path).unwrap()),
                ("is a socket", |path| drop(std::os::unix::net::UnixListener::bind(path).unwrap())),
                ("is a link that leads nowhere", |path| std::os::unix::fs::symlink("/nowhere/at/all", path).unwrap()),
                ("is a pipe", |path| {
                    let made = std::process::Command::new("mkfifo").arg(path).status().unwrap();
                    assert!(made.success());
                }),
            ];
            for (what, put) in kinds {
                let folder = tempfile::tempdir().unwrap();
                fs::create_dir(folder.path().join("prompts")).unwrap();
                fs::write(folder.path().join("b.flow"), "").unwrap();
                put(&folder.path().join(name));
                let found = read_bundle(folder.path(), &folder.path().join("data"));
                match (name, what) {
                    ("prompts/a.wav", "is a folder") => assert!(found.is_ok()),
                    _ => {
                        let error = found.unwrap_err();
                        assert!(error.message.contains(&format!("{name}` {what}")), "{error}");
                    }
                }
                if name == "strowger.yaml" {
                    let error = crate::config::Config::from_folder(folder.path()).unwrap_err();
                    assert!(error.message.contains(what), "{}", error.message);
                }
            }
        }
    }

    #[test]
    fn what_is_no_project_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::write(root.join("strowger.yaml"), "").unwrap();
        for (no_project, why) in [(root.join("nowhere"), "cannot read"), (root.to_owned(), "has no flow file")] {
            let error = read_bundle(&no_project, &no_project.join("data")).unwrap_err();
            assert!(error.message.contains(&format!("`{}`", no_project.display())), "{error}");
            assert!(error.message.contains(why), "{error}");
        }
    }
}
