//! The queues of a node beside its calls: what callers want of them, what becomes of it, and the legs of agents. Who is
//! next, and whom he is offered to, is `acd`'s; a caller's own state is in `contact`.

use std::collections::VecDeque;

use runtime_acd::{
    Acd, Agent, AgentName, Enter, Input as AcdInput, LeaveWhy, Offer, OfferFailure, Output as AcdOutput, Over, TicketId,
};
use runtime_contract::leg::{GoneCause, LegCommand, LegEvent, LegId};
use runtime_contract::record::CallId;
use runtime_contract::value::{Phone, Value};
use runtime_contract::{FaultKind, GraphId, Redacted, Tick, Time};
use runtime_session::{Input as SessionInput, QueueEvent, whisper};

use crate::contact::{Contact, Phones, Ring, Stage, Talk, TalkStage};
use crate::desk::{Desk, Entry, QueueWish, Table};
use crate::input::MediaEvent;
use crate::output::{Event, MediaCommand, Output, TraceWhat};
use crate::rules::{Happened, Happening, Who};

/// Callers of whom it is known who served them last.
const SERVED_MAX: usize = 100_000;

/// Outcomes of `queue`, as in the table of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Served = 0,
    Callback = 1,
    Timeout = 2,
    Full = 3,
    Closed = 4,
    Unstaffed = 5,
}

#[derive(Clone)]
pub(crate) struct Queues {
    acd: Acd,
    contacts: Table<TicketId, Contact>,
    /// Of those whose session waits for a reply.
    tickets: Table<CallId, TicketId>,
    /// Of the legs that are placed for queues.
    legs: Table<LegId, TicketId>,
    phones: Phones,
    served: Table<Phone, (AgentName, Time)>,
    /// The same, in the order of time.
    served_order: VecDeque<Phone>,
    tickets_drawn: u64,
    /// A whisper is played by this number.
    token: u32,
    /// A ticket is over: its version may go.
    pub ticket_over: bool,
    /// For the rules.
    pub happened: VecDeque<Happened>,
    /// Something changed that may change a measure.
    pub is_changed: bool,
    /// Who was here a moment ago: what became of him is told when he is gone.
    parted: Option<(TicketId, Who)>,
}

impl Queues {
    pub fn new(seed: u64) -> Queues {
        Queues {
            acd: Acd::new(seed),
            contacts: Table::default(),
            tickets: Table::default(),
            legs: Table::default(),
            phones: Phones::new(),
            served: Table::default(),
            served_order: VecDeque::new(),
            tickets_drawn: 0,
            token: 0,
            ticket_over: false,
            happened: VecDeque::new(),
            is_changed: false,
            parted: None,
        }
    }

    pub fn next_deadline(&self) -> Option<Tick> {
        self.acd.next_deadline()
    }

    pub fn who(&self, ticket: TicketId) -> Option<Who> {
        let parted = || self.parted.as_ref().filter(|(parted, _)| *parted == ticket).map(|(_, who)| who.clone());
        self.contacts.get(&ticket).map(Contact::who).or_else(parted)
    }

    /// A measure of a queue now, and what may change it: see [`Acd`].
    pub fn measure(&self, now: Time, queue: &str, name: &str, window_ms: u64) -> Option<Value> {
        self.acd.measure(now, queue, name, window_ms)
    }

    pub fn changes(&self, queue: &str, of_agents: bool) -> u64 {
        self.acd.changes(queue, of_agents)
    }

    pub fn leaves_window(&self, now: Time, queue: &str, window_ms: u64) -> Option<Time> {
        self.acd.leaves_window(now, queue, window_ms)
    }

    pub fn has_waiting(&self, queue: &str) -> bool {
        self.acd.waiting(queue).next().is_some()
    }

    /// No leg of an agent, or of somebody who is called back, is left.
    pub fn is_quiet(&self) -> bool {
        self.legs.is_empty()
    }

    /// A caller of this version waits, or was promised a call.
    pub fn uses(&self, graph: GraphId) -> bool {
        self.acd.uses(graph)
    }

