//! Programs that the tests run beside ours: real SIP phones, a packet analyser, virtual networks, a speech engine, a judge of XML. From
//! Debian's packages; installed when root, else the one line to run is printed.

use std::path::Path;
use std::process::Command;

/// Program on the path, and the Debian package that has it.
const TOOLS: &[(&str, &str)] = &[
    ("sipp", "sip-tester"),
    ("baresip", "baresip"),
    ("kamailio", "kamailio"),
    ("ip", "iproute2"),
    ("espeak-ng", "espeak-ng"),
    ("tshark", "tshark"),
    ("luajit", "luajit"),
    ("xmllint", "libxml2-utils"),
];

pub fn install() -> Result<(), String> {
    ensure(TOOLS)
}

/// Installs what is not here of these programs, each with the package that has it.
pub fn ensure(tools: &[(&str, &str)]) -> Result<(), String> {
    let missing: Vec<_> = tools.iter().filter(|(program, _)| !on_path(program)).map(|(_, package)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages = missing.join(" ");
    if !is_root() {
        return Err(format!("some programs are missing; install them with\n\n  sudo apt-get install -y {packages}\n"));
    }
    println!("installing {packages}");
    apt(&["update", "-qq"])?;
    let mut arguments = vec!["install", "-y", "-qq", "--no-install-recommends"];
    arguments.extend(&missing);
    apt(&arguments)
}

fn apt(arguments: &[&str]) -> Result<(), String> {
    let status = Command::new("apt-get")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdout(std::process::Stdio::null())
        .status()
        .map_err(|cause| format!("cannot run apt-get: {cause}"))?;
    if status.success() { Ok(()) } else { Err(format!("apt-get {} failed", arguments.join(" "))) }
}

pub fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| is_program(&folder.join(program)))
}

fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
