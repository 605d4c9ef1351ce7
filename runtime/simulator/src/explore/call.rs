//! One call of an explorer, or one run of a cadence: the plant of a test, copied at each choice and played as far as the
//! next. What a script would say of it stands in a log. It does not know what may be chosen.

mod waits;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use runtime_contract::channel::Channel;
use runtime_contract::record::CallId;
use runtime_contract::request::{Kind, Request};
use runtime_contract::script::{Delivery, FarSide, Given, Hears, Verb};
use runtime_contract::value::Value;
use runtime_contract::{FlowProgram, SiteId, Tick, Time, Type, calendar, spoken};
use runtime_session::Line;

use crate::plant::{Asks, Plant, SERVICE_MS};
use crate::play::KEY_MS;
use crate::transcript::What;

pub(super) use self::waits::Wait;

/// What the caller says into a recording.
const WORDS: &str = "Hello.";
const SECOND_MS: u64 = 1_000;
/// Parts of a flow that are no steps: the top, and those that no `go` leads to.
const HANDLERS: [&str; 3] = ["", "fault", "finally"];
/// Of what a plant holds beside its session, about.
const PLANT_BYTES: usize = 6_144;

/// How it begins.
#[derive(Clone, Debug)]
pub(super) struct Root {
    pub at: Time,
    pub zone: String,
    /// Of the flow or the cadence.
    pub name: String,
    pub begins: Begins,
}

#[derive(Clone, Debug)]
pub(super) enum Begins {
    Call { channel: Channel, from: Option<String>, to: String },
    Start { cadence: u32, arguments: Vec<Value> },
}

/// One way to go on.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Choice {
    /// The prompt, or the `wait`, comes to its end.
    Continue,
    HangUp,
    Keys(String),
    /// A phrase of a menu, or a reply in writing.
    Phrase(String),
    /// Nothing, until the patience of the dialogue runs out.
    Silence,
    /// Words into the recording, or none.
    Speak,
    Unspoken,
    Answer(Given),
    FarSide(FarSide),
    /// What comes of a message.
    Delivery(Delivery),
    /// What comes of a text that was sent.
    Sent(Delivery),
    /// What becomes of him who enters a queue.
    Queue(Wait),
}

/// What happened, in order.
pub(super) enum Event {
    /// The caller does something, or time passes.
    Line(Verb),
    /// What somebody outside does during the last line.
    Given(Verb),
    /// What is to be seen on the way.
    Seen(Verb),
    Step(String),
    Hears(Verb),
    /// The text that comes next has to be waited for.
    Unspoken,
    /// A text was sent: whether it arrives has to be said before.
    Sent,
    /// Notes, messages and cases, by what a test would expect.
    Kept(Verb),
    /// A conversation that we begin behind a call.
    Begins,
    Ended,
}

pub(super) type Log = Vec<Event>;

#[derive(Clone)]
pub(super) struct Call {
    plant: Plant,
    is_cadence: bool,
    /// Where the player of the script so far stands; he may be ahead, as he waits whole seconds.
    stands: Tick,
    /// What others did since the last line of the script, which cannot be told twice in one.
    told: Vec<Verb>,
    /// The same of queues, with what became of him in each. Agents are the same for all of one line.
    staffed: Vec<(u32, Wait)>,
    /// What is heard meanwhile is no line of the script.
    is_music: bool,
    /// Attempts of the cadence.
    attempts: u32,
}

impl Call {
    pub fn new(program: &Arc<dyn FlowProgram>, root: &Root, log: &mut Log) -> Call {
        let mut plant = Plant::new(Arc::clone(program), root.at);
        plant.asks = Asks::All;
        let mut call = Call {
            plant,
            is_cadence: false,
            stands: Tick(0),
            told: Vec::new(),
            staffed: Vec::new(),
            is_music: false,
            attempts: 0,
        };
        match &root.begins {
            Begins::Call { channel, from, to } => {
                log.push(Event::Line(Verb::Call { channel: *channel, from: from.clone(), to: to.clone() }));
                call.plant.call(*channel, from.clone(), to);
            }
            Begins::Start { cadence, arguments } => {
                call.is_cadence = true;
                log.push(Event::Line(Verb::Start { cadence: *cadence, arguments: arguments.clone() }));
                call.plant.start(*cadence, arguments.clone());
            }
        }
        call.read(log);
        call.settle(log);
        call
    }

