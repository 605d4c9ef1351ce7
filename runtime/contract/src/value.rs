//! Values as people, services and journals see them, and their way into slots and back.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::arena::{Arena, Handle};
use crate::host::FaultKind;
use crate::limits::LIST_LEN_MAX;
use crate::program::ProgramMeta;
use crate::redacted::Redacted;
use crate::types::Type;
use crate::vault::Vault;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Value {
    Bool(bool),
    Int(i64),
    /// × 10⁻⁶; `Percent` too, where 1 000 000 is 100 %.
    Decimal(i64),
    Money(Money),
    /// Duration in ms; Time in ms since 1970 UTC; Date in days since 1970; Clock in ms since midnight.
    Moment(i64),
    /// Text, Digits, TimeZone.
    Text(String),
    Phone(Phone),
    /// Index of the program's languages.
    Language(u32),
    Recording(u64),
    /// Index of the variant, and its fields.
    Enum(u32, Vec<Value>),
    Record(Vec<Value>),
    List(Vec<Value>),
    None,
    Some(Box<Value>),
    Private(Private),
}

/// An amount and its currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// × 10⁻⁴ of the currency's unit.
    pub amount: i64,
    /// ISO 4217 numeric code.
    pub currency: u16,
}

/// E.164 digits, at most 15, without a leading zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Phone(u64);

impl Phone {
    /// From what a person or a packet wrote: `+86 138-0000 0000`. Blanks, hyphens, dots and brackets are
    /// passed over; anything else, a missing `+` included when `plus` is asked for, is `None`.
    pub fn parse(text: &str, plus: bool) -> Option<Phone> {
        let text = text.trim();
        let digits = match text.strip_prefix('+') {
            Some(rest) => rest,
            None if plus => return None,
            None => text,
        };
        let mut number = 0u64;
        let mut length = 0;
        for c in digits.chars().filter(|c| !" -.()".contains(*c)) {
            number = number * 10 + u64::from(c.to_digit(10)?);
            length += 1;
            if length > 15 || number == 0 {
                return None;
            }
        }
        (length >= 3).then_some(Phone(number))
    }

    pub fn from_word(word: u64) -> Phone {
        Phone(word)
    }

    pub fn word(self) -> u64 {
        self.0
    }

    /// `+8613800000000`.
    pub fn e164(self) -> Redacted<String> {
        Redacted::new(format!("+{}", self.0))
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phone(•••)")
    }
}

/// A value of the vault on its way to the one place that may have it. Never serialised.
#[derive(Clone, PartialEq, Eq)]
pub struct Private(pub Zeroizing<String>);

impl fmt::Debug for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("•")
    }
}

impl Serialize for Private {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<'de> Deserialize<'de> for Private {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <()>::deserialize(deserializer).map(|()| Private(Zeroizing::default()))
    }
}

/// The memory of one call that values live in beside its frames.
pub struct Memory<'a> {
    pub meta: &'a ProgramMeta,
    pub arena: &'a mut Arena,
    pub vault: &'a mut Vault,
}

