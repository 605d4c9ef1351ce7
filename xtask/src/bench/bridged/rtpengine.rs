//! rtpengine of Debian, in userspace on one core; calls are made by its own protocol (ng: a cookie and a bencoded
//! dictionary in a datagram).

use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::super::served::SERVER_CORE;
use super::super::sipp::free_port;
use super::phones::{Phones, Ways};
use crate::tools;

const START_MAX: Duration = Duration::from_secs(10);
/// An answer to a command, after which it is given up.
const ANSWER_MAX: Duration = Duration::from_secs(2);

pub struct Rtpengine {
    child: Child,
    control: UdpSocket,
}

pub fn install() -> Result<String, String> {
    tools::ensure(&[("rtpengine", "rtpengine-daemon")])?;
    let output = Command::new("rtpengine").arg("--version").output().map_err(|cause| format!("rtpengine: {cause}"))?;
    // `Version: 10.5.3.5-1`, on standard error.
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    Ok(format!("rtpengine {}", said.trim().trim_start_matches("Version: ")))
}

impl Rtpengine {
    pub fn start() -> Result<Rtpengine, String> {
        let ng = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let child = Command::new("taskset")
            .args(["-c", &SERVER_CORE.to_string(), "rtpengine", "--foreground", "--config-file=none", "--table=-1"])
            .args(["--interface=127.0.0.1", &format!("--listen-ng={ng}"), "--port-min=10000", "--port-max=32000"])
            // One core, one worker; nothing is written of a call.
            .args(["--num-threads=1", "--log-level=1"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|cause| format!("taskset: {cause}"))?;
        let open = || {
            let control = UdpSocket::bind("127.0.0.1:0")?;
            control.connect(ng)?;
            Ok(control)
        };
        let control = open().map_err(|cause: std::io::Error| format!("a socket for rtpengine: {cause}"))?;
        let rtpengine = Rtpengine { child, control };
        let until = Instant::now() + START_MAX;
        while rtpengine.ask(&[("command", "ping")], Duration::from_millis(200)).is_err() {
            if Instant::now() > until {
                return Err(format!("rtpengine does not answer within {} s", START_MAX.as_secs()));
            }
        }
        Ok(rtpengine)
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// So many calls between the phones.
    pub fn connect(&self, phones: &Phones, pairs: usize) -> Result<Ways, String> {
        let [caller, callee, reports] = phones.ports()?;
        let mut ways = Ways::default();
        for call in 0..pairs {
            let call = format!("bench-{call}");
            let offer = sdp(caller, reports);
            let words =
                [("ICE", "remove"), ("call-id", &call), ("command", "offer"), ("from-tag", "a"), ("sdp", &offer)];
            ways.callees.push(voice_port(&self.ask(&words, ANSWER_MAX)?)?);
            let answer = sdp(callee, reports);
            let words = [
                ("ICE", "remove"),
                ("call-id", &call),
                ("command", "answer"),
                ("from-tag", "a"),
                ("sdp", &answer),
                ("to-tag", "b"),
            ];
            ways.callers.push(voice_port(&self.ask(&words, ANSWER_MAX)?)?);
        }
        Ok(ways)
    }

    /// What it answers; what answers an earlier question (one that was given up) is left out.
    fn ask(&self, words: &[(&str, &str)], answer_max: Duration) -> Result<String, String> {
        let failed = |cause: std::io::Error| format!("rtpengine: {cause}");
        let question = bencode(words);
        // The answer to a question is kept by its cookie, so a cookie is used once.
        let cookie = format!("{:?}", Instant::now()).replace(|letter: char| !letter.is_ascii_alphanumeric(), "");
        self.control.send(format!("{cookie} {question}").as_bytes()).map_err(failed)?;
        let until = Instant::now() + answer_max;
        let mut room = [0; 4_096];
        loop {
            let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            self.control.set_read_timeout(Some(left)).map_err(failed)?;
            let length = self.control.recv(&mut room).map_err(failed)?;
            let said = String::from_utf8_lossy(room.get(..length).unwrap_or_default());
            match said.strip_prefix(&format!("{cookie} ")) {
                Some(answer) if answer.contains("5:error") => return Err(format!("rtpengine refuses: {answer}")),
                Some(answer) => return Ok(answer.to_owned()),
                None => {}
            }
        }
    }
}

impl Drop for Rtpengine {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// A dictionary of texts; its keys are in order already.
fn bencode(words: &[(&str, &str)]) -> String {
    let text = |text: &str| format!("{}:{text}", text.len());
    let words: String = words.iter().map(|(key, value)| text(key) + &text(value)).collect();
    format!("d{words}e")
}

fn sdp(voice: u16, reports: u16) -> String {
    format!(
        "v=0\r\no=bench 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {voice} RTP/AVP 8\r\n\
         a=rtpmap:8 PCMA/8000\r\na=rtcp:{reports}\r\na=ptime:20\r\n"
    )
}

fn voice_port(answer: &str) -> Result<u16, String> {
    let port = answer.split("m=audio ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
    port.ok_or_else(|| format!("rtpengine names no port: {answer}"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_question_and_the_port_in_its_answer() {
        let words = [("command", "offer"), ("sdp", "m=audio 7 RTP/AVP 8\r\n")];
        let question = super::bencode(&words);
        assert_eq!(question, "d7:command5:offer3:sdp21:m=audio 7 RTP/AVP 8\r\ne");
        assert_eq!(super::voice_port(&question), Ok(7));
        assert!(super::voice_port("d6:result4:ponge").is_err());
    }
}
