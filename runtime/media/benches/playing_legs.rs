//! How many legs one media thread carries over loopback. Alone: each plays a prompt to a phone that also sends. Bridged:
//! each two legs relay what their phones play. Prints the share of packets that left more than 5 ms late, the CPU time of
//! each media thread, and how a leg went over.
//!
//! `cargo bench -p runtime-media --bench playing_legs -- 1500 10 [bridged]` (legs, seconds)
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark may stop at the first surprise")]

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use runtime_contract::leg::{Codec, LegId, MediaSpec};
use runtime_contract::record::Quality;
use runtime_media::{Command, Media, MediaConfig, MediaEvent, Prompt};

fn main() {
    let numbers: Vec<u64> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let (legs, seconds) = (numbers.first().copied().unwrap_or(1_500), numbers.get(1).copied().unwrap_or(10));
    let bridged = std::env::args().any(|argument| argument == "bridged");
    let load = Load::start(legs, seconds + 5, bridged);
    std::thread::sleep(Duration::from_secs(2));
    let (before, cpu_before) = (load.server.statistics(), media_cpu_ms());
    std::thread::sleep(Duration::from_secs(seconds));
    let (after, cpu_after) = (load.server.statistics(), media_cpu_ms());
    let sent = after.packets_sent - before.packets_sent;
    let received = after.packets_received - before.packets_received;
    let late = after.packets_late - before.packets_late;
    let what = if bridged { "bridged legs" } else { "legs" };
    println!("{legs} {what}, {seconds} s: {sent} packets sent ({} expected), {received} received", legs * seconds * 50);
    println!("late by more than 5 ms: {late} ({:.3} %)", late as f64 * 100.0 / sent.max(1) as f64);
    for (thread, (after, before)) in ["server", "phones"].iter().zip(cpu_after.iter().zip(&cpu_before)) {
        let ms = after - before;
        println!(
            "{thread}: {:.0} % of a core, {:.3} ms CPU per leg and second",
            ms / (seconds as f64 * 10.0),
            ms / (legs * seconds) as f64
        );
    }
    println!("as a phone heard it: {:?}", load.quality_of_a_phone());
}

/// Legs of one [`Media`], and as many phones of another that send and hear.
struct Load {
    server: Media,
    phones: Media,
    said: Receiver<Quality>,
}

impl Load {
    fn start(legs: u64, seconds: u64, bridged: bool) -> Load {
        let config = MediaConfig { legs_max: legs as usize, ..MediaConfig::default() };
        let server = Media::start(config.clone(), |_, _| {}).expect("media threads start");
        let (say, said) = channel();
        let phones = Media::start(config, move |_, event| {
            if let MediaEvent::Quality(quality) = event {
                let _ = say.send(quality);
            }
        });
        let phones = phones.expect("media threads start");
        let prompt = Arc::new(Prompt::from_pcm(&vec![3_000; 8_000 * seconds as usize]));
        for leg in (0..legs).map(LegId) {
            let at = server.open(leg, None, None).expect("a port");
            let phone_at = phones.open(leg, None, None).expect("a port");
            server.tell(leg, Command::Connect(spec(phone_at)));
            phones.tell(leg, Command::Connect(spec(at)));
            let speaker = if bridged { &phones } else { &server };
            speaker.tell(leg, Command::Play { prompts: vec![Arc::clone(&prompt)], token: leg.0 });
        }
        if bridged {
            (0..legs / 2).for_each(|pair| server.bridge(LegId(2 * pair), LegId(2 * pair + 1)));
        }
        Load { server, phones, said }
    }

    fn quality_of_a_phone(&self) -> Option<Quality> {
        self.phones.close(LegId(0));
        self.said.recv_timeout(Duration::from_secs(5)).ok()
    }
}

fn spec(remote: std::net::SocketAddr) -> MediaSpec {
    MediaSpec {
        remote,
        codec: Codec::Pcma,
        dtmf_payload_type: Some(101),
        ptime_ms: 20,
        rtcp: None,
        send: true,
        receive: true,
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
