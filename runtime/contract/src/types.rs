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
    /// At most [`crate::limits::LIST_LEN_MAX`] of one type.
    List(#[serde(deserialize_with = "nested")] Box<Type>),
    Optional(#[serde(deserialize_with = "nested")] Box<Type>),
    Private(#[serde(deserialize_with = "nested")] Box<Type>),
}

/// Lists, options and private marks around one type. A stored graph that claims more is refused before reading it
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
    /// A handle of a list in the arena.
    List,
}

impl Class {
    pub const ALL: [Class; 4] = [Class::Word, Class::Text, Class::Vault, Class::List];
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
    /// In order; a value is an index here.
    pub variants: Vec<Variant>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    pub name: String,
    /// What a value of it carries.
    pub fields: Vec<Field>,
    /// How it is said, by language of the program; empty where the name is said.
    pub texts: Vec<String>,
}

impl Variant {
    /// One that carries nothing.
    pub fn plain(name: &str) -> Variant {
        Variant { name: name.to_owned(), ..Variant::default() }
    }
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
    /// record its fields flattened, a list one handle, an enum its tag and then [`TypeTable::payload`].
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
            Type::Enum(id) => 1 + self.payload(*id).len(),
            Type::Record(id) => {
                let record = self.records.get(*id as usize);
                record.map_or(0, |record| record.fields.iter().map(|field| self.width(&field.r#type)).sum())
            }
            _ => 1,
        }
    }

    /// Classes of the slots behind the tag of an enum. Its variants share them: of each class there are as many as the
    /// variant with the most of it needs.
    pub fn payload(&self, id: u32) -> Vec<Class> {
        let mut most = [0; Class::ALL.len()];
        for variant in self.variants(id) {
            for (most, (class, _)) in most.iter_mut().zip(Class::ALL.iter().zip(0..)) {
                let needed = self.field_slots(variant).into_iter().filter(|own| own == class).count();
                *most = needed.max(*most);
            }
        }
        Class::ALL.into_iter().zip(most).flat_map(|(class, most)| std::iter::repeat_n(class, most)).collect()
    }

    /// Slot by slot of a variant's fields, the place among the slots behind the tag.
    pub fn payload_places(&self, id: u32, variant: u32) -> Vec<usize> {
        let payload = self.payload(id);
        let mut taken = vec![false; payload.len()];
        let fields = self.variants(id).get(variant as usize).map_or_else(Vec::new, |variant| self.field_slots(variant));
        let mut place = |class| {
            let free = payload.iter().zip(&mut taken).position(|(own, taken)| *own == class && !*taken)?;
            taken.iter_mut().skip(free).take(1).for_each(|taken| *taken = true);
            Some(free)
        };
        fields.into_iter().filter_map(&mut place).collect()
    }

    pub fn variants(&self, id: u32) -> &[Variant] {
        self.enums.get(id as usize).map_or(&[], |found| &found.variants)
    }

    fn field_slots(&self, variant: &Variant) -> Vec<Class> {
        variant.fields.iter().flat_map(|field| self.slots(&field.r#type)).collect()
    }

    fn push_slots(&self, r#type: &Type, slots: &mut Vec<Class>) {
        match r#type {
            Type::Money => slots.extend([Class::Word, Class::Word]),
            Type::Text | Type::Digits | Type::TimeZone => slots.push(Class::Text),
            Type::Private(_) => slots.push(Class::Vault),
            Type::List(_) => slots.push(Class::List),
            Type::Optional(inner) => {
                slots.push(Class::Word);
                self.push_slots(inner, slots);
            }
            Type::Enum(id) => {
                slots.push(Class::Word);
                slots.extend(self.payload(*id));
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
