//! The demo's call, from the phone's side: waits until the sound of each prompt has come in over RTP, then
//! presses the next keys. It believes only what it hears.

use std::sync::Arc;
use std::time::{Duration, Instant};

use runtime_media::{Portion, Prompt, find_prompt};
use runtime_server::{Phone, PhoneCall, PhoneError, PhoneEvent, RunningServer};

use super::rehearsal::{Act, Sound, Stage};
use crate::call::describe_end;
use crate::show::{Failure, Result};

const SAMPLES_PER_MS: usize = 8;
/// After a prompt's own length, how long it may take to be heard: services and rendering included.
const PATIENCE_MS: u64 = 10_000;
/// From the end of the last prompt until a caller speaks: the beep is over by then.
const BEFORE_SPEAKING: Duration = Duration::from_millis(1_200);
/// Of our own voice, played back, so much must be recognised.
const OWN_VOICE_MS: u32 = 1_000;
/// Between two looks at what came in.
const LOOK: Duration = Duration::from_millis(150);

/// How many prompts there should have been, and how many were there.
pub struct Heard {
    pub expected: usize,
    pub found: usize,
}

struct Caller<'a> {
    server: &'a RunningServer,
    call: PhoneCall,
    began: Instant,
    /// Sample of what was heard from which the next prompt is looked for.
    from: usize,
    voice: Arc<Prompt>,
    over: bool,
}

/// Places the call and plays the caller's part.
pub fn call(server: &RunningServer, plan: &[Stage]) -> Result<Heard> {
    let phone = Phone::start(server.sip_addr).map_err(no_phone)?;
    let target = format!("sip:{}@{}", super::NUMBER, server.sip_addr);
    let call = phone.call(&target, Some("+8613800000000")).map_err(no_phone)?;
    let voice = server
        .prompt("en", "This is a message from the demo, kept by the server and played back.")
        .map_err(|why| Failure::new(why, ""))?;
    let mut caller = Caller { server, call, began: Instant::now(), from: 0, voice, over: false };
    caller.wait_until_up()?;
    let mut heard = Heard { expected: plan.iter().map(|stage| stage.sounds.len()).sum(), found: 0 };
    for stage in plan {
        for sound in &stage.sounds {
            heard.found += usize::from(caller.hears(sound)?);
        }
        match &stage.act {
            Some(act) => caller.act(act),
            None => caller.wait_for_the_end()?,
        }
    }
    Ok(heard)
}

fn no_phone(error: PhoneError) -> Failure {
    Failure::new(error.message, error.help)
}

impl Caller<'_> {
    fn say(&self, what: &str) {
        println!("{:>6.1} s  {what}", self.began.elapsed().as_secs_f64());
    }

    fn wait_until_up(&mut self) -> Result {
        let until = Instant::now() + Duration::from_secs(10);
        while Instant::now() < until {
            match self.call.next_event(Duration::from_millis(100)) {
                Some(PhoneEvent::Ringing) => self.say("rings"),
                Some(PhoneEvent::Up) => {
                    self.say("answered");
                    return Ok(());
                }
                Some(PhoneEvent::Gone(cause)) => {
                    return Err(Failure::new(describe_end(cause), "run it with `--debug`"));
                }
                _ => {}
            }
        }
        Err(Failure::new("the server did not answer", "run it with `--debug`"))
    }

    /// Waits for a sound. True when it came.
    fn hears(&mut self, sound: &Sound) -> Result<bool> {
        let (prompt, portion, words) = match sound {
            Sound::Text { language, text } => {
                let prompt = self.server.prompt(language, text).map_err(|why| Failure::new(why, ""))?;
                (prompt, Portion::Whole, text.as_str())
            }
            Sound::OwnVoice => (Arc::clone(&self.voice), Portion::AtLeastMs(OWN_VOICE_MS), "(my own message)"),
        };
        let pcm = prompt.pcm();
        let until = Instant::now() + Duration::from_millis(prompt.duration_ms() + PATIENCE_MS);
        let mut looked_at = 0;
        loop {
            self.note_events();
            let heard = self.call.heard();
            let enough = heard.len() >= self.from + pcm.len().min(SAMPLES_PER_MS * OWN_VOICE_MS as usize);
            if enough && heard.len() > looked_at {
                looked_at = heard.len();
                if let Some(found) = find_prompt(&heard, self.from, &pcm, portion) {
                    let second = found.offset as f64 / (SAMPLES_PER_MS * 1_000) as f64;
                    self.say(&format!(
                        "hears    {words}   (at {second:.1} s of the sound, {:.0} % alike)",
                        found.score * 100.0
                    ));
                    self.from = found.offset + found.heard;
                    return Ok(true);
                }
            }
            if Instant::now() > until || self.over {
                self.say(&format!("MISSING  {words}"));
                return Ok(false);
            }
            std::thread::sleep(LOOK);
        }
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Press(keys, meaning) => {
                self.say(&format!("presses  {keys}   ({meaning})"));
                self.call.press(keys);
            }
            Act::Speak => {
                std::thread::sleep(BEFORE_SPEAKING);
                self.say("speaks   a message, then presses #");
                self.call.speak(Arc::clone(&self.voice));
                std::thread::sleep(Duration::from_millis(self.voice.duration_ms() + 300));
                self.call.press("#");
            }
        }
    }

    fn note_events(&mut self) {
        while let Some(event) = self.call.next_event(Duration::ZERO) {
            if let PhoneEvent::Gone(cause) = event {
                self.over = true;
                self.say(&describe_end(cause));
            }
        }
    }

    fn wait_for_the_end(&mut self) -> Result {
        let until = Instant::now() + Duration::from_secs(10);
        while !self.over {
            if Instant::now() > until {
                return Err(Failure::new("the flow did not hang up", "run it with `--debug`"));
            }
            self.note_events();
            std::thread::sleep(LOOK);
        }
        Ok(())
    }
}
