//! SIPp as the caller or the callee: one of the scenarios beside, as a child process.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

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
        self.run_at(SocketAddr::from(([127, 0, 0, 1], free_port())), folder)
    }

    /// The same at an address of its own: where it waits to be called.
    pub fn run_at(&self, here: SocketAddr, folder: &Path) -> Outcome {
        let scenario = super::project("cli/tests/sipp").join(format!("{}.xml", self.scenario));
        std::fs::copy(&scenario, folder.join("scenario.xml")).expect("a scenario of that name");
        let output = Command::new("sipp")
            .arg(self.to.to_string())
            .args(["-sf", "scenario.xml", "-s", self.number, "-i", &here.ip().to_string(), "-nostdin", "-trace_err"])
            .args(["-error_file", "errors.log", "-buff_size", "4000000"])
            .args(["-p", &here.port().to_string(), "-mp", &free_media_port().to_string()])
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

/// SIPp as the one who is called, once.
pub struct Callee {
    child: Child,
    pub address: SocketAddr,
}

impl Callee {
    /// Runs in a folder of its own.
    pub fn start(scenario: &str, folder: &Path) -> Callee {
        let file = super::project("cli/tests/sipp").join(format!("{scenario}.xml"));
        std::fs::copy(&file, folder.join("scenario.xml")).expect("a scenario of that name");
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let child = Command::new("sipp")
            .args(["-sf", "scenario.xml", "-i", "127.0.0.1", "-nostdin", "-trace_err", "-error_file", "errors.log"])
            .args(["-p", &address.port().to_string(), "-mp", &free_media_port().to_string(), "-m", "1"])
            .args(["-timeout", "60s", "-timeout_error"])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("sipp runs (Debian's sip-tester)");
        Callee { child, address }
    }

    /// Waits for its end.
    pub fn outcome(self, folder: &Path) -> Outcome {
        let output = self.child.wait_with_output().expect("it ends");
        let errors = std::fs::read_to_string(folder.join("errors.log")).unwrap_or_default();
        let screen = String::from_utf8_lossy(&output.stdout);
        Outcome {
            code: output.status.code(),
            said: format!("{screen}\n{}\n{errors}", String::from_utf8_lossy(&output.stderr)),
        }
    }
}
