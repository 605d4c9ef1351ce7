//! The store from the outside: what is committed is there after a crash, once, whole, and in order.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop at the first surprise"
)]
mod crashes;
mod erasing;
mod messages;
mod recordings;

use std::path::Path;
use std::sync::mpsc::{Receiver, channel};

use runtime_contract::record::{CallId, CallRecord, Quality};
use runtime_contract::{GraphId, Redacted, Time, Write};
use runtime_store::{Archive, CallFilter, Event, Options, Store, VersionChange, recording_file};

fn open(folder: &Path, options: Options) -> (Store, Receiver<Event>) {
    let (sender, events) = channel();
    (Store::open(folder, options, move |event| drop(sender.send(event))).unwrap(), events)
}

/// A store whose first commit fails for as long as the last one holds its lock.
fn failing(folder: &Path) -> (Store, Receiver<Event>, rusqlite::Connection) {
    let (store, events) = open(folder, Options { retry_ms: 1, ..Options::default() });
    let blocker = rusqlite::Connection::open(folder.join("strowger.db")).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    store.submit(1, vec![grow(1, b"a")]).unwrap();
    assert!(matches!(events.recv().unwrap(), Event::Failed { .. }));
    (store, events, blocker)
}

fn committed(events: &Receiver<Event>, commit: u64) {
    while !matches!(events.recv().unwrap(), Event::Committed(n) if n >= commit) {}
}

fn id(n: u8) -> CallId {
    CallId([n; 16])
}

fn grow(n: u8, journal: &[u8]) -> Write {
    Write::Journal { call: id(n), graph: GraphId([7; 32]), journal: journal.to_vec() }
}

fn end(n: u8, journal: &[u8]) -> Write {
    let record = CallRecord {
        call: id(n),
        leg_call_id: format!("{n}@test"),
        graph: GraphId([7; 32]),
        flow: "m.f".into(),
        caller: Some(Redacted::new("+8613800000000".into())),
        called: "+864008100000".into(),
        started: Time(1),
        answered: None,
        ended: Time(2),
        end: "returned".into(),
        last_step: "main".into(),
        notes: vec![("outcome".into(), Redacted::new("hotline".into()))],
        faults: 0,
        recordings: vec![u64::from(n)],
        quality: None,
    };
    Write::End { record: Box::new(record), journal: journal.to_vec() }
}

/// Copies the data folder as a crash would leave it.
fn crash(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    // The writer may be at a checkpoint; copying is not atomic, so it waits meanwhile.
    let pause = rusqlite::Connection::open(folder.join("strowger.db")).unwrap();
    pause.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    pause.execute_batch("BEGIN IMMEDIATE").unwrap();
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    pause.execute_batch("ROLLBACK").unwrap();
    copy
}

#[test]
fn where_phones_are_is_kept_until_they_are_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Store::open(folder.path(), Options::default(), |_| ()).unwrap();
    let phones = |bindings: [&str; 2]| {
        let phones = ["1001", "1002"].into_iter().map(str::to_owned);
        phones.zip(bindings.map(|text| text.as_bytes().to_vec())).collect()
    };
    let store = open();
    store.put_bindings(&phones(["here", "there"]), Time(5)).unwrap();
    store.put_bindings(&phones(["elsewhere", ""]), Time(7)).unwrap();
    drop(store);
    let kept = open().bindings().unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(
        (kept[0].phone.as_str(), kept[0].bindings.as_slice(), kept[0].written),
        ("1001", &b"elsewhere"[..], Time(7))
    );
}

#[test]
fn a_finished_call_is_one_row_with_its_whole_journal() {
    let folder = tempfile::tempdir().unwrap();
    let (store, events) = open(folder.path(), Options::default());
    store.submit(1, vec![grow(1, b"a"), grow(1, b"b")]).unwrap();
    committed(&events, 1);
    store.submit(2, vec![grow(1, b"c"), end(1, b"d")]).unwrap();
    committed(&events, 2);
    let stored = store.call(id(1)).unwrap().unwrap();
    assert_eq!(stored.journal, b"abcd");
    assert_eq!(stored.record.notes[0].1.reveal(), "hotline");
    assert_eq!(store.calls(10).unwrap(), vec![stored]);
    assert!(store.open_calls().unwrap().is_empty());
}

#[test]
fn how_a_call_went_over_follows_its_record() {
    let folder = tempfile::tempdir().unwrap();
    let (store, events) = open(folder.path(), Options::default());
    let quality = Quality { received: 500, lost: 2, round_trip_ms: Some(31), ..Quality::default() };
    store.submit(1, vec![grow(1, b"a"), end(1, b"b")]).unwrap();
    store.submit(2, vec![Write::Quality { call: id(1), quality }]).unwrap();
    committed(&events, 2);
    assert_eq!(store.call(id(1)).unwrap().unwrap().record.quality, Some(quality));
}

#[test]
fn graphs_are_kept_by_their_id() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _events) = open(folder.path(), Options::default());
    store.put_graph(GraphId([1; 32]), b"graph").unwrap();
    store.put_graph(GraphId([1; 32]), b"graph").unwrap();
    assert_eq!(store.graph(GraphId([1; 32])).unwrap().as_deref(), Some(&b"graph"[..]));
    assert_eq!(store.graph(GraphId([2; 32])).unwrap(), None);
}

#[test]
fn a_newer_database_is_refused_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path(), Options::default()));
    let connection = rusqlite::Connection::open(folder.path().join("strowger.db")).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    let error = Store::open(folder.path(), Options::default(), |_| ()).err().unwrap();
    assert!(error.to_string().contains("newer"), "{error}");
    assert!(error.help.contains("--data"));
}

