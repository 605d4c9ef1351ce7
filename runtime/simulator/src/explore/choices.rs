//! What may be done at a point of a call: keys and silence of its caller, answers of services, whoever is called. Values
//! are those at which the program's ways part. It plays nothing.

use std::collections::BTreeSet;

use runtime_contract::cadence::Permission;
use runtime_contract::channel::Channel;
use runtime_contract::compared::{Address, Compared, Origin, Spot};
use runtime_contract::dialled::dialled;
use runtime_contract::moment::date_to_iso;
use runtime_contract::program::{SiteInfo, SiteKind};
use runtime_contract::queue::Queue;
use runtime_contract::request::{Ask, AskKind, Kind, Menu, Request};
use runtime_contract::script::{Delivery, FarSide, Given};
use runtime_contract::survey::Survey;
use runtime_contract::value::{Money, Phone, Private, Value};
use runtime_contract::{ProgramMeta, SiteId, Type, calendar};

use super::call::{Call, Choice, Wait};

/// Answers of one service at one place. Where the fields of a record have more, each changes alone.
const VALUES_MAX: usize = 64;
/// Constants with which one field is compared.
const CONSTANTS_MAX: usize = 8;
const KEYS: &str = "1234567890*#";
/// A number that is no card's and one that is (ISO/IEC 7812-1 annex B).
const DIGITS: &str = "1234567890123456789012345678901234567890123456789012345678901234";
const CARD: &str = "4111111111111111";
const MS_A_MINUTE: i64 = 60_000;
/// Characters of a text for which nothing is looked.
const PLAIN_WORDS: u32 = 6;

pub(super) struct Choices<'c> {
    pub meta: &'c ProgramMeta,
    pub compared: &'c Compared,
}

