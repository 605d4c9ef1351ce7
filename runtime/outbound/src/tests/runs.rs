//! What a cadence does, run by run.

use runtime_contract::Time;
use runtime_contract::cadence::{AttemptEnd, Cadence, Cap, Law, Per, WindowTimes};
use runtime_contract::calendar::{DAY_MS, local_text};

use super::bench::{
    BUSY, Bench, HOUR, MONDAY, UNANSWERED, YORK, at, facts, follow_up, law, number, rolling, stop, stops,
};
use crate::{Attempt, Facts, Input, ItemId, Limits, Made, Outcome, Output, Stop};

const ANN: &str = "+1 212 555 0101";

fn monday(hour: i64, minute: i64) -> Time {
    at(YORK, MONDAY, hour, minute)
}

fn bench(cadence: Cadence) -> Bench {
    Bench::new(monday(9, 59), Limits::default(), vec![cadence])
}

#[test]
fn a_busy_line_is_tried_again_after_fifteen_minutes_and_the_next_day_when_two_were_made() {
    let mut bench = bench(follow_up());
    bench.start(1, "outbound.follow_up", facts(ANN, Some(YORK)));
    let n = |outputs: &[Output]| match outputs {
        [Output::Attempt { n, evidence, .. }] => (*n, evidence.clone()),
        _ => panic!("{outputs:?}"),
    };
    assert_eq!(n(&bench.wait()), (1, "form 7".into()));
    bench.ends(1, Outcome::Busy, BUSY);
    assert_eq!(bench.planned(1), "2026-03-02 10:15:30", "from the end of the attempt");
    bench.wait();
    bench.ends(1, Outcome::Busy, BUSY);
    assert_eq!(bench.planned(1), "2026-03-03 09:00:00", "two were made that day");
    bench.wait();
    let outputs = bench.ends(1, Outcome::Unanswered, UNANSWERED);
    assert!(matches!(outputs[0], Output::After { n: 3, flow: 9, .. }), "{outputs:?}");
    assert_eq!(bench.planned(1), "2026-03-03 13:00:30", "the ladder begins");
    bench.wait();
    bench.ends(1, Outcome::Unanswered, UNANSWERED);
    assert_eq!(bench.planned(1), "2026-03-04 13:01:00", "a day later");
    bench.wait();
    let later = at(YORK, (2026, 3, 8), 10, 0);
    bench.ends(1, Outcome::Person, AttemptEnd::RetryAt { time: later });
    assert_eq!(bench.planned(1), "2026-03-09 09:00:00", "a Sunday is no day for calls");
    bench.wait();
    bench.ends(1, Outcome::Unanswered, UNANSWERED);
    assert_eq!(bench.planned(1), "2026-03-12 09:00:30", "three days, and so for ever");
    bench.wait();
    assert_eq!(stops(&bench.ends(1, Outcome::Person, stop(0))), [(1, Stop::Named(0))]);
    assert!(bench.outbound.is_empty() && bench.outbound.next_deadline().is_none());
    assert_eq!(Stop::Named(0).name(Some(&follow_up())), "won");
}

#[test]
fn the_last_attempt_exhausts_the_run() {
    let cadence = Cadence { attempts_max: 3, exhausted: Some(4), ..follow_up() };
    let mut run = bench(cadence.clone());
    run.start(1, "outbound.follow_up", facts(ANN, Some(YORK)));
    for _ in 0..2 {
        run.wait();
        run.ends(1, Outcome::Unanswered, UNANSWERED);
    }
    run.wait();
    let outputs = run.ends(1, Outcome::Unanswered, UNANSWERED);
    assert!(matches!(outputs[..], [Output::After { .. }, Output::Exhausted { flow: 4, .. }]), "{outputs:?}");
    assert_eq!(stops(&run.give(Input::Exhausted { item: ItemId(1), disposition: Some(1) })), [(1, Stop::Named(1))]);
    assert_eq!(run.give(Input::Exhausted { item: ItemId(1), disposition: Some(1) }), [], "once");
    let mut run = bench(Cadence { exhausted: None, attempts_max: 1, ..cadence });
    run.start(1, "outbound.follow_up", facts(ANN, Some(YORK)));
    run.wait();
    assert_eq!(stops(&run.ends(1, Outcome::Busy, BUSY)), [(1, Stop::Exhausted)]);
}

