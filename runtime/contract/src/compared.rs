//! With which constants a program compares what comes back to it: where its ways part. It does not know how that is found
//! out.

use std::collections::{BTreeMap, BTreeSet};

use crate::program::SiteId;

/// Whence values come that the program has not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// What a site brings back.
    Site(SiteId),
    /// What a cadence begins with.
    Cadence(u32),
}

/// A slot of what comes from there; behind that of a list, the cell in its rows.
pub type Address = (Origin, Vec<u32>);

/// A whole number of which a type says the bounds: the one that lies there, be it optional, private or in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spot {
    /// What an operation of a service gives.
    Result {
        service: u32,
        operation: u32,
    },
    Field {
        record: u32,
        field: u32,
    },
    /// A field of what a variant carries.
    Carried {
        r#enum: u32,
        variant: u32,
        field: u32,
    },
    /// A parameter of a cadence.
    Parameter {
        cadence: u32,
        parameter: u32,
    },
}

/// Bounds, both included.
pub type Bounds = BTreeMap<Spot, (i64, i64)>;

/// Constants are words of slots; those of texts are handles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    pub payloads: BTreeMap<Address, BTreeSet<u64>>,
    /// The same of the length of texts.
    pub lengths: BTreeMap<Address, BTreeSet<u64>>,
    /// Of `caller.number`; `None` where nobody reads it.
    pub caller: Option<BTreeSet<u64>>,
    pub bounds: Bounds,
}
