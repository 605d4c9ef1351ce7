//! `queue`: the caller waits for an agent, and talks with him. Between music that is not ours, a flow of the queue, its
//! comfort, runs above the request that waits. It knows neither agents nor who is next.

use std::sync::Arc;

use runtime_contract::FaultKind;
use runtime_contract::drive::{Outcome, Stop};
use runtime_contract::host::Observe;
use runtime_contract::request::Request;
use runtime_contract::value::Value;

use crate::beside::Beside;
use crate::input::QueueEvent;
use crate::journal::{Claimed, Record};
use crate::output::{LineCommand, Output, QueueAsk, Trace, WorldRequest};
use crate::request::Doing;
use crate::session::{Answer, Session};

#[derive(Clone, Debug)]
pub(crate) struct Queued {
    /// From an agent's answer to the reply the line is not ours.
    talking: bool,
    /// The agent says how it went, whether or not the caller is still there.
    asks_agent: bool,
    /// The key by which he is called back, once it was offered.
    callback: Option<char>,
    comfort: Option<Comfort>,
}

/// A flow above the one that waits, with words and texts of its own. Nothing of it is in the journal: all that the flow
/// below hears of it is the outcome `callback`, so a call is rebuilt without it.
#[derive(Clone, Debug)]
struct Comfort {
    beside: Beside,
    /// A key stops what plays.
    barge_in: bool,
}

impl Queued {
    /// A hang-up leaves the request as it is.
    pub fn awaits_agent(&self) -> bool {
        self.talking && self.asks_agent
    }

    pub fn capacity_bytes(&self) -> usize {
        let comfort = self.comfort.as_ref();
        size_of::<Queued>()
            + comfort.map_or(0, |comfort| 8 * comfort.beside.stack.words.capacity() + comfort.beside.arena.bytes())
    }
}

impl Session {
    /// Keys from before are nobody's.
    pub(crate) fn enter_queue(&mut self, queue: u32, arguments: Vec<Value>) -> Option<Answer> {
        let Some(info) = self.program.meta().queues.get(queue as usize) else {
            return Some(Answer::Fault(FaultKind::Host));
        };
        let asks_agent = info.wrap_up_as.is_some();
        self.held.clear();
        self.doing = Doing::Queued(Box::new(Queued { talking: false, asks_agent, callback: None, comfort: None }));
        let language = self.stack.header.language as u32;
        let ask = WorldRequest::Queue(QueueAsk { queue, arguments, language });
        self.output(Output::World { request: self.request, ask });
        None
    }

    pub(crate) fn queue_event(&mut self, event: QueueEvent) {
        match event {
            QueueEvent::Comfort { ahead, expected_wait_ms } => {
                if let Some(comfort) = self.comfort(ahead, expected_wait_ms) {
                    self.run_comfort(comfort, Outcome::Start);
                }
            }
            QueueEvent::Talking => {
                self.end_comfort();
                if let Doing::Queued(queued) = &mut self.doing {
                    queued.talking = true;
                    queued.callback = None;
                }
            }
        }
    }

    /// The comfort of the queue, laid out; `None` when it is not its time, or there is none.
    fn comfort(&mut self, ahead: u32, expected_wait_ms: u64) -> Option<Comfort> {
        match &self.doing {
            Doing::Queued(queued) if !queued.talking && queued.comfort.is_none() => {}
            _ => return None,
        }
        let program = Arc::clone(&self.program);
        let meta = program.meta();
        let Some(Request::Queue { queue }) = meta.request(self.site) else { return None };
        let queue = meta.queues.get(*queue as usize)?;
        let flow = queue.comfort?.flow;
        let mut values = self.arguments()?;
        values.extend([Value::Int(i64::from(ahead)), Value::Moment(i64::try_from(expected_wait_ms).ok()?)]);
        let beside = Beside::new(meta, flow, &values, &self.stack.header)?;
        Some(Comfort { beside, barge_in: false })
    }

