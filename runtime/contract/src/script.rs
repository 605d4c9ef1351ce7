//! A `test` block, lowered: what happens, in order, and what must be seen. Played in virtual time by the
//! simulator; nothing here knows how.

use crate::program::Place;
use crate::time::Time;
use crate::types::Type;
use crate::value::Value;

#[derive(Clone, Debug, PartialEq)]
pub struct TestScript {
    pub name: String,
    pub place: Place,
    /// When it begins, from `at … in …`.
    pub at: Time,
    /// Zone of that line, for showing times.
    pub zone: String,
    pub lines: Vec<(Place, Verb)>,
    /// Names of files; a [`Place`] of this script is an index here.
    pub files: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Verb {
    /// From here on this operation answers so.
    Given {
        service: u32,
        operation: u32,
        answer: Given,
    },
    Call {
        from: Option<String>,
        to: String,
    },
    /// The caller hears this text within what is played next, before any further key.
    Hears(String),
    Press(String),
    /// What the far sides of `connect to` and `transfer to` do, one after the other; the last goes for all later ones.
    DialGives(Vec<FarSide>),
    Wait {
        ms: i64,
    },
    HangUp,
    ExpectNote {
        key: String,
        r#type: Type,
        value: Value,
    },
    /// The call entered this step (`main`) since the last line.
    ExpectStep {
        flow: Option<String>,
        step: String,
    },
    /// The call has ended.
    ExpectEnd,
}

/// What somebody does who is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FarSide {
    /// Answers, and leaves after a while.
    Person,
    Busy,
    Unanswered,
    Declined,
    Unreachable,
}

impl FarSide {
    pub const ALL: [FarSide; 5] =
        [FarSide::Person, FarSide::Busy, FarSide::Unanswered, FarSide::Declined, FarSide::Unreachable];

    /// As a test writes it.
    pub fn name(self) -> &'static str {
        match self {
            FarSide::Person => "person",
            FarSide::Busy => "busy",
            FarSide::Unanswered => "unanswered",
            FarSide::Declined => "declined",
            FarSide::Unreachable => "unreachable",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// Succeeded, with its result where the operation has one.
    Ok(Option<Value>),
    Failed,
}