fn call_from(n: u8, caller: &str, journal: &[u8], note: &str) -> Write {
    let Write::End { mut record, .. } = end(n, b"") else { unreachable!() };
    record.caller = Some(Redacted::new(caller.into()));
    record.leg_call_id = format!("{n}-{caller}@test");
    record.notes = vec![("who".into(), Redacted::new(note.into()))];
    Write::End { record, journal: journal.to_vec() }
}

#[test]
fn what_is_over_its_time_goes_in_small_bites() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("recordings")).unwrap();
    let (store, events) = open(folder.path(), Options::default());
    for n in 0..9 {
        std::fs::write(folder.path().join(recording_file(n.into())), "voice").unwrap();
        let Write::End { mut record, journal } = end(n, b"j") else { unreachable!() };
        // The first was written by a machine whose clock was wrong.
        record.ended = Time(if n == 0 { 1_000 } else { i64::from(n) });
        let created = Time(i64::from(n));
        let row = Write::Recording {
            call: id(n),
            recording: n.into(),
            length_ms: 1,
            created,
            partial: false,
            conversation: false,
        };
        store.submit(n.into(), vec![row, Write::End { record, journal }]).unwrap();
    }
    committed(&events, 8);
    let bites: Vec<usize> = (0..3).map(|_| store.forget_calls(Time(5), 3).unwrap()).collect();
    assert_eq!(bites, [3, 1, 0]);
    assert_eq!(
        store.calls(10).unwrap().iter().map(|call| call.record.ended.0).collect::<Vec<_>>(),
        [8, 7, 6, 5, 1_000]
    );
    let bites: Vec<usize> = (0..3).map(|_| store.forget_recordings(Time(6), 4).unwrap()).collect();
    assert_eq!(bites, [4, 2, 0]);
    assert_eq!(std::fs::read_dir(folder.path().join("recordings")).unwrap().count(), 3);
    store.put_graph(GraphId([7; 32]), b"in use").unwrap();
    store.put_graph(GraphId([8; 32]), b"of a version").unwrap();
    store.put_graph(GraphId([9; 32]), b"of nothing").unwrap();
    store.change_versions(VersionChange::Deploy(GraphId([8; 32])), Time(1), "anna").unwrap();
    assert_eq!((store.forget_graphs().unwrap(), store.graph(GraphId([9; 32])).unwrap()), (1, None));
    assert!(store.graph(GraphId([7; 32])).unwrap().is_some() && store.graph(GraphId([8; 32])).unwrap().is_some());
}

#[test]
fn a_rollback_goes_back_step_by_step_and_a_deploy_starts_from_there() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _events) = open(folder.path(), Options::default());
    let graph = |n: u8| GraphId([n; 32]);
    let change = |change| store.change_versions(change, Time(1), "anna").unwrap();
    let states = || -> String {
        let versions = store.versions().unwrap();
        let shown = versions.iter().map(|v| format!("{}{}", v.graph.0[0], &v.state.name()[..1]));
        shown.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(store.version_before().unwrap(), None);
    (1..=3).for_each(|n| change(VersionChange::Deploy(graph(n))));
    assert_eq!(states(), "3s 2r 1r");
    change(VersionChange::Canary { graph: graph(4), share: 500 });
    assert_eq!((states().as_str(), store.versions().unwrap()[0].share), ("4c 3s 2r 1r", 500));
    change(VersionChange::WithdrawCanary);
    assert_eq!(states(), "4w 3s 2r 1r");
    for before in [2, 1] {
        assert_eq!(store.version_before().unwrap(), Some(graph(before)));
        change(VersionChange::RollBack(graph(before)));
    }
    assert_eq!((states().as_str(), store.version_before().unwrap()), ("4w 3w 2w 1s", None));
    change(VersionChange::Deploy(graph(3)));
    assert_eq!((states().as_str(), store.version_before().unwrap()), ("3s 4w 2w 1r", Some(graph(1))));
    change(VersionChange::Canary { graph: graph(5), share: 500 });
    change(VersionChange::RollBack(graph(1)));
    assert_eq!(states(), "5w 3w 4w 2w 1s", "a canary does not outlive what it was tried against");
}

#[test]
fn calls_are_found_by_what_is_known_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let (store, events) = open(folder.path(), Options::default());
    store.submit(1, vec![call_from(1, "+8613912345678", b"", ""), call_from(2, "+8613800000000", b"", "")]).unwrap();
    committed(&events, 1);
    let archive = Archive::open(folder.path()).unwrap();
    let found = |filter: CallFilter| -> Vec<u8> {
        let all = CallFilter { limit: 10, ..filter };
        archive.records(&all).unwrap().iter().map(|record| record.call.0[0]).collect()
    };
    let caller = |text: &str| CallFilter { caller: Some(Redacted::new(text.into())), ..CallFilter::default() };
    assert_eq!(found(CallFilter::default()), [2, 1]);
    assert_eq!(
        (found(caller("+8613912345678")), found(caller("5678")), found(caller("+5678"))),
        (vec![1], vec![1], vec![])
    );
    let flow = |flow: &str| CallFilter { flow: Some(flow.into()), ..CallFilter::default() };
    assert_eq!((found(flow("m.f")), found(flow("f")), found(flow("m"))), (vec![2, 1], vec![2, 1], vec![]));
    assert_eq!(found(CallFilter { since: Some(Time(2)), ..CallFilter::default() }), Vec::<u8>::new());
    assert_eq!(found(CallFilter { end: Some("ret".into()), ..CallFilter::default() }), [2, 1]);
    assert_eq!(archive.call_ids("0101").unwrap(), [id(1)]);
    assert_eq!((archive.call_ids("02").unwrap(), archive.call_ids("00").unwrap()), (vec![id(2)], vec![]));
}
