//! The records of a journal as lines: where the flow was, what it asked for, what came of it. Values and keys are
//! shown where they are asked for, private ones never.

use runtime_contract::calendar::local_text;
use runtime_contract::channel;
use runtime_contract::leg::GoneCause;
use runtime_contract::program::{Part, Prompt};
use runtime_contract::request::{Channel, Kind, Message, Request};
use runtime_contract::value::Value;
use runtime_contract::{ProgramMeta, SiteId, Time, Type, spoken};
use runtime_session::journal::{Claimed, Record, Reply};
use runtime_session::{Assumed, EndCause, Lost, NotSent, PlayItem, StopReason, Told};
use runtime_simulator::open_text;
use serde_json::json;

use crate::show::{Paint, colours, paint};

/// How the holes of a text are filled: for who hears it, or who reads it.
type Render = fn(&ProgramMeta, &Prompt, u32, &[Value]) -> String;

/// In place of what is not shown.
const MARK: &str = "•••";

#[derive(Clone)]
pub struct Line {
    pub at: Time,
    pub kind: &'static str,
    /// `hotline.flow:42`
    pub place: Option<String>,
    pub text: String,
    /// Of a prompt that is a recording, the hash of its file.
    pub sound: Option<[u8; 32]>,
}

impl Line {
    pub fn to_json(&self) -> serde_json::Value {
        json!({ "ms": self.at.0, "kind": self.kind, "place": self.place, "text": self.text })
    }

    /// `10:00:05.120  says     Welcome.   hotline.flow:12`
    pub fn to_text(&self, zone: &str) -> String {
        let at = local_text(self.at, zone);
        let clock = at.split_once(' ').map_or("", |(_, clock)| clock);
        let head = format!("{clock}.{:03}", self.at.0.rem_euclid(1_000));
        let place = self
            .place
            .as_ref()
            .map_or_else(String::new, |place| paint(&format!("   {place}"), Paint::Faint, colours()));
        match self.kind {
            "step" => format!("{head}  {}{place}", paint(&format!("── {}", self.text), Paint::Strong, colours())),
            kind => format!("{head}  {kind:<8} {}{place}", self.text),
        }
    }
}

pub struct Teller<'m> {
    meta: &'m ProgramMeta,
    reveal: bool,
    pub lines: Vec<Line>,
    /// Records taken so far.
    pub records: usize,
    /// Flow and step of the last line.
    here: Option<(u32, String)>,
    /// The site of the outstanding request.
    site: SiteId,
    is_caller_known: bool,
    channel: channel::Channel,
}

