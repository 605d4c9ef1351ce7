//! One caller of a queue beside his call: the agents who are rung for him, the one who talks with him, and the promise to
//! call him back, which outlives the call. It does not know whose turn it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use runtime_acd::{AgentName, OfferNumber};
use runtime_contract::channel::Channel;
use runtime_contract::leg::{LegId, Target};
use runtime_contract::pure::Facts;
use runtime_contract::record::CallId;
use runtime_contract::value::Phone;
use runtime_contract::{Called, FlowProgram, Redacted, Time};
use runtime_session::{Input as SessionInput, QueueAsk, QueueEvent, RequestId};

use crate::desk::{Desk, Entry};
use crate::output::{MediaCommand, Output, TraceEvent, TraceWhat};
use crate::recovery::LineNote;
use crate::rules::Who;
use crate::surveys::Conversed;

/// How long a caller who was promised a call is rung.
const CALLBACK_RING_MS: u32 = 25_000;

/// Extensions of agents.
pub(crate) type Phones = BTreeMap<AgentName, Redacted<String>>;

#[derive(Clone)]
pub(crate) struct Contact {
    /// The call in which he queued; over, when he was promised another.
    pub call: CallId,
    /// The request of its session that has no reply yet.
    pub request: Option<RequestId>,
    /// The caller's leg, while it is there.
    pub leg: Option<LegId>,
    pub program: Arc<dyn FlowProgram>,
    /// The queue that he entered, and with what.
    pub ask: QueueAsk,
    pub caller: Option<Phone>,
    /// What he called, shown to him when he is called back.
    called: Redacted<String>,
    called_as: Option<Called>,
    pub entered: Time,
    pub rings: Vec<Ring>,
    pub talk: Option<Talk>,
    pub stage: Stage,
    /// He hears the music of the queue.
    pub music: bool,
    /// A cadence has called him.
    is_called_by_us: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// For an agent, on the line.
    Waits,
    /// His line is over: he is called when an agent has time.
    Promised,
    /// The conversation is over, and the agent says how it was.
    Reported,
}

/// An agent who is rung.
#[derive(Clone)]
pub(crate) struct Ring {
    pub agent: AgentName,
    pub n: OfferNumber,
    pub leg: LegId,
    pub ring_ms: u64,
    pub placed: bool,
    /// What a successor of this process needs to find him.
    pub dialog: Option<Redacted<Vec<u8>>>,
}

/// The agent who has taken him.
#[derive(Clone)]
pub(crate) struct Talk {
    pub agent: AgentName,
    pub leg: LegId,
    pub stage: TalkStage,
    pub dialog: Option<Redacted<Vec<u8>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TalkStage {
    /// The agent hears whom he gets.
    Whisper { token: u32 },
    /// The caller who was promised a call is called: his leg, and whether it was placed.
    Calling { leg: LegId, placed: bool },
    /// Caller and agent.
    Joined,
}

impl Contact {
    pub fn new(entry: Entry, entered: Time) -> Contact {
        let Entry { call, request, leg, program, ask, caller, called, called_as, is_called_by_us } = entry;
        Contact {
            call,
            request: Some(request),
            leg: Some(leg),
            program,
            ask,
            caller,
            called,
            called_as,
            entered,
            rings: Vec::new(),
            talk: None,
            stage: Stage::Waits,
            music: false,
            is_called_by_us,
        }
    }

