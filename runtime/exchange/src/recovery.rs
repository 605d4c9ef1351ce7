//! Calls that a process left open when it died: rebuilt from their journals. One whose line was up is taken up again
//! (see `revival`); of the others the far side is told BYE, and their `finally` runs.

use runtime_contract::leg::LegId;
use runtime_contract::record::{CallId, CallRecord};
use runtime_contract::{Redacted, SiteId, Write};
use runtime_session::journal::Record;
use runtime_session::{EndCause, Input as SessionInput, Line, Rebuilt, RequestId, Session, StopReason};

use crate::call::Call;
use crate::desk::Desk;
use crate::exchange::Exchange;
use crate::input::{CutRecording, Recovered};
use crate::output::{Event, Output};
use crate::record::{empty_record, end_text, step_text};
use crate::revival::Dialog;

/// What a call record says of the leg: kept in the journal behind its start.
#[derive(Clone, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct LegFacts {
    call_id: String,
    caller: Option<String>,
    called: String,
    /// What the signalling room needs to end the dialog.
    dialog: Vec<u8>,
}

/// What is journalled of a call's legs after its start.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub(crate) enum LineNote {
    /// The caller's dialog has changed.
    First(Vec<u8>),
    /// Of whom he goes on to, by the outstanding request.
    Second(Vec<u8>),
    /// A recording of the conversation is kept, or any that a crash cut off.
    Recorded(u64),
    /// A recording was begun: its file is this call's, whatever comes of it.
    Begun { recording: u64, conversation: bool },
}

/// The recordings that a call has begun, by its journal: numbers, and whether each is of the conversation.
pub fn recordings_begun(journal: &[u8]) -> Vec<(u64, bool)> {
    let records = runtime_session::journal::decode(journal).unwrap_or_default();
    let legs = records.iter().filter_map(|(_, record)| match record {
        Record::Leg(bytes) => Some(bytes),
        _ => None,
    });
    // The first is of the leg itself.
    let begun = legs.skip(1).filter_map(|bytes| match postcard::from_bytes(bytes) {
        Ok(LineNote::Begun { recording, conversation }) => Some((recording, conversation)),
        _ => None,
    });
    begun.collect()
}

impl LineNote {
    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_allocvec(self).unwrap_or_default()
    }
}

/// The dialogs of a call as they were last known.
#[derive(Default)]
struct Dialogs {
    first: Vec<u8>,
    second: Option<Vec<u8>>,
}

impl Dialogs {
    fn of(facts: &LegFacts, rebuilt: &Rebuilt) -> Dialogs {
        let mut dialogs = Dialogs { first: facts.dialog.clone(), second: None };
        let outstanding = RequestId(rebuilt.session.requests());
        for (request, bytes) in rebuilt.legs.iter().skip(1) {
            match postcard::from_bytes(bytes) {
                Ok(LineNote::First(dialog)) => dialogs.first = dialog,
                Ok(LineNote::Second(dialog)) if *request == outstanding => dialogs.second = Some(dialog),
                _ => {}
            }
        }
        dialogs
    }
}

impl LegFacts {
    fn of_rebuilt(rebuilt: &Rebuilt) -> LegFacts {
        rebuilt.legs.first().and_then(|(_, bytes)| postcard::from_bytes(bytes).ok()).unwrap_or_default()
    }

    pub fn of(record: &CallRecord, dialog: &[u8]) -> LegFacts {
        LegFacts {
            call_id: record.leg_call_id.clone(),
            caller: record.caller.as_ref().map(|caller| caller.reveal().clone()),
            called: record.called.clone(),
            dialog: dialog.to_vec(),
        }
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_allocvec(self).unwrap_or_default()
    }
}

impl Exchange {
    pub(crate) fn recover(&mut self, recovered: Recovered) {
        let (call, created) = (recovered.call, self.desk.now.time);
        for CutRecording { recording, conversation, length_ms } in recovered.cut.iter().copied() {
            self.desk.write(Write::Recording { call, recording, length_ms, created, partial: true, conversation });
        }
        let mut untold: Vec<u64> = recovered.cut.iter().map(|cut| cut.recording).chain(recovered.kept).collect();
        match Session::from_journal(recovered.program.clone(), &recovered.journal) {
            Ok(mut rebuilt) => {
                let told: Vec<u64> = rebuilt.recordings.iter().copied().chain(noted_recordings(&rebuilt)).collect();
                untold.retain(|recording| !told.contains(recording));
                rebuilt.recordings.extend(&untold);
                self.end_rebuilt(recovered.call, rebuilt, &untold);
            }
            Err(error) => {
                let why = error.to_string();
                self.desk.event(Event::NotRecovered { call: recovered.call, why });
                let mut record = empty_record(recovered.call);
                record.graph = recovered.program.meta().graph_id;
                record.started = self.desk.now.time;
                record.recordings = untold;
                self.close_dead(record);
            }
        }
    }

