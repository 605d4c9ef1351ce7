//! Types that fit a call (F0508): how many words a value of each takes, worked out once for each type.

use std::collections::BTreeMap;

use lang_diagnostics::{Code, Diagnostic};
use runtime_contract::limits::FRAME_BYTES_MAX;
use runtime_contract::stack::FRAME_HEADER_WORDS;
use runtime_contract::types::Class;

use crate::problems::Problems;
use crate::project::{Holder, Parameter, Project};
use crate::ty::Ty;

/// Words of a frame but for its header.
const WORDS_MAX: u64 = FRAME_BYTES_MAX as u64 / 8 - FRAME_HEADER_WORDS as u64;
/// Types inside each other; the verifier of graphs has the same bound.
const DEPTH_MAX: u32 = 31;

/// Words of each class, and types inside each other.
#[derive(Clone, Copy, Default)]
struct Size {
    words: [u64; Class::ALL.len()],
    depth: u32,
}

impl Size {
    fn one(class: Class, depth: u32) -> Size {
        Size { words: Class::ALL.map(|own| u64::from(own == class)), depth }
    }

    fn total(self) -> u64 {
        self.words.into_iter().fold(0, u64::saturating_add)
    }

    fn both(self, other: Size, join: impl Fn(u64, u64) -> u64) -> Size {
        let mut words = self.words;
        for (own, other) in words.iter_mut().zip(other.words) {
            *own = join(*own, other);
        }
        Size { words, depth: self.depth.max(other.depth) }
    }

    fn plus(self, other: Size) -> Size {
        self.both(other, u64::saturating_add)
    }

    fn inside(self) -> Size {
        Size { depth: self.depth + 1, ..self }
    }
}

type Sizes = BTreeMap<Holder, Size>;

/// Of a type that is too large the fields that are types are dropped, so that what holds it is not told of as well.
/// Types that hold themselves were made to end.
pub(crate) fn check_widths(project: &mut Project<'_>, problems: &mut Problems) {
    let mut sizes = Sizes::new();
    for holder in project.holders_inner_first() {
        let mut total = sized(project, holder, &sizes);
        if total.total() > WORDS_MAX || total.depth > DEPTH_MAX {
            problems.give(too_large(project, holder, total, &sizes));
            project.break_fields(holder);
            total = Size::one(Class::Word, 1);
        }
        sizes.insert(holder, total);
    }
}

fn sized(project: &Project<'_>, holder: Holder, sizes: &Sizes) -> Size {
    let all = |fields: &[Parameter<'_>]| {
        fields.iter().map(|field| size(&field.ty, sizes)).fold(Size::default(), Size::plus).inside()
    };
    match holder {
        Holder::Record(id) => project.record(id).map_or(Size::default(), |record| all(&record.fields)),
        Holder::Enum(id) => {
            let variants = project.enums.get(id as usize).map_or(&[][..], |info| &info.fields);
            let shared = variants.iter().map(|fields| all(fields)).fold(Size::default(), |a, b| a.both(b, u64::max));
            shared.plus(Size::one(Class::Word, 0))
        }
    }
}

fn too_large(project: &Project<'_>, holder: Holder, total: Size, sizes: &Sizes) -> Diagnostic {
    let name = match holder {
        Holder::Record(id) => project.record(id).map(|info| info.name),
        Holder::Enum(id) => project.enums.get(id as usize).map(|info| info.name),
    };
    let (name, span) = name.map_or(("", Default::default()), |name| (name.text.as_str(), name.span));
    let message = match total.total() > WORDS_MAX {
        true => format!("a `{name}` takes {} words, and a flow holds {WORDS_MAX} at once", total.total()),
        false => format!("a `{name}` holds types {} deep, and {DEPTH_MAX} is the most", total.depth),
    };
    let mut diagnostic = Diagnostic::new(Code::WorstCaseTooLong, span, message);
    for field in project.held_by(holder).into_iter().filter(|field| field.ty.holder().is_some()) {
        diagnostic = diagnostic.label(field.span, format!("{} words", size(&field.ty, sizes).total()));
    }
    diagnostic.help("keep a `Text` that names the other one")
}

fn size(ty: &Ty, sizes: &Sizes) -> Size {
    let of = |holder| sizes.get(&holder).copied().unwrap_or_default();
    match ty {
        Ty::Record(id) => of(Holder::Record(*id)),
        Ty::Enum(id) => of(Holder::Enum(*id)),
        Ty::Optional(inner) => size(inner, sizes).plus(Size::one(Class::Word, 0)).inside(),
        Ty::List(inner) => Size::one(Class::List, size(inner, sizes).depth + 1),
        Ty::Money => Size::one(Class::Word, 0).plus(Size::one(Class::Word, 0)),
        Ty::Text | Ty::Digits | Ty::TimeZone => Size::one(Class::Text, 0),
        Ty::Private(_) => Size::one(Class::Vault, 0),
        _ => Size::one(Class::Word, 0),
    }
}
