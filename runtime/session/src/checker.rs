//! What must hold for every session whatever happens (contract, run-time invariants 1, 2, 6, 7, 12): watches
//! its inputs and outputs from outside. On wherever debug assertions are.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, DefaultHasher};

use runtime_contract::channel::Channel;
use runtime_contract::request::Dial;
use runtime_contract::{Now, Tick};

use crate::input::{Input, Line, LineEvent, QueueEvent, RequestId};
use crate::journal::{self, Record};
use crate::output::{LineCommand, Output, WorldRequest};
use crate::session::Session;

/// Watches one session. The first thing that is wrong comes back as a sentence.
#[derive(Clone, Debug, Default)]
pub struct Checker {
    now: Now,
    line: Line,
    /// World requests and answers of the line that somebody outside works on.
    open: HashSet<RequestId, BuildHasherDefault<DefaultHasher>>,
    answering: bool,
    /// Its answer may make the line.
    dialling: Option<(RequestId, Channel)>,
    /// The line is somebody else's for this request.
    lent: Option<RequestId>,
    /// It will be when the outputs of this input are drained: what still plays is stopped.
    lends: Option<RequestId>,
    /// The journal had no more room, so requests cannot be counted by it.
    full: bool,
    asked: u32,
    settled: u32,
    prompts: u32,
    recording: Option<RequestId>,
    masked: bool,
    recorded: bool,
    done: bool,
}

type Verdict = Result<(), String>;

impl Checker {
    /// Of a session that was rebuilt and is about to be revived: its line is up, and a request is outstanding.
    pub fn revived(session: &Session) -> Checker {
        let asked = session.requests();
        Checker { line: Line::Up, asked, settled: asked.saturating_sub(1), ..Checker::default() }
    }

    pub fn input(&mut self, now: Now, input: &Input) -> Verdict {
        require(now.tick >= self.now.tick && now.time >= self.now.time, "time went back")?;
        self.now = now;
        self.lent = self.lends.take().or(self.lent);
        match input {
            Input::Start(start) => self.line = start.line,
            Input::Line(LineEvent::Answered) if self.answering && self.line == Line::Ringing => self.line = Line::Up,
            Input::Line(LineEvent::Gone(_)) => self.line = Line::Gone,
            Input::Reply { request, outcome, .. }
                if self.line == Line::None
                    && self
                        .dialling
                        .is_some_and(|(dialled, by)| dialled == *request && Dial::makes_line(by, *outcome)) =>
            {
                self.line = Line::Up;
            }
            Input::Queue { request, event: QueueEvent::Talking } if self.open.contains(request) => {
                self.lends = Some(*request);
            }
            _ => {}
        }
        if let Input::Line(LineEvent::RecordDone { .. }) = input {
            self.recording = None;
        }
        Ok(())
    }

    pub fn output(&mut self, output: &Output) -> Verdict {
        require(!self.done, "an output after the end")?;
        match output {
            Output::Line(command) => self.line_command(command),
            Output::World { request, ask } => match ask {
                WorldRequest::Note { .. } | WorldRequest::Send(_) | WorldRequest::OpenCase(_) => Ok(()),
                WorldRequest::Callback => {
                    require(self.open.contains(request) && self.lent.is_none(), "a callback for who does not wait")
                }
                WorldRequest::Service(_)
                | WorldRequest::Onward(_)
                | WorldRequest::Queue(_)
                | WorldRequest::Dial(_)
                | WorldRequest::Survey { .. }
                | WorldRequest::SurveyAnswer { .. }
                | WorldRequest::Start { .. } => {
                    if let WorldRequest::Dial(dial) = ask {
                        self.dialling = Some((*request, dial.by));
                    }
                    self.lent = matches!(ask, WorldRequest::Onward(_)).then_some(*request);
                    require(self.open.insert(*request), "a request was made twice")
                }
            },
            Output::Cancel { request } => {
                self.lent.take_if(|lent| lent == request);
                require(self.open.remove(request), "cancelled what was not open")
            }
            Output::Journal(bytes) => self.record(bytes),
            Output::Done(_) => {
                self.done = true;
                require(self.full || self.asked == self.settled, "ended with a request that nobody settled")?;
                require(matches!(self.line, Line::Gone | Line::None), "ended with a line")
            }
            Output::Fault { .. } | Output::Trace(_) => Ok(()),
        }
    }

    /// To be called when the outputs of an input are drained.
    pub fn drained(&self, session: &Session) -> Verdict {
        match self.done {
            true => {
                require(session.next_deadline().is_none(), "a timer after the end")?;
                require(self.full || self.open.is_empty(), "a request outlived the call")
            }
            false => {
                require(session.next_deadline().is_none_or(|at| at > Tick(0)), "a timer at no time")?;
                require(self.asked <= self.settled + 1, "two requests at once")
            }
        }
    }

    fn line_command(&mut self, command: &LineCommand) -> Verdict {
        require(self.lent.is_none() || self.full, "told a line that somebody else has")?;
        let (up, ringing) = (self.line == Line::Up, self.line == Line::Ringing);
        match command {
            LineCommand::Answer { request } => {
                require(ringing, "answered a line that does not ring")?;
                self.answering = true;
                require(self.open.insert(*request), "answered twice")
            }
            LineCommand::Reject(_) => {
                self.line = Line::Gone;
                require(ringing, "rejected a line that does not ring")
            }
            LineCommand::HangUp => {
                self.line = Line::Gone;
                require(up, "hung up a line that is not up")
            }
            LineCommand::Play { token, .. } => {
                require(*token > self.prompts, "a prompt's token came again")?;
                self.prompts = *token;
                require(up, "played to a line that is not up")
            }
            LineCommand::Mask { on } => {
                require(*on != self.masked, "masked twice")?;
                self.masked = *on;
                require(up, "masked a line that is not up")
            }
            LineCommand::Record { request, .. } => {
                require(self.recording.is_none(), "two recordings at once")?;
                self.recording = Some(*request);
                require(up, "recorded a line that is not up")
            }
            LineCommand::StopRecord { request } => {
                require(self.recording == Some(*request), "stopped a recording that does not run")
            }
            LineCommand::RecordCall { on } => {
                require(*on != self.recorded, "began or ended the recording of a call twice")?;
                self.recorded = *on;
                require(up, "recorded a line that is not up")
            }
            LineCommand::StopPlay => require(up, "stopped a prompt on a line that is not up"),
        }
    }

    fn record(&mut self, bytes: &[u8]) -> Verdict {
        let records = journal::decode(bytes).map_err(|error| error.to_string())?;
        for (_, record) in records {
            match record {
                Record::Request { request, .. } => {
                    self.asked += 1;
                    require(request.0 == self.asked, "requests are not counted one by one")?;
                }
                Record::Reply { request, .. } => {
                    self.settled += 1;
                    self.answering = false;
                    require(request.0 == self.asked && self.settled == self.asked, "a reply reached another request")?;
                    self.open.remove(&request);
                    self.lent.take_if(|lent| *lent == request);
                    self.lends.take_if(|lends| *lends == request);
                    self.recording = self.recording.filter(|recording| *recording != request);
                }
                Record::Full => self.full = true,
                _ => {}
            }
        }
        Ok(())
    }
}

fn require(holds: bool, what: &str) -> Verdict {
    if holds { Ok(()) } else { Err(what.to_owned()) }
}