    pub fn agent(&mut self, desk: &mut Desk, agent: Agent, extension: Redacted<String>) {
        self.phones.insert(agent.name.clone(), extension);
        self.tell(desk, AcdInput::Agent(agent));
    }

    pub fn agent_removed(&mut self, desk: &mut Desk, agent: AgentName) {
        self.phones.remove(&agent);
        self.tell(desk, AcdInput::AgentRemoved(agent));
    }

    pub fn wish(&mut self, desk: &mut Desk, wish: QueueWish) {
        match wish {
            QueueWish::Enter(entry) => self.enter(desk, *entry),
            QueueWish::Callback(call) => self.promise(desk, call),
            QueueWish::Leave(call, why) => self.leave(desk, call, why),
        }
    }

    /// One input for the queues, and all that follows from it.
    pub fn tell(&mut self, desk: &mut Desk, input: AcdInput) {
        self.is_changed = true;
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let entered = match &input {
                AcdInput::Enter(enter) => Some(enter.ticket),
                _ => None,
            };
            let outputs: Vec<AcdOutput> = self.acd.handle(desk.now, input).collect();
            entered.into_iter().for_each(|ticket| self.entered(desk, ticket));
            inputs.extend(outputs.into_iter().filter_map(|output| self.carry_out(desk, output)));
        }
    }

    fn enter(&mut self, desk: &mut Desk, entry: Entry) {
        self.admit(desk, Contact::new(entry, desk.now.time), None);
    }

    /// `entered`: he has had his place since then.
    fn admit(&mut self, desk: &mut Desk, contact: Contact, entered: Option<Time>) {
        let Some(facts) = contact.facts() else {
            let fault = |request| SessionInput::Fault { request, kind: FaultKind::Host };
            desk.followups.extend(contact.request.map(|request| (contact.call, fault(request))));
            return;
        };
        self.tickets_drawn += 1;
        let ticket = TicketId(self.tickets_drawn);
        let last_agent = contact.caller.and_then(|caller| self.served.get(&caller).cloned());
        let (program, queue) = (contact.program.clone(), contact.ask.queue);
        self.tickets.insert(contact.call, ticket);
        self.contacts.insert(ticket, contact);
        self.tell(desk, AcdInput::Enter(Enter { ticket, program, queue, facts, last_agent, entered, callback: None }));
    }

    /// He stands in line, unless he was turned away at once.
    fn entered(&mut self, desk: &mut Desk, ticket: TicketId) {
        let (Some(contact), Some(priority)) = (self.contacts.get_mut(&ticket), self.acd.priority(ticket)) else {
            return;
        };
        let queue = contact.ask.queue;
        contact.trace(desk, || {
            let name = contact.program.meta().queues.get(queue as usize).map_or("", |queue| queue.name.as_str());
            let ahead = self.acd.waiting(name).take_while(|before| *before != ticket).count() as u32;
            TraceWhat::Queued { queue, priority, ahead }
        });
        contact.play_music(desk, true);
    }

    /// He is called back, unless an agent has him already.
    fn promise(&mut self, desk: &mut Desk, call: CallId) {
        let Some(ticket) = self.tickets.get(&call).copied() else { return };
        let Some(contact) = self.contacts.get_mut(&ticket).filter(|contact| contact.waits()) else { return };
        contact.play_music(desk, false);
        contact.stage = Stage::Promised;
        contact.leg = None;
        contact.trace(desk, || TraceWhat::Promised);
        self.reply(desk, ticket, Outcome::Callback, None);
        self.tell(desk, AcdInput::ToCallback { ticket });
    }

    /// The caller is gone, or his session waits no more.
    fn leave(&mut self, desk: &mut Desk, call: CallId, why: LeaveWhy) {
        let Some(ticket) = self.tickets.get(&call).copied() else { return };
        self.remember(ticket, desk.now.time);
        let Some(contact) = self.contacts.get_mut(&ticket) else { return };
        let is_gone = why == LeaveWhy::Abandoned;
        if is_gone {
            contact.leg = None;
        } else {
            contact.play_music(desk, false);
        }
        if is_gone && contact.joined() {
            contact.conversed(desk);
        }
        match (contact.stage, contact.joined()) {
            (Stage::Reported, _) if is_gone => return,
            (Stage::Waits, true) if is_gone && contact.wants_report() => {
                contact.stage = Stage::Reported;
                self.hang_up(desk, ticket, None);
            }
            _ => self.forget(desk, ticket, None),
        }
        self.tell(desk, AcdInput::Leave { ticket, why });
    }

    /// The process ends: who was promised a call is not called.
    pub fn give_up_promises(&mut self, desk: &mut Desk) {
        let promised = self.contacts.iter().filter(|(_, contact)| contact.stage == Stage::Promised);
        let mut promised: Vec<TicketId> = promised.map(|(ticket, _)| *ticket).collect();
        promised.sort_unstable();
        for ticket in promised {
            self.forget(desk, ticket, None);
            self.tell(desk, AcdInput::Leave { ticket, why: LeaveWhy::Left });
        }
    }

    /// Nobody is on the line for him any more but himself, if he is in a call. `left`: this leg has ended already.
    fn hang_up(&mut self, desk: &mut Desk, ticket: TicketId, left: Option<LegId>) {
        let Some(contact) = self.contacts.get_mut(&ticket) else { return };
        let rings = std::mem::take(&mut contact.rings);
        let mut legs: Vec<(LegId, bool)> = rings.into_iter().map(|ring| (ring.leg, ring.placed)).collect();
        if let Some(talk) = contact.talk.take() {
            legs.push((talk.leg, true));
            match talk.stage {
                TalkStage::Calling { leg, placed } => legs.push((leg, placed)),
                TalkStage::Joined if contact.stage == Stage::Promised => {
                    legs.extend(contact.leg.map(|leg| (leg, true)))
                }
                _ => {}
            }
        }
        for (leg, placed) in legs.into_iter().filter(|(leg, _)| Some(*leg) != left) {
            self.end_leg(desk, leg, placed);
        }
    }

    /// One that was not placed has only a port.
    fn end_leg(&mut self, desk: &mut Desk, leg: LegId, placed: bool) {
        match placed {
            true => desk.put(Output::Leg(LegCommand::HangUp { leg })),
            false => {
                self.legs.remove(&leg);
                desk.put(Output::Media(MediaCommand::Close { leg }));
            }
        }
    }

    fn forget(&mut self, desk: &mut Desk, ticket: TicketId, left: Option<LegId>) {
        self.hang_up(desk, ticket, left);
        if let Some(contact) = self.contacts.remove(&ticket) {
            self.ticket_over = true;
            self.parted = Some((ticket, contact.who()));
            // A caller who was promised a call may have queued again in his own.
            if self.tickets.get(&contact.call) == Some(&ticket) {
                self.tickets.remove(&contact.call);
            }
        }
    }

    /// To the session that waits; nothing of the ticket is told to it any more.
    fn reply(&mut self, desk: &mut Desk, ticket: TicketId, outcome: Outcome, payload: Option<Value>) {
        let Some(contact) = self.contacts.get_mut(&ticket) else { return };
        if let Some(request) = contact.request.take() {
            self.tickets.remove(&contact.call);
            desk.follow_up(contact.call, SessionInput::Reply { request, outcome: outcome as u32, payload });
        }
    }

    fn carry_out(&mut self, desk: &mut Desk, output: AcdOutput) -> Option<AcdInput> {
        match output {
            AcdOutput::Offer(offer) | AcdOutput::CallbackDue(offer) => return self.ring(desk, offer),
            AcdOutput::Withdraw { ticket, agent, n } => {
                let contact = self.contacts.get_mut(&ticket)?;
                let ring = contact.take_ring(|ring| ring.agent == agent && ring.n == n)?;
                contact.trace(desk, || TraceWhat::Unanswered { agent });
                self.end_leg(desk, ring.leg, ring.placed);
            }
            AcdOutput::Join { ticket, agent, queue, waited_ms } => self.join(desk, ticket, &agent, queue, waited_ms),
            AcdOutput::Comfort { ticket, ahead, expected_wait_ms } => {
                let contact = self.contacts.get(&ticket)?;
                let event = QueueEvent::Comfort { ahead, expected_wait_ms };
                desk.follow_up(contact.call, SessionInput::Queue { request: contact.request?, event });
            }
            AcdOutput::Over { ticket, why } => self.over(desk, ticket, why),
            AcdOutput::WrappedUp { agent, ticket, result } => self.wrapped_up(desk, ticket, agent, result),
            AcdOutput::ClauseFault { graph, flow } => desk.event(Event::ClauseFault { graph, flow }),
            AcdOutput::WrapUp { agent, ticket, .. } => {
                let contact = self.contacts.get(&ticket).filter(|contact| contact.stage == Stage::Reported)?;
                contact.trace(desk, || TraceWhat::WritesUp { agent });
            }
            AcdOutput::Missed { ticket, queue, .. } => self.happens(Happening::Missed, ticket, &queue),
            AcdOutput::Served { ticket, queue, .. } => self.happens(Happening::Served, ticket, &queue),
            AcdOutput::SetAway { .. } => {}
        }
        None
    }

    /// Who served the caller last, for `prefers same agent`, if somebody just did.
    fn remember(&mut self, ticket: TicketId, at: Time) {
        let Some(contact) = self.contacts.get(&ticket).filter(|contact| contact.joined()) else { return };
        let (Some(caller), Some(talk)) = (contact.caller, &contact.talk) else { return };
        if self.served.insert(caller, (talk.agent.clone(), at)).is_none() {
            self.served_order.push_back(caller);
        }
        if self.served_order.len() > SERVED_MAX
            && let Some(oldest) = self.served_order.pop_front()
        {
            self.served.remove(&oldest);
        }
    }

    fn ring(&mut self, desk: &mut Desk, offer: Offer) -> Option<AcdInput> {
        let Offer { ticket, agent, n, ring_ms, .. } = offer;
        let contact = self.contacts.get_mut(&ticket)?;
        if !self.phones.contains_key(&agent) {
            return Some(AcdInput::OfferFailed { ticket, agent, n, why: OfferFailure::Unreachable });
        }
        contact.trace(desk, || TraceWhat::Offered { agent: agent.clone() });
        let leg = desk.draw_leg();
        self.legs.insert(leg, ticket);
        desk.put(Output::Media(MediaCommand::Open { leg, peer: None, beside: contact.leg }));
        contact.rings.push(Ring { agent, n, leg, ring_ms, placed: false, dialog: None });
        None
    }

    /// The agent is his now: he hears whom he gets, and then the two hear each other.
    fn join(&mut self, desk: &mut Desk, ticket: TicketId, agent: &AgentName, queue: u32, waited_ms: u64) {
        let now = desk.now.time;
        let Some(contact) = self.contacts.get_mut(&ticket) else { return };
        let Some(Ring { agent, leg, dialog, .. }) = contact.take_ring(|ring| ring.agent == *agent) else { return };
        contact.trace(desk, || TraceWhat::AgentAnswers { agent: agent.clone(), waited_ms });
        let facts = self.acd.facts(ticket, queue);
        let items = facts.map_or_else(Vec::new, |facts| whisper(&*contact.program, queue, facts, now));
        self.token = self.token.wrapping_add(1);
        let token = self.token;
        contact.talk = Some(Talk { agent, leg, stage: TalkStage::Whisper { token }, dialog });
        if items.is_empty() {
            return self.whispered(desk, ticket);
        }
        if desk.trace {
            let items = items.clone();
            contact.trace(desk, || TraceWhat::Whispered(items));
        }
        let program = contact.program.clone();
        desk.put(Output::Media(MediaCommand::Play { leg, token, program, items }));
    }

    /// The agent knows whom he gets.
    fn whispered(&mut self, desk: &mut Desk, ticket: TicketId) {
        let Some(contact) = self.contacts.get_mut(&ticket) else { return };
        if contact.stage == Stage::Waits {
            return contact.bridge(desk);
        }
        let Some(talk) = &mut contact.talk else { return };
        let leg = desk.draw_leg();
        self.legs.insert(leg, ticket);
        desk.put(Output::Media(MediaCommand::Open { leg, peer: None, beside: Some(talk.leg) }));
        talk.stage = TalkStage::Calling { leg, placed: false };
    }

    fn over(&mut self, desk: &mut Desk, ticket: TicketId, why: Over) {
        let Some(contact) = self.contacts.get_mut(&ticket) else { return };
        contact.play_music(desk, false);
        let outcome = match why {
            Over::Timeout => Some(Outcome::Timeout),
            Over::Full => Some(Outcome::Full),
            Over::Closed => Some(Outcome::Closed),
            Over::Unstaffed => Some(Outcome::Unstaffed),
            Over::CallbackTooOld => None,
        };
        match outcome {
            Some(outcome) => self.reply(desk, ticket, outcome, None),
            None => contact.trace(desk, || TraceWhat::PromiseOver),
        }
        self.forget(desk, ticket, None);
    }

    /// What the agent says of the conversation comes to the session that waits for it.
    fn wrapped_up(&mut self, desk: &mut Desk, ticket: TicketId, agent: AgentName, result: Option<u32>) {
        let Some(contact) = self.contacts.get(&ticket).filter(|contact| contact.stage == Stage::Reported) else {
            return;
        };
        contact.trace(desk, || TraceWhat::WrappedUp { agent, result });
        let payload = result.map_or_else(unreported, |variant| Value::Enum(variant, Vec::new()));
        self.reply(desk, ticket, Outcome::Served, Some(payload));
        self.forget(desk, ticket, None);
    }
}

