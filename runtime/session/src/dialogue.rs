//! Menus and asks: prompt, barge-in, keys and the times between them. One attempt is one request; `again` and
//! its bound are the program's.

use runtime_contract::request::{Ask, AskKind, Menu, Prompts, Request};
use runtime_contract::value::{Private, Value};
use zeroize::Zeroizing;

use crate::journal::{Claimed, Record};
use crate::keys::TakenKeys;
use crate::output::{LineCommand, Output, Trace};
use crate::request::Doing;
use crate::session::{Answer, Session};
use crate::timers::Timer;

#[derive(Clone, Debug)]
pub(crate) struct Dialogue {
    prompt: Prompt,
    taken: TakenKeys,
    /// A key came that cannot be part of a value: what follows is taken too, and all of it is invalid.
    spoilt: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prompt {
    /// Plays; a key may stop it.
    Bargeable,
    /// Plays; keys wait until it is over.
    Protected,
    Over,
}

/// Keys that a public ask or a menu takes at most; a private one never takes more than its own `max`.
const KEYS_TAKEN_MAX: usize = 64;

impl Dialogue {
    pub fn capacity_bytes(&self) -> usize {
        self.taken.capacity_bytes()
    }
}

/// What the next key, or the end of waiting for one, leads to.
enum Verdict {
    More,
    Menu(u32),
    Value,
    /// `reached`: at the last digit, without the end key.
    Complete,
    Silence,
    Invalid,
}

impl Session {
    /// The same site as the last dialogue's is taken for `again`: keys typed before that attempt ended do not
    /// answer this one.
    pub(crate) fn begin_dialogue(&mut self, request: &Request) -> Option<Answer> {
        if self.dialogue == Some(self.site) {
            self.held.drop_stale();
        }
        self.dialogue = Some(self.site);
        let (prompts, private) = match request {
            Request::Menu(menu) => (&menu.prompts, false),
            Request::Ask(ask) => (&ask.prompts, ask.private),
            _ => return None,
        };
        if private {
            self.output(Output::Line(LineCommand::Mask { on: true }));
        }
        let mut dialogue = Dialogue { prompt: Prompt::Over, taken: TakenKeys::default(), spoilt: false };
        if !self.skips(prompts) {
            match self.play(prompts, false) {
                Err(kind) => return Some(Answer::Fault(kind)),
                Ok(true) if prompts.barge_in => dialogue.prompt = Prompt::Bargeable,
                Ok(true) => dialogue.prompt = Prompt::Protected,
                Ok(false) => {}
            }
        }
        let over = dialogue.prompt == Prompt::Over;
        self.doing = Doing::Dialogue(dialogue);
        if over { self.listen() } else { None }
    }

    /// Keys typed ahead answer without the prompt.
    fn skips(&self, prompts: &Prompts) -> bool {
        prompts.barge_in && !self.held.is_empty()
    }

    pub(crate) fn prompt_over(&mut self) {
        if let Doing::Dialogue(dialogue) = &mut self.doing
            && dialogue.prompt != Prompt::Over
        {
            dialogue.prompt = Prompt::Over;
            if let Some(answer) = self.listen() {
                self.resolve(answer);
            }
        }
    }

    /// Takes what was typed ahead, then waits for the first key.
    fn listen(&mut self) -> Option<Answer> {
        while let Some(key) = self.held.take() {
            if let Some(answer) = self.take_key(key, 0) {
                return Some(answer);
            }
        }
        if let Doing::Dialogue(dialogue) = &self.doing
            && dialogue.taken.as_str().is_empty()
            && !dialogue.spoilt
        {
            let listen_ms = match self.program.meta().request(self.site) {
                Some(Request::Menu(Menu { listen_ms, .. }) | Request::Ask(Ask { listen_ms, .. })) => *listen_ms,
                _ => 0,
            };
            self.timers.set(Timer::FirstKey, self.now.tick.plus_ms(u64::from(listen_ms)));
            self.trace(Trace::Listening);
        }
        None
    }

    pub(crate) fn dialogue_key(&mut self, key: char) {
        let Doing::Dialogue(dialogue) = &mut self.doing else { return };
        match dialogue.prompt {
            Prompt::Protected => return self.held.push(key),
            Prompt::Bargeable => {
                dialogue.prompt = Prompt::Over;
                self.output(Output::Line(LineCommand::StopPlay));
            }
            Prompt::Over => {}
        }
        let offset_ms = self.now.time.0.saturating_sub(self.asked_at.0).clamp(0, i64::from(u32::MAX)) as u32;
        if let Some(answer) = self.take_key(key, offset_ms) {
            self.resolve(answer);
        }
    }

    /// One key for this dialogue, `offset_ms` after the request.
    fn take_key(&mut self, key: char, offset_ms: u32) -> Option<Answer> {
        let program = self.program.clone();
        let request = program.meta().request(self.site)?;
        let Doing::Dialogue(dialogue) = &mut self.doing else { return None };
        let (verdict, between_keys_ms) = match request {
            Request::Menu(menu) => {
                dialogue.taken.push(key, offset_ms, KEYS_TAKEN_MAX);
                (menu_key(menu, dialogue.taken.as_str()), menu.between_keys_ms)
            }
            Request::Ask(ask) => (ask_key(ask, dialogue, key, offset_ms), ask.between_keys_ms),
            _ => return None,
        };
        self.timers.cancel(Timer::FirstKey);
        if let Verdict::More = verdict {
            self.timers.set(Timer::InterKey, self.now.tick.plus_ms(u64::from(between_keys_ms)));
        }
        if let (Verdict::Complete, Request::Ask(ask)) = (&verdict, request) {
            if self.held.first() == Some(ask.end_key) {
                self.held.take();
            } else {
                self.end_key = Some((ask.end_key, self.now.tick.plus_ms(u64::from(between_keys_ms))));
            }
        }
        self.close_dialogue(request, verdict)
    }