impl<'m> Teller<'m> {
    pub fn new(meta: &'m ProgramMeta, reveal: bool) -> Teller<'m> {
        let (lines, here) = (Vec::new(), None);
        let channel = channel::Channel::Voice;
        Teller { meta, reveal, lines, records: 0, here, site: SiteId(0), is_caller_known: false, channel }
    }

    pub fn take(&mut self, at: Time, told: &Told<'_>) {
        match told {
            Told::Record(record) => self.record(at, record),
            Told::Asked { site, items, arguments } => {
                self.site = *site;
                let (kind, render): (_, Render) = match self.meta.request(*site) {
                    Some(Request::Send(_)) => ("writes", spoken::render_written),
                    _ if self.channel.is_written() => ("says", spoken::render_written),
                    _ => ("says", spoken::render),
                };
                for item in items {
                    let text = self.shown(item, render);
                    self.at_site(at, kind, text);
                    let sound = self.sound(item);
                    self.lines.iter_mut().rev().take(1).for_each(|line| line.sound = sound);
                }
                self.asked(at, *site, *arguments);
            }
            Told::Assumed(why) => self.line(at, "assumed", assumed_text(*why).to_owned()),
            Told::Lost(why) => self.line(at, "lost", lost_text(*why).to_owned()),
        }
    }

    fn line(&mut self, at: Time, kind: &'static str, text: String) {
        self.lines.push(Line { at, kind, place: None, text, sound: None });
    }

    fn at_site(&mut self, at: Time, kind: &'static str, text: String) {
        let place = self.meta.site(self.site).map(|site| self.meta.place_text(site.place));
        self.lines.push(Line { at, kind, place, text, sound: None });
    }

    pub fn record(&mut self, at: Time, record: &Record) {
        self.records += 1;
        match record {
            Record::Start(started) => {
                self.is_caller_known = started.caller.is_some();
                self.channel = started.channel;
                let flow = self.meta.flow(started.flow).map_or("?", |flow| flow.name.as_str());
                self.line(at, "call", format!("comes in for {flow}"));
            }
            Record::Leg(_) | Record::Given(_) | Record::Observation(_) => {}
            Record::Request { site, .. } => self.enter(at, *site),
            Record::Reply { reply, .. } => self.reply(at, reply),
            Record::Claim { keys, .. } => self.keys(at, keys),
            Record::Answered => self.line(at, "line", "is up".to_owned()),
            Record::Gone(cause) => self.line(at, "line", format!("is gone: {}", gone_text(*cause))),
            Record::Fault { kind, place, .. } => {
                let place = place.and_then(|place| self.meta.fault_places.get(place as usize));
                let place = place.map(|place| self.meta.place_text(*place));
                self.lines.push(Line { at, kind: "fault", place, text: kind.name().to_owned(), sound: None });
            }
            Record::Stop(reason) => self.line(at, "stopped", stop_text(*reason).to_owned()),
            Record::Late(_) => self.line(at, "late", "an answer that nobody waited for any more".to_owned()),
            Record::Revived => self.line(at, "line", "was taken up again after the server had died".to_owned()),
            Record::Full => self.line(at, "full", "the journal has no room for what follows".to_owned()),
            Record::End(cause) => self.line(at, "over", end_text(*cause)),
        }
    }

    /// The flow is at this site now.
    fn enter(&mut self, at: Time, site: SiteId) {
        self.site = site;
        let Some(info) = self.meta.site(site) else { return };
        let here = (info.flow, info.step.clone());
        if self.here.as_ref() != Some(&here) {
            let flow = self.meta.flow(info.flow).map_or("?", |flow| flow.name.as_str());
            let text = if info.step.is_empty() { flow.to_owned() } else { format!("{flow}.{}", info.step) };
            self.here = Some(here);
            self.at_site(at, "step", text);
        }
    }

    fn asked(&mut self, at: Time, site: SiteId, arguments: Option<&[Value]>) {
        let Some(request) = self.meta.request(site) else { return };
        let value = |index: usize| -> String {
            let argument = arguments.and_then(|arguments| arguments.get(index));
            let r#type = self.meta.site(site).and_then(|site| site.arguments.get(index));
            argument.zip(r#type).map_or_else(|| MARK.to_owned(), |(value, r#type)| self.value(r#type, value))
        };
        let (kind, text) = match request {
            Request::Answer => ("answers", String::new()),
            Request::Reject(_) => ("rejects", String::new()),
            Request::Play(_) => return,
            Request::Menu(menu) => ("menu", menu.choice_names().collect::<Vec<_>>().join(" ")),
            Request::Ask(ask) => {
                ("asks", if ask.private { "for something private".to_owned() } else { "for keys".to_owned() })
            }
            Request::Record(record) => ("records", format!("up to {} s", record.max_ms / 1_000)),
            Request::Recording { on } => ("records", if *on { "the call" } else { "no more" }.to_owned()),
            Request::Wait => ("waits", value(0)),
            Request::Service(call) => {
                let service = self.meta.services.get(call.service as usize);
                let operation = service.and_then(|service| service.operations.get(call.operation as usize));
                let Some((service, operation)) = service.zip(operation) else { return };
                let arguments: Vec<String> = operation
                    .parameters
                    .iter()
                    .enumerate()
                    .map(|(at, parameter)| format!("{}: {}", parameter.name, value(at)))
                    .collect();
                ("service", format!("{}.{}({})", service.name, operation.name, arguments.join(", ")))
            }
            Request::Note { key, .. } => ("notes", format!("{key} = {}", value(0))),
            Request::Send(message) => ("sends", self.sent(message, arguments.and_then(<[Value]>::last))),
            Request::OpenCase(case) => ("case", format!("{}, priority {}", case.kind, case.priority.name())),
            Request::Consent(consent) => ("agrees", format!("to {}", consent.purpose)),
            Request::HangUp => ("hangs up", String::new()),
            Request::Connect(_) => ("connects", format!("to {}", value(0))),
            Request::Transfer { .. } => ("transfer", format!("to {}", value(0))),
            Request::Dial(dial) if dial.by.is_written() => ("writes", format!("to {}", value(0))),
            Request::Dial(_) => ("dials", value(0)),
            Request::Start { cadence } => match self.meta.cadences.get(*cadence as usize) {
                Some(cadence) => ("starts", cadence.name.clone()),
                None => return,
            },
            Request::Survey { survey } => match self.meta.surveys.get(*survey as usize) {
                Some(survey) => ("survey", survey.name.clone()),
                None => return,
            },
            Request::SurveyAnswer { survey, question } => {
                let survey = self.meta.surveys.get(*survey as usize);
                let Some(question) = survey.and_then(|survey| survey.questions.get(*question as usize)) else { return };
                ("answers", format!("{} = {}", question.name, value(0)))
            }
            Request::Queue { queue } => match self.meta.queues.get(*queue as usize) {
                Some(queue) => {
                    let arguments: Vec<String> = (0..queue.parameters.len()).map(value).collect();
                    ("queues", format!("in {}({})", queue.name, arguments.join(", ")).replace("()", ""))
                }
                None => return,
            },
            // It stands in a flow of its own, of which no journal tells.
            Request::OfferCallback { .. } => return,
        };
        self.at_site(at, kind, text);
    }

    /// `to`: what the flow says of it.
    fn sent(&self, message: &Message, to: Option<&Value>) -> String {
        let channel = message.channel.name();
        match (&message.channel, to.filter(|_| message.to)) {
            (Channel::Notify(who), _) => format!("{channel} to {who}"),
            (Channel::Chat, _) if self.channel == channel::Channel::Chat => "chat to the caller".to_owned(),
            (Channel::Chat, _) => format!("no {channel}: {}", NotSent::NoChat.name()),
            (channel, Some(to)) => format!("{} to {}", channel.name(), self.value(&channel.address(), to)),
            (_, None) if message.to => format!("{channel} to {MARK}"),
            (_, None) if self.is_caller_known => format!("{channel} to the caller"),
            (_, None) => format!("no {channel}: {}", NotSent::NumberWithheld.name()),
        }
    }

    fn reply(&mut self, at: Time, reply: &Reply) {
        let Some(request) = self.meta.request(self.site) else { return };
        let text = match reply {
            Reply::Gone if matches!(request.kind(), Kind::HangUp | Kind::Reject) => return,
            Reply::Gone => "left, for the line is gone".to_owned(),
            Reply::Fault(kind) => format!("fault: {}", kind.name()),
            // That a prompt is over says the next line.
            Reply::Result { .. } if request.kind().row().outcomes == ["done"] => {
                return;
            }
            Reply::Result { outcome, payload } => {
                let r#type = self.meta.site(self.site).and_then(|site| site.payloads.get(*outcome as usize));
                let value = match (payload, r#type) {
                    (Some(value), Some(Some(r#type))) => format!(" {}", self.value(r#type, value)),
                    _ => String::new(),
                };
                format!("{}{value}", request.outcome_name(*outcome))
            }
        };
        self.line(at, "→", text);
    }

    /// Keys of a menu, or of what a queue offers, are a way through it; what is asked for belongs to the person.
    fn keys(&mut self, at: Time, keys: &Claimed) {
        let is_menu = matches!(self.meta.request(self.site), Some(Request::Menu(_) | Request::Queue { .. }));
        let text = match keys {
            // What fits no phrase is nobody's to read.
            Claimed::Words(None) => return self.line(at, "words", MARK.to_owned()),
            Claimed::Words(Some(said)) => {
                let phrase = match self.meta.request(self.site) {
                    Some(Request::Menu(menu)) => menu.phrase(*said),
                    _ => None,
                };
                return self.line(at, "words", phrase.unwrap_or("?").to_owned());
            }
            Claimed::Private(count) => "•".repeat(*count as usize),
            Claimed::Keys(keys) if is_menu || self.reveal => keys.iter().map(|(key, _)| *key).collect(),
            Claimed::Keys(keys) => "•".repeat(keys.len()),
        };
        if !text.is_empty() {
            self.line(at, "keys", text);
        }
    }

    fn value(&self, r#type: &Type, value: &Value) -> String {
        let plain = matches!(r#type, Type::Bool | Type::Language | Type::Duration);
        if self.reveal || plain { open_text(self.meta, r#type, value) } else { MARK.to_owned() }
    }

    fn sound(&self, item: &PlayItem) -> Option<[u8; 32]> {
        let PlayItem::Prompt { prompt, language, .. } = item else { return None };
        let text = self.meta.prompts.get(*prompt as usize)?.text(*language)?;
        text.audio.as_ref().map(|(_, hash)| *hash)
    }

    fn shown(&self, item: &PlayItem, render: Render) -> String {
        match item {
            PlayItem::Beep => "(beep)".to_owned(),
            PlayItem::Recording(id) => format!("(recording {id})"),
            PlayItem::Prompt { prompt, language, values } => {
                let Some(prompt) = self.meta.prompts.get(*prompt as usize) else { return "?".to_owned() };
                if self.reveal {
                    return render(self.meta, prompt, *language, values);
                }
                let Some(text) = prompt.text(*language) else { return "?".to_owned() };
                match &text.audio {
                    Some((file, _)) => format!("(prompts/{file})"),
                    None => text
                        .parts
                        .iter()
                        .map(|part| if let Part::Literal(words) = part { words.as_str() } else { MARK })
                        .collect(),
                }
            }
        }
    }
}

fn assumed_text(why: Assumed) -> &'static str {
    match why {
        Assumed::OtherArguments => "this answer was given to other arguments",
        Assumed::KeysLeft => "of the keys that were pressed only the first are taken here",
        Assumed::OtherOrder => "private values were looked at in another order",
    }
}

fn lost_text(why: Lost) -> &'static str {
    match why {
        Lost::NoEntry => "nobody answers the number that was called",
        Lost::NeverAsked => "the recorded call was never asked this, so nobody knows what comes of it",
        Lost::OtherType => "what was answered then is of another type than is wanted here",
        Lost::Private => "this depends on a private value, which no journal holds",
        Lost::JournalEnds => "the journal ends here",
    }
}

fn gone_text(cause: GoneCause) -> String {
    match cause {
        GoneCause::RemoteHungUp => "the caller hung up".to_owned(),
        GoneCause::LocalHungUp => "the flow hung up".to_owned(),
        GoneCause::Cancelled => "the caller gave up".to_owned(),
        GoneCause::NoAck => "the answer was not acknowledged".to_owned(),
        GoneCause::Refused(status) => format!("refused with {status}"),
        GoneCause::NoAnswer => "no answer".to_owned(),
        GoneCause::NoCommonMedia => "no common codec".to_owned(),
        GoneCause::Unreachable => "unreachable".to_owned(),
        GoneCause::Transferred => "transferred".to_owned(),
        GoneCause::Failed => "it failed".to_owned(),
    }
}

fn stop_text(reason: StopReason) -> &'static str {
    match reason {
        StopReason::Drain => "the server was to stop",
        StopReason::TooLong => "the call was too long",
        StopReason::Crash => "the server had died",
    }
}

fn end_text(cause: EndCause) -> String {
    match cause {
        EndCause::Returned => "the flow came to its end".to_owned(),
        EndCause::HungUp => "the flow hung up".to_owned(),
        EndCause::Rejected => "the flow refused the call".to_owned(),
        EndCause::Gone(cause) => gone_text(cause),
        EndCause::Fault(kind) => format!("fault: {}", kind.name()),
        EndCause::Stopped(reason) => stop_text(reason).to_owned(),
    }
}
