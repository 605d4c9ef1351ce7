//! What statements take of the limits of a call: requests, bytes of the journal, private values, time in `finally`.
//! Nothing here knows paths.

use runtime_contract::limits::{LIST_LEN_MAX, WAIT_MS_MAX};
use runtime_contract::program::{Operation, Service};
use runtime_contract::request;
use runtime_contract::types::{Field, Type, TypeTable};

use crate::figures::time::{self, Try};
use crate::hir::{
    Argument, Ask, Conversion, Dialogue, Expr, ExprKind, Menu, PromptUse, Prompts, Record, ServiceCall, Takes,
};

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Measure {
    Requests,
    JournalBytes,
    PrivateValues,
    /// Messages and cases.
    Messages,
    /// Gotos and runs since the last request.
    Moves,
    /// In `finally`, milliseconds.
    FinallyMs,
    /// In waits, services, dialogues and queues, wherever they stand, milliseconds. Texts take a time that is only
    /// estimated, and talks any; neither counts.
    WaitedMs,
}

impl Measure {
    /// What passes one of these limits often passes others.
    pub const OF_A_CALL: [Measure; 6] = [
        Measure::Requests,
        Measure::JournalBytes,
        Measure::PrivateValues,
        Measure::Messages,
        Measure::Moves,
        Measure::WaitedMs,
    ];
}

/// One amount of each [`Measure`], at the end of one path or at most over several.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Cost([i64; 7]);

/// Of `Moves`: a request stands on every path.
const NEVER: i64 = i64::MIN;

/// Bytes of a request's record and of a reply without a value (`runtime/session/src/journal/code.rs`): kind, time, site,
/// number and hash; kind, time, number, outcome and length. Times of up to 16 s take two bytes.
const REQUEST_BYTES: i64 = 10;
const REPLY_BYTES: i64 = 7;
/// The record of the keys that a dialogue took, and each of them with its time.
const CLAIM_BYTES: i64 = 6;
const KEY_BYTES: i64 = 3;
/// Which phrase of which choice in which language was said.
const PHRASE_BYTES: i64 = 9;
/// A value in a reply: its kind and length, and then each slot of it.
const VALUE_BYTES: i64 = 2;
/// A permission but for its purpose: five slots, and evidence that names the call and a file.
const PERMISSION_BYTES: i64 = 512;
/// The longest word of a value, and a currency behind it.
const SLOT_BYTES_MAX: i64 = 10 + 3;

/// A text of a service where nothing says how long it is. One answer may be larger (`REPLY_BYTES_MAX`), and would then
/// fill the journal alone, which is no reason to warn of each.
const TOLD_TEXT_BYTES: i64 = 256;

impl Cost {
    pub const ZERO: Cost = Cost([0; 7]);

    pub fn get(self, measure: Measure) -> i64 {
        self.0.get(measure as usize).copied().unwrap_or(0).max(0)
    }

    fn with(mut self, measure: Measure, amount: i64) -> Cost {
        if let Some(place) = self.0.get_mut(measure as usize) {
            *place = amount;
        }
        self
    }

    pub fn plus(self, other: Cost) -> Cost {
        let add = |a: i64, b: i64| if a == NEVER || b == NEVER { NEVER } else { a.saturating_add(b) };
        self.both(other, add)
    }

    pub fn most(self, other: Cost) -> Cost {
        self.both(other, i64::max)
    }

    pub fn least(self, other: Cost) -> Cost {
        self.both(other, i64::min)
    }

    fn both(self, other: Cost, join: impl Fn(i64, i64) -> i64) -> Cost {
        let mut joined = self.0;
        for (a, b) in joined.iter_mut().zip(other.0) {
            *a = join(*a, b);
        }
        Cost(joined)
    }

    pub fn times(self, times: u32) -> Cost {
        Cost(self.0.map(|amount| if amount == NEVER { NEVER } else { amount.saturating_mul(times.into()) }))
    }

    /// The same without what was counted since the last request, when that is nothing to add to another path.
    pub fn without_moves(self) -> Cost {
        self.with(Measure::Moves, 0)
    }