#[test]
fn three_in_a_day_hold_eight_attempts_back_across_cadences() {
    let florida = |name: &str| Cadence {
        name: name.into(),
        laws: vec![law((8, 20), vec![rolling(3, 24)])],
        caps: vec![],
        ..follow_up()
    };
    let mut bench = Bench::new(monday(9, 59), Limits::default(), vec![florida("m.a"), florida("m.b")]);
    bench.start(1, "m.a", facts(ANN, Some(YORK)));
    bench.start(2, "m.b", facts(ANN, Some(YORK)));
    let outputs = bench.wait();
    assert_eq!(outputs.len(), 1, "the person has one line: {outputs:?}");
    bench.ends(1, Outcome::Busy, BUSY);
    bench.wait();
    bench.ends(2, Outcome::Busy, BUSY);
    bench.wait();
    bench.ends(1, Outcome::Busy, BUSY);
    assert_eq!(bench.planned(1), "2026-03-03 10:00:00", "the first is a day away");
    bench.wait();
    assert_eq!(bench.planned(2), "Held", "its time came while the person was on the line");
    bench.ends(1, Outcome::Busy, BUSY);
    assert_eq!(bench.planned(2), "Calling");
    bench.ends(2, Outcome::Unanswered, UNANSWERED);
    assert_eq!(bench.planned(1), "2026-03-03 10:15:30", "when it was planned, the other had not called");
    bench.wait();
    assert_eq!(bench.planned(1), "2026-03-03 10:16:00", "asked again, it waits for the third of the day before");
    bench.wait();
    bench.ends(1, Outcome::Busy, BUSY);
    assert_eq!(bench.planned(1), "2026-03-04 10:00:00", "whichever cadence asked");
}

#[test]
fn numbers_of_several_zones_and_of_none() {
    let everywhere = Cadence { zone: None, ..follow_up() };
    let mut bench = Bench::new(
        monday(0, 0),
        Limits::default(),
        vec![everywhere, Cadence { name: "m.placed".into(), ..follow_up() }],
    );
    // Idaho: Boise and Los Angeles; nine in the later one is noon in New York.
    bench.start(1, "outbound.follow_up", facts("+1 208 299 0101", None));
    assert_eq!(bench.planned(1), "2026-03-02 12:00:00");
    bench.start(2, "outbound.follow_up", facts("+1 415 555 0101", None));
    assert_eq!(bench.planned(2), "2026-03-02 12:00:00");
    assert_eq!(stops(&bench.start(3, "outbound.follow_up", facts("+1 800 555 0100", None))), [(3, Stop::NoPlace)]);
    assert_eq!(stops(&bench.start(4, "outbound.follow_up", facts("+1 999 555 0100", None))), [(4, Stop::NoPlace)]);
    bench.start(5, "m.placed", facts("+1 800 555 0100", Some("America/Chicago")));
    assert_eq!(bench.planned(5), "2026-03-02 10:00:00", "the record says where");
    // The record says New York, and the number may lie in California: the law holds in both.
    bench.start(6, "m.placed", facts("+1 415 555 0101", Some(YORK)));
    assert_eq!(bench.planned(6), "2026-03-02 11:00:00");
    assert_eq!(stops(&bench.start(7, "m.placed", facts(ANN, Some("Mars/Olympus")))), [(7, Stop::NoPlace)]);
}

