//! What is committed outlives crashes and disks that fail or fill up, and commits wait in order.

use std::collections::BTreeMap;

use runtime_contract::Time;
use runtime_store::{Event, Options};

use super::{committed, crash, end, failing, grow, open};

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