    /// Of a `finally`: the time waited in it counts.
    pub fn in_finally(self) -> Cost {
        self.with(Measure::FinallyMs, self.get(Measure::WaitedMs))
    }

    /// One `go` or `run`.
    pub fn one_move() -> Cost {
        Cost::moves(1)
    }

    pub fn moves(count: i64) -> Cost {
        Cost::ZERO.with(Measure::Moves, count)
    }

    /// The same with the moves of another, unless a request stands on every path of this one.
    pub fn moving_as(self, other: Cost) -> Cost {
        let raw = |cost: Cost| cost.0.get(Measure::Moves as usize).copied().unwrap_or(0);
        if raw(self) == NEVER { self } else { self.with(Measure::Moves, raw(other)) }
    }

    pub fn request() -> Cost {
        Cost::ZERO
            .with(Measure::Requests, 1)
            .with(Measure::JournalBytes, REQUEST_BYTES + REPLY_BYTES)
            .with(Measure::Moves, NEVER)
    }

    /// A message or a case that is handed over.
    pub fn message(self) -> Cost {
        self.with(Measure::Messages, 1)
    }

    fn with_bytes(self, bytes: i64) -> Cost {
        self.with(Measure::JournalBytes, self.get(Measure::JournalBytes).saturating_add(bytes))
    }

    pub fn private_values(count: i64) -> Cost {
        Cost::ZERO.with(Measure::PrivateValues, count)
    }

    pub fn waited(self, ms: i64) -> Cost {
        self.with(Measure::WaitedMs, self.get(Measure::WaitedMs).saturating_add(ms))
    }

    /// The longer outcome of a try.
    fn tried(self, tried: Try) -> Cost {
        self.waited(tried.silence.max(tried.input) as i64)
    }
}

/// How long a `wait` takes; when that is computed, the longest or, for `certain`, nothing.
pub(super) fn wait(duration: &Expr, certain: bool) -> Cost {
    let ms = match duration.kind {
        ExprKind::Moment(ms) => ms.clamp(0, WAIT_MS_MAX),
        _ if certain => 0,
        _ => WAIT_MS_MAX,
    };
    Cost::request().waited(ms).plus(private_made(duration).without_moves())
}

pub(super) fn menu(menu: &Menu) -> Cost {
    let takes = menu.dialogue.arms.iter().flat_map(|arm| &arm.takes);
    let keys = takes.map(|takes| match takes {
        Takes::Key(key) => KEY_BYTES * key.len() as i64,
        Takes::KeySpan(keys, _) => {
            let length = request::Menu::span(keys).map_or(0, |(first, _)| first.len() as i64);
            (KEY_BYTES + 1) * length + VALUE_BYTES
        }
        _ => 0,
    });
    let phrase = if menu.phrases.is_empty() { 0 } else { PHRASE_BYTES };
    let bytes = CLAIM_BYTES + keys.max().unwrap_or(0).max(phrase);
    tried(&menu.dialogue).with_bytes(bytes).tried(time::menu(menu))
}

/// One try, and what its good outcome takes beside.
pub(super) fn ask(ask: &Ask) -> (Cost, Cost) {
    let max = ask.kind.keys_max() as i64;
    let (keys, value) = match ask.private {
        true => (VALUE_BYTES, VALUE_BYTES),
        false => (KEY_BYTES * (max + 1), VALUE_BYTES + max.max(SLOT_BYTES_MAX)),
    };
    let tried = tried(&ask.dialogue).with_bytes(CLAIM_BYTES + keys).tried(time::ask(ask));
    let mut good = Cost::private_values(ask.private.into()).with_bytes(value);
    if let Some(consent) = &ask.consent {
        good = good.plus(Cost::request().with_bytes(consent.purpose.len() as i64 + PERMISSION_BYTES));
    }
    let Some(confirm) = &ask.confirm else { return (tried, good) };
    // The value came, and was then rejected.
    let listened = i64::from(ask.dialogue.listen_ms);
    let confirmed = prompted(&confirm.prompts).with_bytes(CLAIM_BYTES + KEY_BYTES).waited(listened);
    (tried.plus(good).plus(confirmed), Cost::ZERO)
}

