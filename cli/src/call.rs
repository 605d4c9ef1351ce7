//! `strowger call`: a real SIP phone in the terminal, without an audio device: keys in, events out, and what was
//! heard as a file.

use std::io::BufRead;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use clap::Args;
use runtime_contract::leg::GoneCause;
use runtime_server::{Phone, PhoneCall, PhoneError, PhoneEvent, resolve};
use serde_json::json;

use crate::show::{Failure, Result};

const SAMPLES_PER_S: usize = 8_000;

#[derive(Args)]
pub struct Call {
    /// Whom: `sip:+864008100000@127.0.0.1:5060`
    target: String,
    /// Our number, as the other side sees it
    #[arg(long, default_value = "+8613800000000")]
    from: String,
    /// Keys to press by itself, a comma for a pause of two seconds; without it, lines are read from the keyboard
    #[arg(long)]
    keys: Option<String>,
    /// Keep what was heard as a WAV file
    #[arg(long, value_name = "FILE")]
    heard: Option<PathBuf>,
    /// Hang up after so many seconds
    #[arg(long, default_value_t = 120)]
    seconds: u64,
    /// One JSON object for each event
    #[arg(long)]
    json: bool,
}

impl Call {
    pub fn run(&self) -> Result {
        let no_phone = |error: PhoneError| Failure::new(error.message, error.help);
        let peer = resolve(&self.target).map_err(no_phone)?;
        let phone = Phone::start(peer).map_err(no_phone)?;
        let call = phone.call(&self.target, Some(&self.from)).map_err(no_phone)?;
        let began = Instant::now();
        let lines = self.lines();
        let mut up = false;
        let cause = loop {
            if began.elapsed() > Duration::from_secs(self.seconds) {
                call.hang_up();
            }
            match call.next_event(Duration::from_millis(50)) {
                Some(PhoneEvent::Gone(cause)) => break cause,
                Some(event) => {
                    up |= event == PhoneEvent::Up;
                    self.say(began, &describe(event));
                }
                None => {}
            }
            if up && let Ok(line) = lines.try_recv() {
                order(&call, &line);
            }
        };
        self.say(began, &describe_end(cause));
        self.keep(&call.heard())?;
        match (up, cause) {
            (true, GoneCause::RemoteHungUp | GoneCause::LocalHungUp) => Ok(()),
            _ => Err(Failure::Shown),
        }
    }

    /// Lines of orders: from `--keys`, or from the keyboard until its end.
    fn lines(&self) -> Receiver<String> {
        let (sender, lines) = channel();
        let keys = self.keys.clone();
        std::thread::spawn(move || match keys {
            Some(keys) => {
                for part in keys.split_inclusive(',') {
                    // A call that is over takes no more keys.
                    let _ = sender.send(part.trim_end_matches(',').to_owned());
                    if part.ends_with(',') {
                        std::thread::sleep(Duration::from_secs(2));
                    }
                }
            }
            None => {
                for line in std::io::stdin().lock().lines().map_while(std::result::Result::ok) {
                    let _ = sender.send(line);
                }
            }
        });
        lines
    }

    fn say(&self, began: Instant, what: &str) {
        let ms = began.elapsed().as_millis();
        if self.json {
            println!("{}", json!({ "ms": ms as u64, "event": what }));
        } else {
            println!("{:>7.2} s  {what}", ms as f64 / 1_000.0);
        }
    }

    fn keep(&self, heard: &[i16]) -> Result {
        if !self.json {
            println!("heard {:.1} s", heard.len() as f64 / SAMPLES_PER_S as f64);
        }
        let Some(file) = &self.heard else { return Ok(()) };
        runtime_media::write_wav(file, heard, 1).map_err(|cause| {
            let message = format!("cannot write `{}`: {cause}", file.display());
            Failure::new(message, "name a file in a folder that you may write")
        })
    }
}

fn order(call: &PhoneCall, line: &str) {
    match line.trim() {
        "" => {}
        "hang up" | "bye" | "h" => call.hang_up(),
        keys => {
            if !call.press(keys) {
                eprintln!("type keys (0–9 * #), or `hang up`");
            }
        }
    }
}

fn describe(event: PhoneEvent) -> String {
    match event {
        PhoneEvent::Ringing => "ringing".into(),
        PhoneEvent::Up => "up".into(),
        PhoneEvent::FirstPacket => "voice comes in".into(),
        PhoneEvent::KeysSent => "keys sent".into(),
        PhoneEvent::KeysRefused => "no audio was agreed with the other side yet".into(),
        PhoneEvent::Gone(cause) => describe_end(cause),
    }
}

pub fn describe_end(cause: GoneCause) -> String {
    match cause {
        GoneCause::RemoteHungUp => "the other side hung up".into(),
        GoneCause::LocalHungUp => "we hung up".into(),
        GoneCause::Refused(status) => format!("refused with {status}"),
        GoneCause::NoAnswer => "no answer".into(),
        GoneCause::Unreachable => "nobody could be reached".into(),
        GoneCause::Transferred => "the call was given away".into(),
        GoneCause::NoCommonMedia => "nothing in common to speak in".into(),
        GoneCause::Cancelled | GoneCause::NoAck | GoneCause::Failed => "the call failed".into(),
    }
}
