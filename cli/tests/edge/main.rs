//! What stands around a server in a site, none of it ours: a proxy at the edge, phones on desks.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop at the first surprise"
)]

mod bridges;
mod desk_phones;
#[path = "../harness/mod.rs"]
mod harness;
mod kamailio;
mod partition;
mod scanners;

use std::path::Path;
use std::time::Duration;

use runtime_contract::leg::GoneCause;
use runtime_server::{PhoneCall, PhoneEvent};
use runtime_store::{Options, Store};

/// Far longer than anything takes.
const LONG: Duration = Duration::from_secs(60);

fn gone(call: &PhoneCall) -> GoneCause {
    std::iter::from_fn(|| call.next_event(LONG))
        .find_map(|event| if let PhoneEvent::Gone(cause) = event { Some(cause) } else { None })
        .expect("the call ends")
}

/// How the calls of a server that has stopped ended, sorted.
fn ends(data: &Path) -> Vec<String> {
    let store = Store::open(data, Options::default(), |_| ()).unwrap();
    let mut ends: Vec<String> = store.calls(100).unwrap().into_iter().map(|call| call.record.end).collect();
    ends.sort();
    ends
}
