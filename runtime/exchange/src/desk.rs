//! What all calls share while they work: the tray of outputs, the numbering of writes, and what is held back
//! until a write is durable. It knows no call from inside.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

use runtime_acd::LeaveWhy;
use runtime_contract::leg::LegId;
use runtime_contract::record::CallId;
use runtime_contract::value::Phone;
use runtime_contract::{Called, FlowProgram, Now, Redacted, Tick, Write};
use runtime_session::{Input as SessionInput, QueueAsk, RequestId};

use crate::input::{Recorded, RecordingFailed, WriteNumber};
use crate::output::{Event, MediaCommand, Output, ServiceCall};
use crate::recovery::LineNote;
use crate::surveys::Conversed;
use crate::undelivered::Undelivered;

/// A table whose order of iteration is the same in every run.
pub(crate) type Table<K, V> = HashMap<K, V, BuildHasherDefault<DefaultHasher>>;

/// How long the oldest write may wait for its commit before new calls are refused and whatever must be durable
/// first fails.
pub const STORE_STALL_MS_MAX: u64 = 2_000;

/// Of the legs that the exchange places; those that come in are counted from below.
const LEG_FIRST: u64 = 1 << 62;

#[derive(Clone, Default)]
pub(crate) struct Desk {
    pub now: Now,
    pub outputs: VecDeque<Output>,
    /// What sessions must be told, now that the one who caused it is done.
    pub followups: VecDeque<(CallId, SessionInput)>,
    /// The same for queues.
    pub wishes: VecDeque<QueueWish>,
    /// Conversations that are over, and whose queue has a survey.
    pub conversed: VecDeque<Conversed>,
    /// Texts of cadences that did not arrive.
    pub undelivered: VecDeque<Undelivered>,
    /// Calls whose recordings media still works on; true of those of a conversation.
    pub recordings: Table<u64, (CallId, bool)>,
    pub recording_next: u64,
    /// Callers' legs with media, until media says how they went: that may be after the call.
    pub voiced: Table<LegId, CallId>,
    /// Whose each leg is.
    pub legs: Table<LegId, CallId>,
    legs_placed: u64,
    pub trace: bool,
    written: u64,
    /// Writes that are not durable yet, with the time at which they were handed over.
    pending: VecDeque<(WriteNumber, Tick)>,
    /// What waits for a write, in the order of the writes.
    held: VecDeque<(WriteNumber, CallId, Held)>,
    stalled: bool,
}

/// An effect or a result that must not leave before a write is durable.
#[derive(Clone, Debug)]
pub(crate) enum Held {
    /// 200 to the INVITE.
    Answer(RequestId),
    /// A service that changes something.
    Service(Box<ServiceCall>),
    /// Somebody is called.
    Onward(RequestId),
    /// The caller enters a queue.
    Queue(RequestId),
    /// An attempt of a cadence calls somebody.
    Outgoing(RequestId),
    /// A cadence begins.
    Start(RequestId),
    /// The flow goes on behind an answer to a survey.
    Kept(RequestId),
    /// The result of a recording.
    Recording { request: RequestId, recording: u64, length_ms: u32 },
}

/// What a call wants of the queues.
#[derive(Clone)]
pub(crate) enum QueueWish {
    Enter(Box<Entry>),
    /// Who waits wants to be called back.
    Callback(CallId),
    /// He is gone, or nobody waits for what becomes of him.
    Leave(CallId, LeaveWhy),
}

/// Somebody who enters a queue.
#[derive(Clone)]
pub(crate) struct Entry {
    pub call: CallId,
    pub request: RequestId,
    pub leg: LegId,
    pub program: Arc<dyn FlowProgram>,
    pub ask: QueueAsk,
    pub caller: Option<Phone>,
    /// As the call record has it.
    pub called: Redacted<String>,
    pub called_as: Option<Called>,
    /// A cadence has called him.
    pub is_called_by_us: bool,
}

impl Desk {
    pub fn new(trace: bool, recording_first: u64) -> Desk {
        Desk { trace, recording_next: recording_first, ..Desk::default() }
    }

