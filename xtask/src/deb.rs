//! The Debian package, and whether its unit holds what it promises. Installs `cargo-deb` if need be.

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
    run(env!("CARGO"), &["deb", "--package", "cli"])?;
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

fn run(program: &str, words: &[&str]) -> Result<(), String> {
    let status = Command::new(program).args(words).status().map_err(|cause| format!("{program}: {cause}"))?;
    if status.success() { Ok(()) } else { Err(format!("{program} {} failed", words.join(" "))) }
}
