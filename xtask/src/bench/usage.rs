//! What a process used, as Linux counts it.

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike};

/// Ticks a second in `/proc/PID/stat`, the same on every Linux of today.
const TICKS: f64 = 100.0;

/// Seconds of CPU, user and system, of all its threads until now (proc(5), fields 14 and 15 of `stat`).
pub fn cpu_seconds(process: u32) -> Result<f64, String> {
    ticks(process, [14, 15])
}

/// Seconds of CPU, user and system, of the children that this process has waited for, to the microsecond (getrusage(2)).
pub fn children_cpu_seconds() -> Result<f64, String> {
    let used = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|cause| format!("getrusage: {cause}"))?;
    let seconds = |time: TimeVal| time.num_microseconds() as f64 / 1e6;
    Ok(seconds(used.user_time()) + seconds(used.system_time()))
}

fn ticks(process: u32, fields: [usize; 2]) -> Result<f64, String> {
    let stat = read(process, "stat")?;
    let behind_name: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let field = |number: usize| behind_name.get(number - 3).and_then(|field| field.parse::<f64>().ok());
    match fields.map(field) {
        [Some(user), Some(system)] => Ok((user + system) / TICKS),
        _ => Err(format!("/proc/{process}/stat reads {stat}")),
    }
}

/// Resident memory in MB.
pub fn resident_mb(process: u32) -> Result<f64, String> {
    status_mb(process, "VmRSS:")
}

/// The most that was resident until now, in MB.
pub fn peak_mb(process: u32) -> Result<f64, String> {
    status_mb(process, "VmHWM:")
}

fn status_mb(process: u32, row: &str) -> Result<f64, String> {
    let status = read(process, "status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(row)).unwrap_or_default();
    let kib: f64 =
        line.trim().trim_end_matches(" kB").parse().map_err(|_| format!("/proc/{process}/status: {line}"))?;
    Ok(kib * 1_024.0 / 1e6)
}

fn read(process: u32, file: &str) -> Result<String, String> {
    std::fs::read_to_string(format!("/proc/{process}/{file}"))
        .map_err(|cause| format!("/proc/{process}/{file}: {cause}"))
}

/// Lowest, middle and highest of some rounds.
pub fn spread(rounds: &[f64]) -> (f64, f64, f64) {
    let mut sorted = rounds.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
    (at(0), at(sorted.len() / 2), at(sorted.len().saturating_sub(1)))
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_process_has_used_something() {
        let me = std::process::id();
        assert!(super::resident_mb(me).expect("memory") > 0.1);
        let before = super::cpu_seconds(me).expect("time");
        let mut sum = 0u64;
        while super::cpu_seconds(me).expect("time") < before + 0.02 {
            sum = std::hint::black_box(sum + 1);
        }
        assert!(sum > 0);
    }

    #[test]
    fn the_middle_of_three() {
        assert_eq!(super::spread(&[3.0, 1.0, 2.0]), (1.0, 2.0, 3.0));
    }
}
