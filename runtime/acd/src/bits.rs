//! Sets of small numbers, one bit each.

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    pub fn has(&self, bit: u32) -> bool {
        self.0.get((bit / 64) as usize).is_some_and(|word| word >> (bit % 64) & 1 == 1)
    }

    pub fn put(&mut self, bit: u32, on: bool) {
        let at = (bit / 64) as usize;
        if on && at >= self.0.len() {
            self.0.resize(at + 1, 0);
        }
        if let Some(word) = self.0.get_mut(at) {
            *word = *word & !(1 << (bit % 64)) | u64::from(on) << (bit % 64);
        }
    }

    pub fn remove_all(&mut self, others: &Bits) {
        for (word, other) in self.0.iter_mut().zip(&others.0) {
            *word &= !other;
        }
    }

    pub fn add_all(&mut self, others: &Bits) {
        if self.0.len() < others.0.len() {
            self.0.resize(others.0.len(), 0);
        }
        for (word, other) in self.0.iter_mut().zip(&others.0) {
            *word |= other;
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Those that are in `other` too, and not in `but`; ascending.
    pub fn both<'a>(&'a self, other: &'a Bits, but: &'a Bits) -> impl Iterator<Item = u32> + 'a {
        let but = but.0.iter().copied().chain(std::iter::repeat(0));
        self.0.iter().zip(&other.0).zip(but).zip(0u32..).flat_map(|(((word, other), but), at)| {
            let mut left = word & other & !but;
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros())?;
                left &= left - 1;
                Some(at * 64 + bit)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_found_where_they_were_put() {
        let of = |bits: &[u32]| {
            let mut set = Bits::default();
            bits.iter().for_each(|bit| set.put(*bit, true));
            set
        };
        let mut all = of(&[0, 63, 64, 200]);
        assert!(all.has(63) && all.has(64) && !all.has(65) && !all.has(9_999));
        let some = of(&[63, 201]);
        assert_eq!(all.both(&some, &Bits::default()).collect::<Vec<_>>(), [63]);
        assert_eq!(some.both(&all, &of(&[201])).collect::<Vec<_>>(), [63]);
        assert!(some.both(&all, &of(&[63])).next().is_none());
        all.remove_all(&some);
        assert!(all.both(&some, &of(&[])).next().is_none() && !all.is_empty() && Bits::default().is_empty());
        let mut more = of(&[1]);
        more.add_all(&some);
        assert_eq!(more, of(&[1, 63, 201]));
        all.put(0, false);
        all.put(9_999, false);
        assert_eq!(all, of(&[64, 200]));
    }
}
