//! The store from the outside: what is committed is there after a crash, once, whole, and in order.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop at the first surprise"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};

use runtime_contract::record::{CallId, CallRecord, Quality};
use runtime_contract::request::CasePriority;
use runtime_contract::write::{Answer, Case, Message};
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
fn a_disk_that_fails_loses_nothing_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (store, events, blocker) = failing(folder.path());
    assert!(store.waiting_ms() > 0);
    blocker.execute_batch("ROLLBACK").unwrap();
    assert_eq!(events.recv().unwrap(), Event::Recovered);
    assert_eq!(events.recv().unwrap(), Event::Committed(1));
    assert_eq!(store.open_calls().unwrap()[0].journal, b"a");
}

#[test]
fn a_disk_that_stays_full_does_not_hold_up_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let (store, events, _blocker) = failing(folder.path());
    drop(store);
    let last = events.iter().last().unwrap();
    assert!(matches!(&last, Event::Failed { why } if why.starts_with("1 writes are given up")), "{last:?}");
}

#[test]
fn what_may_wait_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    // Long enough that nothing is committed before it is looked at.
    let options = Options { pending_bytes_max: 200, commit_ms: 2_000, ..Options::default() };
    let (store, events) = open(folder.path(), options);
    store.submit(1, vec![grow(1, b"")]).unwrap();
    let refused = vec![grow(1, &[0; 137])];
    assert_eq!(store.submit(2, refused.clone()), Err(refused), "all that was refused comes back");
    committed(&events, 1);
    while store.waiting_ms() > 0 {
        std::thread::yield_now();
    }
    store.submit(2, vec![grow(1, &[0; 1_000])]).expect("alone it is taken, however large");
    committed(&events, 2);
}

