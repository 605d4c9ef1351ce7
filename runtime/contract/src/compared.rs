//! With which constants a program compares what comes back to it: where its ways part. It does not know how that is found
//! out.

use std::collections::{BTreeMap, BTreeSet};

use crate::program::SiteId;

/// A slot of what a site brings back; behind that of a list, the cell in its rows.
pub type Address = (SiteId, Vec<u32>);

/// Constants are words of slots; those of texts are handles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    pub payloads: BTreeMap<Address, BTreeSet<u64>>,
    /// The same of the length of texts.
    pub lengths: BTreeMap<Address, BTreeSet<u64>>,
    /// Of `caller.number`; `None` where nobody reads it.
    pub caller: Option<BTreeSet<u64>>,
}
