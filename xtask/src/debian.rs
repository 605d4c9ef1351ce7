//! A Debian of its own in a folder of `target`, made by debootstrap, as root. It knows nothing of what runs in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const MIRROR: &str = "http://deb.debian.org/debian";
/// A mirror may be older than the dates in its lists.
const APT: &str = "DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Check-Valid-Until=false";

pub struct Debian {
    pub root: PathBuf,
}

impl Debian {
    /// The release `suite` in `target/NAME`; made if need be, which takes minutes.
    pub fn make(name: &str, suite: &str) -> Result<Debian, String> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let debian = Debian { root: here.parent().unwrap_or(here).join("target").join(name) };
        // The last file that is written here.
        if debian.has("etc/strowger-made") {
            return Ok(debian);
        }
        println!("making a Debian {suite} in target/{name}");
        if !debian.has("etc/debian_version") {
            crate::tools::ensure(&[("debootstrap", "debootstrap")])?;
            run(Command::new("debootstrap").args(["--variant=minbase", suite]).arg(&debian.root).arg(MIRROR))
                .map_err(|why| format!("{why}; it needs root"))?;
        }
        let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
        debian.write("etc/apt/sources.list", &format!("deb {MIRROR} {suite} main\n"))?;
        // Without the host's own name each look-up of it waits 10 s for a name server.
        debian.write("etc/hosts", &format!("127.0.0.1 localhost {}\n", host.trim()))?;
        debian.run(&format!("{APT} update"))?;
        debian.write("etc/strowger-made", "")?;
        Ok(debian)
    }

    pub fn install(&self, packages: &[&str]) -> Result<(), String> {
        self.run(&format!("{APT} install -y --no-install-recommends {}", packages.join(" ")))
    }

    /// Whether a path below its root is there.
    pub fn has(&self, path: &str) -> bool {
        self.root.join(path).exists()
    }

    pub fn write(&self, path: &str, text: &str) -> Result<(), String> {
        std::fs::write(self.root.join(path), text).map_err(|cause| format!("{path}: {cause}"))
    }

    /// A line of its shell, as root, that must succeed.
    pub fn run(&self, line: &str) -> Result<(), String> {
        run(&mut self.shell(line)).map_err(|_| format!("`{line}` failed in {}", self.root.display()))
    }

    /// What a line of its shell says, whether or not it succeeds.
    pub fn said(&self, line: &str) -> Result<String, String> {
        let output = self.shell(line).output().map_err(|cause| format!("chroot: {cause}"))?;
        Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    }

    fn shell(&self, line: &str) -> Command {
        let mut command = Command::new("chroot");
        command.arg(&self.root).args(["/bin/sh", "-c", line]);
        command
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.stdout(Stdio::null()).status().map_err(|cause| format!("{name}: {cause}"))?;
    if status.success() { Ok(()) } else { Err(format!("{name} failed")) }
}