#[test]
fn a_recording_has_its_row() {
    let folder = tempfile::tempdir().unwrap();
    let (store, events) = open(folder.path(), Options::default());
    let recording = |recording, partial| Write::Recording {
        call: id(1),
        recording,
        length_ms: 900,
        created: Time(5),
        partial,
        conversation: !partial,
    };
    store.submit(1, vec![recording(7, false), recording(8, true)]).unwrap();
    committed(&events, 1);
    let connection = rusqlite::Connection::open(folder.path().join("strowger.db")).unwrap();
    let row = |id: i64| {
        let row = "SELECT call, file, ms, created_ms, partial, conversation FROM recordings WHERE id = ?1";
        connection.query_row(row, [id], |row| row.try_into()).unwrap()
    };
    let expected = |file: u64, partial: bool| (vec![1; 16], recording_file(file), 900, 5, partial, !partial);
    assert_eq!((row(7), row(8)), (expected(7, false), expected(8, true)));
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

#[test]
fn the_key_of_the_person_index_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path(), Options::default()));
    let mode = std::fs::metadata(folder.path().join("person.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// A small generator, so that a seed names a run (Numerical Recipes' constants).
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// Random calls, commits, checkpoints and crashes against a plain map: after each crash the store says
/// exactly what had been committed. Replay one seed with `STORE_SEED=n cargo test -p runtime-store crashes`.
#[test]
fn crashes_lose_and_repeat_nothing_that_was_committed() {
    let seeds: Vec<u64> = match std::env::var("STORE_SEED") {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) => (0..12).collect(),
    };
    for seed in seeds {
        run_of_crashes(seed);
    }
}

fn run_of_crashes(seed: u64) {
    let mut random = Random(seed);
    let options = |random: &mut Random| Options {
        checkpoint_ms: if random.below(2) == 0 { 0 } else { 60_000 },
        commit_ms: 0,
        ..Options::default()
    };
    let mut folder = tempfile::tempdir().unwrap();
    let (mut store, mut events) = open(folder.path(), options(&mut random));
    let mut open_model: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
    let mut ended_model: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
    let mut next = 0;
    for commit in 1..60 {
        let mut writes = Vec::new();
        for _ in 0..=random.below(4) {
            let bytes = vec![random.below(256) as u8; random.below(4) as usize];
            let chosen = open_model.keys().nth(random.below(8) as usize).copied();
            match (random.below(4), chosen) {
                (0, Some(call)) => {
                    writes.push(end(call, &bytes));
                    let mut journal = open_model.remove(&call).unwrap();
                    journal.extend(bytes);
                    ended_model.insert(call, journal);
                }
                (1 | 2, Some(call)) => {
                    open_model.get_mut(&call).unwrap().extend(&bytes);
                    writes.push(grow(call, &bytes));
                }
                _ => {
                    writes.push(grow(next, &bytes));
                    open_model.insert(next, bytes);
                    next += 1;
                }
            }
        }
        store.submit(commit, writes).unwrap();
        if random.below(3) == 0 {
            committed(&events, commit);
            let copy = crash(folder.path());
            (store, events) = open(copy.path(), options(&mut random));
            folder = copy;
            let open: BTreeMap<_, _> =
                store.open_calls().unwrap().into_iter().map(|c| (c.call.0[0], c.journal)).collect();
            let ended: BTreeMap<_, _> =
                store.calls(1000).unwrap().into_iter().map(|c| (c.record.call.0[0], c.journal)).collect();
            assert_eq!((&open, &ended), (&open_model, &ended_model), "seed {seed}, commit {commit}");
        }
    }
}

fn call_from(n: u8, caller: &str, journal: &[u8], note: &str) -> Write {
    let Write::End { mut record, .. } = end(n, b"") else { unreachable!() };
    record.caller = Some(Redacted::new(caller.into()));
    record.leg_call_id = format!("{n}-{caller}@test");
    record.notes = vec![("who".into(), Redacted::new(note.into()))];
    Write::End { record, journal: journal.to_vec() }
}

/// All files of a data folder in which these bytes stand.
fn files_with(folder: &Path, bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, bytes));
        } else if std::fs::read(&path).unwrap().windows(bytes.len()).any(|window| window == bytes) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn an_erased_person_leaves_no_byte_and_every_row() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("recordings")).unwrap();
    std::fs::write(folder.path().join("recordings/7.wav"), "voice").unwrap();
    std::fs::write(folder.path().join("recordings/8.wav"), "voice").unwrap();
    let (store, events) = open(folder.path(), Options { checkpoint_ms: 1, commit_ms: 0, ..Options::default() });
    let (person, other) = ("+8613912345678", "+8613800000000");
    let recording = |call, recording| Write::Recording {
        call: id(call),
        recording,
        length_ms: 900,
        created: Time(5),
        partial: false,
        conversation: true,
    };
    // Journals that were parts before, so that freed pages hold the number too.
    let long = [person.as_bytes(), &[7; 9_000]].concat();
    store.submit(1, vec![grow(1, &long), grow(2, b"x"), grow(3, person.as_bytes())]).unwrap();
    committed(&events, 1);
    store.submit(2, vec![recording(1, 7), recording(2, 8), call_from(1, person, b"end", "Li")]).unwrap();
    committed(&events, 2);
    let messages = vec![
        message(1, other, "Li called."),
        message(2, person, "We tried to reach you."),
        message(4, other, "Call +86 139 1234-5678 back."),
        message(5, other, "Call 8613800000000 back."),
    ];
    let calls = vec![call_from(2, other, b"8613912345678 rang", "8613912345678"), grow(4, b"y")];
    store.submit(3, calls.into_iter().chain(messages).collect()).unwrap();
    committed(&events, 3);
    let blank = |journal: &[u8]| Some(vec![b'.'; journal.len()]);
    let first = store.erase(person, Time(9), &blank).unwrap();
    assert_eq!(first, runtime_store::Erased { calls: 1, mentions: 1, recordings: 1, going_on: 1 });
    let texts: Vec<String> = store.messages(9).unwrap().into_iter().map(|kept| kept.text.into_inner()).collect();
    assert_eq!(texts, ["Call 8613800000000 back.", "", "", ""], "to the person, of the person, by the person");
    let erased = store.call(id(1)).unwrap().unwrap();
    assert_eq!((erased.record.caller, erased.record.started, erased.erased), (None, Time(1), Some(Time(9))));
    assert_eq!((erased.journal.len(), erased.record.notes[0].1.reveal().as_str()), (long.len() + 3, ""));
    let kept = store.call(id(2)).unwrap().unwrap().record;
    assert_eq!((kept.caller.unwrap().reveal().as_str(), kept.notes[0].1.reveal().as_str()), (other, ""));
    assert!(!folder.path().join("recordings/7.wav").exists() && folder.path().join("recordings/8.wav").exists());

    // The call that was going on ends; then nothing is left, and a third time finds nothing.
    store.submit(4, vec![call_from(3, person, b"", "Li")]).unwrap();
    committed(&events, 4);
    let second = store.erase(person, Time(10), &blank).unwrap();
    assert_eq!((second.calls, second.mentions, second.going_on), (1, 0, 0));
    assert_eq!(store.erase(person, Time(11), &blank).unwrap(), runtime_store::Erased::default());
    assert_eq!(files_with(folder.path(), b"13912345678"), Vec::<String>::new());
    assert!(!files_with(folder.path(), b"13800000000").is_empty(), "others are kept");
    drop(store);
    assert_eq!(files_with(folder.path(), b"13912345678"), Vec::<String>::new());
}

