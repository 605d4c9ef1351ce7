//! Calls of 8 s that hear a prompt of 4 s, press a key, hear another and are hung up on: how many of them one core
//! carries, CPU and memory of each, and how late their packets are, by the server's count and at a receiver.

use std::collections::HashMap;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::served::{CALLERS_CORE, Folder, SERVER_CORE, Served, material};
use super::sipp::Callers;
use super::usage::{cpu_seconds, resident_mb};

const CONCURRENT: [f64; 4] = [300.0, 500.0, 1_000.0, 1_500.0];
/// Seconds of a call.
pub const CALL_S: f64 = 8.3;
/// Seconds at full load in which everything is counted.
pub const COUNTED_S: u64 = 20;
pub const NUMBER: &str = "+864008100008";
const LATE: Duration = Duration::from_millis(5);

pub fn measure(words: &[&str]) -> Result<String, String> {
    let loads = match words {
        [] => CONCURRENT.to_vec(),
        words => words.iter().map(|w| w.parse().map_err(|_| format!("`{w}` is no count"))).collect::<Result<_, _>>()?,
    };
    let folder = Folder::new("prompts")?;
    let project = folder.0.join("project");
    write_project(&project).map_err(|cause| format!("{}: {cause}", project.display()))?;
    let mut lines = vec![format!(
        "{:>6} {:>12} {:>17} {:>10} {:>13} {:>22} {:>15}",
        "calls", "core used", "ms CPU/call-sec.", "MB a call", "packets sent", "late or never, sender", "at receiver"
    )];
    println!("{}", lines[0]);
    for calls in loads {
        let line = load(&project, &folder, calls)?;
        println!("{line}");
        lines.push(line);
    }
    Ok(lines.join("\n"))
}

/// One load on a fresh server.
fn load(project: &Path, folder: &Folder, concurrent: f64) -> Result<String, String> {
    let served = Served::start(project, &folder.0.join(format!("data-{concurrent}")), SERVER_CORE)?;
    let receiver = Receiver::start()?;
    let resident_before = resident_mb(served.id())?;
    let rate = concurrent / CALL_S;
    let calls = (rate * (COUNTED_S as f64 + 2.5 * CALL_S)).ceil() as u64;
    let port = receiver.port.to_string();
    let words = ["-sf", "scenario.xml", "-key", "voice_port", &port];
    let counted = std::thread::scope(|scope| -> Result<_, String> {
        let callers = Callers { scenario: &words, to: served.sip, number: NUMBER, rate, calls, core: CALLERS_CORE };
        let callers = scope.spawn(move || callers.run(&folder.0));
        std::thread::sleep(Duration::from_secs_f64(CALL_S * 1.25));
        let before = Moment::of(&served)?;
        let mut live = Vec::new();
        for _ in 0..COUNTED_S {
            std::thread::sleep(Duration::from_secs(1));
            live.push(served.metric("strowger_calls_live")?);
        }
        let after = Moment::of(&served)?;
        let resident = resident_mb(served.id())?;
        let load = callers.join().map_err(|_| "the callers' thread")??;
        Ok((before, after, live.iter().sum::<f64>() / live.len() as f64, resident, load))
    });
    let (before, after, live, resident, load) = counted?;
    let seconds = (after.at - before.at).as_secs_f64();
    let (cpu, sent, late) = (after.cpu - before.cpu, after.sent - before.sent, after.late - before.late);
    let (received, received_late) = receiver.stop();
    Ok(format!(
        "{live:>6.0} {:>10.0} % {:>17.3} {:>10.3} {sent:>13.0} {:>20.3} % {:>13.3} %   {} done, {} failed",
        cpu * 100.0 / seconds,
        cpu * 1_000.0 / (live * seconds),
        (resident - resident_before) / live,
        late * 100.0 / sent.max(1.0),
        received_late * 100.0 / received.max(1.0),
        load.done,
        load.failed,
    ))
}

/// The server's counters at one time.
struct Moment {
    at: Instant,
    cpu: f64,
    sent: f64,
    /// Packets that left too late, or never.
    late: f64,
}

impl Moment {
    fn of(served: &Served) -> Result<Moment, String> {
        Ok(Moment {
            cpu: cpu_seconds(served.id())?,
            sent: served.metric("strowger_media_packets_sent_total")?,
            late: served.metric("strowger_media_packets_late_total")?
                + served.metric("strowger_media_packets_skipped_total")?,
            at: Instant::now(),
        })
    }
}

/// A socket to which all calls have their first prompt sent, and the thread that reads it.
pub struct Receiver {
    pub port: u16,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<(f64, f64)>,
}

impl Receiver {
    pub fn start() -> Result<Receiver, String> {
        let open = || {
            let socket = UdpSocket::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
            socket.set_read_timeout(Some(Duration::from_millis(100)))?;
            Ok((socket.local_addr()?.port(), socket))
        };
        let (port, socket) = open().map_err(|cause: std::io::Error| format!("a socket for voice: {cause}"))?;
        let stop = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&stop);
        let thread = std::thread::spawn(move || receive(&socket, &until));
        Ok(Receiver { port, stop, thread })
    }

    /// Packets received, and those of them that were late.
    pub fn stop(self) -> (f64, f64) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or((0.0, 0.0))
    }
}

