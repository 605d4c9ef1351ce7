//! What a caller meets while he waits.

use runtime_contract::calendar::{HoursTable, Span, WeeklySpan};
use runtime_contract::queue::{Comfort, OrderKey, Overflow, Predicate, Queue};
use runtime_contract::{Type, Value};

use crate::testkit::{Kit, OPENED, Room, queue, stage};
use crate::{AgentState, CALLBACK_AGE_MS_MAX, Input, LeaveWhy, TicketId, UNSTAFFED_MS};

const SUPPORT: &str = "routing.support";

fn room(change: impl FnOnce(&mut Queue)) -> Room {
    let mut kit = Kit::new(1);
    let mut support = queue("support", 0);
    change(&mut support);
    kit.queue(support);
    Room::new(&kit)
}

/// Somebody is there, so that nobody is told that nobody is.
fn on_a_break(room: &mut Room) {
    room.agent("break", "");
    room.say("break", AgentState::Away);
}

fn leave(room: &mut Room, ticket: u64, why: LeaveWhy) {
    room.give(Input::Leave { ticket: TicketId(ticket), why });
}

fn count(room: &Room, name: &str) -> Option<i64> {
    match room.acd.measure(room.now().time, SUPPORT, name, 3_600_000)? {
        Value::Int(count) | Value::Moment(count) | Value::Decimal(count) => Some(count),
        _ => None,
    }
}

#[test]
fn a_wait_has_an_end() {
    let mut room = room(|queue| queue.timeout_ms = Some(180_000));
    on_a_break(&mut room);
    room.enter(1, 0, &[]);
    room.wait(170_000);
    room.say("break", AgentState::Idle);
    assert_eq!(room.said(), "offer 1 to break");
    room.wait(9_999);
    assert_eq!(room.said(), "");
    room.wait(1);
    assert_eq!(room.said(), "missed 1 in routing.support: Timeout; withdraw 1 from break #1; over 1: Timeout");
    assert_eq!([count(&room, "offered"), count(&room, "left"), count(&room, "waiting")], [Some(1), Some(1), Some(0)]);
}

#[test]
fn a_queue_that_is_said_to_be_full_takes_nobody_else() {
    let mut room = room(|queue| queue.limit = Some(100));
    on_a_break(&mut room);
    room.enter(1, 0, &[]);
    room.give(Input::Full(SUPPORT.to_owned()));
    room.give(Input::Full("routing.sales".to_owned()));
    room.enter(2, 0, &[]);
    assert_eq!(room.said(), "over 2: Full");
    assert_eq!([count(&room, "offered"), count(&room, "waiting")], [Some(1), Some(1)], "who waited waits on");
}

#[test]
fn a_full_queue_takes_nobody() {
    let mut room = room(|queue| queue.limit = Some(2));
    on_a_break(&mut room);
    (1..=3).for_each(|ticket| room.enter(ticket, 0, &[]));
    assert_eq!(room.said(), "over 3: Full");
    room.give(Input::ToCallback { ticket: TicketId(1) });
    (4..=5).for_each(|ticket| room.enter(ticket, 0, &[]));
    assert_eq!(room.said(), "over 5: Full", "who is not on the line takes no room");
    leave(&mut room, 2, LeaveWhy::Abandoned);
    assert_eq!(room.said(), "missed 2 in routing.support: Abandoned");
    let mut again = room.new_caller(6, 0, &[]);
    again.entered = Some(OPENED);
    room.enter(7, 0, &[]);
    room.give(Input::Enter(again));
    assert_eq!(room.said(), "", "who had his place has it");
    assert_eq!(room.acd.waiting(SUPPORT).map(|ticket| ticket.0).collect::<Vec<_>>(), [1, 4, 6, 7]);
}

#[test]
fn hours_are_asked_at_the_door() {
    let mut kit = Kit::new(1);
    let day = Span { from_minute: 9 * 60, to_minute: 10 * 60 + 1 };
    let weekly = vec![WeeklySpan { days: 0x7f, span: day }];
    kit.meta.hours.push(HoursTable { zone: "UTC".to_owned(), weekly, ..HoursTable::default() });
    let mut support = queue("support", 0);
    support.open = Some(0);
    kit.queue(support);
    let mut room = Room::new(&kit);
    on_a_break(&mut room);
    room.enter(1, 0, &[]);
    room.wait(60_000);
    room.enter(2, 0, &[]);
    assert_eq!(room.said(), "over 2: Closed");
    assert_eq!(count(&room, "offered"), Some(1), "he did not enter");
}

