//! What compiled code may call while a segment runs: pure work on texts and decimals, and observations. No
//! clock, no chance, no input or output. Native code and the interpreter come through the same [`Host::call`].

use serde::{Deserialize, Serialize};

use crate::arena::{Arena, Handle};
use crate::calendar;
use crate::called::Called;
use crate::limits::{
    ARENA_BYTES_MAX, CALL_HOURS_MAX, FINALLY_MS_MAX, FUEL_STEP_MAX, JOURNAL_BYTES_MAX, MESSAGES_MAX, REQUESTS_MAX,
    RUN_DEPTH_MAX, TEXT_BYTES_MAX, VAULT_VALUES_MAX,
};
use crate::program::ProgramMeta;
use crate::spoken::plural;
use crate::time::Time;
use crate::types::Class;
use crate::vault::Vault;
use crate::written;

/// Why a segment, the driver or the session gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(u32)]
pub enum FaultKind {
    Overflow = 1,
    Divide = 2,
    Index = 3,
    Currency = 4,
    Fuel = 5,
    Requests = 6,
    Arena = 7,
    Host = 8,
    PrivateLost = 9,
    StackGuard = 10,
    /// The store could not keep what had to be durable.
    Store = 11,
    /// More private values than one call holds (`VAULT_VALUES_MAX`).
    Vault = 12,
    /// The call's journal has no more room (`JOURNAL_BYTES_MAX`).
    Journal = 13,
    /// The time of all `finally` blocks is used up (`FINALLY_MS_MAX`).
    FinallyTime = 14,
    /// The call lasted as long as a call may (`CALL_HOURS_MAX`).
    CallTime = 15,
    /// More messages and cases than one call may hand over (`MESSAGES_MAX`).
    Messages = 16,
}

impl FaultKind {
    pub const ALL: [FaultKind; 16] = [
        FaultKind::Overflow,
        FaultKind::Divide,
        FaultKind::Index,
        FaultKind::Currency,
        FaultKind::Fuel,
        FaultKind::Requests,
        FaultKind::Arena,
        FaultKind::Host,
        FaultKind::PrivateLost,
        FaultKind::StackGuard,
        FaultKind::Store,
        FaultKind::Vault,
        FaultKind::Journal,
        FaultKind::FinallyTime,
        FaultKind::CallTime,
        FaultKind::Messages,
    ];

    /// Those that a program can meet; the others are bounds of its session.
    pub fn of_programs() -> Vec<FaultKind> {
        let session = [FaultKind::Journal, FaultKind::FinallyTime, FaultKind::CallTime];
        Self::ALL.into_iter().filter(|kind| !session.contains(kind)).collect()
    }

    pub fn from_number(number: u32) -> FaultKind {
        Self::ALL.into_iter().find(|kind| *kind as u32 == number).unwrap_or(FaultKind::Host)
    }

    pub fn name(self) -> &'static str {
        match self {
            FaultKind::Overflow => "overflow",
            FaultKind::Divide => "division by zero",
            FaultKind::Index => "index",
            FaultKind::Currency => "two currencies",
            FaultKind::Fuel => "fuel",
            FaultKind::Requests => "too many requests",
            FaultKind::Arena => "texts too large",
            FaultKind::Host => "internal",
            FaultKind::PrivateLost => "private value lost",
            FaultKind::StackGuard => "stack",
            FaultKind::Store => "store",
            FaultKind::Vault => "too many private values",
            FaultKind::Journal => "journal full",
            FaultKind::FinallyTime => "time of `finally` used up",
            FaultKind::CallTime => "longest call",
            FaultKind::Messages => "too many messages",
        }
    }

    /// The bound of `limits` that a call passed, for people; `None` where no bound was.
    pub fn limit_text(self) -> Option<String> {
        Some(match self {
            FaultKind::Fuel => format!("{FUEL_STEP_MAX} steps without a wait"),
            FaultKind::Requests => format!("{REQUESTS_MAX} requests in one call"),
            FaultKind::Arena => {
                format!("{TEXT_BYTES_MAX} bytes in one text, {} KiB in all texts of a call", ARENA_BYTES_MAX / 1024)
            }
            FaultKind::StackGuard => format!("{RUN_DEPTH_MAX} flows inside each other"),
            FaultKind::Vault => format!("{VAULT_VALUES_MAX} private values in one call"),
            FaultKind::Journal => format!("{} KiB of journal for one call", JOURNAL_BYTES_MAX / 1024),
            FaultKind::FinallyTime => format!("{} s for all `finally` of a call", FINALLY_MS_MAX / 1_000),
            FaultKind::CallTime => format!("{CALL_HOURS_MAX} h for one call"),
            FaultKind::Messages => format!("{MESSAGES_MAX} messages and cases in one call"),
            _ => return None,
        })
    }
}

