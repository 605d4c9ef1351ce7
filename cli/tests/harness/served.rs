//! `strowger serve` as a process of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

pub struct Served {
    pub child: Child,
    pub sip: SocketAddr,
    pub http: SocketAddr,
    log: Mutex<Receiver<String>>,
    /// Kept so that its thread goes on reading.
    _lines: Mutex<Receiver<String>>,
}

impl Served {
    /// Serves a project in a data folder, on free ports, at a Monday noon in Shanghai.
    pub fn start(project: &Path, data: &Path, more: &[&str]) -> Served {
        Served::start_at(project, data, "127.0.0.1:0", more)
    }

    /// The same, with SIP at this address.
    pub fn start_at(project: &Path, data: &Path, sip: &str, more: &[&str]) -> Served {
        let mut child = Command::new(env!("CARGO_BIN_EXE_strowger"))
            .arg("serve")
            .arg(project)
            .arg("--data")
            .arg(data)
            .args(["--sip", sip, "--http", "127.0.0.1:0", "--json", "--at", "2026-03-02 12:00 in Asia/Shanghai"])
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("strowger starts");
        let lines = reader(child.stdout.take().expect("stdout"));
        let log = reader(child.stderr.take().expect("stderr"));
        let ready = lines.recv_timeout(Duration::from_secs(60)).unwrap_or_else(|_| {
            let _ = child.kill();
            panic!("the server did not start:\n{}", log.iter().collect::<Vec<_>>().join("\n"))
        });
        let ready: Value = serde_json::from_str(&ready).unwrap_or_else(|_| panic!("not JSON: {ready}"));
        let address = |key: &str| ready[key].as_str().and_then(|a| a.parse().ok()).unwrap_or_else(|| panic!("{ready}"));
        Served { sip: address("sip"), http: address("http"), child, log: Mutex::new(log), _lines: Mutex::new(lines) }
    }

    /// GET or POST on the server's own pages; status and body.
    pub fn http(&self, method: &str, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.http).expect("the HTTP port answers");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
        let request =
            format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("a status");
        (status, body.to_owned())
    }

    /// A metric's value, summed over its labels.
    pub fn metric(&self, name: &str) -> f64 {
        let (_, page) = self.http("GET", "/metrics");
        page.lines()
            .filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{'])))
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    }

    /// Waits until a metric has a value: what the far side has seen may be a moment ahead of what is counted.
    pub fn settles(&self, name: &str, value: f64) {
        super::until(&format!("{name} is {value}"), || self.metric(name) == value);
    }

    /// Memory that it holds, in kB.
    pub fn resident_kb(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next());
        resident.and_then(|number| number.parse().ok()).expect("kB")
    }

    /// Tells it to stop and waits; gives its exit code.
    pub fn stop(mut self) -> i32 {
        self.signal("TERM");
        self.child.wait().expect("it ends").code().unwrap_or(-1)
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(status.expect("kill runs").success());
    }

    /// What it has logged until now.
    pub fn log(&self) -> String {
        self.log.lock().expect("one reader").try_iter().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Lines of a pipe, so that the process never stops on a full one.
fn reader(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}
