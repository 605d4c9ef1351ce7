//! Ten thousand people, two cadences and a year, by chance: the checker watches every attempt.

use runtime_contract::Time;
use runtime_contract::cadence::{AttemptEnd, Cadence, Cap, Per};
use runtime_contract::calendar::DAY_MS;

use super::bench::{Bench, HOUR, YORK, at, facts, follow_up, law, number, rolling, stop};
use crate::{Facts, Input, ItemId, Limits, Outcome, Output};

/// A generator that gives the same numbers on every machine (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

const AREAS: [&str; 8] = ["+1 212", "+1 208", "+1 415", "+1 808", "+1 800", "+44 20", "+61 412", "+86 138"];

/// Every third number belongs to two items.
fn person(random: &mut Random, item: u64) -> Facts {
    let area = AREAS[random.below(8) as usize];
    let zone = (area == "+1 800" || random.below(4) == 0).then_some([YORK, "Europe/London"][random.below(2) as usize]);
    let mut facts = facts(&format!("{area} {:07}", 2_000_000 + item * 2 / 3), zone.filter(|_| random.below(8) > 0));
    facts.begin = None;
    if random.below(10) == 0 {
        facts.permission.until = Some(Time(facts.permission.from.0 + random.below(30_000) as i64 * DAY_MS));
    }
    facts
}

fn cadences() -> Vec<Cadence> {
    let mut reg_f = law((8, 21), vec![rolling(7, 7 * 24)]);
    reg_f.quiet_after_conversation_ms = Some(7 * 24 * HOUR);
    let florida = law((8, 20), vec![rolling(3, 24)]);
    let mut debt = law((8, 22), vec![]);
    debt.conversation_caps = vec![Cap { count: 3, per: Per::Day }];
    let anywhere = Cadence {
        name: "m.anywhere".into(),
        laws: vec![reg_f, florida],
        zone: None,
        caps: vec![rolling(4, 48)],
        ..follow_up()
    };
    vec![follow_up(), anywhere, Cadence { name: "m.debt".into(), laws: vec![debt], zone: None, ..follow_up() }]
}

fn answer(random: &mut Random, now: Time) -> (Outcome, Option<AttemptEnd>) {
    let outcomes = [Outcome::Person, Outcome::Machine, Outcome::Busy, Outcome::Unanswered];
    let end = match random.below(40) {
        0 => Some(stop(random.below(5) as u32)),
        1 => None,
        2 => Some(AttemptEnd::RetryAt { time: Time(now.0 + random.below(2_000) as i64 * HOUR as i64 - DAY_MS) }),
        _ => Some(AttemptEnd::Retry { ladder: random.below(2) as u32 }),
    };
    let outcome = if random.below(20) == 0 { Outcome::Declined } else { outcomes[random.below(4) as usize] };
    (outcome, end)
}

fn year(seed: u64, people: u64) -> (usize, usize) {
    let mut random = Random(seed);
    let begin = at(YORK, (2026, 1, 1), 0, 0);
    let mut bench = Bench::new(begin, Limits { items_max: 20_000, calling_max: 150 }, cadences());
    let mut calls: std::collections::BTreeSet<(Time, ItemId)> = std::collections::BTreeSet::new();
    let (mut started, mut attempts, mut stopped) = (0, 0, 0);
    let end = Time(begin.0 + 365 * DAY_MS);
    while bench.now < end {
        let outputs = match calls.first().copied() {
            _ if started < people && (random.below(3) == 0 || bench.outbound.next_deadline().is_none()) => {
                started += 1;
                bench.now = Time(bench.now.0 + random.below(60_000) as i64);
                let name = ["outbound.follow_up", "m.anywhere", "m.debt"][random.below(3) as usize];
                let facts = person(&mut random, started);
                bench.start(started, name, facts)
            }
            _ if random.below(2_000) == 0 => {
                let someone = format!("{} {:07}", AREAS[random.below(8) as usize], 2_000_000 + random.below(people));
                bench.give(Input::OptOut { number: number(&someone) })
            }
            Some((at, item)) if bench.outbound.next_deadline().is_none_or(|due| at <= due) => {
                calls.pop_first();
                bench.now = bench.now.max(at);
                match random.below(50) {
                    0 => bench.give(Input::Refused { item }),
                    _ => {
                        let (outcome, end) = answer(&mut random, bench.now);
                        bench.give(Input::Attempted { item, outcome, end })
                    }
                }
            }
            _ if bench.outbound.next_deadline().is_some() => bench.wait(),
            _ => break,
        };
        for output in outputs {
            match output {
                Output::Attempt { item, .. } => {
                    attempts += 1;
                    calls.insert((Time(bench.now.0 + 1_000 + random.below(300_000) as i64), item));
                }
                Output::Stopped { .. } => stopped += 1,
                _ => {}
            }
        }
    }
    (attempts, stopped)
}

#[test]
fn a_year_of_ten_thousand_people_keeps_what_must_hold() {
    let (attempts, stopped) = year(37, 10_000);
    assert!(attempts > 30_000 && stopped > 9_000, "{attempts} attempts, {stopped} over");
}

#[test]
fn small_lists_with_many_seeds_keep_it_too() {
    for seed in 0..40 {
        let run = std::panic::catch_unwind(|| year(seed, 60));
        assert!(run.is_ok(), "this was seed {seed}; replay it with `year({seed}, 60)`");
    }
}