fn message(call: u8, to: &str, text: &str) -> Write {
    Write::Message(Box::new(Message {
        key: format!("{call}-{text}"),
        call: Some(id(call)),
        cadence: Some("m.remind".into()),
        channel: "sms",
        to: Redacted::new(to.into()),
        text: Redacted::new(text.into()),
        language: "en".into(),
        created: Time(call.into()),
    }))
}

fn case(call: u8, priority: CasePriority) -> Write {
    let (key, kind, opened) = (format!("{call}-7"), "complaint".into(), Time(call.into()));
    Write::Case(Box::new(Case { key, call: Some(id(call)), kind, priority, opened }))
}

#[test]
fn messages_and_cases_are_kept_once_and_for_their_time() {
    let folder = tempfile::tempdir().unwrap();
    let (store, events) = open(folder.path(), Options::default());
    let all = || [1, 2, 3].into_iter().flat_map(|n| [message(n, "+4420", "Hello."), case(n, CasePriority::Urgent)]);
    store.submit(1, all().collect()).unwrap();
    store.submit(2, all().chain([case(4, CasePriority::Low)]).collect()).unwrap();
    committed(&events, 2);
    let messages = store.messages(9).unwrap();
    assert_eq!(messages.len(), 3);
    let newest = &messages[0];
    assert_eq!((newest.call, newest.channel.as_str(), newest.created), (Some(id(3)), "sms", Time(3)));
    assert_eq!((newest.cadence.as_deref(), newest.language.as_str()), (Some("m.remind"), "en"));
    assert_eq!((newest.to.reveal().as_str(), newest.text.reveal().as_str()), ("+4420", "Hello."));
    let cases: Vec<_> = store.cases(2).unwrap().into_iter().map(|case| (case.call, case.kind, case.priority)).collect();
    let complaint = |call, priority: &str| (Some(id(call)), "complaint".to_owned(), priority.to_owned());
    assert_eq!(cases, [complaint(4, "low"), complaint(3, "urgent")]);
    let bites: Vec<usize> = (0..3).map(|_| store.forget_messages(Time(4), 2).unwrap()).collect();
    assert_eq!(bites, [2, 1, 0]);
    assert_eq!((store.messages(9).unwrap().len(), store.cases(9).unwrap().len()), (0, 1));
}

fn answer(call: u8, question: &str, value: &str) -> Write {
    Write::Answer(Box::new(Answer {
        key: format!("{call}-{question}"),
        call: id(call),
        survey: "m.csat".into(),
        question: question.into(),
        queue: "m.support".into(),
        value: Redacted::new(value.into()),
        personal: question == "words",
        recording: (question == "reason").then_some(7),
        given: Time(call.into()),
    }))
}

#[test]
fn answers_are_kept_once_counted_and_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let (store, events) = open(folder.path(), Options::default());
    let all = || {
        let scores = [(1, "5"), (2, "5"), (3, "2")].map(|(call, score)| answer(call, "score", score));
        scores.into_iter().chain([answer(3, "reason", "recording 7"), answer(3, "words", "Call +4420794609 99.")])
    };
    store.submit(1, all().collect()).unwrap();
    store.submit(2, all().collect()).unwrap();
    committed(&events, 2);
    let newest = store.answers(2).unwrap();
    let shown = |answer: &runtime_store::StoredAnswer| (answer.question.clone(), answer.value.reveal().clone());
    assert_eq!(
        newest.iter().map(shown).collect::<Vec<_>>(),
        [("words".to_owned(), "Call +4420794609 99.".to_owned()), ("reason".to_owned(), "recording 7".to_owned()),]
    );
    assert_eq!((newest[1].recording, newest[1].call, newest[1].given), (Some(7), id(3), Time(3)));
    let counts = store.answer_counts().unwrap();
    let counts: Vec<_> = counts.iter().map(|own| (own.question.as_str(), own.value.as_deref(), own.count)).collect();
    assert_eq!(counts, [("reason", None, 1), ("score", Some("2"), 1), ("score", Some("5"), 2), ("words", None, 1)]);
    let blank = |journal: &[u8]| Some(journal.to_vec());
    store.erase("+442079460999", Time(9), &blank).unwrap();
    assert_eq!(store.answers(1).unwrap()[0].value.reveal(), "", "it speaks of the number");
    assert_eq!(store.forget_messages(Time(3), 9).unwrap(), 2);
    assert_eq!(store.answers(9).unwrap().len(), 3);
}

