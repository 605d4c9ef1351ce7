//! Erasing a person: no byte of him is left, every row is, and nobody else is touched.

use std::path::Path;

use runtime_contract::{Time, Write};
use runtime_store::Options;

use super::messages::message;
use super::{call_from, committed, grow, id, open};

#[test]
fn the_key_of_the_person_index_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path(), Options::default()));
    let mode = std::fs::metadata(folder.path().join("person.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
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