    pub(crate) fn dialogue_timer(&mut self, timer: Timer) {
        let program = self.program.clone();
        let Doing::Dialogue(dialogue) = &self.doing else { return };
        let taken = dialogue.taken.as_str();
        let Some(request) = program.meta().request(self.site) else { return };
        let verdict = match (timer, request) {
            (Timer::FirstKey, _) => Verdict::Silence,
            (_, Request::Menu(menu)) => match menu.choices.iter().position(|choice| choice == taken) {
                Some(choice) => Verdict::Menu(choice as u32),
                None => Verdict::Invalid,
            },
            (_, Request::Ask(ask)) if is_long_enough(ask, dialogue) => Verdict::Value,
            _ => Verdict::Invalid,
        };
        if let Some(answer) = self.close_dialogue(request, verdict) {
            self.resolve(answer);
        }
    }

    /// Claims the keys and answers, unless more may come.
    fn close_dialogue(&mut self, request: &Request, verdict: Verdict) -> Option<Answer> {
        let private = matches!(request, Request::Ask(ask) if ask.private);
        let choices = if let Request::Menu(menu) = request { Some(menu.choices.len() as u32) } else { None };
        let value = |taken: &TakenKeys| {
            let digits = Zeroizing::new(taken.as_str().to_owned());
            if private { Value::Private(Private(digits)) } else { Value::Text(digits.to_string()) }
        };
        let Doing::Dialogue(dialogue) = &self.doing else { return None };
        let answer = match (verdict, choices) {
            (Verdict::More, _) => return None,
            (Verdict::Menu(choice), _) => Answer::Result(choice, None),
            (Verdict::Value | Verdict::Complete, _) => Answer::Result(0, Some(value(&dialogue.taken))),
            (Verdict::Invalid, Some(choices)) => Answer::Result(choices, None),
            (Verdict::Silence, Some(choices)) => Answer::Result(choices + 1, None),
            (Verdict::Silence, None) => Answer::Result(1, None),
            (Verdict::Invalid, None) => Answer::Result(2, None),
        };
        self.claim(private);
        if private {
            self.output(Output::Line(LineCommand::Mask { on: false }));
        }
        self.held.dialogue_ended();
        Some(answer)
    }

    /// Only here keys enter the journal, and private ones as their number.
    fn claim(&mut self, private: bool) {
        let Doing::Dialogue(dialogue) = &self.doing else { return };
        let taken = &dialogue.taken;
        let count = taken.as_str().len() as u32;
        if count == 0 {
            return;
        }
        let (keys, shown) = if private {
            (Claimed::Private(count), None)
        } else {
            let keys = taken.as_str().chars().zip(taken.offsets_ms().iter().copied()).collect();
            (Claimed::Keys(keys), Some(taken.as_str().to_owned()))
        };
        self.journal(&Record::Claim { request: self.request, keys });
        self.trace(Trace::Keys { count, keys: shown });
    }

    pub(crate) fn abandon_dialogue(&mut self) {
        let Doing::Dialogue(dialogue) = &self.doing else { return };
        if dialogue.prompt != Prompt::Over {
            self.output(Output::Line(LineCommand::StopPlay));
        }
        if matches!(self.program.meta().request(self.site), Some(Request::Ask(ask)) if ask.private) {
            self.output(Output::Line(LineCommand::Mask { on: false }));
        }
    }
}

/// A choice at once when no longer one begins with it.
fn menu_key(menu: &Menu, taken: &str) -> Verdict {
    let exact = menu.choices.iter().position(|choice| choice == taken);
    let longer = menu.choices.iter().any(|choice| choice.len() > taken.len() && choice.starts_with(taken));
    match (exact, longer) {
        (_, true) => Verdict::More,
        (Some(choice), false) => Verdict::Menu(choice as u32),
        (None, false) => Verdict::Invalid,
    }
}

fn ask_key(ask: &Ask, dialogue: &mut Dialogue, key: char, offset_ms: u32) -> Verdict {
    let AskKind::Digits { max, .. } = ask.kind;
    if key == ask.end_key {
        return if is_long_enough(ask, dialogue) { Verdict::Value } else { Verdict::Invalid };
    }
    if !key.is_ascii_digit() {
        dialogue.spoilt = true;
    }
    dialogue.taken.push(key, offset_ms, max as usize);
    if dialogue.taken.as_str().len() < max as usize {
        Verdict::More
    } else if dialogue.spoilt {
        Verdict::Invalid
    } else {
        Verdict::Complete
    }
}

fn is_long_enough(ask: &Ask, dialogue: &Dialogue) -> bool {
    let AskKind::Digits { min, .. } = ask.kind;
    !dialogue.spoilt && dialogue.taken.as_str().len() >= min as usize
}
