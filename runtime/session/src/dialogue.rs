//! Menus and asks: prompt, barge-in, keys and the times between them. One attempt is one request; `again` and
//! its bound are the program's.

use runtime_contract::phrase::Said;
use runtime_contract::request::{Ask, AskKind, Menu, Prompts, Request};
use runtime_contract::value::{Private, Value};
use runtime_contract::{Called, Redacted};
use zeroize::Zeroizing;

use crate::journal::{Claimed, Record};
use crate::keypad::{self, Surroundings};
use crate::keys::TakenKeys;
use crate::output::{LineCommand, Output, Trace};
use crate::reply;
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
    /// Words, and the phrase that they are.
    Words(Option<Said>),
    Value(Value),
    /// At its last key, without the end key.
    Complete(Value),
    Silence,
    Invalid,
}

impl Session {
    /// A site of the same dialogue as the last one's is taken for `again`: keys typed before that attempt ended do not
    /// answer this one. A confirmation is answered only by who hears it: a digit too many must not say yes.
    pub(crate) fn begin_dialogue(&mut self, request: &Request) -> Option<Answer> {
        let site_of = |site| self.program.meta().site(site);
        let last = self.dialogue.and_then(site_of);
        match site_of(self.site) {
            Some(now) if now.is_confirmation() => self.held.clear(),
            Some(now) if last.is_some_and(|last| last.dialogue() == now.dialogue()) => self.held.drop_stale(),
            _ => {}
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
            self.timers.set(Timer::FirstKey, self.now.tick.plus_ms(self.channel().listen_ms(listen_ms)));
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
        let offset_ms = self.offset_ms();
        if let Some(answer) = self.take_key(key, offset_ms) {
            self.resolve(answer);
        }
    }

    /// Words, for a menu that has phrases; in writing for any menu or ask, which takes what stands for keys as keys. They
    /// come whole: what fits nothing is `other` or `invalid`, and so told. Whoever has begun to press keys answers by
    /// these.
    pub(crate) fn dialogue_words(&mut self, words: Redacted<String>) {
        // They may be a card number.
        let words = Zeroizing::new(words.into_inner());
        let program = self.program.clone();
        let Some(request) = program.meta().request(self.site) else { return };
        let written = self.channel().is_written();
        let Doing::Dialogue(dialogue) = &mut self.doing else { return };
        let listens = written || matches!(request, Request::Menu(menu) if menu.listens());
        if !listens || !dialogue.taken.as_str().is_empty() {
            return;
        }
        match dialogue.prompt {
            Prompt::Protected => return,
            Prompt::Bargeable => {
                dialogue.prompt = Prompt::Over;
                self.output(Output::Line(LineCommand::StopPlay));
            }
            Prompt::Over => {}
        }
        let as_keys = if written { self.write_keys(request, &words) } else { None };
        let verdict = as_keys.unwrap_or_else(|| {
            if let (Request::Ask(Ask { kind: AskKind::Text { max }, .. }), true) = (request, written) {
                let text = keypad::text(&words, *max);
                self.journal(&Record::Claim { request: self.request, keys: Claimed::Words(None) });
                self.trace(Trace::Words);
                return text.map_or(Verdict::Invalid, |text| Verdict::Value(Value::Text(text)));
            }
            let said = match request {
                Request::Menu(menu) => menu.said(&words, self.stack.header.language as u32),
                _ => None,
            };
            self.journal(&Record::Claim { request: self.request, keys: Claimed::Words(said) });
            self.trace(Trace::Words);
            Verdict::Words(said)
        });
        if let Some(answer) = self.close_dialogue(request, verdict) {
            self.resolve(answer);
        }
    }

    /// A reply that stands for keys, and what these lead to.
    fn write_keys(&mut self, request: &Request, words: &str) -> Option<Verdict> {
        let (keys, choice) = match request {
            Request::Menu(menu) => {
                let keys = reply::menu_keys(words)?;
                let choice = menu.choices.iter().position(|choice| Menu::takes(choice, &keys))?;
                (keys, Some(choice as u32))
            }
            Request::Ask(ask) => {
                // Figures are words there too.
                if matches!(ask.kind, AskKind::Text { .. }) {
                    return None;
                }
                (reply::ask_keys(ask.kind, ask.end_key, words).filter(|keys| keys.len() <= ask.kind.keys_max())?, None)
            }
            _ => return None,
        };
        let offset_ms = self.offset_ms();
        let Doing::Dialogue(dialogue) = &mut self.doing else { return None };
        keys.chars().for_each(|key| dialogue.taken.push(key, offset_ms, KEYS_TAKEN_MAX));
        Some(match (choice, request) {
            (Some(choice), _) => Verdict::Menu(choice),
            (None, Request::Ask(ask)) => self.ended(ask, false),
            _ => Verdict::Invalid,
        })
    }

    /// Since the request was made.
    fn offset_ms(&self) -> u32 {
        self.now.time.0.saturating_sub(self.asked_at.0).clamp(0, i64::from(u32::MAX)) as u32
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
            Request::Ask(ask) => (self.ask_key(ask, key, offset_ms), ask.between_keys_ms),
            _ => return None,
        };
        self.timers.cancel(Timer::FirstKey);
        if let Verdict::More = verdict {
            self.timers.set(Timer::InterKey, self.now.tick.plus_ms(u64::from(between_keys_ms)));
        }
        if let (Verdict::Complete(_), Request::Ask(ask)) = (&verdict, request) {
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
            (_, Request::Menu(menu)) => match menu.choices.iter().position(|choice| Menu::takes(choice, taken)) {
                Some(choice) => Verdict::Menu(choice as u32),
                None => Verdict::Invalid,
            },
            (_, Request::Ask(ask)) => self.ended(ask, false),
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
        let Doing::Dialogue(dialogue) = &self.doing else { return None };
        let answer = match (verdict, choices) {
            (Verdict::More, _) => return None,
            (Verdict::Menu(choice), _) => {
                let span = matches!(request, Request::Menu(menu)
                    if menu.choices.get(choice as usize).is_some_and(|choice| Menu::span(choice).is_some()));
                Answer::Result(choice, span.then(|| Value::Text(dialogue.taken.as_str().to_owned())))
            }
            (Verdict::Words(Some(said)), _) => Answer::Result(said.choice, None),
            (Verdict::Value(value) | Verdict::Complete(value), _) => Answer::Result(0, Some(value)),
            (Verdict::Invalid | Verdict::Words(None), Some(choices)) => Answer::Result(choices, None),
            (Verdict::Silence, Some(choices)) => Answer::Result(choices + 1, None),
            (Verdict::Silence, None) => Answer::Result(1, None),
            (Verdict::Invalid | Verdict::Words(None), None) => Answer::Result(2, None),
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

    fn ask_key(&mut self, ask: &Ask, key: char, offset_ms: u32) -> Verdict {
        if key == ask.end_key {
            return self.ended(ask, false);
        }
        let Doing::Dialogue(dialogue) = &mut self.doing else { return Verdict::More };
        dialogue.spoilt |= !keypad::is_part(ask.kind, dialogue.taken.as_str(), key);
        dialogue.taken.push(key, offset_ms, ask.kind.keys_max());
        let taken = dialogue.taken.as_str();
        let is_whole = match dialogue.spoilt {
            true => taken.len() >= ask.kind.keys_max(),
            false => keypad::is_whole(ask.kind, taken),
        };
        if is_whole { self.ended(ask, true) } else { Verdict::More }
    }

    /// The input is over, `by_itself` or by its end key or a pause: its value, if it has one.
    fn ended(&self, ask: &Ask, by_itself: bool) -> Verdict {
        let Doing::Dialogue(dialogue) = &self.doing else { return Verdict::Invalid };
        let value = if dialogue.spoilt { None } else { self.keyed(ask, dialogue.taken.as_str()) };
        match value {
            Some(value) if by_itself => Verdict::Complete(value),
            Some(value) => Verdict::Value(value),
            None => Verdict::Invalid,
        }
    }

    /// The value of these keys, each of which may be part of one.
    pub(crate) fn keyed(&self, ask: &Ask, taken: &str) -> Option<Value> {
        match ask.kind {
            // A card number is never in memory that is not wiped.
            AskKind::Digits { min, max } if ask.private => (min as usize..=max as usize)
                .contains(&taken.len())
                .then(|| Value::Private(Private(Zeroizing::new(taken.to_owned())))),
            kind => {
                let called = match self.stack.header.called {
                    [0, _] => None,
                    [_, word] => Some(Called::from_word(word)),
                };
                let called = self.program.meta().dialled_from(called);
                let zone = self.program.meta().zone();
                keypad::value(kind, taken, &Surroundings { now: self.now.time, zone, called })
            }
        }
    }
}

/// What a menu makes of keys that came before, and how many of them it takes.
pub(crate) fn chosen(menu: &Menu, keys: &str) -> (Option<u32>, usize) {
    for (at, key) in keys.char_indices() {
        let taken = at + key.len_utf8();
        match menu_key(menu, keys.get(..taken).unwrap_or_default()) {
            Verdict::Menu(choice) => return (Some(choice), taken),
            Verdict::More => {}
            _ => return (None, taken),
        }
    }
    let choice = menu.choices.iter().position(|choice| Menu::takes(choice, keys));
    (choice.map(|choice| choice as u32), keys.len())
}

/// Whether keys that came before spoil an ask, and how many of them it takes.
pub(crate) fn taken_by(ask: &Ask, keys: &str) -> (bool, usize) {
    let mut spoilt = false;
    for (at, key) in keys.char_indices() {
        let before = keys.get(..at).unwrap_or_default();
        spoilt |= !keypad::is_part(ask.kind, before, key);
        let taken = at + key.len_utf8();
        let so_far = keys.get(..taken).unwrap_or_default();
        if (spoilt && taken >= ask.kind.keys_max()) || (!spoilt && keypad::is_whole(ask.kind, so_far)) {
            return (spoilt, taken);
        }
    }
    (spoilt, keys.len())
}

/// A choice at once when no longer one begins with it.
fn menu_key(menu: &Menu, taken: &str) -> Verdict {
    let exact = menu.choices.iter().position(|choice| Menu::takes(choice, taken));
    let longer = menu.choices.iter().any(|choice| Menu::begins(choice, taken));
    match (exact, longer) {
        (_, true) => Verdict::More,
        (Some(choice), false) => Verdict::Menu(choice as u32),
        (None, false) => Verdict::Invalid,
    }
}
