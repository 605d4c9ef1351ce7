//! The same IVR on Asterisk and on `strowger serve`, each on one core with the same callers: CPU of a second of a call,
//! and memory of a call. Asterisk comes from Debian sid (bookworm has none) and runs in a folder of its own.

use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::prompts::{CALL_S, COUNTED_S, NUMBER, Receiver, alaw_tone, write_project};
use super::served::{CALLERS_CORE, Folder, SERVER_CORE, Served};
use super::sipp::Callers;
use super::usage::{cpu_seconds, resident_mb, spread};
use crate::debian::Debian;

const CONCURRENT: [f64; 2] = [100.0, 300.0];
const ROUNDS: usize = 3;
/// How long Asterisk may take until it answers OPTIONS.
const START_MAX: Duration = Duration::from_secs(30);

pub fn measure(words: &[&str]) -> Result<String, String> {
    let loads = match words {
        [] => CONCURRENT.to_vec(),
        words => words.iter().map(|w| w.parse().map_err(|_| format!("`{w}` is no count"))).collect::<Result<_, _>>()?,
    };
    let root = build()?;
    let folder = Folder::new("asterisk")?;
    let project = folder.0.join("project");
    write_project(&project).map_err(|cause| format!("{}: {cause}", project.display()))?;
    let mut lines = vec![
        format!("{}; the lowest, middle and highest of {ROUNDS} rounds", version(&root)?),
        format!("{:>6} {:>10} {:>30} {:>30} {:>8}", "calls", "", "ms CPU/call-second", "MB/call", "failed"),
    ];
    lines.iter().for_each(|line| println!("{line}"));
    for calls in loads {
        let mut say = |line: String| {
            println!("{line}");
            lines.push(line);
        };
        let mut theirs = Sums::default();
        let mut ours = Sums::default();
        for round in 0..ROUNDS {
            theirs.add(asterisk_round(&root, &folder, calls)?);
            ours.add(strowger_round(&project, &folder, calls, round)?);
        }
        say(theirs.line(calls, "Asterisk"));
        say(ours.line(calls, "Strowger"));
        let (cpu, memory) = (ours.middle(|sum| sum.cpu_ms), ours.middle(|sum| sum.mb));
        say(format!(
            "{:>6} {:>10} {:>29.2}x {:>29.2}x   (mark: 0.25x of both)",
            "",
            "ratio",
            cpu / theirs.middle(|sum| sum.cpu_ms),
            memory / theirs.middle(|sum| sum.mb)
        ));
    }
    Ok(lines.join("\n"))
}

/// What one load cost.
#[derive(Clone, Copy)]
struct Cost {
    /// Milliseconds of CPU for each second of each call.
    cpu_ms: f64,
    /// Resident memory of each call.
    mb: f64,
    failed: f64,
}

#[derive(Default)]
struct Sums(Vec<Cost>);

impl Sums {
    fn add(&mut self, cost: Cost) {
        self.0.push(cost);
    }

    fn spread(&self, what: fn(&Cost) -> f64) -> (f64, f64, f64) {
        spread(&self.0.iter().map(what).collect::<Vec<_>>())
    }

    fn middle(&self, what: fn(&Cost) -> f64) -> f64 {
        self.spread(what).1
    }

    fn line(&self, calls: f64, who: &str) -> String {
        let three = |(low, middle, high): (f64, f64, f64)| format!("{low:.3} {middle:.3} {high:.3}");
        let failed: f64 = self.0.iter().map(|cost| cost.failed).sum();
        let (cpu, mb) = (three(self.spread(|cost| cost.cpu_ms)), three(self.spread(|cost| cost.mb)));
        format!("{calls:>6.0} {who:>10} {cpu:>30} {mb:>30} {failed:>8.0}")
    }
}

fn strowger_round(project: &Path, folder: &Folder, calls: f64, round: usize) -> Result<Cost, String> {
    let served = Served::start(project, &folder.0.join(format!("data-{calls}-{round}")), SERVER_CORE)?;
    load(served.id(), served.sip, folder, calls)
}

fn asterisk_round(root: &Path, folder: &Folder, calls: f64) -> Result<Cost, String> {
    let asterisk = Asterisk::start(root)?;
    load(asterisk.child.id(), asterisk.sip, folder, calls)
}

/// The same load on either.
fn load(process: u32, sip: SocketAddr, folder: &Folder, concurrent: f64) -> Result<Cost, String> {
    let receiver = Receiver::start()?;
    let resident_before = resident_mb(process)?;
    let rate = concurrent / CALL_S;
    let calls = (rate * (COUNTED_S as f64 + 2.5 * CALL_S)).ceil() as u64;
    let port = receiver.port.to_string();
    let words = ["-sf", "scenario.xml", "-key", "voice_port", &port];
    let callers = Callers { scenario: &words, to: sip, number: NUMBER, rate, calls, core: CALLERS_CORE };
    let (cpu, seconds, resident, load) = std::thread::scope(|scope| -> Result<_, String> {
        let callers = scope.spawn(move || callers.run(&folder.0));
        std::thread::sleep(Duration::from_secs_f64(CALL_S * 1.25));
        let (before, since) = (cpu_seconds(process)?, Instant::now());
        std::thread::sleep(Duration::from_secs(COUNTED_S));
        let (cpu, seconds) = (cpu_seconds(process)? - before, since.elapsed().as_secs_f64());
        let resident = resident_mb(process)?;
        Ok((cpu, seconds, resident, callers.join().map_err(|_| "the callers' thread")??))
    })?;
    let (received, _) = receiver.stop();
    if received == 0.0 {
        return Err("no caller heard anything".to_owned());
    }
    let live = rate * load.call_s;
    Ok(Cost { cpu_ms: cpu * 1_000.0 / (live * seconds), mb: (resident - resident_before) / live, failed: load.failed })
}