/// Legs that are placed for queues: agents', and those of callers who were promised a call.
impl Queues {
    pub fn owns(&self, leg: LegId) -> bool {
        self.legs.contains_key(&leg)
    }

    /// The other end of the bridge that this leg is in, an agent's or his caller's.
    pub fn talks_with(&self, leg: LegId, call: Option<CallId>) -> Option<LegId> {
        let of_call = || self.tickets.get(&call?);
        let ticket = self.legs.get(&leg).or_else(of_call)?;
        self.contacts.get(ticket)?.talks_with(leg)
    }

    pub fn leg(&mut self, desk: &mut Desk, event: LegEvent) {
        let leg = event.leg();
        let Some(ticket) = self.legs.get(&leg).copied() else { return };
        match event {
            LegEvent::Media { media, peer, .. } => desk.put(Output::Media(MediaCommand::Connect { leg, media, peer })),
            LegEvent::Up { .. } => self.up(desk, ticket, leg),
            LegEvent::Gone { cause, .. } => {
                self.legs.remove(&leg);
                desk.put(Output::Media(MediaCommand::Close { leg }));
                self.gone(desk, ticket, leg, cause);
            }
            LegEvent::Key { key, .. } => {
                if let Some(to) = self.talks_with(leg, None) {
                    desk.put(Output::Media(MediaCommand::Press { leg: to, key: key.into_inner() }));
                }
            }
            LegEvent::Dialog { dialog, .. } => {
                if let Some(contact) = self.contacts.get_mut(&ticket) {
                    contact.keep_dialog(desk, leg, dialog);
                }
            }
            LegEvent::Ringing { .. }
            | LegEvent::TransferFailed { .. }
            | LegEvent::Words { .. }
            | LegEvent::Incoming(_) => {}
        }
    }