    /// `untold`: recordings of which the journal says only that they were begun.
    fn end_rebuilt(&mut self, call: CallId, rebuilt: Rebuilt, untold: &[u64]) {
        let record = self.record_of(call, &rebuilt);
        let dialogs = Dialogs::of(&LegFacts::of_rebuilt(&rebuilt), &rebuilt);
        let Rebuilt { mut session, notes, end, .. } = rebuilt;
        let revives = end.is_none() && session.line() == Line::Up && !session.is_ending();
        if !revives {
            let first = Some(dialogs.first.clone()).filter(|_| session.line() != Line::Gone);
            for dialog in first.into_iter().chain(dialogs.second.clone()) {
                self.desk.put(Output::EndDialog { dialog: Redacted::new(dialog) });
            }
        }
        session.set_trace(self.config.trace);
        let site = session.body_site();
        let mut call = Call::new(session, record, None);
        for (key, r#type, value) in notes {
            call.note_rebuilt(key, &r#type, &value);
        }
        if let Some(end) = end {
            return self.close_ended(call, end, site);
        }
        let id = call.id();
        self.add(call);
        self.with_call(id, |call, desk| {
            for recording in untold {
                let note = LineNote::Recorded(*recording).to_bytes();
                call.tell(desk, SessionInput::Leg(Redacted::new(note)));
            }
            if !revives {
                return call.tell(desk, SessionInput::Stop(StopReason::Crash));
            }
            let mut dialog = |bytes| Dialog::new(desk.open_leg(id), bytes);
            let (first, second) = (dialog(dialogs.first), dialogs.second.map(&mut dialog));
            call.begin_revival(desk, first, second);
        });
    }

    /// Its flow was over; only the record was not written.
    fn close_ended(&mut self, call: Call, end: EndCause, site: SiteId) {
        let mut record = *call.record.clone();
        record.end = end_text(end);
        record.last_step = step_text(call.program().meta(), site);
        self.desk.write(Write::End { record: Box::new(record), journal: Vec::new() });
        self.desk.event(Event::CallEnded { call: call.id() });
    }

    fn close_dead(&mut self, record: CallRecord) {
        let call = record.call;
        let record =
            CallRecord { ended: self.desk.now.time, end: end_text(EndCause::Stopped(StopReason::Crash)), ..record };
        self.desk.write(Write::End { record: Box::new(record), journal: Vec::new() });
        self.desk.event(Event::CallEnded { call });
    }

    fn record_of(&self, call: CallId, rebuilt: &Rebuilt) -> CallRecord {
        let meta = rebuilt.session.program().meta();
        let facts = LegFacts::of_rebuilt(rebuilt);
        CallRecord {
            leg_call_id: facts.call_id,
            graph: meta.graph_id,
            flow: meta.flow(rebuilt.started.flow).map_or_else(String::new, |flow| flow.name.clone()),
            caller: facts.caller.map(Redacted::new),
            called: facts.called,
            started: rebuilt.started.time,
            answered: rebuilt.answered,
            ended: rebuilt.last,
            faults: rebuilt.faults.len() as u32,
            recordings: rebuilt.recordings.iter().copied().chain(noted_recordings(rebuilt)).collect(),
            quality: None,
            ..empty_record(call)
        }
    }
}

impl Call {
    /// The dialog of one of the legs is to be found by it after a crash.
    pub fn keep_dialog(&mut self, desk: &mut Desk, leg: LegId, dialog: Redacted<Vec<u8>>) {
        let note = if self.leg == Some(leg) {
            LineNote::First(dialog.into_inner())
        } else if self.second_leg() == Some(leg) {
            LineNote::Second(dialog.into_inner())
        } else {
            return;
        };
        self.tell(desk, SessionInput::Leg(Redacted::new(note.to_bytes())));
    }
}

/// The recordings that are kept and no request's answer tells of.
fn noted_recordings(rebuilt: &Rebuilt) -> impl Iterator<Item = u64> + '_ {
    let notes = rebuilt.legs.iter().skip(1).map(|(_, bytes)| postcard::from_bytes(bytes));
    notes.filter_map(|note| match note {
        Ok(LineNote::Recorded(recording)) => Some(recording),
        _ => None,
    })
}