#[test]
fn a_day_of_the_law_is_one_of_the_person_and_the_cadences_own_one_of_the_window() {
    let mut house = law((8, 22), vec![Cap { count: 3, per: Per::Day }]);
    let shanghai = |house: Law| {
        let mut cadence = Cadence { laws: vec![house], caps: vec![Cap { count: 3, per: Per::Day }], ..follow_up() };
        cadence.window[0] = WindowTimes { days: [true; 7], from_minute: 8 * 60, until_minute: 22 * 60 };
        cadence
    };
    // Three in the morning, which is an evening in Shanghai; the next day of Shanghai begins at 19:00.
    let fourth = |cadence: Cadence, outcome: Outcome| {
        let mut bench = Bench::new(monday(8, 0), Limits::default(), vec![cadence]);
        let facts = Facts { begin: None, ..facts(ANN, Some("Asia/Shanghai")) };
        bench.start(1, "outbound.follow_up", facts);
        for _ in 0..3 {
            if bench.outbound.item(ItemId(1)).unwrap().state != crate::State::Calling {
                bench.wait();
            }
            bench.ends(1, outcome, BUSY);
        }
        bench.planned(1)
    };
    assert_eq!(fourth(shanghai(house.clone()), Outcome::Busy), "2026-03-03 08:00:00", "not at 19:00 of the same day");
    house.conversation_caps = std::mem::take(&mut house.caps);
    assert_eq!(fourth(shanghai(house.clone()), Outcome::Person), "2026-03-03 08:00:00");
    assert_eq!(fourth(shanghai(house), Outcome::Busy), "2026-03-02 19:00:00", "nobody took those");
}

#[test]
fn clock_changes_and_holidays_move_an_attempt() {
    let early = |zone: &str| {
        let mut cadence = Cadence { laws: vec![], caps: vec![], ..follow_up() };
        cadence.window[0].days = [true; 7];
        (cadence.window[0].from_minute, cadence.window[0].until_minute) = (135, 180);
        let eve = if zone == YORK { at(zone, (2026, 3, 8), 0, 0) } else { at(zone, (2026, 10, 4), 0, 0) };
        let mut bench = Bench::new(eve, Limits::default(), vec![cadence]);
        let phone = if zone == YORK { ANN } else { "+61 2 9876 5432" };
        let outputs = bench.start(1, "outbound.follow_up", facts(phone, Some(zone)));
        match outputs[..] {
            [Output::NextAt { at, .. }] => local_text(at, zone),
            _ => panic!("{outputs:?}"),
        }
    };
    assert_eq!(early(YORK), "2026-03-09 02:15:00", "02:15 to 03:00 is left out on 8 March");
    assert_eq!(early("Australia/Lord_Howe"), "2026-10-04 02:30:00", "02:00 to 02:30 is left out");
    let mut bench = Bench::new(at(YORK, (2026, 7, 2), 20, 0), Limits::default(), vec![follow_up()]);
    bench.start(1, "outbound.follow_up", facts(ANN, Some(YORK)));
    assert_eq!(bench.planned(1), "2026-07-06 09:00:00", "a holiday, a Saturday that is one, a Sunday");
}

#[test]
fn an_opt_out_absorbs_whatever_comes_later() {
    let mut bench = Bench::new(
        monday(9, 59),
        Limits::default(),
        vec![follow_up(), Cadence { name: "m.other".into(), ..follow_up() }],
    );
    bench.start(1, "outbound.follow_up", facts(ANN, Some(YORK)));
    bench.start(2, "m.other", facts(ANN, Some(YORK)));
    bench.start(3, "m.other", facts("+1 212 555 0102", Some(YORK)));
    bench.wait();
    let held = bench.give(Input::OptOut { number: number(ANN) });
    assert_eq!(stops(&held), [(2, Stop::OptedOut)], "what is on the line ends by itself");
    assert_eq!(stops(&bench.ends(1, Outcome::Person, stop(0))), [(1, Stop::OptedOut)]);
    assert_eq!(stops(&bench.start(4, "m.other", facts(ANN, Some(YORK)))), [(4, Stop::OptedOut)]);
    assert_eq!(bench.outbound.len(), 1, "nobody else is touched");
    // Said in the call itself, or written by hand, it is the same.
    assert_eq!(stops(&bench.ends(3, Outcome::Person, stop(4))), [(3, Stop::Named(4))]);
    let other = number("+1 212 555 0102");
    assert!(bench.outbound.history(other).unwrap().opted_out);
    assert_eq!(stops(&bench.start(5, "m.other", facts("+1 212 555 0102", Some(YORK)))), [(5, Stop::OptedOut)]);
}