    pub fn media(&mut self, desk: &mut Desk, event: &MediaEvent) {
        match *event {
            MediaEvent::Opened { leg, address } => {
                let Some(ticket) = self.legs.get(&leg) else { return };
                let Some(contact) = self.contacts.get_mut(ticket) else { return };
                if let Some((target, from, ring_ms)) = contact.place(leg, &self.phones) {
                    desk.put(Output::Leg(LegCommand::Dial { leg, target, from, ring_ms, media: address }));
                }
            }
            MediaEvent::OpenFailed { leg } => {
                if let Some(ticket) = self.legs.remove(&leg) {
                    self.gone(desk, ticket, leg, GoneCause::Failed);
                }
            }
            MediaEvent::PlayDone { leg, token } => {
                let Some(ticket) = self.legs.get(&leg).copied() else { return };
                let talk = self.contacts.get(&ticket).and_then(|contact| contact.talk.as_ref());
                if talk.is_some_and(|talk| talk.stage == TalkStage::Whisper { token }) {
                    self.whispered(desk, ticket);
                }
            }
            _ => {}
        }
    }

    fn up(&mut self, desk: &mut Desk, ticket: TicketId, leg: LegId) {
        let Some(contact) = self.contacts.get_mut(&ticket) else { return };
        if let Some(ring) = contact.ring_of(leg) {
            let (agent, n) = (ring.agent.clone(), ring.n);
            return self.tell(desk, AcdInput::OfferAnswered { ticket, agent, n });
        }
        if contact.talk.as_ref().is_some_and(|talk| talk.stage == TalkStage::Calling { leg, placed: true }) {
            contact.leg = Some(leg);
            contact.bridge(desk);
        }
    }

