//! Tests of the session through its door: inputs in, lines of text out.

mod agreement;
mod dialogue;
mod hang_up;
mod life;
mod outgoing;
mod queue;
mod random;
mod recording;

use std::sync::Arc;

use runtime_contract::channel::Channel;
use runtime_contract::leg::GoneCause;
use runtime_contract::record::CallId;
use runtime_contract::value::{Phone, Value};
use runtime_contract::{FlowProgram, Now, Tick, Time};

use crate::checker::Checker;
use crate::journal::{Record, decode};
use crate::output::{LineCommand, Output, PlayItem, WorldRequest};
use crate::{Input, LineEvent, Outputs, RequestId, Session, Start, StopReason};

/// A session with its clock, its journal, and what it said since it was last asked.
pub(crate) struct Bench {
    pub session: Session,
    checker: Checker,
    pub now_ms: u64,
    pub journal: Vec<u8>,
    pub said: Vec<String>,
    /// Everything that left, as it would be logged.
    pub left: String,
    pub token: u32,
    pub recording: Option<RequestId>,
    pub done: bool,
}

/// Monday 2026-03-02 10:00 in Shanghai.
pub(crate) const START_MS: i64 = 1_772_416_800_000;

impl Bench {
    pub fn new(program: Arc<dyn FlowProgram>) -> Bench {
        Bench {
            session: Session::new(program),
            checker: Checker::default(),
            now_ms: 0,
            journal: Vec::new(),
            said: Vec::new(),
            left: String::new(),
            token: 0,
            recording: None,
            done: false,
        }
    }

    /// A call that was started and, if its flow answers first, is up.
    pub fn up(program: Arc<dyn FlowProgram>) -> Bench {
        let mut bench = Bench::new(program);
        bench.start();
        bench.give(Input::Line(LineEvent::Answered));
        assert_eq!(bench.said.first().map(String::as_str), Some("answer"));
        bench.said.remove(0);
        bench
    }

    /// A conversation in writing.
    pub fn written(program: Arc<dyn FlowProgram>, channel: Channel) -> Bench {
        let mut bench = Bench::new(program);
        bench.give(Input::Start(Start { channel, line: crate::Line::Up, ..Start::ringing(CallId([1; 16]), 0) }));
        bench
    }

    pub fn start(&mut self) {
        let start = Start { caller: Phone::parse("+8613800000000", true), ..Start::ringing(CallId([1; 16]), 0) };
        self.give(Input::Start(start));
    }

    /// The process dies, and another takes the line up.
    pub fn revive(&mut self) {
        let rebuilt = Session::from_journal(self.session.program().clone(), &self.journal).unwrap();
        assert_eq!(rebuilt.session.requests(), self.session.requests());
        self.session = rebuilt.session;
        self.checker = Checker::revived(&self.session);
        self.recording = None;
        self.give(Input::Revived { began: rebuilt.started.time });
    }

    pub fn now(&self) -> Now {
        Now { tick: Tick(self.now_ms * 1_000_000), time: Time(START_MS + self.now_ms as i64) }
    }

    pub fn give(&mut self, input: Input) {
        let now = self.now();
        self.checker.input(now, &input).unwrap();
        let outputs: Vec<Output> = self.session.handle(now, input).collect();
        for output in outputs {
            self.checker.output(&output).unwrap_or_else(|wrong| panic!("{wrong}: {output:?}; {:?}", self.said.last()));
            self.left.push_str(&format!("{output:?}\n"));
            self.take(output);
        }
        self.checker.drained(&self.session).unwrap_or_else(|wrong| panic!("{wrong}: {:?}", self.session));
    }

