//! Rows of recordings: each in the record of its call once, under a number never given again.

use runtime_contract::{Time, Write};
use runtime_store::{Options, recording_file};

use super::{committed, end, id, open};

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
