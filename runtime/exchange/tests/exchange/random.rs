//! Random programs, many callers, a store that lags or stalls, crashes: every call ends once, nothing leaves too
//! soon, and no private key is found anywhere. A failing seed is printed; `SEED=n cargo test -p runtime-exchange
//! random` runs it alone.

use crate::plant::Plant;
use runtime_contract::Redacted;
use runtime_contract::leg::{GoneCause, LegEvent, LegId};
use runtime_contract::value::Value;
use runtime_exchange::{AgentState, Input, ServiceFailure};
use runtime_session::Session;
use runtime_session::testkit::{Chance, random_program};

const AGENTS: [&str; 2] = ["wang", "zhao"];

const CANARY: &str = "4929871234567814";

#[test]
fn random_days_keep_every_invariant() {
    let seeds = match option_env!("SEED").and_then(|seed| seed.parse::<u64>().ok()) {
        Some(seed) => seed..seed + 1,
        None => 0..100,
    };
    for seed in seeds {
        if let Err(cause) = std::panic::catch_unwind(|| one_day(seed)) {
            println!("failed at seed {seed}: SEED={seed} cargo test -p runtime-exchange random");
            std::panic::resume_unwind(cause);
        }
    }
}

fn one_day(seed: u64) {
    let mut chance = Chance::new(seed);
    let program = random_program(&mut chance);
    let mut plant = Plant::new(Some(&program), 8);
    plant.commits = chance.one_in(2);
    AGENTS.iter().for_each(|agent| plant.agent(agent, AgentState::Idle));
    for _ in 0..250 {
        event(&mut plant, &mut chance);
    }
    let crashed = chance.one_in(2);
    let mut plant = if crashed { plant.crash(&program) } else { plant };
    if crashed {
        AGENTS.iter().for_each(|agent| plant.agent(agent, AgentState::Idle));
    }
    for leg in plant.revived.clone() {
        match chance.below(4) {
            0 => plant.gone(leg, GoneCause::Failed),
            1 => {}
            _ => plant.answers(leg, false),
        }
    }
    for _ in 0..if crashed { 60 } else { 0 } {
        event(&mut plant, &mut chance);
    }
    plant.commits = true;
    plant.commit();
    let until = plant.now().tick;
    plant.give(Input::Drain { until });
    plant.pass(60_000);
    assert_eq!(plant.exchange.calls_live(), 0, "all calls end");
    assert!(plant.open.is_empty(), "no call stays open in the store");
    assert!(plant.said().contains(&"drained".to_owned()));
    assert_eq!(plant.exchange.next_deadline(), None, "no timer is left");
    assert!(plant.opened.is_empty(), "no port stays open: {:?}", plant.opened);
    for (call, journal) in &plant.journals {
        let rebuilt = Session::from_journal(program.clone(), journal).unwrap();
        assert!(rebuilt.end.is_some(), "{call:?}");
    }
    for secret in CANARY.as_bytes().windows(6) {
        assert!(!plant.stored.windows(6).any(|window| window == secret), "a private key in the store");
        assert!(!plant.left.contains(std::str::from_utf8(secret).unwrap()), "a private key in an output");
    }
    let ids: std::collections::BTreeSet<_> = plant.records.iter().map(|record| record.call).collect();
    assert_eq!(ids.len(), plant.records.len(), "one record for each call");
    assert!(plant.conversation.is_empty(), "no conversation is recorded any more");
    let of_records: Vec<u64> = plant.records.iter().flat_map(|record| record.recordings.clone()).collect();
    let lost = plant.conversations.iter().filter(|recording| !of_records.contains(recording));
    assert_eq!(lost.count(), 0, "each row of a conversation stands in its call's record");
}

fn event(plant: &mut Plant, chance: &mut Chance) {
    let legs: Vec<LegId> = plant.legs.iter().copied().collect();
    let leg = legs.get(chance.below(legs.len())).copied();
    match (chance.below(22), leg) {
        (0..=1, _) => {
            plant.call(["1001", "1001", "3000"][chance.below(3)]);
        }
        (2..=4, Some(leg)) => plant.heard(leg),
        (5..=6, Some(leg)) => plant.key(leg, ['1', '2', '9', '*', '#'][chance.below(5)]),
        (7, Some(leg)) => CANARY.chars().for_each(|key| plant.key(leg, key)),
        (8, Some(leg)) => plant.record_done(leg, chance.one_in(2)),
        (9, Some(leg)) if chance.one_in(3) => plant.bye(leg),
        (10..=11, _) => {
            if let Some(call) = plant.services.pop_front() {
                let result = match chance.below(3) {
                    0 => Err(ServiceFailure::Refused),
                    _ => Ok(Some(Value::Text("gold".into()))),
                };
                plant.give(Input::Service { call: call.call, request: call.request, result });
            }
        }
        (16..=18, _) => onward(plant, chance),
        (19, _) => {
            let state = [AgentState::Idle, AgentState::Idle, AgentState::Away, AgentState::Gone][chance.below(4)];
            plant.agent_state(AGENTS[chance.below(2)], state);
        }
        (20, _) => {
            let result = [None, Some(0), Some(1)][chance.below(3)];
            plant.give(Input::WrapUpDone { agent: AGENTS[chance.below(2)].into(), result });
        }
        (21, _) => plant.pass(5_000),
        (12, _) => plant.commit_some(chance.below(5) as u64),
        (13, _) => plant.pass(chance.below(4_000) as u64),
        (14, _) if chance.one_in(20) => plant.give(Input::StoreFailed),
        (15, _) if chance.one_in(5) => plant.commits = !plant.commits,
        _ => plant.pass(50),
    }
}

/// Whoever is called, or is to be given somebody, does something.
fn onward(plant: &mut Plant, chance: &mut Chance) {
    let given_away = plant.given_away.first().copied();
    match (given_away, plant.placed.last().copied()) {
        (Some(leg), _) if chance.one_in(2) => plant.gone(leg, GoneCause::Transferred),
        (Some(leg), _) => {
            plant.given_away.remove(&leg);
            plant.give(Input::Leg(LegEvent::TransferFailed { leg, status: 486 }));
        }
        (None, Some(leg)) => match chance.below(8) {
            0 => plant.give(Input::Leg(LegEvent::Ringing { leg })),
            1 => plant.answers(leg, true),
            2..=3 => {
                plant.dialog(leg);
                plant.answers(leg, false);
            }
            4 => plant.give(Input::Leg(LegEvent::Key { leg, key: Redacted::new('5') })),
            5 => plant.gone(leg, GoneCause::RemoteHungUp),
            6 => plant.gone(leg, GoneCause::Refused(486)),
            _ => plant.gone(leg, GoneCause::NoAnswer),
        },
        (None, None) => {}
    }
}