    /// Bytes that it holds.
    pub fn bytes(&self) -> usize {
        let session = self.plant.session().map_or(0, runtime_session::Session::memory_bytes);
        size_of::<Call>() + PLANT_BYTES + session
    }

    pub fn is_over(&self) -> bool {
        let is_over = if self.is_cadence { !self.plant.outgoing.goes_on() } else { self.plant.ended };
        let is_quiet = !self.plant.asks_of_sent() && self.plant.undelivered() == 0 && self.plant.rules.is_empty();
        is_over && is_quiet && !self.plant.follows_up()
    }

    /// Whether a text arrives is to be said.
    pub fn sends(&self) -> bool {
        self.plant.asks_of_sent()
    }

    /// A limit cut it off, which no test may want.
    pub fn is_cut(&self) -> bool {
        self.plant.limit.is_some()
    }

    pub fn is_cadence(&self) -> bool {
        self.is_cadence
    }

    pub fn channel(&self) -> Channel {
        self.plant.channel()
    }

    pub fn site(&self) -> Option<SiteId> {
        Some(self.plant.session()?.site())
    }

    pub fn request(&self) -> Option<&Request> {
        self.plant.meta().request(self.site()?)
    }

    /// Index of the caller's language.
    pub fn language(&self) -> u32 {
        self.plant.session().map_or(0, runtime_session::Session::language)
    }

    /// The service and operation that it waits for.
    pub fn asks(&self) -> Option<(u32, u32)> {
        self.plant.asked.as_ref().map(|call| (call.service, call.operation))
    }

    pub fn is_recording(&self) -> bool {
        self.plant.is_recording()
    }

    /// Somebody is to be called: by `dial`, `connect to` or `transfer to`.
    pub fn dials(&self) -> Option<Kind> {
        self.plant.dialled.as_ref().and_then(|_| self.request()).map(Request::kind)
    }

    pub fn can_hang_up(&self) -> bool {
        let is_up = self.plant.session().is_some_and(|session| session.line() == Line::Up);
        is_up && self.asks().is_none() && !self.is_recording()
    }

    /// What was told already of what it waits for.
    pub fn told(&self) -> Option<Choice> {
        if self.enters_queue() {
            return self.told_of_queue().map(Choice::Queue);
        }
        self.told.iter().find_map(|verb| match verb {
            Verb::Given { service, operation, answer } if self.asks() == Some((*service, *operation)) => {
                Some(Choice::Answer(answer.clone()))
            }
            Verb::SendGives(given) if self.sends() => given.first().copied().map(Choice::Sent),
            Verb::MessageGives(given) if self.dials() == Some(Kind::Reach) => {
                given.first().copied().map(Choice::Delivery)
            }
            Verb::DialGives(sides) if self.dials().is_some_and(|kind| kind != Kind::Reach) => {
                sides.first().copied().map(Choice::FarSide)
            }
            _ => None,
        })
    }

    /// Calls of the same state take the same ways.
    pub fn state(&self) -> u64 {
        let mut state = DefaultHasher::new();
        if let Some(session) = self.plant.session() {
            session.hash_state(&mut state);
        }
        (self.is_cadence, self.attempts, self.channel(), self.plant.ended).hash(&mut state);
        (self.asks(), self.plant.dialled.is_some(), self.is_recording(), self.plant.is_playing()).hash(&mut state);
        (self.enters_queue(), &self.plant.full, self.plant.follow_ups, self.plant.is_surveyed).hash(&mut state);
        (self.sends(), self.plant.undelivered()).hash(&mut state);
        self.plant.rules.values().for_each(|site| site.hash(&mut state));
        let meta = self.plant.meta();
        let now = self.plant.now().time;
        meta.hours.iter().for_each(|hours| calendar::is_open(hours, now).hash(&mut state));
        (format!("{:?}", self.told), format!("{:?}", self.staffed)).hash(&mut state);
        state.finish()
    }

