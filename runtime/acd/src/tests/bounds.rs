//! Everything has a bound.

use runtime_contract::limits::{AGENTS_MAX, OVERFLOW_HOPS_MAX, TICKETS_MAX};
use runtime_contract::queue::{Overflow, Predicate};
use runtime_contract::value::Phone;

use crate::testkit::{Kit, Room, queue, stage};
use crate::{Agent, AgentName, Input, LeaveWhy, Output, Over, TicketId};
use runtime_contract::queue::WINDOW_MS_MAX;

#[test]
fn tickets_have_a_bound() {
    let mut kit = Kit::new(1);
    kit.queue(queue("support", 0));
    let mut room = Room::new(&kit);
    let caller = room.new_caller(0, 0, &[]);
    let now = room.now();
    let mut enter = |ticket: usize| -> Vec<Output> {
        let ticket = TicketId(ticket as u64);
        room.acd.handle(now, Input::Enter(crate::Enter { ticket, ..caller.clone() })).collect()
    };
    assert!((1..=TICKETS_MAX).all(|ticket| enter(ticket).is_empty()));
    let full = Output::Over { ticket: TicketId(0), why: Over::Full };
    assert_eq!(enter(0), [full]);
    let leave = Input::Leave { ticket: TicketId(7), why: LeaveWhy::Left };
    assert_eq!(room.acd.handle(now, leave).count(), 0);
    assert_eq!(room.acd.handle(now, Input::Enter(caller)).count(), 0, "one has gone");
    room.acd.audit().unwrap();
}

#[test]
fn agents_have_a_bound() {
    let mut room = Room::new(&Kit::new(1));
    let now = room.now();
    for number in 0..AGENTS_MAX + 2 {
        let agent = Agent { name: AgentName::from(number.to_string()), skills: Vec::new(), place: 0, weight: 0 };
        assert_eq!(room.acd.handle(now, Input::Agent(agent)).count(), 0);
    }
    assert_eq!(room.acd.agents(room.now().time).count(), AGENTS_MAX);
}

#[test]
fn a_ticket_overflows_so_often_and_no_more() {
    let mut kit = Kit::new(1);
    for at in 0..OVERFLOW_HOPS_MAX as u32 + 3 {
        let mut queue = queue(&format!("q{at}"), 0);
        queue.overflow = Some(Overflow { after_ms: 1_000, queue: at + 1, arguments: Vec::new() });
        kit.queue(queue);
    }
    let mut room = Room::new(&kit);
    room.enter(1, 0, &[]);
    room.wait(20_000);
    let is_in = |at: usize| room.acd.waiting(&format!("routing.q{at}")).count() == 1;
    assert!((0..=OVERFLOW_HOPS_MAX).all(is_in));
    assert!(!is_in(OVERFLOW_HOPS_MAX + 1));
}

#[test]
fn a_circle_of_queues_that_got_past_the_checker_is_walked_once() {
    let mut kit = Kit::new(1);
    for (name, next) in [("q0", 1), ("q1", 0)] {
        let mut queue = queue(name, 0);
        queue.overflow = Some(Overflow { after_ms: 0, queue: next, arguments: Vec::new() });
        kit.queue(queue);
    }
    let mut room = Room::new(&kit);
    room.enter(1, 0, &[]);
    room.wait(10);
    room.agent("a", "");
    assert_eq!(room.said(), "offer 1 to a");
}

#[test]
fn questions_of_callers_who_are_gone_are_forgotten() {
    let mut kit = Kit::new(1);
    let technical = kit.skill("technical");
    let mut support = queue("support", 1);
    let own = kit.predicate(&[technical], 1, |_, words| Some((words[1] >= words[0]).into()));
    support.stages = vec![stage(0, &[], Some(own))];
    kit.queue(support);
    let mut room = Room::new(&kit);
    room.agent("a", "technical 1");
    // One who stays, so that the program does.
    room.enter(1, 0, &[99]);
    for ticket in 2..40_000 {
        let now = room.now();
        let enter = room.new_caller(ticket, 0, &[ticket as i64 + 100]);
        room.acd.handle(now, Input::Enter(enter)).for_each(drop);
        room.acd.handle(now, Input::Leave { ticket: TicketId(ticket), why: LeaveWhy::Left }).for_each(drop);
    }
    let kept = room.acd.questions.all().count();
    assert!((1..20_000).contains(&kept), "{kept}");
    room.enter(50_000, 0, &[1]);
    assert_eq!(room.said(), "offer 50000 to a");
    room.acd.audit().unwrap();
}

#[test]
fn figures_look_back_a_day() {
    let mut kit = Kit::new(1);
    kit.queue(queue("support", 0));
    let mut room = Room::new(&kit);
    for ticket in 1..=3 {
        room.enter(ticket, 0, &[]);
        room.give(Input::Leave { ticket: TicketId(ticket), why: LeaveWhy::Left });
        room.wait(WINDOW_MS_MAX / 2);
    }
    let offered = |window_ms: u64| room.acd.figures(room.now().time, "routing.support", window_ms).unwrap().offered;
    assert_eq!([offered(WINDOW_MS_MAX / 2), offered(WINDOW_MS_MAX), offered(u64::MAX)], [1, 2, 2]);
    room.enter(4, 0, &[]);
    assert_eq!(
        room.acd.queues.all().map(|(_, line)| line.log.since(runtime_contract::Time(0)).count()).sum::<usize>(),
        3
    );
}

#[test]
fn callers_who_differ_in_nothing_that_is_read_share_their_questions() {
    let questions = |reads_language: bool, reads_number: bool| {
        let mut kit = Kit::new(1);
        let needs = kit.predicate(&[], 0, |language, _| Some((language == 0).into()));
        let mut queue = queue("support", 0);
        queue.stages = vec![stage(0, &[], Some(Predicate { reads_language, reads_number, ..needs }))];
        kit.queue(queue);
        let mut room = Room::new(&kit);
        for (ticket, (language, number)) in (1..).zip([(0, 1), (0, 2), (1, 3), (1, 4)]) {
            let mut caller = room.new_caller(ticket, 0, &[]);
            caller.facts.language = language;
            caller.facts.caller = Some(Phone::from_word(442_079_460_000 + number));
            let _ = room.give(Input::Enter(caller));
        }
        room.acd.questions.all().count()
    };
    assert_eq!((questions(false, false), questions(true, false), questions(true, true)), (1, 2, 4));
}
