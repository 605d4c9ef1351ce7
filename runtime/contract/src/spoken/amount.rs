//! Amounts and shares in the places in which they are said.

use super::names::{self, Currency};
use crate::currency;
use crate::value::Money;

/// An amount rounded to the smaller unit of its currency, half away from zero.
#[derive(Clone, Copy, Debug)]
pub(super) struct Amount {
    pub negative: bool,
    /// In the smaller unit, without the sign.
    pub size: u64,
    pub currency: Currency,
}

impl Amount {
    pub fn new(money: Money) -> Amount {
        let currency = names::currency(currency::letters(money.currency).unwrap_or("?"));
        let step = 10u64.pow(4u32.saturating_sub(currency.minor_digits));
        let size = (money.amount.unsigned_abs() + step / 2) / step;
        Amount { negative: money.amount < 0 && size != 0, size, currency }
    }

    pub fn whole(&self) -> u64 {
        self.size / self.scale()
    }

    /// What is left of the smaller unit.
    pub fn minor(&self) -> u64 {
        self.size % self.scale()
    }

    fn scale(&self) -> u64 {
        10u64.pow(self.currency.minor_digits)
    }

    #[cfg(test)]
    pub fn of(amount: i64, letters: &str) -> Amount {
        Amount::new(Money { amount, currency: currency::number(letters).unwrap() })
    }
}

/// Hundredths of a percent: a share is said with two places at most, rounded half away from zero.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hundredths {
    pub negative: bool,
    pub size: u64,
}

impl Hundredths {
    /// Of a Percent, where 1 000 000 is 100 %.
    pub fn of_share(share: i64) -> Hundredths {
        let size = (share.unsigned_abs() + 50) / 100;
        Hundredths { negative: share < 0 && size != 0, size }
    }
}

/// The digits behind the point of a number with so many places, zeros at the end left out; `None` when none are left.
pub(super) fn fraction(scaled: u64, places: u32) -> Option<String> {
    let rest = scaled % 10u64.pow(places);
    let width = places as usize;
    (rest != 0).then(|| format!("{rest:0width$}").trim_end_matches('0').to_owned())
}