impl Memory<'_> {
    /// Slot words of a value. A value that does not fit the type is fault `host`: whoever read it from the
    /// world was to check it.
    pub fn words(&mut self, value: &Value, r#type: &Type) -> Result<Vec<u64>, FaultKind> {
        let mut words = Vec::new();
        self.push(value, r#type, &mut words)?;
        Ok(words)
    }

    fn push(&mut self, value: &Value, r#type: &Type, words: &mut Vec<u64>) -> Result<(), FaultKind> {
        match (r#type, value) {
            (Type::Bool, Value::Bool(b)) => words.push(u64::from(*b)),
            (Type::Int, Value::Int(n)) => words.push(*n as u64),
            (Type::Decimal | Type::Percent, Value::Decimal(n)) => words.push(*n as u64),
            (Type::Money, Value::Money(money)) => words.extend([money.amount as u64, u64::from(money.currency)]),
            (Type::Duration | Type::Time | Type::Date | Type::Clock, Value::Moment(ms)) => words.push(*ms as u64),
            (Type::Text | Type::Digits | Type::TimeZone, Value::Text(text)) => {
                words.push(self.arena.make(self.meta, text)?.word());
            }
            (Type::Phone, Value::Phone(phone)) => words.push(phone.word()),
            (Type::Language, Value::Language(n)) => words.push(u64::from(*n)),
            (Type::Enum(id), Value::Enum(variant, values)) => {
                let types = &self.meta.types;
                let fields = types.variants(*id).get(*variant as usize).map(|variant| &variant.fields);
                let fields = fields.filter(|fields| fields.len() == values.len()).ok_or(FaultKind::Host)?;
                let mut carried = Vec::new();
                for (field, value) in fields.iter().zip(values) {
                    self.push(value, &field.r#type, &mut carried)?;
                }
                let mut payload = vec![0; types.payload(*id).len()];
                for (place, word) in types.payload_places(*id, *variant).into_iter().zip(carried) {
                    payload.iter_mut().skip(place).take(1).for_each(|slot| *slot = word);
                }
                words.push(u64::from(*variant));
                words.extend(payload);
            }
            (Type::Recording, Value::Recording(id)) => words.push(*id),
            (Type::Private(_), Value::Private(value)) => words.push(self.vault.keep(value.0.to_string())?),
            (Type::Optional(inner), Value::Some(value)) => {
                words.push(1);
                self.push(value, inner, words)?;
            }
            (Type::Optional(_), Value::None) => {
                words.resize(words.len() + self.meta.types.width(r#type), 0);
            }
            (Type::List(row), Value::List(values)) => {
                if values.len() > LIST_LEN_MAX {
                    return Err(FaultKind::Host);
                }
                let mut cells = Vec::new();
                for value in values {
                    self.push(value, row, &mut cells)?;
                }
                let classes = self.meta.types.slots(row);
                let cells = classes.into_iter().cycle().zip(cells);
                words.push(self.arena.make_list(cells.collect())?);
            }
            (Type::Record(id), Value::Record(values)) => {
                let meta = self.meta;
                let record = meta.types.records.get(*id as usize).ok_or(FaultKind::Host)?;
                if record.fields.len() != values.len() {
                    return Err(FaultKind::Host);
                }
                for (field, value) in record.fields.iter().zip(values) {
                    self.push(value, &field.r#type, words)?;
                }
            }
            _ => return Err(FaultKind::Host),
        }
        Ok(())
    }

    /// The value in these slot words; `None` where a private value was lost. Reads past the end as zeros.
    pub fn value(&self, words: &mut impl Iterator<Item = u64>, r#type: &Type) -> Option<Value> {
        self.value_in(words, r#type)
    }

    fn value_in(&self, words: &mut dyn Iterator<Item = u64>, r#type: &Type) -> Option<Value> {
        let mut next = || words.next().unwrap_or(0);
        Some(match r#type {
            Type::Bool => Value::Bool(next() != 0),
            Type::Int => Value::Int(next() as i64),
            Type::Decimal | Type::Percent => Value::Decimal(next() as i64),
            Type::Money => Value::Money(Money { amount: next() as i64, currency: next() as u16 }),
            Type::Duration | Type::Time | Type::Date | Type::Clock => Value::Moment(next() as i64),
            Type::Text | Type::Digits | Type::TimeZone => {
                Value::Text(self.arena.text(self.meta, Handle::from_word(next())).to_owned())
            }
            Type::Phone => Value::Phone(Phone::from_word(next())),
            Type::Language => Value::Language(next() as u32),
            Type::Enum(id) => {
                let types = &self.meta.types;
                let variant = next() as u32;
                let payload: Vec<u64> = types.payload(*id).into_iter().map(|_| next()).collect();
                let places = types.payload_places(*id, variant).into_iter();
                let mut carried = places.map(|place| payload.get(place).copied().unwrap_or(0));
                let fields = types.variants(*id).get(variant as usize).map_or(&[][..], |variant| &variant.fields);
                let values = fields.iter().map(|field| self.value_in(&mut carried, &field.r#type));
                Value::Enum(variant, values.collect::<Option<_>>()?)
            }
            Type::Recording => Value::Recording(next()),
            Type::Private(_) => Value::Private(Private(Zeroizing::new(self.vault.value(next())?.to_owned()))),
            Type::Optional(inner) => {
                let some = next() != 0;
                if some {
                    Value::Some(Box::new(self.value_in(words, inner)?))
                } else {
                    (0..self.meta.types.width(inner)).for_each(|_| {
                        words.next();
                    });
                    Value::None
                }
            }
            Type::List(row) => {
                let mut cells = self.arena.list(next()).iter().map(|(_, word)| *word);
                let width = self.meta.types.width(row).max(1);
                let rows = cells.len() / width;
                Value::List((0..rows).map(|_| self.value_in(&mut cells, row)).collect::<Option<_>>()?)
            }
            Type::Record(id) => {
                let fields = self.meta.types.records.get(*id as usize).map_or(&[][..], |record| &record.fields);
                Value::Record(fields.iter().map(|f| self.value_in(words, &f.r#type)).collect::<Option<_>>()?)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{EnumType, Field, RecordType, TypeTable, Variant};

    #[test]
    fn values_survive_the_way_into_slots_and_back() {
        let record = RecordType {
            name: "m.R".into(),
            fields: vec![
                Field { name: "a".into(), r#type: Type::Optional(Box::new(Type::Money)) },
                Field { name: "b".into(), r#type: Type::Text },
            ],
        };
        let carrying = |name: &str, types: &[Type]| Variant {
            fields: types.iter().map(|ty| Field { name: "f".into(), r#type: ty.clone() }).collect(),
            ..Variant::plain(name)
        };
        let variants =
            vec![Variant::plain("won"), carrying("paid", &[Type::Money, Type::Text]), carrying("lost", &[Type::Text])];
        let pitch = EnumType { name: "m.Pitch".into(), variants };
        let meta = ProgramMeta {
            types: TypeTable { enums: vec![pitch], records: vec![record] }.into(),
            constants: vec!["".into()],
            ..ProgramMeta::default()
        };
        let (mut arena, mut vault) = (Arena::default(), Vault::default());
        let mut memory = Memory { meta: &meta, arena: &mut arena, vault: &mut vault };
        for a in [Value::None, Value::Some(Box::new(Value::Money(Money { amount: 125_000, currency: 156 })))] {
            let value = Value::Record(vec![a, Value::Text("李".into())]);
            let words = memory.words(&value, &Type::Record(0)).unwrap();
            assert_eq!(words.len(), 4);
            assert_eq!(memory.value(&mut words.into_iter(), &Type::Record(0)), Some(value));
        }
        assert_eq!(memory.words(&Value::None, &Type::Int), Err(FaultKind::Host));
        let rows = Type::List(Box::new(Type::Record(0)));
        let row = |text: &str| Value::Record(vec![Value::None, Value::Text(text.into())]);
        for list in [vec![], vec![row("a"), row("李")]] {
            let value = Value::List(list);
            let words = memory.words(&value, &rows).unwrap();
            assert_eq!(words.len(), 1);
            assert_eq!(memory.value(&mut words.into_iter(), &rows), Some(value));
        }
        let pitch = Type::Enum(0);
        let money = Value::Money(Money { amount: 1, currency: 156 });
        for (variant, values) in
            [(0, vec![]), (1, vec![money, Value::Text("b".into())]), (2, vec![Value::Text("c".into())])]
        {
            let value = Value::Enum(variant, values);
            let words = memory.words(&value, &pitch).unwrap();
            assert_eq!(words.len(), 4, "two words and a text are shared");
            assert_eq!(memory.value(&mut words.into_iter(), &pitch), Some(value));
        }
        assert_eq!(memory.words(&Value::Enum(1, vec![]), &pitch), Err(FaultKind::Host));
        let ints = |rows: usize| Value::List(vec![Value::Int(1); rows]);
        let of_int = Type::List(Box::new(Type::Int));
        assert!(memory.words(&ints(LIST_LEN_MAX), &of_int).is_ok());
        assert_eq!(memory.words(&ints(LIST_LEN_MAX + 1), &of_int), Err(FaultKind::Host));
    }

    #[test]
    fn phones_are_e164() {
        let parse = |text| Phone::parse(text, true).map(Phone::word);
        assert_eq!(parse("+86 138-0000 0000"), Some(8_613_800_000_000));
        assert_eq!(parse("+1234567890123456"), None);
        assert_eq!(parse("+0123"), None);
        assert_eq!(parse("86138"), None);
        assert_eq!(parse("+86x38"), None);
    }
}
