//! A softphone that is not ours dials the example, keys its way to the balance, and is hung up on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop at the first surprise"
)]

mod harness;

use std::sync::atomic::Ordering;
use std::time::Duration;

use harness::bank::Bank;
use harness::baresip::Baresip;
use harness::served::Served;
use runtime_store::{Options, Store};

/// Time between keys: a person's, and longer than baresip takes for one.
const KEY: Duration = Duration::from_millis(450);

#[test]
fn baresip_hears_its_balance() {
    let (data, folder, bank) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), Bank::start());
    let served =
        Served::start(&harness::project("examples/01-first-call"), data.path(), &["--service", &bank.option()]);
    let phone = Baresip::dial(folder.path(), &format!("sip:+864008100000@{}", served.sip));
    harness::until("the call is up", || served.metric("strowger_calls_live") == 1.0);
    std::thread::sleep(Duration::from_secs(1));
    for key in "214111111111111111#".chars() {
        phone.press(key);
        std::thread::sleep(KEY);
    }
    harness::until("the bank is asked", || bank.asked.load(Ordering::Relaxed) == 1);
    // Held until the menu asks again.
    phone.press('9');
    harness::until("the flow hangs up", || served.metric("strowger_calls_live") == 0.0);
    assert_eq!(served.stop(), 0);

    let store = Store::open(data.path(), Options::default(), |_| ()).unwrap();
    let calls = store.calls(10).unwrap();
    let record = &calls[0].record;
    assert_eq!((calls.len(), record.end.as_str()), (1, "hung up"), "{record:?}");
    let notes: Vec<_> = record.notes.iter().map(|(key, value)| (key.as_str(), value.reveal().as_str())).collect();
    assert_eq!(notes, [("asked", "balance"), ("outcome", "first call")]);
}
