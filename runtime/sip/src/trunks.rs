//! What is known of each trunk beside what the operator wrote: its registration, whether it answers, and the nonces that
//! it gave us. It sends nothing.

use std::collections::BTreeMap;

/// Of all trunks, by name.
#[derive(Default)]
pub struct Trunks {
    /// The nonce that a trunk gave last, and how often it was used.
    nonces: BTreeMap<String, (Vec<u8>, u32)>,
}

impl Trunks {
    /// `nc` of the next use of a nonce (RFC 7616 §3.4).
    pub fn count_nonce(&mut self, trunk: &str, nonce: &[u8]) -> u32 {
        let (known, count) = self.nonces.entry(trunk.to_owned()).or_default();
        if known != nonce {
            (*known, *count) = (nonce.to_vec(), 0);
        }
        *count = count.saturating_add(1);
        *count
    }
}
