//! Whom a call is for, in one word: a telephone number, or an extension of this exchange. It knows neither who answers
//! nor whether anybody does.

use crate::value::Phone;

/// Keys of the longest extension.
pub const EXTENSION_KEYS_MAX: usize = 15;
/// The highest four bits of an extension's word. E.164 numbers are below 10¹⁵, so no number has them.
const EXTENSION: u64 = 0x8;
const NIBBLE_BITS: usize = 4;
/// What an extension consists of; a key's place here is its nibble.
const KEYS: &str = "0123456789*";
/// Behind the last key.
const NO_KEY: u64 = 0xf;

/// What the caller dialled. Its word is the number itself, or [`EXTENSION`] and a nibble for each key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Called(u64);

impl Called {
    pub fn from_number(number: Phone) -> Called {
        Called(number.word())
    }

    /// `None` for more than [`EXTENSION_KEYS_MAX`] keys, none at all, or what is no key.
    pub fn from_extension(keys: &str) -> Option<Called> {
        let length = keys.chars().count();
        if !(1..=EXTENSION_KEYS_MAX).contains(&length) {
            return None;
        }
        let nibbles = keys.chars().map(|key| KEYS.find(key).map(|nibble| nibble as u64));
        let fill = std::iter::repeat_n(Some(NO_KEY), EXTENSION_KEYS_MAX - length);
        let word = nibbles.chain(fill).try_fold(EXTENSION, |word, nibble| Some(word << NIBBLE_BITS | nibble?));
        word.map(Called)
    }

    pub fn from_word(word: u64) -> Called {
        Called(word)
    }

    pub fn word(self) -> u64 {
        self.0
    }

    /// The number; `None` of an extension.
    pub fn number(self) -> Option<Phone> {
        (!self.is_extension()).then_some(Phone::from_word(self.0))
    }

    /// The keys; `None` of a number.
    pub fn extension(self) -> Option<String> {
        let nibbles = (0..EXTENSION_KEYS_MAX).rev().map(|place| (self.0 >> (place * NIBBLE_BITS)) & NO_KEY);
        let keys = nibbles.map_while(|nibble| KEYS.chars().nth(nibble as usize));
        self.is_extension().then(|| keys.collect())
    }

    fn is_extension(self) -> bool {
        self.0 >> (EXTENSION_KEYS_MAX * NIBBLE_BITS) == EXTENSION
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extension_keeps_its_keys_and_is_no_number() {
        for keys in ["1", "0", "0100", "*98", "123456789012345"] {
            let called = Called::from_extension(keys).unwrap();
            assert_eq!((called.extension().as_deref(), called.number()), (Some(keys), None));
            assert_eq!(Called::from_word(called.word()), called);
        }
        for wrong in ["", "12a", "#21", "1234567890123456", "+86"] {
            assert_eq!(Called::from_extension(wrong), None, "{wrong}");
        }
        let number = Phone::parse("+999999999999999", true).unwrap();
        let called = Called::from_number(number);
        assert_eq!((called.number(), called.extension()), (Some(number), None));
    }
}