#[test]
fn who_declines_is_called_by_no_cadence_again() {
    for (end, stopped) in [(stop(2), Stop::Named(2)), (stop(0), Stop::Named(0)), (BUSY, Stop::Declined)] {
        let mut bench = bench(follow_up());
        bench.start(1, "outbound.follow_up", facts(ANN, Some(YORK)));
        bench.start(2, "outbound.follow_up", facts(ANN, Some(YORK)));
        bench.wait();
        assert_eq!(stops(&bench.ends(1, Outcome::Declined, end)), [(1, stopped), (2, Stop::Declined)]);
        assert_eq!(stops(&bench.start(3, "outbound.follow_up", facts(ANN, Some(YORK)))), [(3, Stop::Declined)]);
    }
}

#[test]
fn a_permission_is_for_one_purpose_one_number_and_its_time() {
    let mut bench = bench(follow_up());
    let mut asked = facts(ANN, Some(YORK));
    asked.permission.purpose = "service".into();
    assert_eq!(stops(&bench.start(1, "outbound.follow_up", asked.clone())), [(1, Stop::NoConsent)]);
    asked.permission.purpose = "sales".into();
    asked.permission.number = Some(number("+1 212 555 0199"));
    assert_eq!(stops(&bench.start(2, "outbound.follow_up", asked.clone())), [(2, Stop::NoConsent)]);
    asked.permission.number = Some(number(ANN));
    asked.permission.from = monday(15, 0);
    asked.permission.until = Some(monday(19, 0));
    bench.start(3, "outbound.follow_up", asked.clone());
    assert_eq!(bench.planned(3), "2026-03-02 15:00:00");
    bench.wait();
    assert_eq!(stops(&bench.ends(3, Outcome::Unanswered, UNANSWERED)), [(3, Stop::NoConsent)], "over in four hours");
    assert_eq!(stops(&bench.start(4, "m.nothing", facts(ANN, Some(YORK)))), [(4, Stop::NoCadence)]);
}

#[test]
fn conversations_are_counted_and_followed_by_quiet() {
    let mut quiet = law((8, 21), vec![rolling(7, 7 * 24)]);
    quiet.quiet_after_conversation_ms = Some(7 * DAY_MS as u64);
    let mut run = bench(Cadence { laws: vec![quiet], ..follow_up() });
    run.start(1, "outbound.follow_up", facts(ANN, Some(YORK)));
    run.wait();
    run.ends(1, Outcome::Person, BUSY);
    assert_eq!(run.planned(1), "2026-03-09 11:00:30", "seven days, and an hour of summer time");
    let mut talks = law((8, 22), vec![]);
    talks.conversation_caps =
        vec![runtime_contract::cadence::Cap { count: 1, per: runtime_contract::cadence::Per::Day }];
    let mut run = bench(Cadence { laws: vec![talks], caps: vec![], ..follow_up() });
    run.start(1, "outbound.follow_up", facts(ANN, Some(YORK)));
    run.wait();
    run.ends(1, Outcome::Busy, BUSY);
    run.wait();
    run.ends(1, Outcome::Person, BUSY);
    assert_eq!(run.planned(1), "2026-03-03 09:00:00", "one that he took is enough for a day");
}

#[test]
fn what_was_interrupted_counts_and_waits_as_long_as_any_arm_would() {
    let mut before = bench(follow_up());
    before.start(1, "outbound.follow_up", facts(ANN, Some(YORK)));
    before.wait();
    let kept = before.outbound.item(ItemId(1)).unwrap().clone();
    let history = before.outbound.history(number(ANN)).unwrap().clone();
    assert_eq!(history.made, [Made { started: before.now, ended: None, is_conversation: false }]);
    let mut after = Outbound2::new(before.now, follow_up());
    after.outbound.handle(after.now, Input::Person { number: number(ANN), history });
    after.outbound.handle(after.now, Input::Restore { item: ItemId(1), kept: Box::new(kept) });
    let item = after.outbound.item(ItemId(1)).unwrap();
    let [Attempt { outcome: Some(Outcome::Interrupted), ended: Some(_), end: None, .. }] = item.attempts[..] else {
        panic!("{item:?}");
    };
    let planned = after.outbound.next_deadline().unwrap();
    assert_eq!(local_text(planned, YORK), "2026-03-02 14:05:00", "four hours after it was found out");
    // An attempt of which nobody tells the end is the same.
    let lost = before.outbound.next_deadline().unwrap();
    assert_eq!(lost.0 - before.now.0, 13 * HOUR as i64);
    before.wait();
    assert_eq!(before.planned(1), "2026-03-03 09:00:00");
    assert_eq!(before.give(Input::Attempted { item: ItemId(1), outcome: Outcome::Busy, end: Some(BUSY) }), [], "late");
}

