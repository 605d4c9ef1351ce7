//! A load that goes on: SIP calls at a rate below the highest one held, and calls that hear prompts beside them if
//! wanted. A line a minute: what became of the calls, memory, CPU and disk; at the end whether memory stayed flat.

use std::path::Path;
use std::time::{Duration, Instant};

use super::prompts::{self, CALL_S, Receiver};
use super::served::{CALLERS_CORE, Folder, SERVER_CORE, Served, material};
use super::sip;
use super::sipp::{Callers, Calling, Load};
use super::usage::{cpu_seconds, resident_mb};

/// 80 % of the 8 000 calls/s that one core holds.
const RATE: f64 = 6_400.0;
const MINUTES: f64 = 30.0;
/// A short run has so many lines all the same.
const LINES_MIN: f64 = 10.0;
/// Ended transactions are kept for 32 s (RFC 3261 timer J): until then memory grows.
const WARM: Duration = Duration::from_secs(60);

/// Takes `[RATE [MINUTES [CALLS]]]`: calls a second, for how long, and how many calls with prompts beside them.
pub fn measure(words: &[&str]) -> Result<String, String> {
    let number = |at: usize, default: f64| {
        words.get(at).map_or(Ok(default), |word| word.parse::<f64>().map_err(|_| format!("`{word}` is no number")))
    };
    let (rate, minutes, beside) = (number(0, RATE)?, number(1, MINUTES)?, number(2, 0.0)?);
    let folder = Folder::new("soak")?;
    let (project, data) = (folder.0.join("project"), folder.0.join("data"));
    let flow = project.join("hang_up.flow");
    prompts::write_project(&project)
        .and_then(|()| std::fs::copy(material("projects/hang_up/hang_up.flow"), &flow))
        .map_err(|cause| format!("{}: {cause}", project.display()))?;
    let served = Served::start(&project, &data, SERVER_CORE)?;
    let seconds = minutes * 60.0;
    let receiver = Receiver::start()?;
    let port = receiver.port.to_string();
    let with_prompts = ["-sf", "scenario.xml", "-key", "voice_port", &port];
    let callers = |scenario, number, rate: f64| {
        let calls = (rate * seconds).ceil() as u64;
        Callers { scenario, to: served.sip, number, rate, calls, core: CALLERS_CORE }.start(&folder.0)
    };
    let mut loads = vec![callers(&["-sn", "uac"], sip::NUMBER, rate)?];
    if beside > 0.0 {
        loads.push(callers(&with_prompts, prompts::NUMBER, beside / CALL_S)?);
    }
    let mut lines = vec![
        format!("{rate:.0} calls/s and {beside:.0} calls with prompts, {minutes} minutes"),
        format!(
            "{:>8} {:>10} {:>8} {:>8} {:>10} {:>11} {:>9} {:>11}",
            "minutes", "done", "failed", "resent", "core used", "resident MB", "disk MB", "bytes/call"
        ),
    ];
    lines.iter().for_each(|line| println!("{line}"));
    let memory = watch(&served, &mut loads, &data, seconds, &mut lines)?;
    let ends: Vec<Load> = loads.into_iter().map(Calling::wait).collect::<Result<_, _>>()?;
    let (received, late) = receiver.stop();
    let end = sum(&ends);
    let mut say = |line: String| {
        println!("{line}");
        lines.push(line);
    };
    say(format!(
        "in all: {:.0} done, {:.0} failed, {:.0} packets sent again",
        end.done, end.failed, end.retransmissions
    ));
    if beside > 0.0 {
        say(format!("prompts: {received:.0} packets, {:.3} % late at the receiver", late * 100.0 / received.max(1.0)));
    }
    if let (Some(first), Some(last)) = (memory.first(), memory.last()) {
        let highest = memory.iter().copied().fold(*first, f64::max);
        say(format!(
            "resident memory: {first:.1} MB after {} s, highest {highest:.1}, at the end {last:.1}: {:.3} times",
            WARM.as_secs(),
            last / first
        ));
    }
    Ok(lines.join("\n"))
}

/// A line a minute until the load is over; memory at each of them after the first minute.
fn watch(
    served: &Served,
    loads: &mut [Calling],
    data: &Path,
    seconds: f64,
    lines: &mut Vec<String>,
) -> Result<Vec<f64>, String> {
    let every = Duration::from_secs_f64((seconds / LINES_MIN).clamp(1.0, 60.0));
    let begun = Instant::now();
    let mut memory = Vec::new();
    let (mut cpu_before, mut looked) = (cpu_seconds(served.id())?, begun);
    while !loads.iter_mut().all(Calling::is_over) {
        std::thread::sleep(Duration::from_millis(200));
        if looked.elapsed() < every {
            continue;
        }
        let cpu = cpu_seconds(served.id())?;
        let core = (cpu - cpu_before) * 100.0 / looked.elapsed().as_secs_f64();
        (cpu_before, looked) = (cpu, Instant::now());
        let (resident, disk) = (resident_mb(served.id())?, bytes_in(data));
        let load = sum(&loads.iter().filter_map(Calling::until_now).collect::<Vec<_>>());
        let line = format!(
            "{:>8.1} {:>10.0} {:>8.0} {:>8.0} {core:>8.0} % {resident:>11.1} {:>9.1} {:>11.0}",
            begun.elapsed().as_secs_f64() / 60.0,
            load.done,
            load.failed,
            load.retransmissions,
            disk / 1e6,
            disk / load.done.max(1.0)
        );
        println!("{line}");
        lines.push(line);
        if begun.elapsed() >= WARM {
            memory.push(resident);
        }
    }
    Ok(memory)
}

fn sum(loads: &[Load]) -> Load {
    loads.iter().fold(Load::default(), |sum, load| Load {
        done: sum.done + load.done,
        failed: sum.failed + load.failed,
        retransmissions: sum.retransmissions + load.retransmissions,
        ..sum
    })
}

/// Of all files below a folder.
fn bytes_in(folder: &Path) -> f64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let bytes = entries.map(|entry| match entry.metadata() {
        Ok(about) if about.is_dir() => bytes_in(&entry.path()),
        Ok(about) => about.len() as f64,
        // Gone since.
        Err(_) => 0.0,
    });
    bytes.sum()
}
