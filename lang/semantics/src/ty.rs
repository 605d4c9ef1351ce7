//! Types as the checker sees them: as the contract's, and the bounds of ranged numbers, and a type for what is broken.

use runtime_contract::types::Type;

use crate::project::{Holder, Project};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ty {
    /// Of a value about which a diagnostic was given. It fits everywhere and nothing more is said.
    Broken,
    /// Of `none` alone: fits every optional type.
    Nothing,
    Bool,
    /// With bounds when they are known, both included.
    Int(Option<(i64, i64)>),
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
    /// Index in `Project::enums`.
    Enum(u32),
    /// Index in `Project::records`.
    Record(u32),
    List(Box<Ty>),
    Optional(Box<Ty>),
    Private(Box<Ty>),
}

/// Names of types that every file knows.
pub(crate) const BUILT_IN: &[(&str, Ty)] = &[
    ("Bool", Ty::Bool),
    ("Int", Ty::Int(None)),
    ("Decimal", Ty::Decimal),
    ("Money", Ty::Money),
    ("Percent", Ty::Percent),
    ("Duration", Ty::Duration),
    ("Time", Ty::Time),
    ("Date", Ty::Date),
    ("Clock", Ty::Clock),
    ("Text", Ty::Text),
    ("Digits", Ty::Digits),
    ("Phone", Ty::Phone),
    ("TimeZone", Ty::TimeZone),
    ("Language", Ty::Language),
    ("Recording", Ty::Recording),
];

impl Ty {
    pub fn optional(self) -> Ty {
        match self {
            Ty::Optional(_) | Ty::Broken | Ty::Nothing => self,
            _ => Ty::Optional(Box::new(self)),
        }
    }

    pub fn is_broken(&self) -> bool {
        match self {
            Ty::Broken => true,
            Ty::Optional(inner) | Ty::Private(inner) | Ty::List(inner) => inner.is_broken(),
            _ => false,
        }
    }

    pub fn is_private(&self) -> bool {
        matches!(self.present(), Ty::Private(_))
    }

    /// The type without `?`.
    pub fn present(&self) -> &Ty {
        match self {
            Ty::Optional(inner) => inner,
            other => other,
        }
    }

    /// Of the number that lies in a value of this type.
    pub fn bounds(&self) -> Option<(i64, i64)> {
        match self {
            Ty::Int(bounds) => *bounds,
            Ty::Optional(inner) | Ty::Private(inner) | Ty::List(inner) => inner.bounds(),
            _ => None,
        }
    }

    /// The record or enum whose values lie in one of this type.
    pub fn holder(&self) -> Option<Holder> {
        match self {
            Ty::Record(id) => Some(Holder::Record(*id)),
            Ty::Enum(id) => Some(Holder::Enum(*id)),
            Ty::Optional(inner) | Ty::Private(inner) | Ty::List(inner) => inner.holder(),
            _ => None,
        }
    }

    /// Whether a value of this type may stand where `wanted` is wanted, apart from becoming optional.
    pub fn fits(&self, wanted: &Ty) -> bool {
        match (self, wanted) {
            (a, b) if a.is_broken() || b.is_broken() => true,
            (Ty::Nothing, Ty::Optional(_)) => true,
            (Ty::Int(_), Ty::Int(None)) => true,
            (Ty::Int(Some(a)), Ty::Int(Some(b))) => b.0 <= a.0 && a.1 <= b.1,
            (Ty::Optional(a), Ty::Optional(b)) | (Ty::Private(a), Ty::Private(b)) => a.fits(b),
            // Rows stay as they lie.
            (Ty::List(a), Ty::List(b)) => a.fits(b) && (a.lower() == b.lower() || **a == Ty::Nothing),
            // What is public only becomes better kept.
            (a, Ty::Private(b)) => a.fits(b),
            (a, b) => a == b,
        }
    }

    /// The type that takes the values of both, if there is one.
    pub fn join(&self, other: &Ty) -> Option<Ty> {
        match (self, other) {
            (a, b) if a.is_broken() || b.is_broken() => Some(Ty::Broken),
            (Ty::Int(a), Ty::Int(b)) => Some(Ty::Int(a.zip(*b).map(|(a, b)| (a.0.min(b.0), a.1.max(b.1))))),
            (Ty::Nothing, other) | (other, Ty::Nothing) => Some(other.clone().optional()),
            (Ty::Optional(_), _) | (_, Ty::Optional(_)) => Some(self.present().join(other.present())?.optional()),
            (Ty::Private(a), Ty::Private(b)) => Some(Ty::Private(Box::new(a.join(b)?))),
            (Ty::Private(a), b) | (b, Ty::Private(a)) => Some(Ty::Private(Box::new(a.join(b)?))),
            (Ty::List(a), Ty::List(b)) => {
                let joined = a.join(b)?;
                let alike = |row: &Ty| *row == Ty::Nothing || row.lower() == joined.lower();
                (alike(a) && alike(b)).then(|| Ty::List(Box::new(joined)))
            }
            (a, b) => (a == b).then(|| a.clone()),
        }
    }

    /// As the runtime needs it. What is broken becomes Bool: such a program is never given out.
    pub fn lower(&self) -> Type {
        match self {
            Ty::Broken | Ty::Bool => Type::Bool,
            Ty::Int(_) => Type::Int,
            Ty::Decimal => Type::Decimal,
            Ty::Money => Type::Money,
            Ty::Percent => Type::Percent,
            Ty::Duration => Type::Duration,
            Ty::Time => Type::Time,
            Ty::Date => Type::Date,
            Ty::Clock => Type::Clock,
            Ty::Text => Type::Text,
            Ty::Digits => Type::Digits,
            Ty::Phone => Type::Phone,
            Ty::TimeZone => Type::TimeZone,
            Ty::Language => Type::Language,
            Ty::Recording => Type::Recording,
            Ty::Enum(id) => Type::Enum(*id),
            Ty::Record(id) => Type::Record(*id),
            Ty::List(inner) => Type::List(Box::new(inner.lower())),
            Ty::Nothing => Type::Optional(Box::new(Type::Bool)),
            Ty::Optional(inner) => Type::Optional(Box::new(inner.lower())),
            Ty::Private(inner) => Type::Private(Box::new(inner.lower())),
        }
    }

    /// As it is written.
    pub fn text(&self, project: &Project<'_>) -> String {
        match self {
            Ty::Broken => "?".to_owned(),
            Ty::Nothing => "none".to_owned(),
            Ty::Int(Some((low, high))) if low < high => format!("Int {low}..{high}"),
            Ty::Int(_) => "Int".to_owned(),
            Ty::Enum(id) => project.enums.get(*id as usize).map_or("?", |e| e.name.text.as_str()).to_owned(),
            Ty::Record(id) => project.records.get(*id as usize).map_or("?", |r| r.name.text.as_str()).to_owned(),
            Ty::List(inner) => format!("List<{}>", inner.text(project)),
            Ty::Optional(inner) => format!("{}?", inner.text(project)),
            Ty::Private(inner) => format!("private {}", inner.text(project)),
            _ => BUILT_IN.iter().find(|(_, ty)| ty == self).map_or("?", |(name, _)| name).to_owned(),
        }
    }
}

/// Whether `.text` of a value of this type is Text.
pub(crate) fn has_text(ty: &Ty) -> bool {
    match ty {
        Ty::Int(_) | Ty::Phone | Ty::Text | Ty::Digits | Ty::TimeZone => true,
        Ty::Broken | Ty::Nothing | Ty::Private(_) | Ty::Optional(_) => false,
        ty => runtime_contract::written::Written::of(&ty.lower()).is_some(),
    }
}