    fn gone(&mut self, desk: &mut Desk, ticket: TicketId, leg: LegId, cause: GoneCause) {
        let Some(contact) = self.contacts.get_mut(&ticket) else { return };
        if let Some(Ring { agent, n, .. }) = contact.take_ring(|ring| ring.leg == leg) {
            contact.trace(desk, || TraceWhat::Unanswered { agent: agent.clone() });
            let why = failure_of(cause);
            return self.tell(desk, AcdInput::OfferFailed { ticket, agent, n, why });
        }
        let Some(talk) = &contact.talk else { return };
        match (talk.stage, talk.leg == leg) {
            // He hung up on what he heard of the caller, who keeps his place.
            (TalkStage::Whisper { .. }, true) if contact.stage == Stage::Waits => self.place_again(desk, ticket),
            _ => self.ended(desk, ticket, leg),
        }
    }

    fn place_again(&mut self, desk: &mut Desk, ticket: TicketId) {
        let Some(mut contact) = self.contacts.remove(&ticket) else { return };
        contact.talk = None;
        self.tell(desk, AcdInput::Ended { ticket });
        let entered = contact.entered;
        self.admit(desk, contact, Some(entered));
    }

    /// One of the two has left.
    fn ended(&mut self, desk: &mut Desk, ticket: TicketId, left: LegId) {
        self.remember(ticket, desk.now.time);
        let Some(contact) = self.contacts.get_mut(&ticket) else { return };
        // Whoever waits for `served` is asked by his flow, unless he is hung up on first.
        if contact.joined() && (contact.request.is_none() || contact.wants_report()) {
            contact.conversed(desk);
        }
        if contact.request.is_some() && contact.wants_report() {
            // All that is left to do needs no line.
            contact.stage = Stage::Reported;
            contact.talk = None;
            desk.outputs.extend(contact.leg.map(|leg| Output::Leg(LegCommand::HangUp { leg })));
        } else {
            self.reply(desk, ticket, Outcome::Served, None);
            self.forget(desk, ticket, Some(left));
        }
        self.tell(desk, AcdInput::Ended { ticket });
    }
}

/// What an agent is taken to say who says nothing of a conversation in his time: the first that he may.
pub(crate) fn unreported() -> Value {
    Value::Enum(0, Vec::new())
}

fn failure_of(cause: GoneCause) -> OfferFailure {
    match cause {
        GoneCause::Refused(486 | 600) => OfferFailure::Busy,
        GoneCause::Refused(603 | 607 | 608) => OfferFailure::Declined,
        GoneCause::Refused(408 | 480 | 487) | GoneCause::NoAnswer | GoneCause::RemoteHungUp => OfferFailure::NoAnswer,
        _ => OfferFailure::Unreachable,
    }
}