/// The host functions, by number. Arguments and results are slot words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(u32)]
pub enum HostCall {
    /// (text, text) → text
    TextJoin = 0,
    /// (text, text) → 0 or 1
    TextEqual = 1,
    /// (text) → characters
    TextLength = 2,
    /// (digits, n) → its last n characters
    TextLast = 3,
    /// (decimal, decimal) → decimal, half-even
    DecimalMultiply = 4,
    /// (decimal, decimal) → decimal, half-even; divide fault
    DecimalDivide = 5,
    /// (int) → decimal
    IntToDecimal = 6,
    /// (money amount, money currency, decimal) → amount, currency; half-even
    MoneyMultiply = 7,
    /// (phone) → text `+86…`
    PhoneToText = 8,
    /// (hours id) → 0 or 1; an observation
    HoursOpen = 9,
    /// (private digits, n) → digits; an observation
    VaultLast = 10,
    /// (private digits) → length; an observation
    VaultLength = 11,
    /// (private digits) → 0 or 1 by the Luhn rule; an observation
    VaultCardValid = 12,
    /// (private digits, text) → 0 or 1; an observation
    VaultEqual = 13,
    /// (int) → text
    IntToText = 14,
    /// (text) → private
    VaultKeep = 15,
    /// (private, private) → 0 or 1; an observation
    VaultSame = 16,
    /// (word): one more cell of the list that is being written
    ListPutWord = 17,
    /// (text): likewise
    ListPutText = 18,
    /// (list): likewise
    ListPutList = 19,
    /// (private): likewise
    ListPutVault = 20,
    /// (n) → the list of the last n cells
    ListMake = 21,
    /// (list, words of a row) → rows
    ListLength = 22,
    /// (list, cell) → word
    ListWord = 23,
    /// (list, cell) → text
    ListText = 24,
    /// (list, cell) → list
    ListList = 25,
    /// (list, cell) → private
    ListVault = 26,
    /// (a [`Written`](crate::written::Written), its one or two words) → text in figures
    ValueToText = 27,
    /// (date, clock, zone) → the instant; an observation
    DateAt = 28,
    /// (time, zone) → its date there; an observation
    TimeDate = 29,
    /// (time, zone) → what clocks show there; an observation
    TimeClock = 30,
    /// (a [`Called`]) → zone of the office that is called so
    CalledZone = 31,
    /// (a [`Called`]) → keys of the extension; `host` when it is a number
    CalledExtension = 32,
    /// (text) → its digits
    TextDigits = 33,
    /// (digits) → 1 when the check digit of a card number is right
    TextCardValid = 34,
    /// (n, BCP 47 tag) → its plural class, from 0, among those of the language
    PluralClass = 35,
}

impl HostCall {
    pub const ALL: [HostCall; 36] = [
        HostCall::TextJoin,
        HostCall::TextEqual,
        HostCall::TextLength,
        HostCall::TextLast,
        HostCall::DecimalMultiply,
        HostCall::DecimalDivide,
        HostCall::IntToDecimal,
        HostCall::MoneyMultiply,
        HostCall::PhoneToText,
        HostCall::HoursOpen,
        HostCall::VaultLast,
        HostCall::VaultLength,
        HostCall::VaultCardValid,
        HostCall::VaultEqual,
        HostCall::IntToText,
        HostCall::VaultKeep,
        HostCall::VaultSame,
        HostCall::ListPutWord,
        HostCall::ListPutText,
        HostCall::ListPutList,
        HostCall::ListPutVault,
        HostCall::ListMake,
        HostCall::ListLength,
        HostCall::ListWord,
        HostCall::ListText,
        HostCall::ListList,
        HostCall::ListVault,
        HostCall::ValueToText,
        HostCall::DateAt,
        HostCall::TimeDate,
        HostCall::TimeClock,
        HostCall::CalledZone,
        HostCall::CalledExtension,
        HostCall::TextDigits,
        HostCall::TextCardValid,
        HostCall::PluralClass,
    ];

    pub fn from_number(number: u32) -> Option<HostCall> {
        Self::ALL.get(number as usize).copied()
    }

