//! Keys that nobody asked for yet, and keys that a request has taken. Both may be a card number, so both are
//! wiped when dropped and show nothing.

use std::fmt;

use runtime_contract::limits::KEYS_AHEAD_MAX;
use zeroize::Zeroizing;

/// Whether a telephone has this key (RFC 4733 §3.2).
pub(crate) fn is_key(key: char) -> bool {
    matches!(key, '0'..='9' | '*' | '#' | 'A'..='D')
}

/// Type-ahead.
#[derive(Clone, Default)]
pub(crate) struct HeldKeys {
    /// Allocated once at its bound, so that no copy is left behind by growing.
    keys: Zeroizing<Vec<u8>>,
    /// Of these, how many were there when the last dialogue ended.
    stale: usize,
}

impl HeldKeys {
    /// Keeps a key; one above `KEYS_AHEAD_MAX` is dropped.
    pub fn push(&mut self, key: char) {
        if self.keys.len() >= KEYS_AHEAD_MAX {
            return;
        }
        if self.keys.capacity() == 0 {
            self.keys.reserve_exact(KEYS_AHEAD_MAX);
        }
        self.keys.push(key as u8);
    }

    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub fn first(&self) -> Option<char> {
        self.keys.first().map(|key| char::from(*key))
    }

    /// The oldest key.
    pub fn take(&mut self) -> Option<char> {
        let key = self.first()?;
        self.keys.remove(0);
        self.stale = self.stale.saturating_sub(1);
        Some(key)
    }

    pub fn clear(&mut self) {
        *self = HeldKeys::default();
    }

    /// A dialogue ended: what is held now was typed before its outcome.
    pub fn dialogue_ended(&mut self) {
        self.stale = self.keys.len();
    }

    /// The same dialogue begins again: what was typed before its last outcome does not answer this try.
    pub fn drop_stale(&mut self) {
        for _ in 0..self.stale {
            self.take();
        }
        if self.keys.is_empty() {
            self.clear();
        }
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.keys
    }

    pub fn capacity_bytes(&self) -> usize {
        self.keys.capacity()
    }
}

/// Keys that the outstanding dialogue has taken.
#[derive(Clone, Default)]
pub(crate) struct TakenKeys {
    keys: Zeroizing<String>,
    /// Milliseconds from the request's begin, one for each key.
    offsets_ms: Vec<u32>,
}

impl TakenKeys {
    /// `keys_max`: how many this dialogue may take at most.
    pub fn push(&mut self, key: char, offset_ms: u32, keys_max: usize) {
        if self.keys.capacity() == 0 {
            self.keys.reserve_exact(keys_max);
        }
        if self.keys.len() < keys_max {
            self.keys.push(key);
            self.offsets_ms.push(offset_ms);
        }
    }

    pub fn as_str(&self) -> &str {
        &self.keys
    }

    pub fn offsets_ms(&self) -> &[u32] {
        &self.offsets_ms
    }

    pub fn capacity_bytes(&self) -> usize {
        self.keys.capacity() + 4 * self.offsets_ms.capacity()
    }
}

impl fmt::Debug for HeldKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HeldKeys({})", self.keys.len())
    }
}

impl fmt::Debug for TakenKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TakenKeys({})", self.keys.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_ahead_end_at_the_bound() {
        let mut held = HeldKeys::default();
        (0..KEYS_AHEAD_MAX + 1).for_each(|n| held.push(if n < KEYS_AHEAD_MAX { '1' } else { '2' }));
        let taken: Vec<_> = std::iter::from_fn(|| held.take()).collect();
        assert_eq!(taken, vec!['1'; KEYS_AHEAD_MAX]);
    }

    #[test]
    fn only_keys_from_before_the_outcome_are_stale() {
        let mut held = HeldKeys::default();
        "123".chars().for_each(|key| held.push(key));
        held.take();
        held.dialogue_ended();
        held.push('4');
        held.drop_stale();
        assert_eq!((held.take(), held.take()), (Some('4'), None));
    }

    #[test]
    fn keys_show_nothing() {
        let mut held = HeldKeys::default();
        held.push('7');
        assert_eq!(format!("{held:?}"), "HeldKeys(1)");
    }
}