#[test]
fn where_nobody_is_logged_in_who_could_take_him() {
    let mut kit = Kit::new(1);
    let technical = kit.skill("technical");
    let mut support = queue("support", 0);
    support.stages = vec![stage(0, &[(technical, 3)], None), stage(600_000, &[(technical, 2)], None)];
    kit.queue(support);
    let mut room = Room::new(&kit);
    room.agent("li", "technical 1");
    room.agent("wang", "technical 2");
    room.enter(1, 0, &[]);
    room.wait(UNSTAFFED_MS);
    assert_eq!(room.said(), "", "wang could, when it is relaxed");
    room.say("wang", AgentState::Gone);
    room.wait(UNSTAFFED_MS - 1);
    room.say("wang", AgentState::Away);
    room.wait(1);
    assert_eq!(room.said(), "", "he came back in time");
    room.say("wang", AgentState::Gone);
    room.wait(10_000);
    room.enter(2, 0, &[]);
    room.wait(UNSTAFFED_MS - 10_000);
    assert_eq!(room.said(), "missed 1 in routing.support: Unstaffed; over 1: Unstaffed");
    room.wait(10_000);
    assert_eq!(room.said(), "missed 2 in routing.support: Unstaffed; over 2: Unstaffed");
    room.enter(3, 0, &[]);
    room.agent("li", "technical 2");
    room.wait(UNSTAFFED_MS);
    assert_eq!(room.said(), "", "he has learnt it");
    room.give(Input::AgentRemoved("li".into()));
    room.wait(UNSTAFFED_MS);
    assert_eq!(room.said(), "missed 3 in routing.support: Unstaffed; over 3: Unstaffed");
}

#[test]
fn comfort_comes_every_so_often_and_not_while_somebody_is_rung() {
    let mut room = room(|queue| queue.comfort = Some(Comfort { every_ms: 45_000, flow: 0 }));
    on_a_break(&mut room);
    room.enter(1, 0, &[]);
    room.wait(1);
    room.enter(2, 0, &[]);
    room.wait(44_999);
    // Nobody was answered yet: three minutes for each, and one agent.
    assert_eq!(room.said(), "comfort 1: 0 ahead, 180000");
    room.wait(1);
    assert_eq!(room.said(), "comfort 2: 1 ahead, 360000");
    room.wait(44_000);
    room.say("break", AgentState::Idle);
    room.wait(1_000);
    assert_eq!(room.said(), "offer 1 to break; comfort 2: 1 ahead, 360000");
    room.give(Input::ToCallback { ticket: TicketId(1) });
    room.wait(45_000);
    assert!(!room.said().contains("comfort 1"));
}

#[test]
fn the_expected_wait_goes_by_the_pace_of_the_last_answers() {
    let mut room = room(|_| {});
    room.agent("a", "");
    (1..=5).for_each(|ticket| room.enter(ticket, 0, &[]));
    for (ticket, ms) in [(1, 20_000), (2, 40_000), (3, 30_000)] {
        room.answer(ticket, "a", 1);
        room.wait(ms);
        room.end(ticket);
    }
    room.answer(4, "a", 1);
    // Three gaps of 20, 40 and 30 s; one is still waiting.
    assert_eq!(count(&room, "expected_wait"), Some(60_000));
    room.end(4);
    room.answer(5, "a", 1);
    room.end(5);
    room.wait(3_000_000);
    room.enter(6, 0, &[]);
    room.answer(6, "a", 1);
    // What was half an hour ago is forgotten, and that nobody called is no reason to wait: the mean of what was handled.
    assert_eq!([count(&room, "expected_wait"), count(&room, "aht")], [Some(18_000); 2]);
}