    /// Words in, words out.
    pub fn arity(self) -> (usize, usize) {
        match self {
            HostCall::TextLength
            | HostCall::IntToDecimal
            | HostCall::PhoneToText
            | HostCall::HoursOpen
            | HostCall::VaultLength
            | HostCall::VaultCardValid
            | HostCall::IntToText
            | HostCall::VaultKeep
            | HostCall::CalledZone
            | HostCall::CalledExtension
            | HostCall::TextDigits
            | HostCall::TextCardValid
            | HostCall::ListMake => (1, 1),
            HostCall::ListPutWord | HostCall::ListPutText | HostCall::ListPutList | HostCall::ListPutVault => (1, 0),
            HostCall::MoneyMultiply => (3, 2),
            HostCall::ValueToText | HostCall::DateAt => (3, 1),
            _ => (2, 1),
        }
    }

    /// The call that adds a cell of this class to the list that is being written.
    pub fn list_put(class: Class) -> HostCall {
        match class {
            Class::Word => HostCall::ListPutWord,
            Class::Text => HostCall::ListPutText,
            Class::List => HostCall::ListPutList,
            Class::Vault => HostCall::ListPutVault,
        }
    }

    /// The call that reads a cell of this class.
    pub fn list_cell(class: Class) -> HostCall {
        match class {
            Class::Word => HostCall::ListWord,
            Class::Text => HostCall::ListText,
            Class::List => HostCall::ListList,
            Class::Vault => HostCall::ListVault,
        }
    }

    /// Of calls that write or read a cell of a list, its class.
    fn cell_class(self) -> Class {
        match self {
            HostCall::ListPutText | HostCall::ListText => Class::Text,
            HostCall::ListPutList | HostCall::ListList => Class::List,
            HostCall::ListPutVault | HostCall::ListVault => Class::Vault,
            _ => Class::Word,
        }
    }

    /// Looks at a private value.
    fn sees_private(self) -> bool {
        matches!(
            self,
            HostCall::VaultLast
                | HostCall::VaultLength
                | HostCall::VaultCardValid
                | HostCall::VaultEqual
                | HostCall::VaultSame
        )
    }

    /// Its answer depends on more than its arguments, so the journal keeps it.
    pub fn observes(self) -> bool {
        matches!(
            self,
            HostCall::HoursOpen
                | HostCall::VaultLast
                | HostCall::VaultLength
                | HostCall::VaultCardValid
                | HostCall::VaultEqual
                | HostCall::VaultSame
                | HostCall::DateAt
                | HostCall::TimeDate
                | HostCall::TimeClock
        )
    }
}

/// One observation, as the journal keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    pub call: HostCall,
    pub answer: Answer,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    Word(u64),
    Text(String),
    /// There was none, and the segment faulted.
    Fault(FaultKind),
}