    fn take(&mut self, output: Output) {
        let line = match output {
            Output::Journal(bytes) => return self.journal.extend(bytes),
            Output::Line(LineCommand::Answer { .. }) => "answer".to_owned(),
            Output::Line(LineCommand::Play { token, items }) => {
                self.token = token;
                let meta = self.session.program().meta();
                let item = |item: &PlayItem| match item {
                    PlayItem::Prompt { prompt, language, values } => {
                        let prompt = &meta.prompts[*prompt as usize];
                        runtime_contract::spoken::render(meta, prompt, *language, values)
                    }
                    PlayItem::Recording(id) => format!("recording {id}"),
                    PlayItem::Beep => "beep".to_owned(),
                };
                format!("play {}", items.iter().map(item).collect::<Vec<_>>().join(" + "))
            }
            Output::Line(LineCommand::StopPlay) => "stop play".to_owned(),
            Output::Line(LineCommand::Mask { on }) => format!("mask {on}"),
            Output::Line(LineCommand::Record { request, length_ms_max, .. }) => {
                self.recording = Some(request);
                format!("record {length_ms_max}")
            }
            Output::Line(LineCommand::StopRecord { .. }) => "stop record".to_owned(),
            Output::Line(LineCommand::Reject(cause)) => format!("reject {cause:?}"),
            Output::Line(LineCommand::RecordCall { on }) => format!("record call {on}"),
            Output::Line(LineCommand::HangUp) => "hang up".to_owned(),
            Output::World { ask: WorldRequest::Note { key, value, .. }, .. } => format!("note {key} = {value:?}"),
            Output::World { ask: WorldRequest::Send(sending), .. } => {
                format!(
                    "send {:?} {:?}",
                    sending.channel,
                    sending.to.map(|to| to.map(runtime_contract::Redacted::into_inner))
                )
            }
            Output::World { ask: WorldRequest::OpenCase(case), .. } => format!("case {}", case.kind),
            Output::World { ask: WorldRequest::Onward(onward), .. } => {
                format!("onward {} {:?}", onward.to.reveal(), onward.how)
            }
            Output::World { ask: WorldRequest::Queue(ask), .. } => format!("queue {} {:?}", ask.queue, ask.arguments),
            Output::World { ask: WorldRequest::Dial(ask), .. } if ask.by.is_written() => {
                format!("write by {} to {}", ask.by.word(), ask.to.e164().reveal())
            }
            Output::World { ask: WorldRequest::Dial(ask), .. } => {
                format!("dial {} for {} ms", ask.to.e164().reveal(), ask.ring_ms)
            }
            Output::World { ask: WorldRequest::Survey { survey, .. }, .. } => format!("survey {survey}"),
            Output::World { ask: WorldRequest::SurveyAnswer { question, value, .. }, .. } => {
                format!("answer {question}: {value:?}")
            }
            Output::World { ask: WorldRequest::Start { cadence, arguments }, .. } => {
                format!("start {cadence} {arguments:?}")
            }
            Output::World { ask: WorldRequest::Callback, .. } => "callback".to_owned(),
            Output::World { ask: WorldRequest::Service(ask), .. } => {
                format!("service {} {:?}", ask.service, ask.arguments)
            }
            Output::Cancel { .. } => "cancel".to_owned(),
            Output::Fault { .. } => return,
            Output::Trace(trace) => format!("{trace:?}"),
            Output::Done(cause) => {
                self.done = true;
                format!("done {cause:?}")
            }
        };
        self.said.push(line);
    }

    /// What was said since the last time.
    pub fn said(&mut self) -> Vec<String> {
        std::mem::take(&mut self.said)
    }

    pub fn key(&mut self, key: char) {
        self.give(Input::Line(LineEvent::Key(key)));
    }

    pub fn words(&mut self, words: &str) {
        self.give(Input::Line(LineEvent::Words(runtime_contract::Redacted::new(words.to_owned()))));
    }

    /// Keys, 200 ms apart.
    pub fn keys(&mut self, keys: &str) {
        for key in keys.chars() {
            self.key(key);
            self.pass(200);
        }
    }

    /// The prompt is over.
    pub fn heard(&mut self) {
        self.give(Input::Line(LineEvent::PlayDone { token: self.token }));
    }

    pub fn gone(&mut self) {
        self.give(Input::Line(LineEvent::Gone(GoneCause::RemoteHungUp)));
    }

    pub fn stop(&mut self, reason: StopReason) {
        self.give(Input::Stop(reason));
    }

    /// Answers the outstanding request.
    pub fn reply(&mut self, outcome: u32, payload: Option<Value>) {
        let request = RequestId(self.session.requests());
        self.give(Input::Reply { request, outcome, payload });
    }

    pub fn record_done(&mut self, spoken: bool) {
        let request = self.recording.unwrap();
        self.give(Input::Line(LineEvent::RecordDone { request, recording: 77, length_ms: 1_500, spoken }));
    }

    /// Time passes, and every deadline on the way is met.
    pub fn pass(&mut self, ms: u64) {
        let end = self.now_ms + ms;
        while let Some(at) = self.session.next_deadline().filter(|at| at.0 <= end * 1_000_000) {
            self.now_ms = self.now_ms.max(at.0.div_ceil(1_000_000));
            self.give(Input::Tick);
        }
        self.now_ms = end;
    }

    pub fn records(&self) -> Vec<Record> {
        decode(&self.journal).unwrap().into_iter().map(|(_, record)| record).collect()
    }

    /// The journal leads a fresh session of the same program to the same requests.
    pub fn replays(&self) -> crate::Rebuilt {
        Session::from_journal(self.session.program().clone(), &self.journal).unwrap()
    }
}

#[test]
fn dropped_outputs_come_first_the_next_time() {
    let mut kit = crate::testkit::Kit::new(&[]);
    let body = kit.push(crate::testkit::Op::Return);
    kit.flow("kit", body, None, None);
    let mut session = Session::new(kit.build());
    let now = Now::default();
    let outputs: Outputs<'_> = session.handle(now, Input::Start(Start::ringing(CallId([1; 16]), 0)));
    let count = outputs.count();
    assert_eq!(count, 5, "start, gone, end in the journal; reject and done");
}
