//! Whether a value of one version's type is a value of another's: the same names in the same order.

use runtime_contract::types::Field;
use runtime_contract::{ProgramMeta, Type};

/// Pairs of records and enums that are being compared: a record may hold a list of itself.
type Open = Vec<(Type, Type)>;

pub(super) fn same(a: (&ProgramMeta, &Type), b: (&ProgramMeta, &Type)) -> bool {
    fits(a, b, &mut Vec::new())
}

fn fits((one, a): (&ProgramMeta, &Type), (other, b): (&ProgramMeta, &Type), open: &mut Open) -> bool {
    let pair = (a.clone(), b.clone());
    match (a, b) {
        (Type::List(a), Type::List(b))
        | (Type::Optional(a), Type::Optional(b))
        | (Type::Private(a), Type::Private(b)) => fits((one, a), (other, b), open),
        (Type::Record(_), Type::Record(_)) | (Type::Enum(_), Type::Enum(_)) if open.contains(&pair) => true,
        (Type::Record(a), Type::Record(b)) => {
            open.push(pair);
            match (one.types.records.get(*a as usize), other.types.records.get(*b as usize)) {
                (Some(a), Some(b)) => fields((one, &a.fields), (other, &b.fields), open),
                _ => false,
            }
        }
        (Type::Enum(a), Type::Enum(b)) => {
            open.push(pair);
            let (a, b) = (one.types.variants(*a), other.types.variants(*b));
            let mut pairs = a.iter().zip(b);
            a.len() == b.len()
                && pairs.all(|(a, b)| a.name == b.name && fields((one, &a.fields), (other, &b.fields), open))
        }
        (Type::Language, Type::Language) => one.languages == other.languages,
        _ => a == b,
    }
}

fn fields((one, a): (&ProgramMeta, &[Field]), (other, b): (&ProgramMeta, &[Field]), open: &mut Open) -> bool {
    let mut pairs = a.iter().zip(b);
    a.len() == b.len() && pairs.all(|(a, b)| a.name == b.name && fits((one, &a.r#type), (other, &b.r#type), open))
}
