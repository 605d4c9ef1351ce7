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

    /// Those that are in `other` too, or (with `is_in` off) that are not; ascending.
    pub fn filter<'a>(&'a self, other: &'a Bits, is_in: bool) -> impl Iterator<Item = u32> + 'a {
        let others = other.0.iter().copied().chain(std::iter::repeat(0));
        self.0.iter().zip(others).zip(0u32..).flat_map(move |((word, other), at)| {
            let mut left = word & if is_in { other } else { !other };
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
        assert_eq!(all.filter(&some, true).collect::<Vec<_>>(), [63]);
        assert_eq!(all.filter(&some, false).collect::<Vec<_>>(), [0, 64, 200]);
        all.remove_all(&some);
        all.put(0, false);
        all.put(9_999, false);
        assert_eq!(all, of(&[64, 200]));
    }
}