    /// The last prompt is over, or a key has stopped it.
    pub(crate) fn comfort_goes_on(&mut self) {
        if let Doing::Queued(queued) = &mut self.doing
            && let Some(comfort) = queued.comfort.take()
        {
            self.run_comfort(comfort, Outcome::Result(0));
        }
    }

    /// To its next prompt, or its end. Whatever goes wrong in it, the caller waits on.
    fn run_comfort(&mut self, mut comfort: Comfort, mut outcome: Outcome) {
        let program = Arc::clone(&self.program);
        self.exchange_stack(&mut comfort);
        let (mut plays, mut taken) = (None, None);
        while plays.is_none() && taken.is_none() {
            let stop = self.run(outcome, Observe::Live(&mut Vec::new()));
            for fault in std::mem::take(&mut self.stack.faults) {
                self.tell_fault(&fault);
            }
            let Stop::Wait(site) = stop else { break };
            outcome = Outcome::Result(0);
            match program.meta().request(site) {
                Some(Request::Play(prompts)) => match self.play(prompts, false) {
                    Ok(true) => plays = Some(prompts.barge_in),
                    Ok(false) => {}
                    Err(kind) => outcome = Outcome::Fault(kind),
                },
                Some(Request::OfferCallback { key }) => taken = self.offer_callback(*key),
                _ => outcome = Outcome::Fault(FaultKind::Host),
            }
        }
        self.exchange_stack(&mut comfort);
        match (taken, &mut self.doing) {
            (Some(key), _) => self.take_callback(key),
            (None, Doing::Queued(queued)) => match plays {
                Some(barge_in) => queued.comfort = Some(Comfort { barge_in, ..comfort }),
                None => self.held.clear(),
            },
            (None, _) => {}
        }
    }

    /// What plays and what runs reads from where the session's own is.
    fn exchange_stack(&mut self, comfort: &mut Comfort) {
        std::mem::swap(&mut self.stack, &mut comfort.beside.stack);
        std::mem::swap(&mut self.arena, &mut comfort.beside.arena);
    }

    /// Gives the key when it was pressed already, into the prompt that speaks of it. Who withholds his number cannot be
    /// called back.
    fn offer_callback(&mut self, key: char) -> Option<char> {
        let Doing::Queued(queued) = &mut self.doing else { return None };
        if self.stack.header.caller_number[0] == 0 {
            return None;
        }
        queued.callback = Some(key);
        std::iter::from_fn(|| self.held.take()).find(|pressed| *pressed == key)
    }

    pub(crate) fn queued_key(&mut self, key: char) {
        let Doing::Queued(queued) = &self.doing else { return };
        if queued.callback == Some(key) {
            return self.take_callback(key);
        }
        let Some(comfort) = &queued.comfort else { return };
        let barge_in = comfort.barge_in;
        self.held.push(key);
        if barge_in {
            self.output(Output::Line(LineCommand::StopPlay));
            self.comfort_goes_on();
        }
    }

    /// The offer is taken, once: the reply says whether it could be.
    fn take_callback(&mut self, key: char) {
        self.end_comfort();
        if let Doing::Queued(queued) = &mut self.doing {
            queued.callback = None;
        }
        let offset_ms = self.now.time.0.saturating_sub(self.asked_at.0).clamp(0, i64::from(u32::MAX)) as u32;
        self.journal(&Record::Claim { request: self.request, keys: Claimed::Keys(vec![(key, offset_ms)]) });
        self.trace(Trace::Keys { count: 1, keys: Some(key.to_string()) });
        self.output(Output::World { request: self.request, ask: WorldRequest::Callback });
    }

    /// Whatever runs above the request is dropped.
    pub(crate) fn end_comfort(&mut self) {
        let Doing::Queued(queued) = &mut self.doing else { return };
        let plays = queued.comfort.take().is_some();
        self.held.clear();
        if plays && self.line == crate::Line::Up {
            self.output(Output::Line(LineCommand::StopPlay));
        }
    }
}
