//! A way through a call as a test: its lines in the order in which a player needs them, and what is to be seen on the
//! way. It explores nothing.

use std::collections::{BTreeMap, BTreeSet};

use runtime_contract::ProgramMeta;
use runtime_contract::program::Place;
use runtime_contract::request::Request;
use runtime_contract::script::{Delivery, Given, Hears, TestScript, Verb};
use runtime_contract::value::Value;

use super::call::{Begins, Call, Choice, Event, Root, Wait, is_lasting};
use crate::plant::open_text;

/// Characters of a long text that are looked for.
const HEARD_MAX: usize = 60;
const NAME_MAX: usize = 72;
/// Characters of a value that a name shows.
const VALUE_MAX: usize = 24;

/// What a player does lazily: he goes on only as far as a line needs. So whatever services answer stands in front of the
/// line during which they are asked, and each prompt between two such lines is waited for.
#[derive(Default)]
pub(super) struct Writer {
    lines: Vec<Verb>,
    /// Where what others do from here on has its place.
    given_at: usize,
    /// What each of them did last, and of which line.
    given: BTreeMap<(u32, u32), Given>,
    dialled: Option<Verb>,
    /// Queues that were said to be full.
    full: BTreeSet<u32>,
    /// The same of messages.
    delivered: Option<Verb>,
    /// The same of what is sent; without a word it arrives.
    sent: Option<Verb>,
    /// Where the place for that word is: before the text is seen.
    sent_at: Option<usize>,
    steps: BTreeSet<String>,
    /// Texts that may not be left out though they were heard before.
    kept: BTreeSet<usize>,
    is_unspoken: bool,
    /// What is expected at the end.
    kept_at_end: Vec<Verb>,
    is_over: bool,
    hung_up: bool,
}

impl Writer {
    pub fn add(&mut self, event: Event) {
        match event {
            Event::Line(verb) => {
                self.hung_up |= matches!(verb, Verb::HangUp);
                self.given_at = self.lines.len();
                self.lines.push(verb);
            }
            Event::Given(verb) => {
                if let Verb::Given { service, operation, answer } = &verb
                    && self.given.insert((*service, *operation), answer.clone()).as_ref() == Some(answer)
                {
                    return;
                }
                if let Verb::QueueFull { queue } = &verb
                    && !self.full.insert(*queue)
                {
                    return;
                }
                // He who was called last stands for all that are called later.
                if matches!(verb, Verb::DialGives(_)) && self.dialled.replace(verb.clone()).as_ref() == Some(&verb) {
                    return;
                }
                if matches!(verb, Verb::MessageGives(_)) && self.delivered.replace(verb.clone()).as_ref() == Some(&verb)
                {
                    return;
                }
                let mut at = self.given_at;
                if let Verb::SendGives(given) = &verb {
                    at = self.sent_at.take().unwrap_or(at);
                    let before = self.sent.replace(verb.clone());
                    if before.as_ref() == Some(&verb) || (before.is_none() && *given == [Delivery::Delivered]) {
                        return;
                    }
                }
                self.lines.insert(at, verb);
                self.kept = self.kept.iter().map(|kept| kept + usize::from(*kept >= at)).collect();
                self.given_at += 1;
            }
            Event::Seen(verb) => self.lines.push(verb),
            Event::Step(step) => {
                if self.steps.insert(step.clone()) {
                    self.lines.push(Verb::ExpectStep { flow: None, step });
                }
            }
            Event::Hears(verb) => {
                if std::mem::take(&mut self.is_unspoken) {
                    self.kept.insert(self.lines.len());
                }
                self.lines.push(verb);
                self.given_at = self.lines.len();
            }
            Event::Unspoken => self.is_unspoken = true,
            Event::Sent => self.sent_at = Some(self.sent_at.unwrap_or(self.given_at)),
            Event::Kept(verb) => self.keep(verb),
            Event::Begins => (self.is_over, self.hung_up) = (false, false),
            Event::Ended => self.is_over = true,
        }
    }

    /// Of a note the last value counts.
    fn keep(&mut self, verb: Verb) {
        if let Verb::ExpectNote { key, r#type, value } = &verb {
            self.kept_at_end.retain(|known| !matches!(known, Verb::ExpectNote { key: known, .. } if known == key));
            if !is_lasting(r#type, value) {
                return;
            }
        }
        self.kept_at_end.push(verb);
    }

    pub fn finish(mut self, name: String, root: &Root) -> TestScript {
        let is_call = matches!(root.begins, Begins::Call { .. });
        if is_call && !self.is_over {
            self.lines.push(Verb::HangUp);
        } else if is_call && !self.hung_up {
            self.lines.push(Verb::ExpectEnd);
        }
        self.leave_out();
        self.lines.extend(self.kept_at_end.into_iter().filter(|_| self.is_over || !is_call));
        let lines = self.lines.into_iter().map(shortened).map(|verb| (Place::default(), verb)).collect();
        let zone = root.zone.clone();
        TestScript { name, place: Place::default(), at: root.at, zone, lines, files: Vec::new() }
    }

