//! SIPp, which is not ours: the callers of every load, and the server that ours is measured against.

use std::fs::File;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Small buffers lose packets at the rates of these benchmarks.
const BUFFERS: [&str; 2] = ["-buff_size", "4000000"];

/// Callers.
pub struct Callers<'a> {
    /// `-sn uac` or `-sf FILE`, and what else the scenario needs.
    pub scenario: &'a [&'a str],
    pub to: SocketAddr,
    pub number: &'a str,
    /// New calls a second, and in whole.
    pub rate: f64,
    pub calls: u64,
    /// Core on which they run.
    pub core: usize,
}

/// What came of a load, as SIPp counts it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Load {
    pub done: f64,
    pub failed: f64,
    pub retransmissions: f64,
    /// Mean length of a call, in seconds.
    pub call_s: f64,
}

impl Callers<'_> {
    /// Runs in `folder` until all calls are over.
    pub fn run(&self, folder: &Path) -> Result<Load, String> {
        self.start(folder)?.wait()
    }

    pub fn start(&self, folder: &Path) -> Result<Calling, String> {
        // Rates below one a second, and parts of one, as calls in ten seconds.
        let (rate, period_ms) = ((self.rate * 10.0).round().max(1.0), 10_000);
        let port = free_port().to_string();
        let (table, said) = (folder.join(format!("load-{port}.csv")), folder.join(format!("load-{port}.err")));
        let errors = File::create(&said).map_err(|cause| format!("{}: {cause}", said.display()))?;
        let seconds_max = self.calls as f64 / self.rate + 600.0;
        let child = pinned(self.core)
            .arg(self.to.to_string())
            .args(self.scenario)
            .args(["-s", self.number, "-i", "127.0.0.1", "-nostdin", "-l", "60000"])
            .args(["-timeout", &format!("{seconds_max:.0}s")])
            .args(["-r", &rate.to_string(), "-rp", &period_ms.to_string(), "-m", &self.calls.to_string()])
            .args(["-p", &port, "-trace_stat", "-fd", "1s", "-stf"])
            .arg(&table)
            .args(BUFFERS)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors)
            .spawn()
            .map_err(no_sipp)?;
        Ok(Calling { child, table, said })
    }
}

/// Callers at work.
pub struct Calling {
    child: Child,
    table: PathBuf,
    said: PathBuf,
}

impl Calling {
    /// The counts of a second ago; nothing within the first.
    pub fn until_now(&self) -> Option<Load> {
        load(&std::fs::read_to_string(&self.table).ok()?)
    }

    pub fn is_over(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// No new calls; waits for those that go on.
    pub fn stop(self) -> Result<Load, String> {
        let _ = Command::new("kill").arg("-USR1").arg(self.child.id().to_string()).status();
        self.wait()
    }

    /// Until all calls are over.
    pub fn wait(mut self) -> Result<Load, String> {
        self.child.wait().map_err(no_sipp)?;
        let table =
            std::fs::read_to_string(&self.table).map_err(|cause| format!("{}: {cause}", self.table.display()))?;
        let said = || std::fs::read_to_string(&self.said).unwrap_or_default();
        load(&table).ok_or_else(|| format!("SIPp said nothing of its load:\n{}", said()))
    }
}

impl Drop for Calling {
    fn drop(&mut self) {
        // Nothing, when it is over.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = (std::fs::remove_file(&self.table), std::fs::remove_file(&self.said));
    }
}

/// The counts in the last line of SIPp's table of statistics.
fn load(table: &str) -> Option<Load> {
    let mut lines = table.lines().map(|line| line.split(';').collect::<Vec<_>>());
    let names = lines.next()?;
    let last = lines.next_back()?;
    let count = |name: &str| last.get(names.iter().position(|column| *column == name)?)?.parse().ok();
    Some(Load {
        done: count("SuccessfulCall(C)")?,
        failed: count("FailedCall(C)")?,
        retransmissions: count("Retransmissions(C)")?,
        call_s: last.get(names.iter().position(|column| *column == "CallLength(C)")?).and_then(|text| seconds(text))?,
    })
}

/// `00:00:08:215000`: hours, minutes, seconds, microseconds.
fn seconds(text: &str) -> Option<f64> {
    let parts: Vec<f64> = text.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    match parts.as_slice() {
        [hours, minutes, seconds, micros] => Some(hours * 3_600.0 + minutes * 60.0 + seconds + micros / 1e6),
        _ => None,
    }
}

/// SIPp as a server.
pub struct Uas {
    child: Child,
    pub sip: SocketAddr,
}

impl Uas {
    /// `scenario` is `-sn uas` or `-sf FILE`, and what else it needs.
    pub fn start(scenario: &[&str], folder: &Path, core: usize) -> Result<Uas, String> {
        let sip = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let child = pinned(core)
            .args(scenario)
            .args(["-i", "127.0.0.1", "-nostdin", "-p", &sip.port().to_string()])
            .args(BUFFERS)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(no_sipp)?;
        Ok(Uas { child, sip })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Uas {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn pinned(core: usize) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", &core.to_string(), "sipp"]);
    command
}

fn no_sipp(cause: std::io::Error) -> String {
    format!("taskset sipp: {cause}; `cargo xtask tools` installs what is missing")
}

/// A UDP port of loopback that was free a moment ago; 0, which SIPp refuses, when there is none.
pub fn free_port() -> u16 {
    let socket = UdpSocket::bind(SocketAddr::from(([127, 0, 0, 1], 0)));
    socket.and_then(|socket| socket.local_addr()).map_or(0, |address| address.port())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_last_line_of_the_table_counts() {
        let table = "StartTime;FailedCall(C);SuccessfulCall(C);Retransmissions(C);CallLength(C);\n1;0;5;1;00:00:01:000000;\n2;1;9;2;00:01:08:500000;\n";
        let load = super::load(table).expect("counts");
        assert_eq!((load.done, load.failed, load.retransmissions, load.call_s), (9.0, 1.0, 2.0, 68.5));
    }
}
