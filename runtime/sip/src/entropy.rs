//! Tags, branches, Call-IDs and table keys from one seed (RFC 3261 §19.3). It reads no random source: the seed
//! comes from outside, and nobody who does not know it can foresee a token or force two keys together.

use std::hash::{BuildHasherDefault, DefaultHasher, Hasher};

/// Table key: a keyed digest of what names a transaction or dialog.
pub type Digest = u128;

/// Table by [`Digest`], which is hashed already.
pub type DigestMap<V> = std::collections::HashMap<Digest, V, BuildHasherDefault<DigestHasher>>;

/// Takes a digest's low half as it is.
#[derive(Default)]
pub struct DigestHasher(u64);

impl Hasher for DigestHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        // Leg ids count up; the tables want their high bits to differ too.
        self.0 = value.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn write_u128(&mut self, value: u128) {
        self.0 = value as u64;
    }
}

/// Sixteen hexadecimal digits: 64 bits, more than the 32 that RFC 3261 §19.3 asks of a tag.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Token([u8; 16]);

impl Token {
    pub fn new(value: u64) -> Self {
        let mut digits = [0; 16];
        for (at, digit) in digits.iter_mut().enumerate() {
            let nibble = (value >> (60 - 4 * at) & 0xF) as u8;
            *digit = if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
        }
        Self(digits)
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

pub struct Entropy {
    /// SipHash that has taken the seed.
    seeded: DefaultHasher,
    counter: u64,
}

impl Entropy {
    pub fn new(seed: [u8; 32]) -> Self {
        let mut seeded = DefaultHasher::new();
        seeded.write(&seed);
        Self { seeded, counter: 0 }
    }

    /// A token never given before.
    pub fn next_token(&mut self) -> Token {
        self.counter += 1;
        Token::new(self.half(b'n', &[&self.counter.to_be_bytes()]))
    }

    pub fn next_number(&mut self) -> u64 {
        self.counter += 1;
        self.half(b'v', &[&self.counter.to_be_bytes()])
    }

    /// The same parts give the same token: tags of answers that keep no state (RFC 3261 §8.2.7).
    pub fn token_of(&self, parts: &[&[u8]]) -> Token {
        Token::new(self.half(b't', parts))
    }

    pub fn digest(&self, parts: &[&[u8]]) -> Digest {
        let mut hasher = self.hash(b'd', parts);
        let low = hasher.finish();
        hasher.write_u8(1);
        u128::from(hasher.finish()) << 64 | u128::from(low)
    }

    fn half(&self, domain: u8, parts: &[&[u8]]) -> u64 {
        self.hash(domain, parts).finish()
    }

    fn hash(&self, domain: u8, parts: &[&[u8]]) -> DefaultHasher {
        let mut hasher = self.seeded.clone();
        hasher.write_u8(domain);
        for part in parts {
            hasher.write_usize(part.len());
            hasher.write(part);
        }
        hasher
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_repeat_by_seed() {
        let mut first = Entropy::new([1; 32]);
        let mut again = Entropy::new([1; 32]);
        let tokens: Vec<_> = (0..1_000).map(|_| first.next_token().0).collect();
        assert!(tokens.iter().all(|token| *token == again.next_token().0));
        let unique: std::collections::BTreeSet<_> = tokens.iter().collect();
        assert_eq!(unique.len(), tokens.len());
        assert_ne!(Entropy::new([2; 32]).digest(&[b"a"]), first.digest(&[b"a"]));
        assert_ne!(first.digest(&[b"ab", b"c"]), first.digest(&[b"a", b"bc"]));
    }
}