struct Asterisk {
    child: Child,
    sip: SocketAddr,
}

impl Asterisk {
    fn start(root: &Path) -> Result<Asterisk, String> {
        let port = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
        let port = port.map_err(|cause| format!("a free port: {cause}"))?.port();
        configure(root, port).map_err(|cause| format!("{}: {cause}", root.display()))?;
        let child = Command::new("taskset")
            .args(["-c", &SERVER_CORE.to_string(), "chroot"])
            .arg(root)
            .args(["/usr/sbin/asterisk", "-f", "-n", "-C", "/etc/strowger-bench/asterisk.conf"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|cause| format!("chroot: {cause}"))?;
        let asterisk = Asterisk { child, sip: SocketAddr::from(([127, 0, 0, 1], port)) };
        asterisk.wait_until_it_answers()?;
        Ok(asterisk)
    }

    fn wait_until_it_answers(&self) -> Result<(), String> {
        let socket = UdpSocket::bind("127.0.0.1:0").map_err(|cause| format!("a socket: {cause}"))?;
        let timeout = socket.set_read_timeout(Some(Duration::from_millis(500)));
        let local = socket.local_addr();
        let (Ok(()), Ok(local)) = (timeout, local) else { return Err("a socket".to_owned()) };
        let until = Instant::now() + START_MAX;
        for turn in 0.. {
            let ask = format!(
                "OPTIONS sip:{to} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bK{turn}\r\nFrom: <sip:b@{local}>;tag=1\r\n\
                 To: <sip:{to}>\r\nCall-ID: {turn}@{local}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n\
                 Contact: <sip:b@{local}>\r\nContent-Length: 0\r\n\r\n",
                to = self.sip
            );
            let _ = socket.send_to(ask.as_bytes(), self.sip);
            let mut answer = [0; 2_048];
            if socket.recv(&mut answer).is_ok() {
                return Ok(());
            }
            if Instant::now() > until {
                break;
            }
        }
        Err(format!("Asterisk does not answer within {} s", START_MAX.as_secs()))
    }
}

impl Drop for Asterisk {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// A Debian sid with Asterisk in `target/asterisk`, made if need be.
fn build() -> Result<PathBuf, String> {
    let debian = Debian::make("asterisk", "sid")?;
    if !debian.has("usr/sbin/asterisk") {
        debian.install(&["asterisk"])?;
    }
    Ok(debian.root)
}

fn version(root: &Path) -> Result<String, String> {
    let output = Command::new("chroot").arg(root).args(["asterisk", "-V"]).output();
    let output = output.map_err(|cause| format!("chroot: {cause}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// As lean as Asterisk can be: only the modules that this call needs, prompts in the codec of the line.
fn configure(root: &Path, port: u16) -> std::io::Result<()> {
    let etc = root.join("etc/strowger-bench");
    let sounds = root.join("usr/share/asterisk/sounds/strowger-bench");
    std::fs::create_dir_all(&etc)?;
    std::fs::create_dir_all(&sounds)?;
    for (file, hertz) in [("question.alaw", 440.0), ("answer.alaw", 620.0)] {
        std::fs::write(sounds.join(file), alaw_tone(hertz))?;
    }
    let modules: String = MODULES.iter().map(|module| format!("load = {module}.so\n")).collect();
    let files = [
        ("asterisk.conf", "[directories]\nastetcdir => /etc/strowger-bench\n\n[options]\nverbose = 0\n".to_owned()),
        ("modules.conf", format!("[modules]\nautoload = no\n{modules}")),
        ("logger.conf", "[general]\n\n[logfiles]\n".to_owned()),
        ("rtp.conf", "[general]\nrtpstart = 20000\nrtpend = 29998\nstrictrtp = no\n".to_owned()),
        (
            "pjsip.conf",
            format!(
                "[udp]\ntype = transport\nprotocol = udp\nbind = 127.0.0.1:{port}\n\n[callers]\ntype = endpoint\n\
                 context = calls\ndisallow = all\nallow = alaw\ndtmf_mode = rfc4733\nrtp_symmetric = no\n\n\
                 [callers]\ntype = identify\nendpoint = callers\nmatch = 127.0.0.1\n"
            ),
        ),
        (
            "extensions.conf",
            "[calls]\nexten => _.,1,Answer()\n same => n,Read(KEY,strowger-bench/question,1,,1,5)\n \
             same => n,Playback(strowger-bench/answer)\n same => n,Hangup()\n"
                .to_owned(),
        ),
    ];
    for (file, text) in files {
        std::fs::write(etc.join(file), text)?;
    }
    Ok(())
}

const MODULES: &[&str] = &[
    "res_sorcery_config",
    "res_sorcery_memory",
    "res_sorcery_astdb",
    "res_pjproject",
    "res_pjsip",
    "res_pjsip_pubsub",
    "res_pjsip_session",
    "res_pjsip_sdp_rtp",
    "res_pjsip_caller_id",
    "res_pjsip_endpoint_identifier_ip",
    "res_pjsip_dtmf_info",
    "res_rtp_asterisk",
    "res_timing_timerfd",
    "codec_alaw",
    "format_pcm",
    "chan_pjsip",
    "app_playback",
    "app_read",
    "pbx_config",
];