/// As a journal holds texts: each behind its length.
fn texts(all: &[&str]) -> Vec<u8> {
    all.iter().flat_map(|text| [&[text.len() as u8], text.as_bytes()].concat()).collect()
}

#[test]
fn a_number_that_begins_with_anothers_is_not_erased_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let (store, events) = open(folder.path(), Options { checkpoint_ms: 1, ..Options::default() });
    let (pilot, extension) = ("+4971168500", "+4971168500123");
    // Its length is the digit 2.
    let call_id = "a84b4c76e66710@pc33.atlanta.example.com;branch=z9hG";
    assert_eq!(call_id.len(), usize::from(b'2') + 1);
    let of_pilot = texts(&[pilot, &call_id[1..], "sip:004971168500@pbx"]);
    let of_extension = texts(&[&call_id[1..], extension, &call_id[1..]]);
    let of_nobody = texts(&["0014971168500", "14971168500", &format!("tel:{extension}")]);
    store
        .submit(1, vec![call_from(1, pilot, &of_pilot, ""), call_from(2, extension, &of_extension, extension)])
        .unwrap();
    store.submit(2, vec![call_from(3, "sip:004971168500@pbx", b"", ""), call_from(4, "x", &of_nobody, "")]).unwrap();
    store.submit(3, vec![grow(5, &of_extension), grow(6, &of_pilot), call_from(7, "y", &of_pilot, "")]).unwrap();
    committed(&events, 3);
    let blank = |journal: &[u8]| Some(vec![b'.'; journal.len()]);
    let erased = store.erase(pilot, Time(9), &blank).unwrap();
    assert_eq!(erased, runtime_store::Erased { calls: 2, mentions: 1, recordings: 0, going_on: 1 });
    let kept = store.call(id(2)).unwrap().unwrap();
    assert_eq!((kept.journal, kept.erased), (of_extension, None));
    assert_eq!(
        (kept.record.caller.unwrap().reveal(), kept.record.notes[0].1.reveal()),
        (&extension.to_owned(), &extension.to_owned())
    );
    assert_eq!(store.call(id(4)).unwrap().unwrap().journal, of_nobody);
    assert!(store.call(id(7)).unwrap().unwrap().erased.is_some());
}

#[test]
fn a_number_of_zeros_is_nobody_elses() {
    let folder = tempfile::tempdir().unwrap();
    let (store, events) = open(folder.path(), Options::default());
    let (other, journal) = ("+4971168500", texts(&["+4971168500", "0000"]));
    store.submit(0, vec![call_from(3, "alice", b"", ""), call_from(4, "+", b"", "")]).unwrap();
    store.submit(1, vec![call_from(1, "000000", b"", ""), call_from(2, other, &journal, "alice@example.com")]).unwrap();
    committed(&events, 1);
    for zeros in ["0", "00", "0000000000"] {
        assert_eq!(store.erase(zeros, Time(9), &|_| None).unwrap(), runtime_store::Erased::default());
    }
    for person in ["000000", "alice"] {
        assert_eq!(store.erase(person, Time(9), &|_| None).unwrap().calls, 1);
    }
    let kept = store.call(id(2)).unwrap().unwrap();
    assert_eq!((kept.journal, kept.record.caller.unwrap().reveal().as_str()), (journal, other));
}

