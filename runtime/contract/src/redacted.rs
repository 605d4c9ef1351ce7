//! Personal data on its way through the runtime: shown only where somebody asked for it by name.

use std::fmt;

/// A value that belongs to a person (number, name, digits, address). `Debug` and `Display` print a mark;
/// [`Redacted::reveal`] is the one way to the value, so that every place that shows it can be found.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Redacted<T>(T);

impl<T> Redacted<T> {
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. The caller answers for where it goes.
    pub fn reveal(&self) -> &T {
        &self.0
    }

    pub fn into_inner(self) -> T {
        self.0
    }
}

/// Of a number that is shown, so many of its last digits.
const ENDING_MAX: usize = 4;

impl Redacted<String> {
    /// As an operator reads a number: enough of its end to tell calls apart, never more than a third of it.
    pub fn ending(&self) -> String {
        let count = self.0.chars().count();
        let shown = ENDING_MAX.min(count / 3);
        format!("•••{}", self.0.chars().skip(count - shown).collect::<String>())
    }
}

impl<T> fmt::Debug for Redacted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("•••")
    }
}

impl<T> fmt::Display for Redacted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("•••")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_number_its_end_is_shown_and_of_a_short_one_less() {
        let ending = |number: &str| Redacted::new(number.to_owned()).ending();
        assert_eq!(ending("+8613800001234"), "•••1234");
        assert_eq!(ending("100200"), "•••00");
        assert_eq!(ending("107"), "•••7");
        assert_eq!(ending("李"), "•••");
        assert_eq!(ending(""), "•••");
    }
}
