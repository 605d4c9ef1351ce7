//! Telephone keys and their RTP events (RFC 4733 §2). It knows neither sockets nor who presses why.

use std::fmt;

/// One of the sixteen keys `0`–`9`, `*`, `#`, `A`–`D`. Its `Debug` form hides it: keys may be card numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(u8);

impl Key {
    /// Event codes 0–15 of RFC 4733 §3.2; others (flash, tones) are no keys.
    pub fn from_event(code: u8) -> Option<Key> {
        (code < 16).then_some(Key(code))
    }

    /// `0`–`9`, `*`, `#`, `A`–`D` or `a`–`d`.
    pub fn from_char(key: char) -> Option<Key> {
        let code = match key {
            '0'..='9' => key as u8 - b'0',
            '*' => 10,
            '#' => 11,
            'A'..='D' => key as u8 - b'A' + 12,
            'a'..='d' => key as u8 - b'a' + 12,
            _ => return None,
        };
        Some(Key(code))
    }

    /// Event code of RFC 4733 §3.2, 0–15.
    pub fn event(self) -> u8 {
        self.0
    }

    /// The key as printed on the phone.
    pub fn to_char(self) -> char {
        match self.0 {
            0..=9 => char::from(b'0' + self.0),
            10 => '*',
            11 => '#',
            letter => char::from(b'A' + (letter - 12)),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(•)")
    }
}