/// Where observations come from.
pub enum Observe<'a> {
    /// From the world as it is; each answer is added here for the journal.
    Live(&'a mut Vec<Observation>),
    /// From a journal, in order. An answer that is missing or of another call is fault `host`.
    Replayed(&'a mut std::collections::VecDeque<Observation>),
    /// Of private values, which are lost, what was seen of them then (by the call and its second argument); all else as
    /// the world is. What nobody saw is fault `private value lost`.
    Recalled(&'a mut dyn FnMut(HostCall, u64) -> Option<Answer>),
}

/// What stands behind the running segment.
pub struct Host<'a> {
    pub meta: &'a ProgramMeta,
    pub arena: &'a mut Arena,
    pub vault: &'a mut Vault,
    pub observe: Observe<'a>,
    pub now: Time,
}

/// One for decimals (10⁻⁶).
pub const DECIMAL_ONE: i64 = 1_000_000;

impl Host<'_> {
    /// One host call. `arguments` and `results` are at least as long as `call.arity()` says; missing words
    /// count as zero.
    pub fn call(&mut self, call: HostCall, arguments: &[u64], results: &mut [u64]) -> Result<(), FaultKind> {
        let word = |index: usize| arguments.get(index).copied().unwrap_or(0);
        let first = if call.observes() {
            match self.observation(call, [word(0), word(1), word(2)])? {
                Answer::Word(word) => word,
                Answer::Text(text) => self.arena.make(self.meta, &text)?.word(),
                Answer::Fault(kind) => return Err(kind),
            }
        } else {
            match call {
                HostCall::TextJoin => {
                    let joined = [self.text(word(0)), self.text(word(1))].concat();
                    self.arena.make(self.meta, &joined)?.word()
                }
                HostCall::TextEqual => u64::from(word(0) == word(1) || self.text(word(0)) == self.text(word(1))),
                HostCall::TextLength => self.text(word(0)).chars().count() as u64,
                HostCall::TextLast => {
                    let last = last_characters(self.text(word(0)), word(1)).to_owned();
                    self.arena.make(self.meta, &last)?.word()
                }
                HostCall::TextDigits => {
                    let digits: String = self.text(word(0)).chars().filter(char::is_ascii_digit).collect();
                    self.arena.make(self.meta, &digits)?.word()
                }
                HostCall::TextCardValid => u64::from(is_valid_card(self.text(word(0)))),
                HostCall::PluralClass => plural::class(self.text(word(1)), word(0) as i64) as u64,
                HostCall::DecimalMultiply => multiply_decimal(word(0) as i64, word(1) as i64)? as u64,
                HostCall::DecimalDivide => divide_decimal(word(0) as i64, word(1) as i64)? as u64,
                HostCall::IntToDecimal => (word(0) as i64).checked_mul(DECIMAL_ONE).ok_or(FaultKind::Overflow)? as u64,
                HostCall::MoneyMultiply => {
                    if let Some(currency) = results.get_mut(1) {
                        *currency = word(1);
                    }
                    multiply_decimal(word(0) as i64, word(2) as i64)? as u64
                }
                HostCall::PhoneToText => self.arena.make(self.meta, &format!("+{}", word(0)))?.word(),
                HostCall::IntToText => self.arena.make(self.meta, &(word(0) as i64).to_string())?.word(),
                HostCall::VaultKeep => self.vault.keep(self.text(word(0)).to_owned())?,
                HostCall::ListPutWord | HostCall::ListPutText | HostCall::ListPutList | HostCall::ListPutVault => {
                    self.arena.put((call.cell_class(), word(0)))?;
                    0
                }
                HostCall::ListMake => self.arena.close_list(word(0))?,
                HostCall::ListLength => {
                    let cells = self.arena.list(word(0)).len() as u64;
                    cells.checked_div(word(1)).ok_or(FaultKind::Host)?
                }
                HostCall::ListWord | HostCall::ListText | HostCall::ListList | HostCall::ListVault => {
                    let cell = usize::try_from(word(1)).ok().and_then(|at| self.arena.list(word(0)).get(at).copied());
                    match cell {
                        Some((class, word)) if class == call.cell_class() => word,
                        Some(_) => return Err(FaultKind::Host),
                        None => return Err(FaultKind::Index),
                    }
                }
                HostCall::ValueToText => {
                    let text = written::text(self.meta, word(0), word(1), word(2))?;
                    self.arena.make(self.meta, &text)?.word()
                }
                HostCall::CalledZone => {
                    self.arena.make(self.meta, self.meta.called_zone(Called::from_word(word(0))))?.word()
                }
                HostCall::CalledExtension => {
                    let keys = Called::from_word(word(0)).extension().ok_or(FaultKind::Host)?;
                    self.arena.make(self.meta, &keys)?.word()
                }
                HostCall::HoursOpen
                | HostCall::VaultLast
                | HostCall::VaultLength
                | HostCall::VaultCardValid
                | HostCall::VaultEqual
                | HostCall::VaultSame
                | HostCall::DateAt
                | HostCall::TimeDate
                | HostCall::TimeClock => return Err(FaultKind::Host),
            }
        };
        if let Some(result) = results.get_mut(0) {
            *result = first;
        }
        Ok(())
    }

    /// The text behind a handle.
    pub fn text(&self, word: u64) -> &str {
        self.arena.text(self.meta, Handle::from_word(word))
    }

    fn observation(&mut self, call: HostCall, words: [u64; 3]) -> Result<Answer, FaultKind> {
        if let Observe::Replayed(answers) = &mut self.observe {
            let next = answers.pop_front().ok_or(FaultKind::Host)?;
            return if next.call == call { Ok(next.answer) } else { Err(FaultKind::Host) };
        }
        if let Observe::Recalled(recall) = &mut self.observe
            && call.sees_private()
        {
            if let Some(answer) = recall(call, words[1]) {
                return Ok(answer);
            }
            let is_blank = |word| self.vault.value(word).is_none_or(str::is_empty);
            if is_blank(words[0]) || (call == HostCall::VaultSame && is_blank(words[1])) {
                return Err(FaultKind::PrivateLost);
            }
        }
        let answer = self.look(call, words).unwrap_or_else(Answer::Fault);
        if let Observe::Live(kept) = &mut self.observe {
            kept.push(Observation { call, answer: answer.clone() });
        }
        Ok(answer)
    }

    /// The answer that the world gives now.
    fn look(&self, call: HostCall, [first, second, third]: [u64; 3]) -> Result<Answer, FaultKind> {
        let private = || self.vault.value(first).ok_or(FaultKind::PrivateLost);
        Ok(match call {
            HostCall::HoursOpen => {
                let table = self.meta.hours.get(first as usize).ok_or(FaultKind::Host)?;
                Answer::Word(u64::from(calendar::is_open(table, self.now)))
            }
            HostCall::VaultLast => Answer::Text(last_characters(private()?, second).to_owned()),
            HostCall::VaultLength => Answer::Word(private()?.chars().count() as u64),
            HostCall::VaultCardValid => Answer::Word(u64::from(is_valid_card(private()?))),
            HostCall::VaultSame => {
                let other = self.vault.value(second).ok_or(FaultKind::PrivateLost)?;
                Answer::Word(u64::from(private()? == other))
            }
            HostCall::VaultEqual => {
                let other = self.arena.text(self.meta, Handle::from_word(second));
                Answer::Word(u64::from(private()? == other))
            }
            HostCall::DateAt => {
                let days = i32::try_from(first as i64).map_err(|_| FaultKind::Overflow)?;
                let instant = calendar::instant(days, second as i64, self.text(third));
                Answer::Word(instant.ok_or(FaultKind::Overflow)?.0 as u64)
            }
            HostCall::TimeDate => local(calendar::local_date(Time(first as i64), self.text(second)))?,
            HostCall::TimeClock => local(calendar::local_clock(Time(first as i64), self.text(second)))?,
            _ => return Err(FaultKind::Host),
        })
    }
}