#[test]
fn a_callback_keeps_its_place() {
    let mut room = room(|queue| queue.timeout_ms = Some(60_000));
    on_a_break(&mut room);
    room.enter(1, 0, &[]);
    room.wait(10_000);
    room.enter(2, 0, &[]);
    room.give(Input::ToCallback { ticket: TicketId(1) });
    room.wait(45_000);
    assert_eq!(room.said(), "", "its caller waits no more");
    room.say("break", AgentState::Idle);
    assert_eq!(room.said(), "callback 1 to break");
    room.answer(1, "break", 1);
    room.end(1);
    assert_eq!(
        room.said(),
        "join 1 and break in 0 after 55000; served 1 in routing.support by break; break is done with 1; offer 2 to break"
    );
    assert_eq!(
        [count(&room, "called_back"), count(&room, "answered"), count(&room, "waiting")],
        [Some(1), Some(0), Some(1)]
    );
}

#[test]
fn he_who_is_rung_stops_when_the_caller_wants_to_be_called() {
    let mut room = room(|_| {});
    room.agent("a", "");
    room.enter(1, 0, &[]);
    room.give(Input::ToCallback { ticket: TicketId(1) });
    assert_eq!(room.said(), "offer 1 to a; withdraw 1 from a #1; callback 1 to a");
    room.give(Input::ToCallback { ticket: TicketId(1) });
    room.answer(1, "a", 2);
    assert_eq!(room.said(), "join 1 and a in 0 after 0");
}

#[test]
fn a_callback_that_nobody_comes_to_is_given_up() {
    let mut room = room(|_| {});
    on_a_break(&mut room);
    let mut again = room.new_caller(1, 0, &[]);
    (again.entered, again.callback) = (Some(OPENED), Some(OPENED));
    room.wait(3_600_000);
    room.give(Input::Enter(again));
    room.wait(CALLBACK_AGE_MS_MAX - 3_600_001);
    assert_eq!(room.said(), "");
    room.wait(1);
    assert_eq!(room.said(), "missed 1 in routing.support: CallbackTooOld; over 1: CallbackTooOld");
}

/// `support` overflows after a minute to `second`, that after another to `third`; each has agents of its own, and the
/// parameter doubles on the way.
fn overflowing() -> Kit {
    let mut kit = Kit::new(1);
    let skills: Vec<u32> = ["one", "two", "three"].iter().map(|name| kit.skill(name)).collect();
    let double = kit.flow(Type::Int, |_, words| Some(words[0] as i64 * 2));
    for (name, at) in ["support", "second", "third"].into_iter().zip(0..) {
        let mut queue = queue(name, 1);
        let needs = Predicate {
            reads_language: false,
            reads_number: false,
            ..kit.predicate(&[skills[at]], 1, |_, words| Some((words[1] >= words[0]).into()))
        };
        queue.stages = vec![stage(0, &[(skills[at], 1)], Some(needs))];
        queue.priority = Some(kit.flow(Type::Int, |_, words| Some(words[0] as i64)));
        queue.overflow = (at < 2).then(|| Overflow { after_ms: 60_000, queue: at as u32 + 1, arguments: vec![double] });
        kit.queue(queue);
    }
    kit
}

#[test]
fn a_caller_waits_in_the_next_queue_too() {
    let mut room = Room::new(&overflowing());
    room.agent("b", "two 2");
    room.agent("c", "three 4");
    room.enter(1, 0, &[1]);
    room.enter(2, 0, &[2]);
    room.wait(59_999);
    assert_eq!(room.said(), "");
    room.wait(1);
    assert_eq!(room.said(), "offer 1 to b", "2 × 2 is more than he knows");
    room.answer(1, "b", 1);
    room.end(1);
    room.said();
    room.wait(60_000);
    assert_eq!(room.said(), "", "8 is more than c knows");
    room.agent("a", "one 2");
    assert_eq!(room.said(), "offer 2 to a", "in his own queue");
    room.answer(2, "a", 1);
    assert_eq!(room.said(), "join 2 and a in 0 after 120000");
    let of = |room: &Room, queue: &str| {
        let figures = room.acd.figures(room.now().time, queue, 3_600_000).unwrap();
        [figures.offered, figures.answered, figures.overflowed, figures.waiting]
    };
    assert_eq!(of(&room, SUPPORT), [2, 1, 1, 0]);
    assert_eq!(of(&room, "routing.second"), [2, 1, 1, 0]);
    assert_eq!(of(&room, "routing.third"), [1, 0, 1, 0]);
}