impl Choices<'_> {
    /// The same for calls of the same state, in the same order.
    pub fn at(&self, call: &Call) -> Vec<Choice> {
        if let Some(told) = call.told() {
            let full = call.may_be_full().then_some(Choice::Queue(Wait::Full));
            return [told].into_iter().chain(full).collect();
        }
        if call.sends() {
            return Delivery::ALL.map(Choice::Sent).into();
        }
        let site = call.site().unwrap_or_default();
        let mut choices = match (call.asks(), call.dials(), call.queue_entered(), call.request()) {
            (Some((service, operation)), ..) => self.answers(site, service, operation),
            (_, Some(Kind::Transfer), ..) => [FarSide::Person, FarSide::Busy].map(Choice::FarSide).into(),
            (_, Some(Kind::Reach), ..) => Delivery::ALL.map(Choice::Delivery).into(),
            (_, Some(_), ..) => FarSide::ALL.map(Choice::FarSide).into(),
            (_, _, Some(queue), _) => self.waits(call, queue),
            _ if call.is_recording() => vec![Choice::Speak, Choice::Unspoken],
            (.., Some(Request::Menu(menu))) => menu_choices(menu, call.language()),
            (.., Some(Request::Ask(ask))) => self.ask_keys(site, ask),
            _ => vec![Choice::Continue],
        };
        if call.can_hang_up() {
            choices.push(Choice::HangUp);
        }
        choices
    }

    fn waits(&self, call: &Call, queue: &Queue) -> Vec<Choice> {
        let mut waits = vec![Wait::Nobody];
        match queue.wrap_up_as {
            Some(id) => waits.extend(self.meta.types.variants(id).iter().map(|info| Wait::Picks(info.name.clone()))),
            None => waits.push(Wait::Served),
        }
        // Whoever is hung up on by the queue is gone anyway.
        let is_its =
            |survey: &&Survey| self.meta.queues.get(survey.queue as usize).is_some_and(|own| own.name == queue.name);
        let writes = self.meta.surveys.iter().find(is_its).is_some_and(|survey| survey.is_by(Channel::Sms));
        if writes && queue.wrap_up_as.is_none() {
            waits.push(Wait::Leaves);
        }
        if call.may_be_full() {
            waits.push(Wait::Full);
        }
        if queue.timeout_ms.is_some() {
            waits.push(Wait::Busy);
        }
        let offers = |site: &&SiteInfo| queue.comfort.is_some_and(|comfort| comfort.flow == site.flow);
        waits.extend(self.meta.sites.iter().filter(offers).find_map(|site| match site.kind {
            SiteKind::Request(Request::OfferCallback { key }) => Some(Wait::CalledBack(key)),
            _ => None,
        }));
        waits.into_iter().map(Choice::Queue).collect()
    }

    fn answers(&self, site: SiteId, service: u32, operation: u32) -> Vec<Choice> {
        let spot = Spot::Result { service, operation };
        let service = self.meta.services.get(service as usize);
        let Some(operation) = service.and_then(|service| service.operations.get(operation as usize)) else {
            return vec![Choice::Answer(Given::Failed)];
        };
        let given = match &operation.result {
            None => vec![Given::Ok(None)],
            Some(r#type) => {
                let values = self.values(&(Origin::Site(site), vec![0]), r#type, spot);
                values.into_iter().take(VALUES_MAX).map(|value| Given::Ok(Some(value))).collect()
            }
        };
        given.into_iter().chain([Given::Failed]).map(Choice::Answer).collect()
    }

    fn ask_keys(&self, site: SiteId, ask: &Ask) -> Vec<Choice> {
        let mut inputs = self.inputs(site, ask);
        let mut seen = BTreeSet::new();
        inputs.retain(|keys| seen.insert(keys.clone()));
        // One key too many would be the next dialogue's; whatever is whole without it goes without.
        let end = |keys: &str| Choice::Keys(format!("{keys}{}", ask.end_key));
        if let AskKind::Text { max } = ask.kind {
            inputs.push(words(max as usize + 1));
            return inputs.into_iter().map(Choice::Phrase).chain([Choice::Silence]).collect();
        }
        let mut choices: Vec<Choice> = inputs.iter().map(|keys| end(keys)).collect();
        let wrong = match ask.kind {
            AskKind::Number | AskKind::Amount { .. } => "**",
            _ if ask.end_key == '*' => "#",
            _ => "*",
        };
        choices.extend([end(wrong), Choice::Silence]);
        choices
    }

    /// Keys that are a value.
    fn inputs(&self, site: SiteId, ask: &Ask) -> Vec<String> {
        let at = (Origin::Site(site), vec![0]);
        let constants = self.constants(&at);
        let around = |c: i64, step: i64| [c.saturating_sub(step), c, c.saturating_add(step)];
        let near = |step: i64| constants.iter().flat_map(move |c| around(*c as i64, step));
        match ask.kind {
            AskKind::Digits { min, max } => {
                let (min, max) = (min as usize, max as usize);
                let fits = |text: &&str| (min..=max).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
                let cards: &[&str] = if ask.private { &[CARD] } else { &[] };
                let texts = self.texts(&constants).chain(cards.iter().copied());
                let plain = [min, max].into_iter().filter_map(|length| DIGITS.get(..length));
                let texts = texts.chain(self.of_lengths(&at)).filter(fits);
                texts.chain(plain).map(str::to_owned).collect()
            }
            AskKind::Range { low, high } => {
                let inside = near(1).filter(|n| (low..=high).contains(n));
                inside.chain([low, high]).map(|n| n.to_string()).collect()
            }
            AskKind::Number => near(DECIMAL).chain([5 * DECIMAL]).filter_map(|n| keyed(n, DECIMAL, 6)).collect(),
            AskKind::Amount { currency } => {
                let places = runtime_contract::currency::decimals(currency);
                near(MONEY).chain([5 * MONEY]).filter_map(|n| keyed(n, MONEY, places)).collect()
            }
            AskKind::Date => {
                let dates = near(1).filter_map(date_to_iso).map(|date| date.replace('-', ""));
                dates.chain(["0325".to_owned()]).collect()
            }
            AskKind::Time => {
                let clocks = near(MS_A_MINUTE).filter(|ms| (0..calendar::DAY_MS).contains(ms));
                let clocks = clocks.map(|ms| ms / MS_A_MINUTE).chain([600]);
                clocks.map(|minute| format!("{:02}{:02}", minute / 60, minute % 60)).collect()
            }
            AskKind::Phone => {
                let called = self.meta.dialled_from(None);
                let numbers = constants.iter().copied().chain(called.map(|called| neighbour(called).word()));
                let ways = |number: u64| ["00", "011", "", "0"].map(|prefix| format!("{prefix}{number}"));
                let dials = |keys: &String| dialled(keys, called).is_some();
                numbers.filter_map(|number| ways(number).into_iter().find(dials)).collect()
            }
            AskKind::YesOrNo => ["1", "2"].map(str::to_owned).into(),
            AskKind::Text { max } => {
                let fits = |text: &&str| (1..=max as usize).contains(&text.chars().count()) && text.trim() == *text;
                let texts = self.texts(&constants).chain(self.of_lengths(&at)).filter(fits).map(str::to_owned);
                texts.chain([words(max.min(PLAIN_WORDS) as usize)]).collect()
            }
        }
    }

    fn constants(&self, at: &Address) -> Vec<u64> {
        let constants = self.compared.payloads.get(at);
        constants.into_iter().flatten().copied().take(CONSTANTS_MAX).collect()
    }

    fn texts<'t>(&'t self, handles: &'t [u64]) -> impl Iterator<Item = &'t str> {
        let text = |handle: &u64| self.meta.constants.get(usize::try_from(*handle).ok()?).map(String::as_str);
        handles.iter().filter_map(text)
    }

    /// Digits as many as the text is asked to have, and one more or less.
    fn of_lengths(&self, at: &Address) -> Vec<&'static str> {
        let lengths = self.compared.lengths.get(at).into_iter().flatten().take(CONSTANTS_MAX);
        let near = lengths.filter_map(|length| usize::try_from(*length).ok());
        let near = near.flat_map(|length| [length, length.saturating_sub(1), length.saturating_add(1)]);
        near.filter_map(|length| DIGITS.get(..length)).collect()
    }

    /// The plainest first; none of a type whose values no test can write.
    fn values(&self, at: &Address, r#type: &Type, spot: Spot) -> Vec<Value> {
        let constants = self.constants(at);
        let numbers = |plain: i64, step: i64| -> Vec<i64> {
            let near = constants
                .iter()
                .flat_map(|c| [*c as i64, (*c as i64).saturating_sub(step), (*c as i64).saturating_add(step)]);
            if constants.is_empty() { vec![plain] } else { near.collect() }
        };
        let moments = |plain: i64, step: i64| numbers(plain, step).into_iter().map(Value::Moment).collect();
        let others = |other: &str| {
            let texts = self.texts(&constants).chain(self.of_lengths(at)).map(str::to_owned);
            texts.chain([other.to_owned()]).map(Value::Text).collect()
        };
        let mut values: Vec<Value> = match r#type {
            Type::Bool => vec![Value::Bool(true), Value::Bool(false)],
            Type::Int => {
                let (low, high) = self.compared.bounds.get(&spot).copied().unwrap_or((i64::MIN, i64::MAX));
                numbers(1, 1).into_iter().map(|number| Value::Int(number.clamp(low, high))).collect()
            }
            Type::Decimal => numbers(DECIMAL, DECIMAL).into_iter().map(Value::Decimal).collect(),
            Type::Percent => numbers(DECIMAL / 10, DECIMAL / 100).into_iter().map(Value::Decimal).collect(),
            Type::Money => {
                let known = self.constants(&behind(at, 1)).into_iter().filter_map(|c| u16::try_from(c).ok());
                let currency = known.into_iter().find(|c| runtime_contract::currency::letters(*c).is_some());
                let money = |amount| Value::Money(Money { amount, currency: currency.unwrap_or(USD) });
                numbers(10 * MONEY, MONEY).into_iter().map(money).collect()
            }
            Type::Duration => moments(MS_A_MINUTE, 1_000),
            Type::Clock => moments(600 * MS_A_MINUTE, MS_A_MINUTE),
            Type::Date => moments(i64::from(calendar::days_since_epoch(2026, 3, 25).unwrap_or(0)), 1),
            Type::Text => others("Ann"),
            Type::Digits => others("12345678"),
            Type::TimeZone => others(self.meta.zone()),
            Type::Phone => {
                let words = constants.iter().copied().chain([12_125_550_100]);
                words.filter_map(|word| Phone::parse(&word.to_string(), false)).map(Value::Phone).collect()
            }
            Type::Language => (0..self.meta.languages.len() as u32).map(Value::Language).collect(),
            Type::Time => moments(TIME_MS, MS_A_MINUTE),
            Type::Recording => Vec::new(),
            Type::Enum(id) => self.variants(at, *id),
            Type::Record(id) if self.is_permission(*id) => self.permissions(),
            Type::Record(id) => {
                let fields = self.meta.types.records.get(*id as usize).map_or(&[][..], |record| &record.fields);
                let mut before = 0;
                let fields = (0..).zip(fields).map(|(number, field)| {
                    let here = behind(at, before);
                    before += self.meta.types.width(&field.r#type) as u32;
                    self.values(&here, &field.r#type, Spot::Field { record: *id, field: number })
                });
                combined(&fields.collect::<Vec<_>>()).into_iter().map(Value::Record).collect()
            }
            Type::Optional(inner) => {
                let some = self.values(&behind(at, 1), inner, spot).into_iter();
                second(some.map(|value| Value::Some(Box::new(value))).collect(), [Value::None])
            }
            Type::List(row) => {
                let cells = (at.0, [at.1.as_slice(), &[0]].concat());
                let rows = self.values(&cells, row, spot);
                let two: Vec<Value> = rows.first().into_iter().chain(rows.last()).cloned().collect();
                let one = rows.into_iter().map(|row| Value::List(vec![row])).collect();
                second(one, [Value::List(Vec::new()), Value::List(two)])
            }
            Type::Private(inner) => {
                let private = |value| match value {
                    Value::Text(text) => Some(Value::Private(Private(text.into()))),
                    _ => None,
                };
                let card = (**inner == Type::Digits).then(|| Value::Text(CARD.to_owned()));
                self.values(at, inner, spot).into_iter().chain(card).filter_map(private).collect()
            }
        };
        let mut kept: Vec<Value> = Vec::new();
        values.retain(|value| {
            !kept.contains(value) && kept.len() < VALUES_MAX && {
                kept.push(value.clone());
                true
            }
        });
        kept
    }

    fn is_permission(&self, id: u32) -> bool {
        self.meta.types.records.get(id as usize).is_some_and(|record| record.name == Permission::TYPE)
    }

    /// For each purpose of a cadence, as a test gives one.
    fn permissions(&self) -> Vec<Value> {
        self.meta.cadences.iter().map(|cadence| Permission::given_for(&cadence.purpose)).collect()
    }

    /// With what a cadence begins.
    pub fn arguments(&self, cadence: u32) -> Vec<Vec<Value>> {
        let Some(table) = self.meta.cadences.get(cadence as usize) else { return Vec::new() };
        let mut first = 0;
        let values = (0..).zip(&table.parameters).map(|(parameter, info)| {
            let at = (Origin::Cadence(cadence), vec![first]);
            first += self.meta.types.width(&info.r#type) as u32;
            self.values(&at, &info.r#type, Spot::Parameter { cadence, parameter })
        });
        combined(&values.collect::<Vec<_>>())
    }

    fn variants(&self, at: &Address, id: u32) -> Vec<Value> {
        let types = &self.meta.types;
        let mut values = Vec::new();
        for (variant, info) in (0..).zip(types.variants(id)) {
            let mut places = types.payload_places(id, variant).into_iter();
            let fields = (0..).zip(&info.fields).map(|(number, field)| {
                let mut own = places.by_ref().take(types.width(&field.r#type));
                let first = own.next().unwrap_or(0) as u32;
                own.for_each(drop);
                self.values(&behind(at, 1 + first), &field.r#type, Spot::Carried { r#enum: id, variant, field: number })
            });
            let fields = combined(&fields.collect::<Vec<_>>());
            values.extend(fields.into_iter().map(|fields| Value::Enum(variant, fields)));
        }
        values
    }
}

const DECIMAL: i64 = 1_000_000;
const MONEY: i64 = 10_000;
const USD: u16 = 840;
/// A Wednesday at noon, UTC.
const TIME_MS: i64 = 1_774_440_000_000;

/// What somebody writes who writes so many characters.
fn words(count: usize) -> String {
    let mut words: String = "Hello. ".chars().cycle().take(count).collect();
    if words.ends_with(' ') {
        words.pop();
        words.push('.');
    }
    words
}

/// So many slots further on.
fn behind(at: &Address, slots: u32) -> Address {
    let (site, mut path) = at.clone();
    path.iter_mut().last().into_iter().for_each(|last| *last += slots);
    (site, path)
}

/// The first, then those that are of another kind, then the rest.
fn second(values: Vec<Value>, others: impl IntoIterator<Item = Value>) -> Vec<Value> {
    let mut values = values.into_iter();
    let first = values.next();
    first.into_iter().chain(others).chain(values).collect()
}

/// Each value of each field with each of the others; where that is too much, each beside the first of the others.
fn combined(fields: &[Vec<Value>]) -> Vec<Vec<Value>> {
    let count = fields.iter().try_fold(1usize, |count, values| count.checked_mul(values.len()));
    if count.is_some_and(|count| count <= VALUES_MAX) {
        return fields.iter().fold(vec![Vec::new()], |rows, values| {
            let longer = |row: &Vec<Value>| {
                let row = row.clone();
                values.iter().map(move |value| row.iter().chain([value]).cloned().collect())
            };
            rows.iter().flat_map(longer).collect()
        });
    }
    let Some(first) = fields.iter().map(|values| values.first().cloned()).collect::<Option<Vec<Value>>>() else {
        return Vec::new();
    };
    let longest = fields.iter().map(Vec::len).max().unwrap_or(0);
    let others =
        (1..longest).flat_map(|n| fields.iter().enumerate().filter_map(move |(at, values)| Some((at, values.get(n)?))));
    let beside = others.map(|(at, value)| {
        let own = |(field, plain): (usize, &Value)| if field == at { value.clone() } else { plain.clone() };
        first.iter().enumerate().map(own).collect()
    });
    [first.clone()].into_iter().chain(beside).collect()
}

/// A number as it is keyed, `*` for the decimal point; `None` of a negative one or one with more places.
fn keyed(number: i64, one: i64, places: usize) -> Option<String> {
    let digits = one.ilog10() as usize;
    let rest = format!("{:0digits$}", number.checked_rem(one)?);
    let rest = rest.trim_end_matches('0');
    let fits = number >= 0 && rest.len() <= places;
    let point = if rest.is_empty() { "" } else { "*" };
    fits.then(|| format!("{}{point}{rest}", number / one))
}

/// Each choice by its first keys, or by a phrase where it has none; keys that choose nothing; none.
fn menu_choices(menu: &Menu, language: u32) -> Vec<Choice> {
    let phrase = |choice: usize| menu.phrases.get(choice)?.get(language as usize)?.first();
    let by_keys = |keys: &String| Choice::Keys(Menu::span(keys).map_or(keys.clone(), |(first, _)| first.to_owned()));
    let choices = menu.choices.iter().enumerate().filter_map(|(choice, keys)| match keys.is_empty() {
        true => phrase(choice).map(|words| Choice::Phrase(words.clone())),
        false => Some(by_keys(keys)),
    });
    let mut choices: Vec<Choice> = choices.collect();
    let takes = |keys: &str| menu.choices.iter().any(|choice| Menu::takes(choice, keys));
    let begins = |keys: &str| menu.choices.iter().any(|choice| Menu::begins(choice, keys));
    let single = KEYS.chars().map(String::from).find(|key| !takes(key) && !begins(key));
    let double = || {
        let beginnings = KEYS.chars().map(String::from).filter(|key| begins(key));
        let pairs = beginnings.flat_map(|first| KEYS.chars().map(move |second| format!("{first}{second}")));
        pairs.into_iter().find(|keys| !takes(keys) && !begins(keys))
    };
    choices.extend(single.or_else(double).map(Choice::Keys));
    choices.push(Choice::Silence);
    choices
}

/// A number beside this one.
pub(super) fn neighbour(number: Phone) -> Phone {
    let word = number.word();
    Phone::from_word(if word % 10 == 9 { word - 1 } else { word + 1 })
}