/// A packet is late when it comes so long after the time that its stream's earliest packet and its own timestamp give
/// (8 000 a second).
fn receive(socket: &UdpSocket, stop: &AtomicBool) -> (f64, f64) {
    let mut streams: HashMap<[u8; 4], (Instant, u32)> = HashMap::new();
    let (mut received, mut late) = (0.0, 0.0);
    let mut packet = [0; 512];
    while !stop.load(Ordering::Relaxed) {
        let Ok(length) = socket.recv(&mut packet) else { continue };
        let now = Instant::now();
        let Some(&[_, _, _, _, t0, t1, t2, t3, s0, s1, s2, s3]) =
            packet.get(..length.min(12)).and_then(|p| p.first_chunk())
        else {
            continue;
        };
        let timestamp = u32::from_be_bytes([t0, t1, t2, t3]);
        let (first, first_timestamp) = streams.entry([s0, s1, s2, s3]).or_insert((now, timestamp));
        let due = *first + Duration::from_micros(u64::from(timestamp.wrapping_sub(*first_timestamp)) * 125);
        received += 1.0;
        if now > due + LATE {
            late += 1.0;
        } else if now < due {
            (*first, *first_timestamp) = (now, timestamp);
        }
    }
    (received, late)
}

/// The flow and its two prompts; beside it the scenario and the key that SIPp presses.
pub fn write_project(project: &Path) -> std::io::Result<()> {
    let prompts = project.join("prompts");
    std::fs::create_dir_all(&prompts)?;
    for file in ["two_prompts.flow", "strowger.yaml"] {
        std::fs::copy(material("projects/two_prompts").join(file), project.join(file))?;
    }
    for (file, hertz) in [("question.wav", 440.0), ("answer.wav", 620.0)] {
        std::fs::write(prompts.join(file), tone(hertz))?;
    }
    let folder = project.parent().unwrap_or(project);
    std::fs::copy(material("sipp/key_after_prompt.xml"), folder.join("scenario.xml"))?;
    std::fs::write(folder.join("key.pcap"), key_one())
}

/// The same tone in A-law without a header, as Asterisk plays it without transcoding.
pub fn alaw_tone(hertz: f64) -> Vec<u8> {
    let wav = tone(hertz);
    let samples = wav.get(WAV_HEAD_BYTES..).unwrap_or_default().chunks_exact(2);
    samples.filter_map(|pair| Some(alaw(i16::from_le_bytes(*pair.first_chunk()?)))).collect()
}

/// ITU-T G.711, A-law.
fn alaw(sample: i16) -> u8 {
    let (mask, value) = if sample >= 0 { (0xd5, sample >> 3) } else { (0x55, (-(sample + 1)) >> 3) };
    let segment = (1..8).rev().find(|segment| value >= 0x10 << segment).unwrap_or(0);
    (((segment as u8) << 4) | ((value >> segment.max(1)) as u8 & 15)) ^ mask
}

const WAV_HEAD_BYTES: usize = 44;

/// 4 s, 8 000 samples a second of 16 bits, as WAV.
fn tone(hertz: f64) -> Vec<u8> {
    let samples = 4 * 8_000u32;
    let mut wav = b"RIFF".to_vec();
    wav.extend((36 + samples * 2).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend(8_000u32.to_le_bytes());
    wav.extend(16_000u32.to_le_bytes());
    wav.extend(b"\x02\0\x10\0data");
    wav.extend((samples * 2).to_le_bytes());
    for sample in 0..samples {
        let value = (f64::from(sample) * hertz * std::f64::consts::TAU / 8_000.0).sin() * 6_000.0;
        wav.extend((value as i16).to_le_bytes());
    }
    wav
}

/// Key 1 for 100 ms by RFC 4733 as a capture (classic pcap, Ethernet): five packets, then three with the end bit.
fn key_one() -> Vec<u8> {
    let mut pcap = Vec::new();
    for word in [0xa1b2_c3d4u32, 0x0004_0002, 0, 0, 65_535, 1] {
        pcap.extend(word.to_le_bytes());
    }
    for packet in 0..8u16 {
        let (end, duration) = (packet > 4, 160 * (packet.min(4) + 1));
        let mut rtp = vec![0x80, if packet == 0 { 0xe5 } else { 0x65 }];
        rtp.extend((packet + 1).to_be_bytes());
        rtp.extend([0, 0, 3, 0xe8, 0x53, 0x74, 0x72, 0x67, 1, if end { 0x8a } else { 0x0a }]);
        rtp.extend(duration.to_be_bytes());
        let udp = 8 + rtp.len() as u16;
        let mut frame = vec![0; 12];
        frame.extend([8, 0, 0x45, 0]);
        frame.extend((20 + udp).to_be_bytes());
        frame.extend([0, 0, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1, 0x27, 0x10, 0x27, 0x12]);
        frame.extend(udp.to_be_bytes());
        frame.extend([0, 0]);
        frame.extend(rtp);
        let micros = u32::from(packet.min(5)) * 20_000;
        for word in [0, micros, frame.len() as u32, frame.len() as u32] {
            pcap.extend(word.to_le_bytes());
        }
        pcap.extend(frame);
    }
    pcap
}
