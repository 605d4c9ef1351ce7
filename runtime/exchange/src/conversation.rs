//! `recording on` and `recording off`: each stretch between the two is a recording of its own, with a number, a file and
//! a row. Nothing waits for it but the call record. It does not know what is on the two channels.

use runtime_contract::leg::LegId;
use runtime_contract::{Redacted, Write};
use runtime_session::Input as SessionInput;

use crate::call::Call;
use crate::desk::Desk;
use crate::input::{Recorded, RecordingFailed};
use crate::output::{Event, MediaCommand, Output, TraceWhat};
use crate::recovery::LineNote;

/// Recordings of one call whose files are still to come, the one that runs among them; of more nothing is recorded.
pub const RECORDINGS_UNSAVED_MAX: usize = 64;

#[derive(Clone, Default)]
pub(crate) struct Conversation {
    running: Option<u64>,
    unsaved: Vec<u64>,
}

impl Conversation {
    /// Files are still to come.
    pub fn is_unsaved(&self) -> bool {
        !self.unsaved.is_empty()
    }

    /// The file of this one is written, or will never be. False when it is none of ours.
    pub fn settle(&mut self, recording: u64) -> bool {
        let before = self.unsaved.len();
        self.unsaved.retain(|unsaved| *unsaved != recording);
        // One that failed on the way has ended.
        self.running.take_if(|running| *running == recording);
        self.unsaved.len() < before
    }

    /// With the leg ends what was recorded on it.
    pub fn leg_gone(&mut self) {
        self.running = None;
    }
}

impl Call {
    pub fn record_conversation(&mut self, desk: &mut Desk, leg: LegId, on: bool) {
        self.trace(desk, || TraceWhat::Recording { on });
        if !on {
            return self.end_conversation(desk, leg);
        }
        let call = self.id();
        if self.conversation.unsaved.len() >= RECORDINGS_UNSAVED_MAX {
            return desk.event(Event::RecordingFailed { call });
        }
        let recording = desk.begin_recording(call, true);
        self.conversation.unsaved.push(recording);
        self.conversation.running = Some(recording);
        desk.put(Output::Media(MediaCommand::RecordCall { leg, call, recording }));
    }

    pub fn end_conversation(&mut self, desk: &mut Desk, leg: LegId) {
        if self.conversation.running.take().is_some() {
            desk.put(Output::Media(MediaCommand::StopRecordCall { leg }));
        }
    }

    /// The file is synced, or could not be written: the call goes on as it was.
    pub fn conversation_recorded(
        &mut self,
        desk: &mut Desk,
        recording: u64,
        result: Result<Recorded, RecordingFailed>,
    ) {
        let call = self.id();
        match result {
            // On and off at once, or on a leg that nothing came from and went to.
            Ok(Recorded { length_ms: 0, .. }) => {
                desk.put(Output::Media(MediaCommand::DiscardRecording { recording }));
            }
            Ok(Recorded { length_ms, .. }) => self.keep_conversation(desk, recording, length_ms, false),
            Err(RecordingFailed { kept_ms }) => {
                match kept_ms {
                    0 => desk.put(Output::Media(MediaCommand::DiscardRecording { recording })),
                    length_ms => self.keep_conversation(desk, recording, length_ms, true),
                }
                desk.event(Event::RecordingFailed { call });
            }
        }
    }

    fn keep_conversation(&mut self, desk: &mut Desk, recording: u64, length_ms: u32, partial: bool) {
        let (call, created, conversation) = (self.id(), desk.now.time, true);
        desk.write(Write::Recording { call, recording, length_ms, created, partial, conversation });
        self.record.recordings.push(recording);
        let note = LineNote::Recorded(recording).to_bytes();
        self.tell(desk, SessionInput::Leg(Redacted::new(note)));
    }

    /// The call is over, and has waited long enough for its files.
    pub fn give_up_conversation(&mut self, desk: &mut Desk) {
        for _ in std::mem::take(&mut self.conversation.unsaved) {
            desk.event(Event::RecordingFailed { call: self.id() });
        }
    }
}
