//! Types that fit a call (F0508): how many words a value of each takes, worked out once for each type.

use lang_diagnostics::{Code, Diagnostic};
use runtime_contract::limits::FRAME_BYTES_MAX;
use runtime_contract::stack::FRAME_HEADER_WORDS;

use crate::problems::Problems;
use crate::project::Project;
use crate::ty::Ty;

/// Words of a frame but for its header.
const WORDS_MAX: u64 = FRAME_BYTES_MAX as u64 / 8 - FRAME_HEADER_WORDS as u64;
/// Types inside each other; the verifier of graphs has the same bound.
const DEPTH_MAX: u32 = 31;

#[derive(Clone, Copy, Default)]
struct Size {
    words: u64,
    depth: u32,
}

/// Of a type that is too large the fields that are types are dropped, so that what holds it is not told of as well.
/// Types that hold themselves were made to end.
pub(crate) fn check_widths(project: &mut Project<'_>, problems: &mut Problems) {
    let mut sizes: Vec<Size> = vec![Size::default(); project.records.len()];
    for id in project.records_inner_first() {
        let Some(info) = project.records.get_mut(id as usize) else { continue };
        let mut total = Size { words: 0, depth: 1 };
        for field in &info.fields {
            let field = size(&field.ty, &sizes);
            total = Size { words: total.words.saturating_add(field.words), depth: total.depth.max(field.depth + 1) };
        }
        if total.words > WORDS_MAX || total.depth > DEPTH_MAX {
            let name = &info.name.text;
            let message = match total.words > WORDS_MAX {
                true => format!("a `{name}` takes {} words, and a flow holds {WORDS_MAX} at once", total.words),
                false => format!("a `{name}` holds types {} deep, and {DEPTH_MAX} is the most", total.depth),
            };
            let mut diagnostic = Diagnostic::new(Code::WorstCaseTooLong, info.name.span, message);
            for field in info.fields.iter_mut().filter(|field| matches!(field.ty.present(), Ty::Record(_))) {
                diagnostic = diagnostic.label(field.span, format!("{} words", size(&field.ty, &sizes).words));
                field.ty = Ty::Broken;
            }
            problems.give(diagnostic.help("keep a `Text` that names the other one"));
            total = Size { words: 1, depth: 1 };
        }
        if let Some(place) = sizes.get_mut(id as usize) {
            *place = total;
        }
    }
}

fn size(ty: &Ty, sizes: &[Size]) -> Size {
    match ty {
        Ty::Record(id) => sizes.get(*id as usize).copied().unwrap_or_default(),
        Ty::Optional(inner) => {
            let inner = size(inner, sizes);
            Size { words: inner.words + 1, depth: inner.depth + 1 }
        }
        Ty::Money => Size { words: 2, depth: 0 },
        _ => Size { words: 1, depth: 0 },
    }
}