    /// A text that was heard before is not looked for again, where the next line finds its way without.
    fn leave_out(&mut self) {
        let mut heard = BTreeSet::new();
        let mut lines = Vec::new();
        let mut next = self.lines.iter().skip(1);
        for (at, verb) in self.lines.iter().enumerate() {
            let before_keys = matches!(next.next(), Some(Verb::Press(_)));
            let is_known = words(verb).is_some_and(|words| !heard.insert(words.to_owned()));
            if !is_known || !before_keys || self.kept.contains(&at) {
                lines.push(verb.clone());
            }
        }
        self.lines = lines;
    }
}

fn words(verb: &Verb) -> Option<&str> {
    if let Verb::Hears(hears) = verb { hears.plain() } else { None }
}

/// Long texts are known by how they begin: up to a blank where there is one.
fn shortened(verb: Verb) -> Verb {
    let Some(words) = words(&verb).filter(|words| words.chars().count() > HEARD_MAX) else { return verb };
    let begin: String = words.chars().take(HEARD_MAX).collect();
    let whole = begin.rsplit_once(' ').map_or(begin.as_str(), |(whole, _)| whole);
    Verb::Hears(Hears::words(whole))
}

/// `main: 1`, `crm.find fails`; empty where nobody did anything.
pub(super) fn label(meta: &ProgramMeta, call: &Call, choice: &Choice) -> String {
    let place = call.site().and_then(|site| meta.site(site)).map_or("", |site| match site.step.as_str() {
        "" => meta.flow(site.flow).map_or("", |flow| short(&flow.name)),
        step => step,
    });
    let here = |what: &str| format!("{place}: {what}");
    let asks = call.asks();
    match choice {
        Choice::Continue => String::new(),
        Choice::HangUp => here("hangs up"),
        Choice::Keys(keys) => match call.request() {
            Some(Request::Ask(ask)) => {
                let keys = keys.strip_suffix(ask.end_key).unwrap_or(keys);
                here(&if ask.private { format!("{} keys", keys.len()) } else { keys.to_owned() })
            }
            _ => here(keys),
        },
        Choice::Phrase(words) => {
            let count = words.chars().count();
            let is_private = matches!(call.request(), Some(Request::Ask(ask)) if ask.private);
            here(&if is_private || count > VALUE_MAX { format!("{count} characters") } else { words.clone() })
        }
        Choice::Silence => here("silence"),
        Choice::Speak => here("speaks"),
        Choice::Unspoken => here("says nothing"),
        Choice::FarSide(side) => here(side.name()),
        Choice::Delivery(delivery) => here(delivery.name()),
        Choice::Sent(delivery) => here(&format!("sent, {}", delivery.name())),
        Choice::Queue(wait) => match wait {
            Wait::Full => here("full"),
            Wait::Nobody => here("nobody is there"),
            Wait::Busy => here("nobody has time"),
            Wait::Served => here("served"),
            Wait::Leaves => here("hangs up on the agent"),
            Wait::Picks(variant) => here(variant),
            Wait::CalledBack(_) => here("called back"),
        },
        Choice::Answer(answer) => {
            let service = asks.and_then(|(service, _)| meta.services.get(service as usize));
            let operation = asks.and_then(|(_, operation)| service?.operations.get(operation as usize));
            let (Some(service), Some(operation)) = (service, operation) else { return String::new() };
            let name = format!("{}.{}", service.name, operation.name);
            match (answer, &operation.result) {
                (Given::Failed, _) => format!("{name} fails"),
                (Given::Ok(Some(Value::None)), _) => format!("{name} finds none"),
                (Given::Ok(Some(value)), Some(r#type)) => {
                    let value = open_text(meta, r#type, value);
                    match value.chars().count() {
                        0..=VALUE_MAX => format!("{name} gives {value}"),
                        _ => format!("{name} gives {}…", value.chars().take(VALUE_MAX).collect::<String>()),
                    }
                }
                (Given::Ok(_), _) => format!("{name} succeeds"),
            }
        }
    }
}

/// `desk` of `main.desk`, `renew` of `main.renew/dial`.
fn short(flow: &str) -> &str {
    let name = flow.rsplit('.').next().unwrap_or(flow);
    name.split('/').next().unwrap_or(name)
}

/// As many of the labels as a name holds; those at the same place share its name.
pub(super) fn name(labels: &[String], otherwise: &str) -> String {
    let mut name = String::new();
    let mut place = "";
    for label in labels.iter().filter(|label| !label.is_empty()) {
        let (own, what) = label.split_once(": ").unwrap_or(("", label));
        let shown = if own == place && !own.is_empty() { what } else { label };
        place = own;
        if name.chars().count() + shown.chars().count() > NAME_MAX {
            name.push_str(" …");
            break;
        }
        name.push_str(if name.is_empty() { "" } else { ", " });
        name.push_str(shown);
    }
    if name.is_empty() { otherwise.to_owned() } else { name }
}
