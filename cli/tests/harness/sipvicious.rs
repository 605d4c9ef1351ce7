//! sipvicious, somebody else's scanner for SIP servers: looks for them, for their extensions, for passwords.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

/// Runs one of its tools against the server until its end; gives what it said.
pub fn scan(tool: &str, words: &[&str], server: SocketAddr, folder: &Path) -> String {
    let program = super::python::environment("sipvicious", "sipvicious").join(format!("sipvicious_{tool}"));
    let output = Command::new(program)
        .args(words)
        // It keeps its sessions below the home.
        .env("HOME", folder)
        .args(["-x", "127.0.0.1", "-p", &server.port().to_string(), &server.ip().to_string()])
        .output()
        .expect("sipvicious runs");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}
