//! What a compiled program is to those who run it: its tables, and the traits by which it is resumed and
//! built. It does not know whether native code or the interpreter stands behind.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::cadence::Cadence;
use crate::calendar::HoursTable;
use crate::called::Called;
use crate::channel::Channel;
use crate::drive::{Outcome, Stop};
use crate::host::Host;
use crate::queue::{Queue, Skill};
use crate::request::Request;
use crate::rule::Rule;
use crate::stack::Stack;
use crate::survey::Survey;
use crate::types::{Class, Type, TypeTable};
use crate::value::Phone;

/// BLAKE3 of the canonical serialised graph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GraphId(pub [u8; 32]);

impl GraphId {
    /// The first eight hexadecimal digits, for people.
    pub fn short(&self) -> String {
        self.0.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
    }

    pub fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// All 64 hexadecimal digits.
    pub fn parse(hex: &str) -> Option<GraphId> {
        let mut id = [0; 32];
        if hex.len() != 64 || !hex.is_ascii() {
            return None;
        }
        for (at, byte) in id.iter_mut().enumerate() {
            *byte = u8::from_str_radix(hex.get(at * 2..at * 2 + 2)?, 16).ok()?;
        }
        Some(GraphId(id))
    }
}

/// Dense index of a site in its program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SiteId(pub u32);

/// Everything about a program but its code.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProgramMeta {
    /// Not serialised: it is the hash of the rest.
    #[serde(skip)]
    pub graph_id: GraphId,
    /// BCP 47 tags; a `Language` value is an index here.
    pub languages: Vec<String>,
    pub types: Arc<TypeTable>,
    /// Texts of the program, without duplicates; a constant's handle is its index.
    pub constants: Vec<String>,
    pub prompts: Vec<Prompt>,
    pub services: Vec<Service>,
    pub hours: Vec<HoursTable>,
    pub flows: Vec<FlowMeta>,
    /// Of each segment, the flow it belongs to.
    pub segments: Vec<u32>,
    pub sites: Vec<SiteInfo>,
    pub inbounds: Vec<Inbound>,
    /// Places of operations that may fault; code FAULT names one.
    pub fault_places: Vec<Place>,
    /// Names of source files; a [`Place`] is an index here.
    pub files: Vec<String>,
    pub skills: Vec<Skill>,
    pub queues: Vec<Queue>,
    pub cadences: Vec<Cadence>,
    pub rules: Vec<Rule>,
    pub surveys: Vec<Survey>,
}

/// `prompt` items and texts written in place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prompt {
    /// Name of the item, `None` for a text written in place.
    pub name: Option<String>,
    /// Types of its holes' values, in the order in which they lie in the mailbox.
    pub arguments: Vec<Type>,
    /// By index of `languages`; one entry for all of them when the text has no words.
    pub texts: Vec<PromptText>,
}

