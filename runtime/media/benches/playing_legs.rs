//! How many legs one media thread carries: each plays a prompt to a phone that also sends, over loopback. Prints the
//! share of packets that left more than 5 ms late, and the CPU time of each media thread.
//!
//! `cargo bench -p runtime-media --bench playing_legs -- 1500 10` (legs, seconds)
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark may stop at the first surprise")]

use std::sync::Arc;
use std::time::Duration;

use runtime_contract::leg::{Codec, LegId, MediaSpec};
use runtime_media::{Command, Media, MediaConfig, Prompt};

fn main() {
    let numbers: Vec<u64> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let (legs, seconds) = (numbers.first().copied().unwrap_or(1_500), numbers.get(1).copied().unwrap_or(10));
    let config = MediaConfig { legs_max: legs as usize, ..MediaConfig::default() };
    let start = |config| Media::start(config, |_, _| {}).expect("media threads start");
    let (server, phones) = (start(config.clone()), start(config));
    let prompt = Arc::new(Prompt::from_pcm(&vec![3_000; 8_000 * (seconds as usize + 5)]));
    for leg in (0..legs).map(LegId) {
        let (at, phone_at) =
            (server.open(leg, None, None).expect("a port"), phones.open(leg, None, None).expect("a port"));
        let spec = |remote| MediaSpec {
            remote,
            codec: Codec::Pcma,
            dtmf_payload_type: Some(101),
            ptime_ms: 20,
            rtcp: None,
            send: true,
            receive: true,
        };
        server.tell(leg, Command::Connect(spec(phone_at)));
        server.tell(leg, Command::Play { prompts: vec![Arc::clone(&prompt)], token: leg.0 });
        phones.tell(leg, Command::Connect(spec(at)));
    }
    std::thread::sleep(Duration::from_secs(2));
    let (before, cpu_before) = (server.statistics(), media_cpu_ms());
    std::thread::sleep(Duration::from_secs(seconds));
    let (after, cpu_after) = (server.statistics(), media_cpu_ms());
    let sent = after.packets_sent - before.packets_sent;
    let received = after.packets_received - before.packets_received;
    let late = after.packets_late - before.packets_late;
    println!("{legs} legs, {seconds} s: {sent} packets sent ({} expected), {received} received", legs * seconds * 50);
    println!("late by more than 5 ms: {late} ({:.3} %)", late as f64 * 100.0 / sent.max(1) as f64);
    for (thread, (after, before)) in ["server", "phones"].iter().zip(cpu_after.iter().zip(&cpu_before)) {
        let ms = after - before;
        println!(
            "{thread}: {:.0} % of a core, {:.3} ms CPU per leg and second",
            ms / (seconds as f64 * 10.0),
            ms / (legs * seconds) as f64
        );
    }
}

/// CPU time of each thread called `media 0`, oldest first (Linux).
fn media_cpu_ms() -> Vec<f64> {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return Vec::new() };
    let mut folders: Vec<_> = tasks.flatten().map(|task| task.path()).collect();
    folders.sort();
    let is_media = |folder: &std::path::PathBuf| {
        std::fs::read_to_string(folder.join("comm")).is_ok_and(|name| name.trim() == "media 0")
    };
    // The first field is nanoseconds on a CPU (Linux Documentation/scheduler/sched-stats).
    let on_cpu_ms = |folder: std::path::PathBuf| {
        let text = std::fs::read_to_string(folder.join("schedstat")).unwrap_or_default();
        text.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(0.0) / 1e6
    };
    folders.into_iter().filter(is_media).map(on_cpu_ms).collect()
}