    /// Does it, and lets happen what follows by itself.
    pub fn choose(&mut self, choice: &Choice, log: &mut Log) {
        match choice {
            Choice::Continue => self.go_on(log),
            Choice::HangUp => self.hang_up(log),
            Choice::Keys(keys) if self.channel().is_written() => self.say(self.as_reply(keys), log),
            Choice::Keys(keys) => self.press(keys, log),
            Choice::Phrase(words) => self.say(words, log),
            Choice::Silence => {
                self.run_until(self.stands, log);
                self.wait(log, Call::settle_request);
            }
            Choice::Speak => self.speak(log),
            Choice::Unspoken => {
                log.push(Event::Unspoken);
                while self.is_recording() && self.run_next(log) {}
            }
            Choice::Answer(answer) => self.answer(answer, log),
            Choice::FarSide(side) => {
                self.tell(Verb::DialGives(vec![*side]), log);
                self.plant.meet(*side);
                self.read(log);
            }
            Choice::Delivery(delivery) => {
                self.tell(Verb::MessageGives(vec![*delivery]), log);
                self.plant.deliver(*delivery);
                self.read(log);
            }
            Choice::Sent(delivery) => {
                self.tell(Verb::SendGives(vec![*delivery]), log);
                self.plant.deliver_sent(*delivery);
            }
            Choice::Queue(wait) => self.queue(wait, log),
        }
        self.settle(log);
    }

    /// What plays comes to its end, or what waits.
    fn go_on(&mut self, log: &mut Log) {
        let (asked, plays) = (self.asked(), self.plant.is_playing());
        while self.asked() == asked && self.plant.is_playing() == plays && self.run_next(log) {}
    }

    fn hang_up(&mut self, log: &mut Log) {
        let is_onward = self.dials().is_some();
        if is_onward {
            self.tell(Verb::DialGives(vec![FarSide::Person]), log);
            self.plant.meet(FarSide::Person);
            self.read(log);
        }
        if self.stands < self.plant.now().tick || is_onward {
            let now = self.plant.now().tick;
            self.wait(log, |call, log| call.run_until(now, log));
        }
        self.plant.enter();
        self.read(log);
        self.line(Verb::HangUp, log);
        self.plant.hang_up();
        self.read(log);
    }

    fn press(&mut self, keys: &str, log: &mut Log) {
        self.run_until(self.stands, log);
        let (asked, at) = (self.asked(), log.len());
        let goes_on = |call: &Call| !call.is_over() && call.asked() == asked;
        self.told.clear();
        self.staffed.clear();
        let mut pressed = String::new();
        for key in keys.chars() {
            if !goes_on(self) {
                break;
            }
            pressed.push(key);
            self.stands = self.plant.now().tick.plus_ms(KEY_MS);
            self.plant.press(key);
            self.read(log);
            if goes_on(self) {
                self.run_until(self.stands, log);
            }
        }
        log.insert(at, Event::Line(Verb::Press(pressed)));
        // A pause is the end of the keys.
        if goes_on(self) {
            self.wait(log, Call::settle_request);
        }
    }

