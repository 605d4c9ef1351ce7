//! Figures of a day, out of what happened.

use runtime_contract::queue::{Formula, MEASURES, Target};
use runtime_contract::types::Type;
use runtime_contract::{Time, Value};

use crate::testkit::{Kit, Room, queue};
use crate::{Input, LeaveWhy, TicketId};

const SUPPORT: &str = "routing.support";
const HOUR_MS: u64 = 3_600_000;

/// One agent; the first caller is answered at once and talks for a minute, the second after a minute, the third leaves
/// after 4 s, the fourth after 30 s. Each is written up for 10 s.
fn morning() -> Room {
    let mut kit = Kit::new(1);
    let mut support = queue("support", 0);
    support.wrap_up_ms = 10_000;
    support.ring_ms = 200_000;
    support.target = Some(Target { share: 800_000, within_ms: 20_000, formula: Formula::AbandonsMissed });
    kit.queue(support);
    let mut room = Room::new(&kit);
    room.agent("wang", "");
    (1..=4).for_each(|ticket| room.enter(ticket, 0, &[]));
    room.answer(1, "wang", 1);
    for (ticket, ms) in [(3, 4_000), (4, 26_000)] {
        room.wait(ms);
        room.give(Input::Leave { ticket: TicketId(ticket), why: LeaveWhy::Abandoned });
    }
    room.wait(30_000);
    room.end(1);
    room.wait(10_000);
    room.answer(2, "wang", 1);
    room.wait(20_000);
    room.end(2);
    room.wait(10_000);
    room
}

#[test]
fn each_measure_has_a_value_of_its_type() {
    let mut room = morning();
    // Idle as long as he worked.
    room.wait(100_000);
    room.enter(5, 0, &[]);
    room.wait(3_000);
    let wanted = [
        ("offered", Value::Int(5)),
        ("answered", Value::Int(2)),
        ("abandoned", Value::Int(2)),
        ("short_abandoned", Value::Int(1)),
        ("overflowed", Value::Int(0)),
        ("called_back", Value::Int(0)),
        ("left", Value::Int(0)),
        ("waiting", Value::Int(1)),
        ("longest_wait", Value::Moment(3_000)),
        // 70 s between two answers, and one is before him.
        ("expected_wait", Value::Moment(140_000)),
        ("service_level", Value::Decimal(250_000)),
        ("abandonment_rate", Value::Decimal(250_000)),
        ("asa", Value::Moment(35_000)),
        ("aht", Value::Moment(50_000)),
        ("occupancy", Value::Decimal(500_000)),
        ("agents_logged_in", Value::Int(1)),
        ("agents_idle", Value::Int(0)),
    ];
    assert_eq!(wanted.len(), MEASURES.len());
    for ((name, r#type), (own, value)) in MEASURES.iter().zip(wanted) {
        assert_eq!((*name, room.acd.measure(room.now().time, SUPPORT, name, HOUR_MS)), (own, Some(value.clone())));
        let fits = match value {
            Value::Int(_) => Type::Int,
            Value::Moment(_) => Type::Duration,
            _ => Type::Percent,
        };
        assert_eq!(fits, *r#type, "{name}");
    }
    assert_eq!(room.acd.measure(room.now().time, SUPPORT, "happiness", HOUR_MS), None);
    assert_eq!(room.acd.measure(room.now().time, "routing.sales", "waiting", HOUR_MS), None);
}

#[test]
fn patience_is_that_of_those_who_could_not_stand_it() {
    let room = morning();
    // Waits 0 (answered), 4 s (left), 30 s (left), 70 s (answered).
    let still = |after_ms| room.acd.patience(room.now().time, SUPPORT, HOUR_MS, after_ms);
    assert_eq!([still(3_999), still(4_000), still(60_000)], [Some(1_000_000), Some(666_667), Some(333_333)]);
    assert_eq!(room.acd.patience(room.now().time, "routing.sales", HOUR_MS, 1), None);
}

#[test]
fn a_window_moves_on() {
    let mut room = morning();
    let level = |room: &Room| room.acd.measure(room.now().time, SUPPORT, "service_level", 900_000);
    assert_eq!(level(&room), Some(Value::Decimal(250_000)));
    room.wait(900_000);
    assert_eq!(level(&room), None, "nobody entered of late, so there is no share");
    assert_eq!(room.acd.measure(room.now().time, SUPPORT, "offered", 900_000), Some(Value::Int(0)));
    room.enter(9, 0, &[]);
    room.answer(9, "wang", 1);
    assert_eq!(level(&room), Some(Value::Decimal(1_000_000)));
}

#[test]
fn it_is_known_when_a_window_moves_on_and_what_changed() {
    let mut room = morning();
    let now = room.now().time;
    let leaves = room.acd.leaves_window(now, SUPPORT, HOUR_MS).unwrap();
    assert_eq!(leaves, Time(now.0 + HOUR_MS as i64 - 100_000 + 1), "the four entered 100 s ago");
    let offered = |room: &Room, at| room.acd.figures(at, SUPPORT, HOUR_MS).unwrap().offered;
    assert_eq!([offered(&room, Time(leaves.0 - 1)), offered(&room, leaves)], [4, 0]);
    assert_eq!(room.acd.leaves_window(leaves, SUPPORT, HOUR_MS), None);

    let changes = |room: &Room| [room.acd.changes(SUPPORT, false), room.acd.changes(SUPPORT, true)];
    let before = changes(&room);
    room.wait(60_000);
    assert_eq!(changes(&room), before, "only the clock went on");
    room.agent("li", "");
    let after = changes(&room);
    assert!(after[0] == before[0] && after[1] > before[1]);
    room.enter(5, 0, &[]);
    assert!(changes(&room)[0] > after[0]);
}
