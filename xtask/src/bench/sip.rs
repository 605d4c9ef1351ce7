//! CPU of one SIP call (INVITE, 200, ACK, BYE) of the whole server, journal and call record on, against SIPp's
//! built-in server under the same callers at the same rate.

use std::time::{Duration, Instant};

use super::served::{CALLERS_CORE, Folder, SERVER_CORE, Served, material};
use super::sipp::{Callers, Load, Uas};
use super::usage::{cpu_seconds, resident_mb, spread};

const RATES: [f64; 4] = [1_000.0, 2_000.0, 4_000.0, 8_000.0];
const SECONDS: f64 = 10.0;
const ROUNDS: usize = 3;
pub const NUMBER: &str = "+864008100009";

/// One side at one rate.
#[derive(Default)]
struct Side {
    /// Microseconds of CPU a call, by round.
    micros: Vec<f64>,
    load: Load,
    /// Seconds of the slowest round.
    seconds: f64,
}

pub fn measure(words: &[&str]) -> Result<String, String> {
    let rates = match words {
        [] => RATES.to_vec(),
        words => words.iter().map(|w| w.parse().map_err(|_| format!("`{w}` is no rate"))).collect::<Result<_, _>>()?,
    };
    let folder = Folder::new("sip")?;
    let served = Served::start(&material("projects/hang_up"), &folder.0.join("data"), SERVER_CORE)?;
    run(served.sip, 100.0, 1.0, &folder)?;
    let resident_before = resident_mb(served.id())?;
    let mut lines = vec![format!(
        "{:>7} {:>26} {:>26} {:>6}  {:<28} {}",
        "calls/s", "ours, µs CPU a call", "sipp -sn uas, µs", "ratio", "ours: done, failed, resent", "sipp: the same"
    )];
    println!("{}", lines[0]);
    for rate in rates {
        let (mut ours, mut theirs) = (Side::default(), Side::default());
        for _ in 0..ROUNDS {
            ours.round(served.id(), served.sip, rate, &folder)?;
            served.wait_until_idle(60)?;
            let uas = Uas::start(&["-sn", "uas"], &folder.0, SERVER_CORE)?;
            theirs.round(uas.id(), uas.sip, rate, &folder)?;
        }
        let ratio = spread(&ours.micros).1 / spread(&theirs.micros).1;
        let line = format!(
            "{rate:>7.0} {:>26} {:>26} {ratio:>6.2}  {:<28} {}",
            ours.cost(),
            theirs.cost(),
            ours.outcome(),
            theirs.outcome()
        );
        println!("{line}");
        lines.push(line);
    }
    let resident = resident_mb(served.id())?;
    // Ended transactions are kept for 32 s, for packets that come again (RFC 3261 timer J).
    std::thread::sleep(Duration::from_secs(40));
    let rested = resident_mb(served.id())?;
    let line = format!(
        "resident memory of ours: {resident_before:.0} MB before the load, {resident:.0} MB after it, {rested:.0} MB 40 s later"
    );
    println!("{line}");
    lines.push(line);
    Ok(lines.join("\n"))
}

impl Side {
    fn round(&mut self, process: u32, to: std::net::SocketAddr, rate: f64, folder: &Folder) -> Result<(), String> {
        let (before, begun) = (cpu_seconds(process)?, Instant::now());
        let load = run(to, rate, SECONDS, folder)?;
        self.seconds = self.seconds.max(begun.elapsed().as_secs_f64());
        // What is still to be written of the last calls belongs to them.
        std::thread::sleep(Duration::from_millis(200));
        self.micros.push((cpu_seconds(process)? - before) * 1e6 / load.done.max(1.0));
        self.load.done += load.done;
        self.load.failed += load.failed;
        self.load.retransmissions += load.retransmissions;
        Ok(())
    }

    fn cost(&self) -> String {
        let (low, middle, high) = spread(&self.micros);
        format!("{middle:.0} ({low:.0}–{high:.0})")
    }

    fn outcome(&self) -> String {
        let Load { done, failed, retransmissions, .. } = self.load;
        format!("{done:.0}, {failed:.0}, {retransmissions:.0} in {:.1} s", self.seconds)
    }
}

fn run(to: std::net::SocketAddr, rate: f64, seconds: f64, folder: &Folder) -> Result<Load, String> {
    let calls = (rate * seconds) as u64;
    Callers { scenario: &["-sn", "uac"], to, number: NUMBER, rate, calls, core: CALLERS_CORE }.run(&folder.0)
}
