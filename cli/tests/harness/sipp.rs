//! SIPp as the caller: one of the scenarios beside, as a child process.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{free_media_port, free_port};

pub struct Sipp<'a> {
    /// Name of the scenario file, without `.xml`.
    pub scenario: &'a str,
    pub to: SocketAddr,
    /// User part of the request URI.
    pub number: &'a str,
    pub calls: u32,
    /// New calls a second.
    pub rate: u32,
    /// Seconds after which it gives up.
    pub timeout_s: u32,
    /// As SIPp's `-t` has it: `u1` is UDP, `t1` one TCP connection.
    pub transport: &'a str,
}

/// What SIPp said of a run.
#[derive(Debug)]
pub struct Outcome {
    /// SIPp's exit code: 0 when every call went by the scenario.
    pub code: Option<i32>,
    /// Its screen and its error file, for a person.
    pub said: String,
}

impl Sipp<'_> {
    /// Runs in a folder of its own, which holds `keys.pcap` when the scenario plays keys.
    pub fn run(&self, folder: &Path) -> Outcome {
        let scenario = super::project("cli/tests/sipp").join(format!("{}.xml", self.scenario));
        std::fs::copy(&scenario, folder.join("scenario.xml")).expect("a scenario of that name");
        let output = Command::new("sipp")
            .arg(self.to.to_string())
            .args(["-sf", "scenario.xml", "-s", self.number, "-i", "127.0.0.1", "-nostdin", "-trace_err"])
            .args(["-error_file", "errors.log", "-buff_size", "4000000"])
            .args(["-p", &free_port().to_string(), "-mp", &free_media_port().to_string()])
            .args(["-m", &self.calls.to_string(), "-r", &self.rate.to_string(), "-l", &self.calls.to_string()])
            .args(["-t", self.transport, "-timeout", &format!("{}s", self.timeout_s), "-timeout_error"])
            .current_dir(folder)
            .stdin(Stdio::null())
            .output()
            .expect("sipp runs (Debian's sip-tester)");
        let errors = std::fs::read_to_string(folder.join("errors.log")).unwrap_or_default();
        let screen = String::from_utf8_lossy(&output.stdout);
        Outcome {
            code: output.status.code(),
            said: format!("{screen}\n{}\n{errors}", String::from_utf8_lossy(&output.stderr)),
        }
    }
}
