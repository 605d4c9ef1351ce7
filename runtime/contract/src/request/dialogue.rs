//! What requests carry that the caller hears and answers: prompts, menus, questions, recordings.

use serde::{Deserialize, Serialize};

use crate::currency;
use crate::types::Type;

/// Prompts that one request plays, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompts {
    pub items: Vec<PromptUse>,
    /// A key stops the prompt.
    pub barge_in: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PromptUse {
    /// Index in `ProgramMeta::prompts`; its arguments start at this slot of the mailbox.
    Prompt { prompt: u32, arguments_at: u32 },
    /// A `Recording` in this slot of the mailbox.
    Recording { at: u32 },
}

/// Outcomes: choice 0, 1, …; then `other`; then `silence`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Menu {
    pub prompts: Prompts,
    /// Keys of each choice, as written (`1`, `0`, `*`, `12`). A span (`1000..1019`) takes each number of that length from
    /// the first to the last; its payload is the Digits that were keyed.
    /// Empty where phrases alone lead to it.
    pub choices: Vec<String>,
    /// By choice and by language of the program; no entry at all where no choice of the menu has any.
    pub phrases: Vec<Vec<Vec<String>>>,
    /// Time after the prompt in which the first key must come.
    pub listen_ms: u32,
    /// Time to wait for a further key when one choice begins another.
    pub between_keys_ms: u32,
}

impl Menu {
    /// First and last of a choice that is a span of keys.
    pub fn span(choice: &str) -> Option<(&str, &str)> {
        choice.split_once("..")
    }

    /// Whether these keys are this choice.
    pub fn takes(choice: &str, keys: &str) -> bool {
        match Menu::span(choice) {
            Some((first, last)) => keys.len() == first.len() && is_digits(keys) && (first..=last).contains(&keys),
            None => choice == keys,
        }
    }

    /// Whether these keys begin this choice and are not all of it.
    pub fn begins(choice: &str, keys: &str) -> bool {
        match Menu::span(choice) {
            Some((first, last)) => match (first.get(..keys.len()), last.get(..keys.len())) {
                (Some(low), Some(high)) => keys.len() < first.len() && is_digits(keys) && (low..=high).contains(&keys),
                _ => false,
            },
            None => choice.len() > keys.len() && choice.starts_with(keys),
        }
    }
}

fn is_digits(keys: &str) -> bool {
    keys.bytes().all(|key| key.is_ascii_digit())
}

/// Outcomes: 0 `value` (payload: the value), 1 `silence`, 2 `invalid`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    pub prompts: Prompts,
    pub kind: AskKind,
    /// The value goes to the vault; keys are masked from the prompt's start until the reply.
    pub private: bool,
    /// Key that ends the input; `#` unless the flow says otherwise. Never part of the value.
    pub end_key: char,
    pub listen_ms: u32,
    pub between_keys_ms: u32,
}

/// What is keyed. Only digits can be private.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AskKind {
    /// `digits A..B`: Digits. Numbers of keys.
    Digits { min: u32, max: u32 },
    /// `A..B`: Int, both bounds included and not negative.
    Range { low: i64, high: i64 },
    /// `number`: Decimal; `*` is the decimal point.
    Number,
    /// `amount in CNY`: Money of this currency (ISO 4217 number); `*` is the decimal point.
    Amount { currency: u16 },
    /// `date`: Date. Month and day, the next such day; or year, month and day.
    Date,
    /// `time`: Clock. Hour (0 to 23) and minute.
    Time,
    /// `phone`: Phone. As it is dialled in the country of the called number, or with an international prefix.
    Phone,
    /// `yes or no`: Bool. 1 is yes, 2 is no.
    YesOrNo,
    /// `text up to N`: Text of at most so many characters, which only somebody who writes can give.
    Text { max: u32 },
}

/// Digits before the decimal point of a `number` or `amount`.
pub const WHOLE_DIGITS_MAX: usize = 12;

/// Digits behind it, as a Decimal keeps no more.
pub const DECIMALS_MAX: usize = 6;

/// An international prefix and the longest number (ITU-T E.164).
const PHONE_KEYS_MAX: usize = 3 + 15;

impl AskKind {
    /// Type of the value.
    pub fn value(self) -> Type {
        match self {
            AskKind::Digits { .. } => Type::Digits,
            AskKind::Range { .. } => Type::Int,
            AskKind::Number => Type::Decimal,
            AskKind::Amount { .. } => Type::Money,
            AskKind::Date => Type::Date,
            AskKind::Time => Type::Clock,
            AskKind::Phone => Type::Phone,
            AskKind::YesOrNo => Type::Bool,
            AskKind::Text { .. } => Type::Text,
        }
    }

    /// Keys of the longest input, its end key apart; none where words alone are taken.
    pub fn keys_max(self) -> usize {
        match self {
            AskKind::Digits { max, .. } => max as usize,
            AskKind::Range { high, .. } => high.max(1).ilog10() as usize + 1,
            AskKind::Number => WHOLE_DIGITS_MAX + 1 + DECIMALS_MAX,
            AskKind::Amount { currency } => match currency::decimals(currency) {
                0 => WHOLE_DIGITS_MAX,
                decimals => WHOLE_DIGITS_MAX + 1 + decimals,
            },
            AskKind::Date => 8,
            AskKind::Time => 4,
            AskKind::Phone => PHONE_KEYS_MAX,
            AskKind::YesOrNo => 1,
            AskKind::Text { .. } => 0,
        }
    }
}

/// Outcomes: 0 `recording` (payload: Recording), 1 `silence`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub prompts: Prompts,
    pub max_ms: u32,
    /// Key that ends the recording; any key when `None`.
    pub end_key: Option<char>,
    /// No sound for so long after the beep is `silence`; the same pause after speech ends the recording.
    pub silence_ms: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_takes_numbers_of_its_length() {
        let span = "1000..1019";
        assert!(Menu::takes(span, "1000") && Menu::takes(span, "1019"));
        assert!(["0999", "1020", "100", "10000", "", "10*0"].iter().all(|keys| !Menu::takes(span, keys)));
        assert!(["", "1", "10", "101"].iter().all(|keys| Menu::begins(span, keys)));
        assert!(["0", "11", "102", "1000", "10000"].iter().all(|keys| !Menu::begins(span, keys)));
        assert!(Menu::takes("1", "1") && !Menu::begins("1", "1") && Menu::begins("12", "1"));
    }

    #[test]
    fn the_longest_input_of_each_kind() {
        let keys = |kind: AskKind| kind.keys_max();
        assert_eq!(keys(AskKind::Range { low: 1, high: 9 }), 1);
        assert_eq!(keys(AskKind::Range { low: 0, high: 10 }), 2);
        assert_eq!(keys(AskKind::Range { low: 0, high: 0 }), 1);
        assert_eq!(keys(AskKind::Amount { currency: 156 }), 15);
        assert_eq!(keys(AskKind::Amount { currency: 392 }), 12, "yen have no decimals");
    }
}