fn local(moment: Option<i64>) -> Result<Answer, FaultKind> {
    moment.map(|moment| Answer::Word(moment as u64)).ok_or(FaultKind::Overflow)
}

fn last_characters(text: &str, n: u64) -> &str {
    let keep = usize::try_from(n).unwrap_or(usize::MAX);
    let from = text.char_indices().rev().take(keep).last().map_or(text.len(), |(at, _)| at);
    text.get(from..).unwrap_or_default()
}

/// `a × b`, half-even.
pub fn multiply_decimal(a: i64, b: i64) -> Result<i64, FaultKind> {
    round_half_even(i128::from(a) * i128::from(b), i128::from(DECIMAL_ONE))
}

/// `a / b`, half-even.
pub fn divide_decimal(a: i64, b: i64) -> Result<i64, FaultKind> {
    match i128::from(b) {
        0 => Err(FaultKind::Divide),
        b => round_half_even(i128::from(a) * i128::from(DECIMAL_ONE), b),
    }
}

/// `numerator / divisor`, rounded half to even. `divisor` is not zero.
fn round_half_even(numerator: i128, divisor: i128) -> Result<i64, FaultKind> {
    let (quotient, remainder) = (numerator / divisor, numerator % divisor);
    let twice = remainder.unsigned_abs() * 2;
    let away = match twice.cmp(&divisor.unsigned_abs()) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => quotient % 2 != 0,
    };
    let sign = if (numerator < 0) == (divisor < 0) { 1 } else { -1 };
    i64::try_from(quotient + i128::from(away) * sign).map_err(|_| FaultKind::Overflow)
}

/// Luhn's rule (ISO/IEC 7812-1 annex B) on 12 to 19 digits.
pub fn is_valid_card(digits: &str) -> bool {
    if !(12..=19).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(at, byte)| {
            let digit = u32::from(byte - b'0');
            match (at % 2, digit) {
                (0, d) => d,
                (_, d) if d > 4 => 2 * d - 9,
                (_, d) => 2 * d,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_round_half_to_even() {
        assert_eq!(round_half_even(5, 2), Ok(2));
        assert_eq!(round_half_even(7, 2), Ok(4));
        assert_eq!(round_half_even(-5, 2), Ok(-2));
        assert_eq!(round_half_even(-7, 2), Ok(-4));
        assert_eq!(round_half_even(i128::from(i64::MAX) * 3, 2), Err(FaultKind::Overflow));
    }

    #[test]
    fn cards_follow_luhn() {
        assert!(is_valid_card("4111111111111111"));
        assert!(!is_valid_card("4111111111111112"));
        assert!(!is_valid_card("0"));
    }

    #[test]
    fn the_last_characters_of_a_text() {
        assert_eq!(last_characters("订单123", 4), "单123");
        assert_eq!(last_characters("12", 4), "12");
        assert_eq!(last_characters("12", 0), "");
    }

    #[test]
    fn every_host_call_is_found_by_its_number() {
        for call in HostCall::ALL {
            assert_eq!(HostCall::from_number(call as u32), Some(call));
        }
    }
}