#[test]
fn nobody_is_told_that_nobody_is_there_while_a_queue_is_to_come() {
    let mut room = Room::new(&overflowing());
    room.enter(1, 0, &[1]);
    room.wait(120_000 + UNSTAFFED_MS - 1);
    assert_eq!(room.said(), "");
    room.wait(1);
    assert_eq!(room.said(), "missed 1 in routing.support: Unstaffed; over 1: Unstaffed");
}

#[test]
fn a_queue_that_is_closed_is_not_overflowed_to() {
    let mut kit = overflowing();
    kit.meta.hours.push(HoursTable { zone: "UTC".to_owned(), ..HoursTable::default() });
    kit.meta.queues[1].open = Some(0);
    let mut room = Room::new(&kit);
    room.agent("b", "two 2");
    room.enter(1, 0, &[1]);
    room.wait(60_000 + UNSTAFFED_MS);
    assert_eq!(room.said(), "missed 1 in routing.support: Unstaffed; over 1: Unstaffed");
    assert_eq!(room.acd.figures(room.now().time, "routing.second", 1), Some(crate::Figures::default()));
}

#[test]
fn who_hangs_up_while_somebody_is_rung() {
    let mut room = room(|_| {});
    room.agent("a", "");
    room.enter(1, 0, &[]);
    room.wait(4_000);
    leave(&mut room, 1, LeaveWhy::Abandoned);
    assert_eq!(room.said(), "offer 1 to a; missed 1 in routing.support: Abandoned; withdraw 1 from a #1");
    room.answer(1, "a", 1);
    assert_eq!(room.said(), "withdraw 1 from a #1", "the two crossed");
    room.enter(2, 0, &[]);
    leave(&mut room, 2, LeaveWhy::Left);
    assert_eq!(room.said(), "offer 2 to a; withdraw 2 from a #1");
    assert_eq!([count(&room, "abandoned"), count(&room, "short_abandoned"), count(&room, "left")], [Some(1); 3]);
}

#[test]
fn rules_of_the_queue_are_those_of_the_stable_version() {
    let kit = |number, order: &[OrderKey]| {
        let mut kit = Kit::new(number);
        let mut support = queue("support", 1);
        support.priority = Some(kit.flow(Type::Int, move |_, words| Some(words[0] as i64 * i64::from(number))));
        support.order = order.to_vec();
        kit.queue(support);
        kit
    };
    let by_priority = [OrderKey::Priority { worth_ms: None }];
    let mut room = Room::new(&kit(1, &[OrderKey::Waiting]));
    on_a_break(&mut room);
    for (ticket, priority) in [(1, 1), (2, 5)] {
        room.wait(1);
        room.enter(ticket, 0, &[priority]);
    }
    let line = |room: &Room| room.acd.waiting(SUPPORT).map(|ticket| ticket.0).collect::<Vec<_>>();
    assert_eq!(line(&room), [1, 2]);
    room.deploy(&kit(3, &by_priority));
    assert_eq!(line(&room), [2, 1], "those who wait are ordered anew");
    room.enter(3, 0, &[1]);
    assert_eq!(line(&room), [2, 3, 1], "each by the priority of his own version");
    let graph = kit(1, &[]).meta.graph_id;
    assert!(room.acd.uses(graph));
    leave(&mut room, 1, LeaveWhy::Left);
    leave(&mut room, 2, LeaveWhy::Left);
    assert!(!room.acd.uses(graph), "its last caller is gone");
    // A queue that the stable version does not have keeps its rules until it is empty.
    let mut without = Kit::new(4);
    without.queue(queue("other", 0));
    room.deploy(&without);
    assert_eq!(line(&room), [3]);
    leave(&mut room, 3, LeaveWhy::Left);
    room.deploy(&without);
    assert_eq!(room.acd.figures(room.now().time, SUPPORT, 1), None);
}
