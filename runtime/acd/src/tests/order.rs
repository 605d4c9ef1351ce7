//! Who is next.

use runtime_contract::calendar::{HoursTable, Span, WeeklySpan};
use runtime_contract::queue::{OrderKey, Preference, Preferred};
use runtime_contract::{Time, Type};

use crate::testkit::{Kit, OPENED, Room, queue, stage};
use crate::{AgentName, AgentState, Input};

/// A queue whose one parameter is the priority, and agents who come one by one.
fn order_of(order: &[OrderKey], callers: &[(u64, i64)]) -> Vec<u64> {
    let mut kit = Kit::new(1);
    let priority = kit.flow(Type::Int, |_, words| Some(words[0] as i64));
    let mut support = queue("support", 1);
    (support.priority, support.order) = (Some(priority), order.to_vec());
    kit.queue(support);
    let mut room = Room::new(&kit);
    room.agent("on a break", "");
    room.say("on a break", AgentState::Away);
    for ((at, priority), ticket) in callers.iter().zip(1..) {
        room.wait(at - room.now().tick.0 / 1_000_000);
        room.enter(ticket, 0, &[*priority]);
    }
    let mut served = Vec::new();
    for turn in 1..=callers.len() {
        let agent = format!("a{turn}");
        room.agent(&agent, "");
        let said = room.said();
        let ticket = said.strip_prefix("offer ").and_then(|rest| rest.split(' ').next()).unwrap();
        served.push(ticket.parse().unwrap());
    }
    served
}

#[test]
fn the_higher_priority_first_then_who_came_first() {
    let order = [OrderKey::Priority { worth_ms: None }, OrderKey::Waiting];
    assert_eq!(order_of(&order, &[(0, 0), (1, 10), (2, 20), (3, 10), (3, -5)]), [3, 2, 4, 1, 5]);
    assert_eq!(order_of(&[OrderKey::Waiting], &[(0, 0), (1, 10), (1, 20)]), [1, 2, 3]);
}

#[test]
fn a_point_of_priority_is_worth_so_much_waiting() {
    let order = [OrderKey::Priority { worth_ms: Some(30_000) }];
    // A minute of waiting outweighs one point, and not three.
    assert_eq!(order_of(&order, &[(0, 0), (60_000, 1), (60_001, 3)]), [3, 1, 2]);
    assert_eq!(order_of(&order, &[(0, 0), (30_000, 1)]), [1, 2], "of equals, who came first");
}

#[test]
fn of_two_queues_the_higher_priority_first_then_who_came_first() {
    let mut kit = Kit::new(1);
    let priority = kit.flow(Type::Int, |_, words| Some(words[0] as i64));
    for name in ["support", "sales"] {
        let mut queue = queue(name, 1);
        queue.priority = Some(priority);
        kit.queue(queue);
    }
    let mut room = Room::new(&kit);
    for (ticket, queue, priority) in [(1, 0, 0), (2, 1, 0), (3, 1, 5)] {
        room.wait(1);
        room.enter(ticket, queue, &[priority]);
    }
    for ticket in [3, 1, 2] {
        let name = format!("a{ticket}");
        room.agent(&name, "");
        assert_eq!(room.said(), format!("offer {ticket} to {name}"));
    }
}

#[test]
fn he_for_whom_nobody_is_free_is_passed_over() {
    let mut kit = Kit::new(1);
    let technical = kit.skill("technical");
    let mut expert = queue("expert", 0);
    expert.stages = vec![stage(0, &[(technical, 3)], None)];
    kit.queue(expert);
    kit.queue(queue("support", 0));
    let mut room = Room::new(&kit);
    room.enter(1, 0, &[]);
    room.wait(5);
    room.enter(2, 1, &[]);
    room.agent("li", "technical 2");
    assert_eq!(room.said(), "offer 2 to li");
    room.agent("wang", "technical 3");
    assert_eq!(room.said(), "offer 1 to wang");
}

#[test]
fn needs_relax_with_time() {
    let mut kit = Kit::new(1);
    let (technical, mandarin) = (kit.skill("technical"), kit.skill("mandarin"));
    let mut support = queue("support", 1);
    let first = kit.predicate(&[technical, mandarin], 1, |_, words| Some((words[1] as i64 >= words[0] as i64).into()));
    support.stages =
        vec![stage(0, &[(mandarin, 1)], Some(first)), stage(30_000, &[(technical, 1)], None), stage(90_000, &[], None)];
    kit.queue(support);
    let mut room = Room::new(&kit);
    room.agent("zoe", "");
    room.agent("li", "technical 1");
    room.agent("wang", "technical 4, mandarin 1");
    room.enter(1, 0, &[4]);
    assert_eq!(room.said(), "offer 1 to wang");
    room.answer(1, "wang", 1);
    room.enter(2, 0, &[4]);
    room.said();
    room.wait(29_999);
    assert_eq!(room.said(), "");
    room.wait(1);
    assert_eq!(room.said(), "offer 2 to li");
    room.say("li", AgentState::Away);
    assert_eq!(room.said(), "withdraw 2 from li #1");
    room.wait(59_999);
    assert_eq!(room.said(), "");
    room.wait(1);
    assert_eq!(room.said(), "offer 2 to zoe");
}