    /// A number for a recording of a call. The call's journal says that it was begun, so that its file is nobody else's
    /// after a crash.
    pub fn begin_recording(&mut self, call: CallId, conversation: bool) -> u64 {
        let recording = self.recording_next;
        self.recording_next += 1;
        self.recordings.insert(recording, (call, conversation));
        let note = LineNote::Begun { recording, conversation }.to_bytes();
        self.followups.push_back((call, SessionInput::Leg(Redacted::new(note))));
        recording
    }

    /// A file is written that its call waits for no more: it has its row all the same, or goes.
    pub fn recorded_late(
        &mut self,
        call: CallId,
        recording: u64,
        conversation: bool,
        result: Result<Recorded, RecordingFailed>,
    ) {
        let length_ms = match result {
            // The flow would have heard that nobody spoke.
            Ok(Recorded { spoken: false, .. }) if !conversation => 0,
            Ok(Recorded { length_ms, .. }) | Err(RecordingFailed { kept_ms: length_ms }) => length_ms,
        };
        if length_ms == 0 {
            return self.put(Output::Media(MediaCommand::DiscardRecording { recording }));
        }
        let created = self.now.time;
        self.write(Write::Recording { call, recording, length_ms, created, partial: true, conversation });
    }

    /// A leg that a call places.
    pub fn open_leg(&mut self, call: CallId) -> LegId {
        let leg = self.draw_leg();
        self.legs.insert(leg, call);
        leg
    }

    /// A leg that is nobody's yet.
    pub fn draw_leg(&mut self) -> LegId {
        self.legs_placed += 1;
        LegId(LEG_FIRST + self.legs_placed - 1)
    }

    pub fn put(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub fn event(&mut self, event: Event) {
        self.put(Output::Event(event));
    }

    pub fn write(&mut self, write: Write) -> WriteNumber {
        self.written += 1;
        let number = WriteNumber(self.written);
        self.pending.push_back((number, self.now.tick));
        self.put(Output::Write { number, write });
        number
    }

    /// The last write that was handed over.
    pub fn last_write(&self) -> WriteNumber {
        WriteNumber(self.written)
    }

    /// Keeps something back until this write is durable. Given back at once when it will not be soon.
    pub fn hold(&mut self, until: WriteNumber, call: CallId, held: Held) -> Option<Held> {
        if self.stalled {
            return Some(held);
        }
        self.held.push_back((until, call, held));
        None
    }

    /// What may leave now that all writes up to this one are durable.
    pub fn committed(&mut self, number: WriteNumber) -> Vec<(CallId, Held)> {
        while self.pending.front().is_some_and(|(pending, _)| *pending <= number) {
            self.pending.pop_front();
        }
        let overdue = self.overdue_at().is_some_and(|at| at <= self.now.tick);
        if self.stalled && !overdue {
            self.stalled = false;
            self.event(Event::StoreStalled(false));
        }
        let free = self.held.iter().take_while(|(until, _, _)| *until <= number).count();
        self.held.drain(..free).map(|(_, call, held)| (call, held)).collect()
    }

    /// The store does not keep up: gives what will not leave any more.
    pub fn stall(&mut self) -> Vec<(CallId, Held)> {
        if !self.stalled {
            self.stalled = true;
            self.event(Event::StoreStalled(true));
        }
        self.held.drain(..).map(|(_, call, held)| (call, held)).collect()
    }

    pub fn is_stalled(&self) -> bool {
        self.stalled
    }

    /// When the oldest write has waited too long; `None` while nothing waits or the stall is known.
    pub fn stalls_at(&self) -> Option<Tick> {
        if self.stalled { None } else { self.overdue_at() }
    }

    fn overdue_at(&self) -> Option<Tick> {
        self.pending.front().map(|(_, since)| since.plus_ms(STORE_STALL_MS_MAX))
    }

    pub fn all_durable(&self) -> bool {
        self.pending.is_empty()
    }

    pub fn follow_up(&mut self, call: CallId, input: SessionInput) {
        self.followups.push_back((call, input));
    }
}