impl Prompt {
    /// What is played in this language.
    pub fn text(&self, language: u32) -> Option<&PromptText> {
        self.texts.get(language as usize).or_else(|| self.texts.first())
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PromptText {
    /// Its own language where it stands in for another, which has no text of its own; `None`: that of the caller.
    pub tag: Option<String>,
    /// File below `prompts/`, and BLAKE3 of its bytes.
    pub audio: Option<(String, [u8; 32])>,
    pub parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Part {
    Literal(String),
    /// Index in the prompt's `arguments`.
    Hole(u32),
    /// One of the forms by the plural class of an Int argument (CLDR order).
    Plural {
        argument: u32,
        forms: Vec<String>,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// `crm`; the key below `services` in `strowger.yaml`.
    pub name: String,
    pub operations: Vec<Operation>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    pub name: String,
    pub parameters: Vec<Parameter>,
    pub result: Option<Type>,
    pub within_ms: u32,
    /// Changes something outside: durable before it is sent, with an Idempotency-Key.
    pub writes: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    pub name: String,
    pub r#type: Type,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlowMeta {
    /// `module.flow`.
    pub name: String,
    pub parameters: Vec<Parameter>,
    pub result: Option<Type>,
    /// Words of a frame, header and mailbox included (see `stack`).
    pub frame_words: u32,
    /// First slot of the mailbox in the frame.
    pub mailbox_at: u32,
    pub entry_segment: u32,
    pub fault_segment: Option<u32>,
    pub finally_segment: Option<u32>,
    /// It is an attempt of a cadence: when the person it called is gone, it goes on with what stands behind, so that it
    /// always comes to a `stop` or a `retry`.
    pub is_attempt: bool,
}

/// Ends of the keys of sites that belong to the dialogue before them.
pub const NEXT_TRY: &str = "/again";
pub const CONFIRMATION: &str = "/confirm";

/// One place where a flow waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SiteInfo {
    /// `hotline.main/menu#1`: flow, step, kind or method, ordinal of the same kind and label.
    pub key: String,
    pub place: Place,
    pub flow: u32,
    /// Name of the step, empty in the top part of a flow.
    pub step: String,
    pub kind: SiteKind,
    /// Segment that takes the outcome.
    pub resume: u32,
    /// Types of the dynamic arguments in the mailbox, from its first slot.
    pub arguments: Vec<Type>,
    /// Type of the payload that comes back in the mailbox, by outcome index.
    pub payloads: Vec<Option<Type>>,
    /// Slots of the frame that are read after this wait.
    pub live: Vec<LiveSlot>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum SiteKind {
    Request(Request),
    /// `run` of a flow: the driver pushes its frame.
    Run {
        flow: u32,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveSlot {
    /// Word of the frame.
    pub slot: u32,
    pub class: Class,
    /// Name of the variable; empty for a counter or a temporary.
    pub name: String,
}

/// Line and column, 1-based; column in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub file: u32,
    pub line: u32,
    pub column: u32,
}

impl SiteInfo {
    /// The key of the dialogue: its first try, its later ones with their `reprompt` and its confirmation are sites of
    /// their own, and one dialogue to the caller.
    pub fn dialogue(&self) -> &str {
        self.key.strip_suffix(NEXT_TRY).or(self.key.strip_suffix(CONFIRMATION)).unwrap_or(&self.key)
    }

    /// It asks whether what was keyed is right.
    pub fn is_confirmation(&self) -> bool {
        self.key.ends_with(CONFIRMATION)
    }
}

/// `inbound PATTERN => flow`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inbound {
    pub channel: Channel,
    /// E.164 digits without `+`, or the keys of an extension; `x` is any one digit. Of a chat its name, of e-mail the
    /// address in small letters.
    pub pattern: String,
    pub is_extension: bool,
    /// IANA zone of the office that is called; empty where no time is said.
    pub zone: String,
    pub flow: u32,
}

impl ProgramMeta {
    #[inline]
    pub fn site(&self, site: SiteId) -> Option<&SiteInfo> {
        self.sites.get(site.0 as usize)
    }

    /// BCP 47 tag of the language in which a caller of the language with this index hears a text.
    pub fn tag<'m>(&'m self, text: &'m PromptText, language: u32) -> &'m str {
        let own = || self.languages.get(language as usize).or(self.languages.first());
        text.tag.as_ref().or_else(own).map_or("en", String::as_str)
    }

    /// How an attempt of a cadence goes on from a site when the person is gone; `None`: the flow ends there, or waits for
    /// what has nothing to do with the line.
    pub fn outcome_of_gone(&self, site: &SiteInfo) -> Option<u32> {
        self.flow(site.flow).filter(|flow| flow.is_attempt)?;
        match &site.kind {
            SiteKind::Request(Request::Play(_)) => Some(0),
            // The last outcome is `hangup`.
            SiteKind::Run { .. } => u32::try_from(site.payloads.len()).ok()?.checked_sub(1),
            SiteKind::Request(_) => None,
        }
    }

    pub fn flow(&self, flow: u32) -> Option<&FlowMeta> {
        self.flows.get(flow as usize)
    }

    /// Where the called office is, as far as the program says: the zone of its first `hours`, else UTC.
    pub fn zone(&self) -> &str {
        self.hours.first().map_or("UTC", |hours| hours.zone.as_str())
    }

    /// The request of a site; `None` for `run`.
    pub fn request(&self, site: SiteId) -> Option<&Request> {
        match &self.site(site)?.kind {
            SiteKind::Request(request) => Some(request),
            SiteKind::Run { .. } => None,
        }
    }

    /// `hotline.flow:42`.
    pub fn place_text(&self, place: Place) -> String {
        let file = self.files.get(place.file as usize).map_or("?", String::as_str);
        format!("{file}:{}", place.line)
    }

    /// Who answers a number (digits, with or without `+`) or an extension. The most specific pattern wins: the one with
    /// the fewest `x`, and an extension before a number without its `+`.
    pub fn inbound(&self, dialled: &str) -> Option<&Inbound> {
        let open = |inbound: &&Inbound| inbound.pattern.bytes().filter(|b| *b == b'x').count();
        self.inbounds
            .iter()
            .filter(|inbound| inbound.takes(Channel::Voice, dialled))
            .min_by_key(|inbound| (open(inbound), !inbound.is_extension))
    }

    /// Who answers what comes in by a channel.
    pub fn inbound_by(&self, channel: Channel, address: &str) -> Option<&Inbound> {
        match channel {
            Channel::Voice => self.inbound(address),
            _ => self.inbounds.iter().find(|inbound| inbound.takes(channel, address)),
        }
    }

    /// What a flow reads of the address that was called, written to: of a chat and of e-mail nothing.
    pub fn called_by(&self, channel: Channel, address: &str) -> Option<Called> {
        match channel {
            Channel::Voice => self.called(address),
            Channel::Sms => Phone::parse(address, false).map(Called::from_number),
            Channel::Chat | Channel::Email => None,
        }
    }

    /// What a caller of this number or extension reads of it; `None` where nobody answers, or it is neither.
    pub fn called(&self, dialled: &str) -> Option<Called> {
        match self.inbound(dialled)?.is_extension {
            true => Called::from_extension(dialled),
            false => Phone::parse(dialled, false).map(Called::from_number),
        }
    }

    /// Zone of the office that is called so; of what leads nowhere, that of the first office; UTC where there is none.
    pub fn called_zone(&self, called: Called) -> &str {
        let number = || called.number().map(|number| number.word().to_string());
        let dialled = called.extension().or_else(number).unwrap_or_default();
        let own = self.inbound(&dialled).map(|inbound| &inbound.zone).filter(|zone| !zone.is_empty());
        let first = || self.inbounds.iter().map(|inbound| &inbound.zone).find(|zone| !zone.is_empty());
        own.or_else(first).map_or("UTC", String::as_str)
    }

    /// The number by whose country callers of this one dial: itself, or the first that the program answers.
    pub fn dialled_from(&self, called: Option<Called>) -> Option<Phone> {
        let number = |inbound: &Inbound| Phone::parse(&inbound.example(), true);
        let first = || self.inbounds.iter().find_map(number);
        called.and_then(Called::number).or_else(first)
    }
}

impl Inbound {
    /// Whether it answers this: a number (digits, with or without `+`), an extension, whose first key is never `+`, the
    /// name of a chat, or an address of e-mail.
    pub fn takes(&self, channel: Channel, address: &str) -> bool {
        if self.channel != channel {
            return false;
        }
        let keys = match self.channel {
            Channel::Chat => return self.pattern == address,
            Channel::Email => return self.pattern == address.to_lowercase(),
            Channel::Voice if self.is_extension => address,
            Channel::Voice | Channel::Sms => address.strip_prefix('+').unwrap_or(address),
        };
        let fits = |(own, key): (u8, u8)| own == key || (own == b'x' && key.is_ascii_digit());
        self.pattern.len() == keys.len() && self.pattern.bytes().zip(keys.bytes()).all(fits)
    }

    /// A number (with `+`), extension or address that it answers.
    pub fn example(&self) -> String {
        match self.channel {
            Channel::Chat | Channel::Email => self.pattern.clone(),
            _ if self.is_extension => self.pattern.replace('x', "0"),
            _ => format!("+{}", self.pattern.replace('x', "0")),
        }
    }
}

/// A compiled program. Native code and the interpreter both stand behind this.
pub trait FlowProgram: Send + Sync {
    fn meta(&self) -> &ProgramMeta;

    /// Goes on from the site at which the stack waits (or from its entry), to the next wait or the end.
    /// The payload of `outcome` was written by [`crate::reply`] before.
    fn resume(&self, stack: &mut Stack, host: &mut Host<'_>, outcome: Outcome) -> Stop;
}

/// The files of a project as bytes, by path relative to its folder, in path order.
#[derive(Clone, Debug, Default)]
pub struct Bundle {
    pub files: Vec<(String, Arc<[u8]>)>,
}

/// Names that `strowger.yaml` gives; `None` when a file is built without its project.
#[derive(Clone, Debug, Default)]
pub struct SiteNames {
    pub services: Option<Vec<String>>,
    /// Extensions of its phones.
    pub phones: Option<Vec<String>>,
    /// Whether some trunk takes calls out.
    pub calls_out: Option<bool>,
    /// What people are asked to agree to.
    pub purposes: Option<Vec<String>>,
    /// Who takes the calls of queues, by name.
    pub agents: Option<Vec<AgentNames>>,
}

/// An agent of a site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentNames {
    pub name: String,
    /// His level of each skill; `None` where the file says `true`, as of a skill without levels.
    pub skills: Vec<(String, Option<i64>)>,
    /// `hours` of the flows in which he works: `office`, or `routing.office`; `None`: always.
    pub hours: Option<String>,
    /// Where `strowger.yaml` names him, from 1; 0 where that is not known.
    pub line: usize,
}

/// Why a version was refused, or what was noticed about one that was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// As a person reads it.
    pub text: String,
    /// One JSON value a line.
    pub json: String,
}

/// A version ready to serve.
pub struct Built {
    pub program: Arc<dyn FlowProgram>,
    /// Serialised graph; stored before the version takes a call.
    pub graph: Arc<[u8]>,
    /// Warnings, and how its tests went.
    pub report: Report,
}

/// How `server` compiles without importing the language: the edge implements it and hands it in.
pub trait Build: Send + Sync {
    /// Parse, check, compile, and run the project's own tests.
    fn build(&self, bundle: &Bundle, names: &SiteNames) -> Result<Built, Report>;

    /// A stored graph: same segments, same sites, same slots. No source is read.
    fn load(&self, graph: &[u8]) -> Result<Arc<dyn FlowProgram>, Report>;
}