/// One try.
pub(super) fn record(record: &Record) -> Cost {
    tried(&record.dialogue).tried(time::record(record))
}

/// The dearer of the prompts of a dialogue's tries.
fn tried(dialogue: &Dialogue) -> Cost {
    let first = prompted(&dialogue.prompts);
    dialogue.reprompt.as_ref().map_or(first, |later| first.most(prompted(later)))
}

/// A request that plays prompts.
pub(super) fn prompted(prompts: &Prompts) -> Cost {
    let values = prompts.items.iter().flat_map(|item| match item {
        PromptUse::Prompt { arguments, .. } => arguments.as_slice(),
        PromptUse::Recording(recording) => std::slice::from_ref(recording),
    });
    values.fold(Cost::request(), |cost, value| cost.plus(private_made(value)))
}

/// A call of a service, and what its good outcome takes beside.
/// What the world makes as long as it likes is empty for `certain`.
pub(super) fn service(
    call: &ServiceCall,
    operation: Option<&Operation>,
    types: &TypeTable,
    certain: bool,
) -> (Cost, Cost) {
    let Some(operation) = operation else { return (Cost::request(), Cost::ZERO) };
    let asked = Cost::request().waited(operation.within_ms.into()).plus(arguments(&call.arguments));
    let result = operation.result.as_ref();
    let good = result.map_or(Cost::ZERO, |result| {
        let more = if certain { 0 } else { told_in(types, result) };
        let bytes = VALUE_BYTES + types.width(result) as i64 + more;
        Cost::private_values(private_in(types, result)).with_bytes(bytes)
    });
    (asked, good)
}

pub(super) fn operation<'s>(services: &'s [Service], call: &ServiceCall) -> Option<&'s Operation> {
    services.get(call.service as usize)?.operations.get(call.operation as usize)
}

/// Bytes of the texts in one answer of a service, by what such answers hold. Those in lists are not counted: nobody who
/// writes a flow knows how many rows there will be.
fn told_in(types: &TypeTable, r#type: &Type) -> i64 {
    let all = |fields: &[Field]| fields.iter().map(|field| told_in(types, &field.r#type)).sum::<i64>();
    match r#type {
        Type::Text => TOLD_TEXT_BYTES,
        Type::Optional(inner) => told_in(types, inner),
        Type::Record(id) => types.records.get(*id as usize).map_or(0, |record| all(&record.fields)),
        Type::Enum(id) => types.variants(*id).iter().map(|variant| all(&variant.fields)).max().unwrap_or(0),
        _ => 0,
    }
}

/// Private values in one value of a type, at most.
fn private_in(types: &TypeTable, r#type: &Type) -> i64 {
    let all = |fields: &[Field]| fields.iter().map(|field| private_in(types, &field.r#type)).sum::<i64>();
    match r#type {
        Type::Private(_) => 1,
        Type::Optional(inner) => private_in(types, inner),
        Type::List(row) => private_in(types, row).saturating_mul(LIST_LEN_MAX as i64),
        Type::Record(id) => types.records.get(*id as usize).map_or(0, |record| all(&record.fields)),
        Type::Enum(id) => types.variants(*id).iter().map(|variant| all(&variant.fields)).max().unwrap_or(0),
        _ => 0,
    }
}

pub(super) fn arguments(arguments: &[Argument]) -> Cost {
    arguments.iter().fold(Cost::ZERO, |cost, argument| cost.plus(private_made(&argument.value)))
}

/// Values that become private while this one is computed.
pub(super) fn private_made(expr: &Expr) -> Cost {
    Cost::private_values(conversions(expr))
}

fn conversions(expr: &Expr) -> i64 {
    let own = matches!(expr.kind, ExprKind::Convert(Conversion::ToPrivate, _));
    i64::from(own) + expr.parts().into_iter().map(conversions).sum::<i64>()
}
