//! Random programs and random callers: whatever happens, the checker is content, the call ends, and each prefix of
//! its journal replays. A failing seed is printed; `SEED=n cargo test -p runtime-session random` runs it alone.

use crate::Input;
use crate::testkit::{Chance, random_program};
use crate::{LineEvent, QueueEvent, RequestId, Session, StopReason};
use runtime_contract::value::Value;

use super::Bench;

const CANARY: &str = "4929871234567814";

fn seeds() -> Vec<u64> {
    match option_env!("SEED").and_then(|seed| seed.parse().ok()) {
        Some(seed) => vec![seed],
        None => (0..200).collect(),
    }
}

#[test]
fn random_calls_keep_every_invariant() {
    let mut ends = std::collections::BTreeSet::new();
    for seed in seeds() {
        let outcome = std::panic::catch_unwind(|| one_call(seed));
        match outcome {
            Ok(end) => ends.insert(end),
            Err(cause) => {
                println!("failed at seed {seed}: SEED={seed} cargo test -p runtime-session random");
                std::panic::resume_unwind(cause);
            }
        };
    }
    if option_env!("SEED").is_none() {
        assert!(ends.len() >= 5, "calls end in few ways: {ends:?}");
    }
}

/// Plays one call to its end; gives the word by which it ended.
fn one_call(seed: u64) -> String {
    let mut chance = Chance::new(seed);
    let program = random_program(&mut chance);
    let mut bench = Bench::new(program);
    bench.start();
    for _ in 0..300 {
        if bench.done {
            break;
        }
        event(&mut bench, &mut chance);
    }
    if !bench.done {
        bench.stop(StopReason::Drain);
        bench.pass(40_000);
    }
    assert!(bench.done, "the call ends");
    for secret in CANARY.as_bytes().windows(6) {
        assert!(!bench.journal.windows(6).any(|window| window == secret), "a private key in the journal");
        assert!(!bench.left.contains(std::str::from_utf8(secret).unwrap()), "a private key in an output");
    }
    let rebuilt = bench.replays();
    assert!(rebuilt.end.is_some());
    if !bench.records().contains(&crate::journal::Record::Full) {
        assert_eq!(rebuilt.session.requests(), bench.session.requests());
    }
    if bench.journal.len() < 2_000 {
        prefixes(&bench);
    }
    let said = bench.said.last().cloned().unwrap_or_default();
    said.split('(').next().unwrap_or_default().to_owned()
}

/// Any prefix of whole records leads to a state from which a stop ends the call.
fn prefixes(bench: &Bench) {
    let mut end = 0;
    let mut ends = Vec::new();
    let records = crate::journal::decode(&bench.journal).unwrap();
    for _ in &records {
        end = (end + 1..=bench.journal.len())
            .find(|end| crate::journal::decode(&bench.journal[..*end]).is_ok())
            .unwrap_or(bench.journal.len());
        ends.push(end);
    }
    for end in ends.into_iter().step_by(3) {
        let program = bench.session.program().clone();
        let mut rebuilt = Session::from_journal(program, &bench.journal[..end]).unwrap();
        if rebuilt.end.is_none() && rebuilt.session.requests() > 0 {
            let now = bench.now();
            let mut last = rebuilt.session.handle(now, Input::Stop(StopReason::Crash)).last();
            let mut later = now;
            for _ in 0..200 {
                if let Some(crate::Output::Done(_)) = last {
                    break;
                }
                let Some(at) = rebuilt.session.next_deadline() else { panic!("nothing to wait for") };
                later.tick = later.tick.max(at);
                last = rebuilt.session.handle(later, Input::Tick).last();
            }
            assert!(
                matches!(last, Some(crate::Output::Done(_))),
                "prefix of {end} bytes ends: {:?} {:?} {:?}",
                rebuilt.session,
                last,
                crate::journal::decode(&bench.journal[..end])
            );
        }
    }
}

fn event(bench: &mut Bench, chance: &mut Chance) {
    let request = RequestId(bench.session.requests());
    match chance.below(24) {
        0..=3 => bench.heard(),
        4..=5 => bench.key(['1', '2', '9', '*', '#'][chance.below(5)]),
        6 => bench.keys(CANARY),
        7 => bench.pass(chance.below(9_000) as u64),
        8 if chance.below(2) == 0 => bench.words([CANARY, "hello"][chance.below(2)]),
        8 => bench.pass(30),
        9..=10 => bench.reply(0, Some(Value::Text("gold".into()))),
        11 => bench.reply(1, None),
        12 => bench.give(Input::Reply { request: RequestId(request.0.saturating_sub(1)), outcome: 0, payload: None }),
        13..=15 => bench.give(Input::Line(LineEvent::Answered)),
        16 => bench.give(Input::Line(LineEvent::RecordDone {
            request,
            recording: 5,
            length_ms: 9,
            spoken: chance.below(2) == 0,
        })),
        17 if chance.below(6) == 0 => bench.gone(),
        17 if !bench.done && bench.session.line() == crate::Line::Up && chance.below(3) == 0 => bench.revive(),
        18 if chance.below(30) == 0 => bench.stop(StopReason::Drain),
        19 if chance.below(20) == 0 => {
            bench.give(Input::Fault { request, kind: runtime_contract::FaultKind::Store });
        }
        20 => bench.reply(0, Some(Value::Enum(chance.below(2) as u32, Vec::new()))),
        21 => bench.reply(chance.below(6) as u32, None),
        22 => bench.give(Input::Queue { request, event: QueueEvent::Comfort { ahead: 3, expected_wait_ms: 60_000 } }),
        23 if chance.one_in(3) => bench.give(Input::Queue { request, event: QueueEvent::Talking }),
        23 => bench.key('1'),
        _ => bench.give(Input::Line(LineEvent::PlayDone { token: bench.token.saturating_sub(1) })),
    }
}