#[test]
fn a_clause_that_faults_means_nobody_and_no_priority() {
    let mut kit = Kit::new(1);
    let mut support = queue("support", 0);
    let needs = kit.predicate(&[], 0, |_, _| None);
    support.stages = vec![stage(0, &[], Some(needs)), stage(60_000, &[], None)];
    support.priority = Some(kit.flow(Type::Int, |_, _| None));
    kit.queue(support);
    let mut room = Room::new(&kit);
    room.agent("wang", "");
    room.enter(1, 0, &[]);
    room.enter(2, 0, &[]);
    assert_eq!(room.said(), "fault in 1; fault in 0");
    assert_eq!(room.acd.priority(crate::TicketId(1)), Some(0));
    room.wait(60_000);
    assert_eq!(room.said(), "offer 1 to wang");
}

/// `prefers mandarin if` the caller's language is the first, `prefers technical`, `prefers same agent within 7d`.
fn preferring() -> Kit {
    let mut kit = Kit::new(1);
    let (technical, mandarin) = (kit.skill("technical"), kit.skill("mandarin"));
    let is_zh = kit.predicate(&[], 0, |language, _| Some((language == 0).into()));
    let speaks = kit.predicate(&[mandarin], 0, |_, words| Some((words[0] >= 1).into()));
    let knows = kit.predicate(&[technical], 0, |_, words| Some((words[0] >= 3).into()));
    let mut support = queue("support", 0);
    support.prefers = vec![
        Preference { what: Preferred::Agent(speaks), condition: Some(is_zh) },
        Preference { what: Preferred::Agent(knows), condition: None },
        Preference { what: Preferred::SameAgent { within_ms: 604_800_000 }, condition: None },
    ];
    kit.queue(support);
    kit
}

#[test]
fn one_preference_comes_before_the_next() {
    let offered = |language: u32, agents: &[(&str, &str)], last: Option<(&str, i64)>| {
        let mut room = Room::new(&preferring());
        agents.iter().for_each(|(name, skills)| room.agent(name, skills));
        let mut enter = room.new_caller(1, 0, &[]);
        enter.facts.language = language;
        enter.last_agent = last.map(|(name, days)| (AgentName::from(name), Time(OPENED.0 - days * 86_400_000)));
        room.give(Input::Enter(enter));
        room.said().replace("offer 1 to ", "")
    };
    let agents =
        [("a", ""), ("b", "technical 3"), ("c", "mandarin 1"), ("d", "mandarin 1, technical 3"), ("e", "technical 5")];
    assert_eq!(offered(0, &agents, None), "d");
    assert_eq!(offered(0, &agents[..3], None), "c");
    assert_eq!(offered(1, &agents[..3], None), "b", "the language of this caller is no reason");
    assert_eq!(offered(1, &agents, Some(("e", 7))), "e", "the last preference decides among equals");
    assert_eq!(offered(1, &agents, Some(("e", 8))), "b", "too long ago");
    assert_eq!(offered(1, &agents, Some(("a", 1))), "b", "but does not outweigh the one before it");
    assert_eq!(offered(1, &agents, Some(("nobody", 1))), "b");
}

#[test]
fn skills_that_an_agent_gains_count_at_once() {
    let mut kit = Kit::new(1);
    let technical = kit.skill("technical");
    let mut support = queue("support", 0);
    support.stages = vec![stage(0, &[(technical, 2)], None)];
    kit.queue(support);
    let mut room = Room::new(&kit);
    room.agent("wang", "technical 1");
    room.enter(1, 0, &[]);
    assert_eq!(room.said(), "");
    room.agent("wang", "technical 2");
    assert_eq!(room.said(), "offer 1 to wang");
}

#[test]
fn a_clause_that_looks_at_the_clock_is_asked_anew() {
    let mut kit = Kit::new(1);
    let hour = Span { from_minute: 10 * 60 + 1, to_minute: 10 * 60 + 2 };
    let weekly = vec![WeeklySpan { days: 0x7f, span: hour }];
    kit.meta.hours.push(HoursTable { zone: "UTC".to_owned(), weekly, ..HoursTable::default() });
    let mut support = queue("support", 0);
    support.stages = vec![stage(0, &[], Some(kit.open(0))), stage(600_000, &[], None)];
    kit.queue(support);
    let mut room = Room::new(&kit);
    room.agent("wang", "");
    room.enter(1, 0, &[]);
    room.wait(29_000);
    room.enter(2, 0, &[]);
    assert_eq!(room.said(), "");
    room.wait(30_999);
    assert_eq!(room.said(), "");
    room.wait(1);
    assert_eq!(room.said(), "offer 1 to wang", "it is 10:01");
    room.answer(1, "wang", 1);
    room.wait(60_000);
    room.said();
    room.end(1);
    assert_eq!(room.said(), "served 1 in routing.support by wang; wang is done with 1", "and 10:02");
}
