//! `strowger serve` of a benchmark's project, as a process of its own on one core.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::page;

/// The server has a core to itself; the callers have the other.
pub const SERVER_CORE: usize = 0;
pub const CALLERS_CORE: usize = 1;

pub struct Served {
    child: Child,
    pub sip: SocketAddr,
    http: SocketAddr,
}

impl Served {
    /// Builds the release binary and serves `project` with its data in `data`, on this core.
    pub fn start(project: &Path, data: &Path, core: usize) -> Result<Served, String> {
        let binary = build()?;
        let mut child = Command::new("taskset")
            .args(["-c", &core.to_string()])
            .arg(binary)
            .arg("serve")
            .arg(project)
            .arg("--data")
            .arg(data)
            .args(["--sip", "127.0.0.1:0", "--http", "127.0.0.1:0", "--json", "--no-watch"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|cause| format!("taskset: {cause}"))?;
        let mut line = String::new();
        let out = child.stdout.take().ok_or("no standard output")?;
        let read = BufReader::new(out).read_line(&mut line);
        match (read, addresses(&line)) {
            (Ok(_), Some((sip, http))) => Ok(Served { child, sip, http }),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                Err(format!("`strowger serve` did not start: {line}"))
            }
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// A metric's value, summed over its labels.
    pub fn metric(&self, name: &str) -> Result<f64, String> {
        let page = self.ask("GET", "/metrics")?;
        let lines =
            page.lines().filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{'])));
        Ok(lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum())
    }

    /// Takes the project's files as they are now; gives the version's id. A refusal is an error.
    pub fn reload(&self) -> Result<String, String> {
        self.json("POST", "/reload", "version")
    }

    /// Id of the version that takes calls.
    pub fn version(&self) -> Result<String, String> {
        self.json("GET", "/versions", "current")
    }

    fn json(&self, method: &str, path: &str, key: &str) -> Result<String, String> {
        let page = self.ask(method, path)?;
        let said: serde_json::Value = serde_json::from_str(&page).unwrap_or_default();
        let value = said.get(key).and_then(serde_json::Value::as_str);
        value.map(str::to_owned).ok_or_else(|| format!("{method} {path}: {page}"))
    }

    fn ask(&self, method: &str, path: &str) -> Result<String, String> {
        let ask = || {
            let mut stream = TcpStream::connect(self.http)?;
            stream.set_read_timeout(Some(Duration::from_secs(30)))?;
            write!(
                stream,
                "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nContent-Length: 0\r\n\
                 Connection: close\r\n\r\n"
            )?;
            let mut page = String::new();
            stream.read_to_string(&mut page)?;
            Ok(page)
        };
        let page = ask().map_err(|cause: std::io::Error| format!("{method} {path}: {cause}"))?;
        Ok(page.split_once("\r\n\r\n").map_or(String::new(), |(_, body)| body.to_owned()))
    }

    /// Waits until no call is left, at most so long.
    pub fn wait_until_idle(&self, seconds_max: u64) -> Result<(), String> {
        for _ in 0..seconds_max * 5 {
            if self.metric("strowger_calls_live")? == 0.0 {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        Err(format!("calls are still live after {seconds_max} s"))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// `{"event":"serving","sip":"127.0.0.1:5060","http":"127.0.0.1:8060", …}`
fn addresses(line: &str) -> Option<(SocketAddr, SocketAddr)> {
    let said: serde_json::Value = serde_json::from_str(line).ok()?;
    let address = |key: &str| said.get(key)?.as_str()?.parse().ok();
    Some((address("sip")?, address("http")?))
}

/// The release binary, made if need be.
pub fn build() -> Result<PathBuf, String> {
    let output = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--package", "cli", "--message-format", "json"])
        .stderr(Stdio::inherit())
        .output()
        .map_err(|cause| format!("cargo: {cause}"))?;
    if !output.status.success() {
        return Err("the release binary does not build".to_owned());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let made = messages.filter_map(|message| Some(PathBuf::from(message.get("executable")?.as_str()?))).next_back();
    made.ok_or_else(|| "cargo names no binary".to_owned())
}

/// A folder of its own for one run, gone with it.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Result<Folder, String> {
        let folder = std::env::temp_dir().join(format!("strowger-bench-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|cause| format!("{}: {cause}", folder.display()))?;
        Ok(Folder(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Projects and scenarios of the benchmarks.
pub fn material(path: &str) -> PathBuf {
    page::root().join("xtask/benches").join(path)
}
