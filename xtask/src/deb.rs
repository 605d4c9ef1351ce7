//! The Debian package, and whether its unit holds what it promises. Installs `cargo-deb` if need be.

mod trial;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Highest exposure that `systemd-analyze security` may find, in tenths (10 is the worst of 10).
const EXPOSURE_MAX: &str = "20";
const UNIT: &str = "cli/packaging/strowger.service";

pub fn build() -> Result<(), String> {
    let mut ask = Command::new(env!("CARGO"));
    let version = ask.args(["deb", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !version.is_ok_and(|status| status.success()) {
        run(env!("CARGO"), &["install", "--locked", "cargo-deb"])?;
    }
    run(env!("CARGO"), &["deb", "--package", "cli", "--strip"])?;
    match Command::new("systemd-analyze").arg("--version").stdout(Stdio::null()).status() {
        Ok(_) => run(
            "systemd-analyze",
            &["security", "--no-pager", "--offline=true", &format!("--threshold={EXPOSURE_MAX}"), UNIT],
        ),
        Err(_) => {
            println!("systemd-analyze is not here: the unit was not looked at");
            Ok(())
        }
    }
}

/// Builds it and tries it out in a Debian of its own.
pub fn try_out() -> Result<(), String> {
    build()?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/debian");
    let files = std::fs::read_dir(&folder).map_err(|cause| format!("{}: {cause}", folder.display()))?;
    let packages = files.filter_map(|file| Some(file.ok()?.path()));
    let packages = packages.filter(|path: &PathBuf| path.extension().is_some_and(|end| end == "deb"));
    let newest = packages.max_by_key(|path| path.metadata().and_then(|data| data.modified()).ok());
    trial::run(&newest.ok_or("no package in target/debian")?)
}

fn run(program: &str, words: &[&str]) -> Result<(), String> {
    let status = Command::new(program).args(words).status().map_err(|cause| format!("{program}: {cause}"))?;
    if status.success() { Ok(()) } else { Err(format!("{program} {} failed", words.join(" "))) }
}
