//! Programs of others from PyPI, each in a Python environment of its own below `target`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

/// Tests of one process take turns; those of others do not run at the same time.
static MAKING: Mutex<()> = Mutex::new(());

/// The `bin` folder of an environment with this package, whose `module` can be imported.
pub fn environment(package: &str, module: &str) -> PathBuf {
    let _turn = MAKING.lock();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(module);
    let python = folder.join("bin/python");
    let works = || {
        let import = Command::new(&python).args(["-c", &format!("import {module}")]).stderr(Stdio::null()).status();
        import.is_ok_and(|status| status.success())
    };
    if !works() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder));
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", package]));
        assert!(works(), "{module} does not load in {}", folder.display());
    }
    folder.join("bin")
}

fn run(command: &mut Command) {
    let status = command.stdout(Stdio::null()).status().expect("python3 with venv");
    assert!(status.success(), "{command:?}");
}
