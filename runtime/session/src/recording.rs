//! `record`: prompt, beep, the caller's voice, and its ends: a key, silence, the limit, a hang-up. And `recording on`,
//! of the whole conversation, which nobody waits for.

use runtime_contract::FaultKind;
use runtime_contract::request::{Prompts, Record, Request};
use runtime_contract::value::Value;

use crate::input::RequestId;
use crate::output::{LineCommand, Output};
use crate::request::Doing;
use crate::session::{Answer, Session};
use crate::timers::Timer;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recording {
    /// Prompt and beep play.
    Prompt {
        bargeable: bool,
    },
    Running,
    /// We ended it; its length and row are still to come.
    Ending,
}

/// How long a recording may run over its limit before we end it: media counts samples, not time.
const RECORD_OVER_MS_MAX: u64 = 2_000;
/// How long file and row may take once it ended.
const RECORD_SAVE_MS_MAX: u64 = 10_000;

impl Session {
    /// Keys typed ahead mean nothing to a recording.
    pub(crate) fn begin_recording(&mut self, record: &Record) -> Option<Answer> {
        self.held.clear();
        self.dialogue = Some(self.site);
        match self.play(&record.prompts, true) {
            Err(kind) => Some(Answer::Fault(kind)),
            Ok(_) => {
                let bargeable = record.prompts.barge_in && !record.prompts.items.is_empty();
                self.doing = Doing::Recording(Recording::Prompt { bargeable });
                None
            }
        }
    }

    pub(crate) fn record_prompt_over(&mut self) {
        let Some((length_ms_max, silence_ms)) = self.record_limits() else { return };
        let Doing::Recording(recording) = &mut self.doing else { return };
        if let Recording::Prompt { .. } = recording {
            *recording = Recording::Running;
            self.timers.set(Timer::RecordMax, self.now.tick.plus_ms(u64::from(length_ms_max) + RECORD_OVER_MS_MAX));
            let request = self.request;
            self.output(Output::Line(LineCommand::Record { request, length_ms_max, silence_ms }));
        }
    }

    fn record_limits(&self) -> Option<(u32, u32)> {
        match self.program.meta().request(self.site)? {
            Request::Record(record) => Some((record.max_ms, record.silence_ms)),
            _ => None,
        }
    }

    pub(crate) fn record_key(&mut self, key: char) {
        let ends = match self.program.meta().request(self.site) {
            Some(Request::Record(record)) => record.end_key.is_none_or(|end_key| end_key == key),
            _ => false,
        };
        let Doing::Recording(recording) = &mut self.doing else { return };
        match recording {
            // The rest of the prompt is passed over; the beep is not.
            Recording::Prompt { bargeable: true } => {
                *recording = Recording::Prompt { bargeable: false };
                self.output(Output::Line(LineCommand::StopPlay));
                if let Err(kind) = self.play(&Prompts::default(), true) {
                    self.resolve(Answer::Fault(kind));
                }
            }
            Recording::Running if ends => self.stop_recording(),
            _ => {}
        }
    }

    fn stop_recording(&mut self) {
        self.doing = Doing::Recording(Recording::Ending);
        self.timers.set(Timer::RecordMax, self.now.tick.plus_ms(RECORD_SAVE_MS_MAX));
        self.output(Output::Line(LineCommand::StopRecord { request: self.request }));
    }

    pub(crate) fn record_max(&mut self) {
        match self.doing {
            Doing::Recording(Recording::Running) => self.stop_recording(),
            _ => self.resolve(Answer::Fault(FaultKind::Store)),
        }
    }

    pub(crate) fn record_done(&mut self, request: RequestId, recording: u64, spoken: bool) {
        if request == self.request
            && let Doing::Recording(Recording::Running | Recording::Ending) = self.doing
        {
            self.held.dialogue_ended();
            self.resolve(match spoken {
                true => Answer::Result(0, Some(Value::Recording(recording))),
                false => Answer::Result(1, None),
            });
        }
    }

    /// `recording on` where it is on, and `off` where it is off, are nothing to tell.
    pub(crate) fn record_call(&mut self, on: bool) -> Option<Answer> {
        if std::mem::replace(&mut self.recorded, on) != on {
            self.output(Output::Line(LineCommand::RecordCall { on }));
        }
        Some(Answer::Result(0, None))
    }

    pub(crate) fn abandon_recording(&mut self) {
        match self.doing {
            Doing::Recording(Recording::Prompt { .. }) => self.output(Output::Line(LineCommand::StopPlay)),
            Doing::Recording(Recording::Running) => {
                self.output(Output::Line(LineCommand::StopRecord { request: self.request }));
            }
            _ => {}
        }
    }
}
