//! One check as a process: what it took, and a `--watch` that is told of edits.

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use super::super::usage::{children_cpu_seconds, peak_mb};

pub struct Cost {
    pub wall_ms: f64,
    /// User and system.
    pub cpu_ms: f64,
    /// Resident, as last seen.
    pub peak_mb: f64,
}

pub fn check(binary: &Path, project: &Path) -> Command {
    let mut command = Command::new(binary);
    command.arg("check").arg(project).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// With the worst case of each flow.
pub fn report(binary: &Path, project: &Path) -> Command {
    let mut command = check(binary, project);
    command.arg("--report");
    command
}

pub fn cost(command: &mut Command) -> Result<Cost, String> {
    let cpu = children_cpu_seconds()?;
    let begun = Instant::now();
    let mut child = command.spawn().map_err(|cause| format!("{command:?}: {cause}"))?;
    let mut peak = 0.0_f64;
    while child.try_wait().map_err(|cause| cause.to_string())?.is_none() {
        peak = peak.max(peak_mb(child.id()).unwrap_or(0.0));
        std::thread::sleep(Duration::from_millis(1));
    }
    let wall_ms = begun.elapsed().as_secs_f64() * 1e3;
    Ok(Cost { wall_ms, cpu_ms: (children_cpu_seconds()? - cpu) * 1e3, peak_mb: peak })
}

/// Instructions, as valgrind counts them: the same however busy the machine is. `None` where it is not installed.
pub fn instructions(command: &mut Command, folder: &Path) -> Option<f64> {
    let mut counted = Command::new("valgrind");
    let file = folder.join("callgrind.out");
    counted.arg("--tool=callgrind").arg(format!("--callgrind-out-file={}", file.display()));
    counted.arg(command.get_program()).args(command.get_args());
    let output = counted.output().ok()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = said.lines().find_map(|line| line.split_once("Collected : "))?.1;
    line.trim().parse().ok()
}

/// `strowger check --watch --json`.
pub struct Watched {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Watched {
    /// Behind its first check.
    pub fn start(binary: &Path, project: &Path) -> Result<Watched, String> {
        let mut command = Command::new(binary);
        command.args(["check", "--watch", "--json"]).arg(project).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|cause| format!("{command:?}: {cause}"))?;
        let out = child.stdout.take().ok_or("no standard output")?;
        let mut watched = Watched { child, lines: BufReader::new(out).lines() };
        watched.next_ms()?;
        Ok(watched)
    }

    /// Milliseconds of the next check, from the change that it noticed to its report.
    pub fn next_ms(&mut self) -> Result<f64, String> {
        let line = self.lines.next().and_then(Result::ok).ok_or("`check --watch` ended")?;
        let said: serde_json::Value =
            serde_json::from_str(&line).map_err(|_| format!("`check --watch` said {line}"))?;
        said.get("ms").and_then(serde_json::Value::as_f64).ok_or_else(|| format!("`check --watch` said {line}"))
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
