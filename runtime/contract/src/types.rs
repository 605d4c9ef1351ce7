//! Types of the values that cross a seam: how many slots each takes, and of which class. The language's
//! types are lowered to these; nothing here checks a program.

use serde::{Deserialize, Serialize};

/// A type as the runtime needs it. Ranged integers are `Int`; constants of the language are gone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Type {
    Bool,
    Int,
    Decimal,
    Money,
    Percent,
    Duration,
    Time,
    Date,
    Clock,
    Text,
    Digits,
    Phone,
    TimeZone,
    Language,
    Recording,
    /// Index in [`TypeTable::enums`].
    Enum(u32),
    /// Index in [`TypeTable::records`].
    Record(u32),
    Optional(#[serde(deserialize_with = "nested")] Box<Type>),
    Private(#[serde(deserialize_with = "nested")] Box<Type>),
}

/// Options and private marks around one type. A stored graph that claims more is refused before reading it
/// exhausts the stack.
pub const NESTING_MAX: u32 = 8;

fn nested<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Box<Type>, D::Error> {
    thread_local!(static DEPTH: std::cell::Cell<u32> = const { std::cell::Cell::new(0) });
    let depth = DEPTH.get();
    if depth >= NESTING_MAX {
        return Err(serde::de::Error::custom("types are nested too deep"));
    }
    DEPTH.set(depth + 1);
    let inner = Type::deserialize(deserializer);
    DEPTH.set(depth);
    inner.map(Box::new)
}

/// What a slot holds; decides whether the driver must look at it when it moves texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Class {
    /// A plain 64-bit word.
    Word,
    /// A handle of a text (constant or arena).
    Text,
    /// An index into the call's vault.
    Vault,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeTable {
    pub enums: Vec<EnumType>,
    pub records: Vec<RecordType>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnumType {
    /// `module.Name`.
    pub name: String,
    /// Names in order; a value is an index here.
    pub variants: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordType {
    pub name: String,
    pub fields: Vec<Field>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    pub name: String,
    pub r#type: Type,
}

impl TypeTable {
    /// Classes of the slots of a value of this type, in order: `Optional` is a tag and then its value, a
    /// record its fields flattened.
    pub fn slots(&self, r#type: &Type) -> Vec<Class> {
        let mut slots = Vec::new();
        self.push_slots(r#type, &mut slots);
        slots
    }

    /// Number of slots of a value of this type.
    pub fn width(&self, r#type: &Type) -> usize {
        match r#type {
            Type::Money => 2,
            Type::Optional(inner) => 1 + self.width(inner),
            Type::Record(id) => {
                let record = self.records.get(*id as usize);
                record.map_or(0, |record| record.fields.iter().map(|field| self.width(&field.r#type)).sum())
            }
            _ => 1,
        }
    }

    fn push_slots(&self, r#type: &Type, slots: &mut Vec<Class>) {
        match r#type {
            Type::Money => slots.extend([Class::Word, Class::Word]),
            Type::Text | Type::Digits | Type::TimeZone => slots.push(Class::Text),
            Type::Private(_) => slots.push(Class::Vault),
            Type::Optional(inner) => {
                slots.push(Class::Word);
                self.push_slots(inner, slots);
            }
            Type::Record(id) => {
                for field in self.records.get(*id as usize).map_or(&[][..], |record| &record.fields) {
                    self.push_slots(&field.r#type, slots);
                }
            }
            _ => slots.push(Class::Word),
        }
    }
}