    /// Who writes has no key that ends what he writes.
    fn as_reply<'k>(&self, keys: &'k str) -> &'k str {
        match self.request() {
            Some(Request::Ask(ask)) => keys.strip_suffix(ask.end_key).filter(|keys| !keys.is_empty()).unwrap_or(keys),
            _ => keys,
        }
    }

    /// What is not listened to is followed by silence.
    fn say(&mut self, words: &str, log: &mut Log) {
        self.run_until(self.stands, log);
        let asked = self.asked();
        self.line(Verb::Says(words.to_owned()), log);
        let spoken_ms = if self.channel().is_written() { 0 } else { spoken::spoken_ms(words) };
        self.stands = self.plant.now().tick.plus_ms(spoken_ms);
        self.plant.begin_to_say(words);
        self.read(log);
        if !self.is_over() && self.asked() == asked {
            self.run_until(self.stands, log);
            self.wait(log, Call::settle_request);
        }
    }

    fn speak(&mut self, log: &mut Log) {
        self.line(Verb::Says(WORDS.to_owned()), log);
        self.plant.begin_to_say(WORDS);
        self.stands = self.plant.now().tick.plus_ms(spoken::spoken_ms(WORDS));
        self.run_until(self.stands, log);
        if !self.is_recording() {
            return;
        }
        let key = match self.request() {
            Some(Request::Record(record)) => record.end_key.unwrap_or('#'),
            _ => '#',
        };
        self.line(Verb::Press(key.to_string()), log);
        self.stands = self.plant.now().tick.plus_ms(KEY_MS);
        self.plant.press(key);
        self.read(log);
    }

    fn answer(&mut self, answer: &Given, log: &mut Log) {
        let Some((service, operation)) = self.asks() else { return };
        let answered_at = self.plant.now().tick.plus_ms(SERVICE_MS);
        let is_of_rule = self.plant.asked.as_ref().is_some_and(|asked| self.plant.rules.contains_key(&asked.call));
        if is_of_rule && self.stands < answered_at {
            // Nothing that is seen of a rule says when it asks.
            let ms = (answered_at.saturating_since(self.stands).as_millis() as u64).div_ceil(SECOND_MS) * SECOND_MS;
            self.line(Verb::Wait { ms: ms as i64 }, log);
            self.stands = self.stands.plus_ms(ms);
        }
        self.tell(Verb::Given { service, operation, answer: answer.clone() }, log);
        self.plant.answer(service, operation, answer.clone());
        self.run_until(answered_at, log);
    }

    /// A line of the script.
    fn line(&mut self, verb: Verb, log: &mut Log) {
        self.told.clear();
        self.staffed.clear();
        log.push(Event::Line(verb));
    }

    /// What somebody outside does from here on.
    fn tell(&mut self, verb: Verb, log: &mut Log) {
        if !self.told.contains(&verb) {
            self.told.push(verb.clone());
            log.push(Event::Given(verb));
        }
    }

    /// Lets `pass` happen, during a line that waits so long.
    fn wait(&mut self, log: &mut Log, pass: impl FnOnce(&mut Call, &mut Log)) {
        let (from, at) = (self.stands, log.len());
        self.told.clear();
        self.staffed.clear();
        pass(self, log);
        let passed_ms = self.plant.now().tick.saturating_since(from).as_millis() as u64;
        let ms = passed_ms.div_ceil(SECOND_MS).max(1) * SECOND_MS;
        log.insert(at, Event::Line(Verb::Wait { ms: ms as i64 }));
        self.stands = self.stands.max(from.plus_ms(ms));
    }

    /// The request at which the call waits: each has a number of its own.
    fn asked(&self) -> Option<(CallId, u32)> {
        self.plant.asking()
    }

    /// Somebody outside is to say what he does.
    fn awaits_others(&self) -> bool {
        self.asks().is_some() || self.plant.dialled.is_some() || self.enters_queue() || self.sends()
    }

    /// Time passes until the outstanding request is settled.
    fn settle_request(&mut self, log: &mut Log) {
        let asked = self.asked();
        while self.asked() == asked && self.run_next(log) {}
    }

    /// Goes on until somebody is to choose.
    fn settle(&mut self, log: &mut Log) {
        loop {
            let is_listening = || {
                let is_up = self.plant.session().is_some_and(|session| session.line() == Line::Up);
                is_up && matches!(self.request().map(Request::kind), Some(Kind::Menu | Kind::Ask | Kind::Wait))
            };
            if self.is_recording() || self.plant.is_playing() || is_listening() || !self.run_next(log) {
                return;
            }
        }
    }

    /// What happens next by itself happens; false when nothing will before somebody outside says what he does.
    fn run_next(&mut self, log: &mut Log) -> bool {
        let happens = !self.is_over() && !self.is_cut() && !self.awaits_others() && self.plant.run_next();
        self.read(log);
        happens
    }

    /// Where there are several, an expectation names its cadence.
    fn named(&self, cadence: u32) -> Option<u32> {
        Some(cadence).filter(|_| self.plant.meta().cadences.len() > 1)
    }

    fn run_until(&mut self, until: Tick, log: &mut Log) {
        while self.plant.next().is_some_and(|next| next <= until) && self.run_next(log) {}
        if !self.is_over() && !self.awaits_others() {
            self.plant.run_until(until);
        }
        self.read(log);
    }

    /// What the plant has told since.
    fn read(&mut self, log: &mut Log) {
        self.plant.journals.clear();
        for (key, r#type, value) in std::mem::take(&mut self.plant.notes) {
            log.push(Event::Kept(Verb::ExpectNote { key, r#type, value }));
        }
        let handed_at = self.plant.handed_at();
        for (at, line) in std::mem::take(&mut self.plant.transcript).into_iter().enumerate() {
            if handed_at == Some(at) {
                log.push(Event::Sent);
            }
            match line.what {
                What::Step { step, .. } if !HANDLERS.contains(&step.as_str()) => log.push(Event::Step(step)),
                What::Sends { text, in_it: true, .. } => {
                    self.told.clear();
                    self.stands = self.stands.max(self.plant.now().tick);
                    log.push(Event::Hears(Verb::Hears(Hears::words(&text))));
                }
                What::Hears { text, .. } if !text.is_empty() && !self.is_music => {
                    self.told.clear();
                    self.staffed.clear();
                    self.stands = self.stands.max(self.plant.now().tick);
                    log.push(Event::Hears(Verb::Hears(Hears::words(&text))));
                }
                What::Queued { .. } => {
                    if let Some(Request::Queue { queue }) = self.request() {
                        log.push(Event::Seen(Verb::ExpectQueued { queue: *queue, priority: None }));
                        self.stands = self.stands.max(self.plant.now().tick);
                    }
                }
                What::Attempt { cadence, number } => {
                    self.attempts = number;
                    let verb = Verb::ExpectAttempt { cadence: self.named(cadence), attempt: number, at: None };
                    // In the second to which the player waits already, whoever is called must be told of before.
                    let now = self.plant.now().tick;
                    match now <= self.stands && now > Tick(0) {
                        true => log.push(Event::Seen(verb)),
                        false => self.line(verb, log),
                    }
                    self.stands = self.stands.max(self.plant.now().tick);
                }
                What::CadenceStops { cadence, disposition } => {
                    let cadence = self.named(cadence);
                    log.push(Event::Kept(Verb::ExpectStopped { cadence, disposition }));
                }
                What::Sends { channel, to, text, .. } => {
                    log.push(Event::Kept(Verb::ExpectSent { channel, to: Some(to), text: Some(Hears::words(&text)) }));
                }
                What::WritesTo { .. } => log.push(Event::Begins),
                What::Case { kind, priority } => {
                    log.push(Event::Kept(Verb::ExpectCase { kind, priority: Some(priority) }));
                }
                What::Ended => log.push(Event::Ended),
                _ => {}
            }
        }
    }
}

/// The note of a value that means something outside of its call.
pub(super) fn is_lasting(r#type: &Type, value: &Value) -> bool {
    match (r#type, value) {
        (Type::Recording | Type::Private(_), _) => false,
        (Type::Optional(inner), Value::Some(value)) => is_lasting(inner, value),
        _ => true,
    }
}