/// A second process, five minutes later.
struct Outbound2 {
    outbound: crate::Outbound,
    now: Time,
}

impl Outbound2 {
    fn new(before: Time, cadence: Cadence) -> Outbound2 {
        let now = Time(before.0 + 300_000);
        let mut outbound = crate::Outbound::new(Limits::default());
        outbound.handle(now, Input::Cadences(vec![cadence]));
        Outbound2 { outbound, now }
    }
}

#[test]
fn a_new_version_goes_on_where_the_old_one_stood() {
    let mut bench = bench(follow_up());
    bench.start(1, "outbound.follow_up", facts(ANN, Some(YORK)));
    bench.wait();
    bench.ends(1, Outcome::Unanswered, UNANSWERED);
    assert_eq!(bench.planned(1), "2026-03-02 14:00:30");
    let slower = Cadence { retries: vec![vec![HOUR], vec![6 * HOUR]], ..follow_up() };
    bench.give(Input::Cadences(vec![slower]));
    assert_eq!(bench.planned(1), "2026-03-02 16:00:30");
    bench.give(Input::Cadences(vec![]));
    assert_eq!(bench.planned(1), "Orphaned");
    assert_eq!(bench.outbound.next_deadline(), None);
    bench.give(Input::Cadences(vec![Cadence { attempts_max: 1, ..follow_up() }]));
    assert!(bench.outbound.is_empty(), "it has had its only attempt");
}

#[test]
fn an_attempt_without_room_counts_for_nothing() {
    let mut run = bench(Cadence { attempts_max: 1, ..follow_up() });
    run.start(1, "outbound.follow_up", facts(ANN, Some(YORK)));
    run.start(2, "outbound.follow_up", facts(ANN, Some(YORK)));
    run.wait();
    assert_eq!((run.planned(1), run.planned(2)), ("Calling".into(), "Held".into()));
    run.give(Input::Refused { item: ItemId(1) });
    assert_eq!((run.planned(1), run.planned(2)), ("2026-03-02 10:00:01".into(), "Calling".into()), "the other goes on");
    assert_eq!(run.outbound.history(number(ANN)).unwrap().made.len(), 1);
    assert_eq!(run.give(Input::Refused { item: ItemId(1) }), [], "once");
    run.ends(2, Outcome::Person, stop(0));
    assert_eq!(run.planned(1), "Calling");
    assert_eq!(stops(&run.ends(1, Outcome::Busy, BUSY)), [(1, Stop::Exhausted)], "it was the first");
}

#[test]
fn lines_and_items_have_a_bound() {
    let mut bench = Bench::new(monday(10, 0), Limits { items_max: 3, calling_max: 2 }, vec![follow_up()]);
    for item in 1..=3 {
        bench.start(item, "outbound.follow_up", facts(&format!("+1 212 555 010{item}"), Some(YORK)));
    }
    assert_eq!(
        stops(&bench.start(4, "outbound.follow_up", facts("+1 212 555 0104", Some(YORK)))),
        [(4, Stop::TooMany)]
    );
    assert_eq!(bench.start(3, "outbound.follow_up", facts(ANN, None)), [], "it is there already");
    let calling = |bench: &Bench| {
        (1..=3)
            .filter(|item| bench.outbound.item(ItemId(*item)).is_some_and(|item| item.state == crate::State::Calling))
            .count()
    };
    assert_eq!(calling(&bench), 2);
    let lost = bench.outbound.next_deadline().unwrap();
    assert!(lost > Time(bench.now.0 + 12 * HOUR as i64), "what is due waits for a line");
    bench.ends(1, Outcome::Person, stop(0));
    assert_eq!(calling(&bench), 2, "and takes it");
}