#[test]
fn a_recording_whose_file_was_late_is_in_its_calls_record_once() {
    let folder = tempfile::tempdir().unwrap();
    let (store, events) = open(folder.path(), Options::default());
    let row = |recording| Write::Recording {
        call: id(1),
        recording,
        length_ms: 1,
        created: Time(1),
        partial: true,
        conversation: true,
    };
    store.submit(1, vec![row(7), end(1, b"")]).unwrap();
    store.submit(2, vec![row(8), row(9)]).unwrap();
    store.submit(3, vec![row(8)]).unwrap();
    committed(&events, 3);
    let recordings = store.call(id(1)).unwrap().unwrap().record.recordings;
    assert_eq!(recordings.iter().filter(|recording| **recording > 7).collect::<Vec<_>>(), [&8, &9]);
}

/// Notes and services still name it, and must not come to another's voice.
#[test]
fn the_number_of_a_recording_that_is_gone_is_not_given_again() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("recordings")).unwrap();
    let row = |call, recording| Write::Recording {
        call: id(call),
        recording,
        length_ms: 1,
        created: Time(1),
        partial: false,
        conversation: false,
    };
    let (store, events) = open(folder.path(), Options::default());
    assert_eq!(store.recording_mark().unwrap(), 0);
    store.submit(1, vec![row(1, 57), row(2, 300)]).unwrap();
    committed(&events, 1);
    assert_eq!(store.recording_mark().unwrap(), 300);
    assert_eq!(store.forget_recordings(Time(2), 10).unwrap(), 2);
    drop(store);
    let (store, _events) = open(folder.path(), Options::default());
    assert_eq!(store.recording_mark().unwrap(), 300);
    store.raise_recording_mark(200).unwrap();
    assert_eq!(store.recording_mark().unwrap(), 300);
    store.raise_recording_mark(400).unwrap();
    assert_eq!(store.recording_mark().unwrap(), 400);
}

/// The end of a call that was recovered is read before it is written, and so waits for nobody unless it began as a write.
#[test]
fn a_commit_waits_for_whoever_writes_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let (store, events) = open(folder.path(), Options { checkpoint_ms: 0, ..Options::default() });
    store.submit(1, vec![grow(1, b"a")]).unwrap();
    committed(&events, 1);
    let blocker = rusqlite::Connection::open(folder.path().join("strowger.db")).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    store.submit(2, vec![end(1, b"b")]).unwrap();
    // It has been waiting longer than it gathers.
    while store.waiting_ms() < 50 {
        std::thread::yield_now();
    }
    blocker.execute_batch("COMMIT").unwrap();
    let said: Vec<Event> = events.iter().take_while(|event| *event != Event::Committed(2)).collect();
    assert!(!said.iter().any(|event| matches!(event, Event::Failed { .. })), "{said:?}");
}

/// A minute of a busy server is hundreds of megabytes of them: dropped at once, they held up every call for seconds.
#[test]
fn intervals_go_when_nothing_else_is_written_and_calls_stay_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (store, events) = open(folder.path(), Options { checkpoint_ms: 100, commit_ms: 0, ..Options::default() });
    for commit in 1..=40 {
        store.submit(commit, vec![grow((commit % 8) as u8, b"xyz")]).unwrap();
        committed(&events, commit);
    }
    let beside = rusqlite::Connection::open(folder.path().join("strowger.db")).unwrap();
    let left = || beside.query_row("SELECT count(*) FROM intervals", [], |row| row.get::<_, i64>(0)).unwrap();
    while left() > 0 {
        std::thread::yield_now();
    }
    let calls = store.open_calls().unwrap();
    assert_eq!(calls.len(), 8);
    assert!(calls.iter().all(|call| call.journal == b"xyz".repeat(5)), "{calls:?}");
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

#[test]
fn a_full_database_takes_no_more_and_goes_on_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { pages_max: Some(60), retry_ms: 1, ..Options::default() };
    let (store, events) = open(folder.path(), options);
    for n in 0..4 {
        store.submit(n.into(), vec![end(n, &[n; 30_000])]).unwrap();
    }
    committed(&events, 3);
    store.submit(4, vec![end(4, &[4; 150_000])]).unwrap();
    let failed = loop {
        if let Event::Failed { why } = events.recv().unwrap() {
            break why;
        }
    };
    assert!(failed.contains("full"), "{failed}");
    assert!(store.waiting_ms() > 0 && store.waiting_bytes() >= 150_000);
    assert_eq!(store.forget_calls(Time(9), 100).unwrap(), 4);
    committed(&events, 4);
    assert_eq!(store.calls(10).unwrap().len(), 1);
}