    /// What his ticket is known by; `None` when what the queue was given is not what it takes.
    pub fn facts(&self) -> Option<Facts> {
        let meta = self.program.meta();
        let parameters = &meta.queues.get(self.ask.queue as usize)?.parameters;
        let types = parameters.iter().map(|parameter| &parameter.r#type);
        let mut facts = Facts::new(meta, types.zip(&self.ask.arguments))?;
        (facts.language, facts.caller, facts.called) = (self.ask.language, self.caller, self.called_as);
        Some(facts)
    }

    pub fn who(&self) -> Who {
        let language = self.program.meta().languages.get(self.ask.language as usize);
        Who {
            call: self.call,
            number: self.caller,
            called: self.called_as,
            language: language.cloned().unwrap_or_default(),
            is_called_by_us: self.is_called_by_us,
        }
    }

    /// The queue asks its agent how the conversation was.
    pub fn wants_report(&self) -> bool {
        let queue = self.program.meta().queues.get(self.ask.queue as usize);
        queue.is_some_and(|queue| queue.wrap_up_as.is_some())
    }

    /// The conversation is over, and he is gone: its survey may follow in writing.
    pub fn conversed(&self, desk: &mut Desk) {
        let meta = self.program.meta();
        let Some(survey) = meta.surveys.iter().position(|survey| survey.queue == self.ask.queue) else { return };
        desk.conversed.push_back(Conversed {
            call: self.call,
            request: None,
            program: self.program.clone(),
            survey: survey as u32,
            person: self.caller,
            called: self.called.clone(),
            called_as: self.called_as,
            channel: Channel::Voice,
            language: self.ask.language,
        });
    }

    pub fn ring_of(&mut self, leg: LegId) -> Option<&mut Ring> {
        self.rings.iter_mut().find(|ring| ring.leg == leg)
    }

    pub fn take_ring(&mut self, which: impl Fn(&Ring) -> bool) -> Option<Ring> {
        let at = self.rings.iter().position(which)?;
        Some(self.rings.swap_remove(at))
    }

    /// No agent has taken him yet.
    pub fn waits(&self) -> bool {
        self.stage == Stage::Waits && self.talk.is_none()
    }

    /// Caller and agent hear each other.
    pub fn joined(&self) -> bool {
        self.talk.as_ref().is_some_and(|talk| talk.stage == TalkStage::Joined)
    }

    pub fn trace(&self, desk: &mut Desk, what: impl FnOnce() -> TraceWhat) {
        if desk.trace {
            let program = self.program.clone();
            desk.put(Output::Trace(TraceEvent { now: desk.now, call: self.call, program, what: what() }));
        }
    }

    /// While he waits he hears the music of the queue, where it has one.
    pub fn play_music(&mut self, desk: &mut Desk, on: bool) {
        let queue = self.program.meta().queues.get(self.ask.queue as usize);
        let music = queue.and_then(|queue| queue.music.clone()).filter(|_| on);
        if self.music != music.is_some()
            && let Some(leg) = self.leg
        {
            self.music = music.is_some();
            self.trace(desk, || TraceWhat::Music { on: music.is_some() });
            desk.put(Output::Media(MediaCommand::Music { leg, music }));
        }
    }

    /// Caller and agent hear each other from here on.
    pub fn bridge(&mut self, desk: &mut Desk) {
        self.play_music(desk, false);
        let (Some(talk), Some(leg)) = (&mut self.talk, self.leg) else { return };
        talk.stage = TalkStage::Joined;
        let (with, dialog) = (talk.leg, talk.dialog.take());
        desk.put(Output::Media(MediaCommand::Bridge { leg, with }));
        if let Some(request) = self.request {
            desk.follow_up(self.call, SessionInput::Queue { request, event: QueueEvent::Talking });
            self.note_dialog(desk, dialog);
        }
        self.trace(desk, || TraceWhat::Connected);
    }

    /// A successor of this process finds the agent by it, once he talks with the caller of a call.
    pub fn keep_dialog(&mut self, desk: &mut Desk, leg: LegId, dialog: Redacted<Vec<u8>>) {
        if let Some(ring) = self.ring_of(leg) {
            ring.dialog = Some(dialog);
        } else if let Some(talk) = self.talk.as_mut().filter(|talk| talk.leg == leg) {
            match talk.stage {
                TalkStage::Joined => self.note_dialog(desk, Some(dialog)),
                _ => talk.dialog = Some(dialog),
            }
        }
    }

    fn note_dialog(&self, desk: &mut Desk, dialog: Option<Redacted<Vec<u8>>>) {
        if let (Some(_), Some(dialog)) = (self.request, dialog) {
            let note = LineNote::Second(dialog.into_inner()).to_bytes();
            desk.follow_up(self.call, SessionInput::Leg(Redacted::new(note)));
        }
    }

    /// The port of this leg is open: who is called by it, what he is shown, and how long it rings.
    pub fn place(&mut self, leg: LegId, phones: &Phones) -> Option<(Target, Option<Redacted<String>>, u32)> {
        let caller = self.caller.map(Phone::e164);
        let shown = self.shown();
        if let Some(ring) = self.ring_of(leg) {
            let target = Target::Extension(phones.get(&ring.agent)?.clone());
            ring.placed = true;
            return Some((target, caller, u32::try_from(ring.ring_ms).unwrap_or(u32::MAX)));
        }
        match (&mut self.talk.as_mut()?.stage, caller) {
            (TalkStage::Calling { leg: own, placed }, Some(caller)) if *own == leg => {
                *placed = true;
                Some((Target::Number(caller), shown, CALLBACK_RING_MS))
            }
            _ => None,
        }
    }

    /// The other end of the bridge that this leg is in.
    pub fn talks_with(&self, leg: LegId) -> Option<LegId> {
        let talk = self.talk.as_ref().filter(|talk| talk.stage == TalkStage::Joined)?;
        match self.leg? {
            caller if caller == leg => Some(talk.leg),
            caller => Some(caller).filter(|_| talk.leg == leg),
        }
    }

    /// What he is shown who called us, and is called now.
    fn shown(&self) -> Option<Redacted<String>> {
        Some(self.called.clone()).filter(|called| !called.reveal().is_empty())
    }
}
