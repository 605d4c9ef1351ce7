//! Private values of one call: outside frames and arena, never serialised, wiped when dropped. Nothing here
//! knows what they mean; they come out for a service parameter declared `private`, and by the observations.

use zeroize::Zeroizing;

use crate::host::FaultKind;
use crate::limits::VAULT_VALUES_MAX;

#[derive(Clone, Default)]
pub struct Vault {
    /// `None`: lost with the process that held it.
    values: Vec<Option<Zeroizing<String>>>,
}

impl Vault {
    /// Keeps a value; the word that goes into the slot counts from 1, so that a zeroed slot names nothing.
    pub fn keep(&mut self, value: String) -> Result<u64, FaultKind> {
        if self.values.len() >= VAULT_VALUES_MAX {
            return Err(FaultKind::Vault);
        }
        self.values.push(Some(Zeroizing::new(value)));
        Ok(self.values.len() as u64)
    }

    /// The value behind a slot's word; `None` when it was lost with the process that held it.
    pub fn value(&self, word: u64) -> Option<&str> {
        let index = usize::try_from(word.checked_sub(1)?).ok()?;
        self.values.get(index)?.as_ref().map(|value| value.as_str())
    }

    /// Wipes all values; the words that name them stay taken. For a call that is rebuilt from its journal.
    pub fn lose(&mut self) {
        self.values.fill(None);
    }

    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vault({})", self.values.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vault_ends_at_its_bound_and_prints_nothing() {
        let mut vault = Vault::default();
        for n in 0..VAULT_VALUES_MAX {
            assert_eq!(vault.keep(format!("secret{n}")), Ok(n as u64 + 1));
        }
        assert_eq!(vault.keep("one more".into()), Err(FaultKind::Vault));
        assert_eq!(vault.value(1), Some("secret0"));
        assert_eq!(vault.value(0), None);
        assert_eq!(format!("{vault:?}"), "Vault(16)");
        vault.lose();
        assert_eq!(vault.value(1), None);
    }
}
