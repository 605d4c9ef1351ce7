//! Which agent, and what he does then.

use runtime_contract::queue::AgentChoice;

use crate::testkit::{Kit, Room, queue, stage};
use crate::{
    ALL_AT_ONCE_MAX, Agent, AgentName, AgentState, Doing, Input, MISSES_MAX, OfferFailure, OfferNumber, REST_MS,
    TicketId,
};

fn kit(choice: AgentChoice) -> Kit {
    let mut kit = Kit::new(1);
    let technical = kit.skill("technical");
    let mut support = queue("support", 0);
    (support.choice, support.wrap_up_ms) = (choice, 0);
    support.stages = vec![stage(0, &[(technical, 1)], None)];
    kit.queue(support);
    kit
}

fn fail(room: &mut Room, ticket: u64, agent: &str, n: u32, why: OfferFailure) {
    let (ticket, agent, n) = (TicketId(ticket), AgentName::from(agent), OfferNumber(n));
    room.give(Input::OfferFailed { ticket, agent, n, why });
}

/// A caller comes and is served for so long by whomever he is offered to, who is the answer.
fn serve(room: &mut Room, ticket: u64, ms: u64) -> String {
    room.said();
    room.enter(ticket, 0, &[]);
    let agent = room.said().rsplit(' ').next().unwrap().to_owned();
    room.answer(ticket, &agent, 1);
    room.wait(ms);
    room.end(ticket);
    agent
}

/// Whom ten callers are offered to who come one after the other, the first three of whom talk for 3, 1 and 2 minutes.
fn ten(choice: AgentChoice) -> String {
    let mut room = Room::new(&kit(choice));
    for (name, level, place) in [("c", 2, 1), ("a", 1, 3), ("b", 3, 2)] {
        let (name, weight) = (AgentName::from(name), u32::from(name == "b"));
        let skills = vec![("technical".to_owned(), level)];
        room.give(Input::Agent(Agent { name: name.clone(), skills, place, weight }));
        room.give(Input::AgentState { agent: name, state: AgentState::Idle });
    }
    let minutes = [3, 1, 2].into_iter().chain(std::iter::repeat(1));
    (1..=10).zip(minutes).map(|(ticket, minutes)| serve(&mut room, ticket, minutes * 60_000)).collect()
}

#[test]
fn each_choice_is_total() {
    assert_eq!(ten(AgentChoice::LongestIdle), "abcabcabca", "never called first, by name");
    assert_eq!(ten(AgentChoice::FewestCalls), "abcabcabca");
    assert_eq!(ten(AgentChoice::LeastTalk), "abcbbcabca", "3, 1 and 2 minutes are made even");
    assert_eq!(ten(AgentChoice::BestSkilled), "bbbbbbbbbb");
    assert_eq!(ten(AgentChoice::LeastSkilled), "aaaaaaaaaa");
    assert_eq!(ten(AgentChoice::RoundRobin), "abcabcabca");
    assert_eq!(ten(AgentChoice::TopDown), "cccccccccc");
    assert_eq!(ten(AgentChoice::WeightedRandom), "bbbbbbbbbb", "the others weigh nothing");
    let random = ten(AgentChoice::Random);
    assert_eq!(random, ten(AgentChoice::Random), "the same seed, the same agents");
    assert!("abc".chars().all(|agent| random.contains(agent)), "{random}");
}

#[test]
fn least_busy_goes_by_the_share_of_the_day() {
    let mut room = Room::new(&kit(AgentChoice::LeastBusy));
    room.agent("a", "technical 1");
    assert_eq!(serve(&mut room, 1, 60_000), "a");
    room.wait(180_000);
    // One minute of four, against none of one and a half.
    room.agent("b", "technical 1");
    room.wait(60_000);
    assert_eq!(serve(&mut room, 2, 60_000), "b");
    // 1 of 6 against 1 of 2.
    assert_eq!(serve(&mut room, 3, 60_000), "a");
    let today: Vec<_> =
        room.acd.agents(room.now().time).map(|agent| (agent.today.calls, agent.today.occupancy())).collect();
    assert_eq!(today, [(2, 285_714), (1, 333_333)]);
    // At midnight the day begins anew.
    room.wait(14 * 3_600_000);
    let today: Vec<_> =
        room.acd.agents(room.now().time).map(|agent| (agent.today.calls, agent.today.talk_ms)).collect();
    room.said();
    room.enter(4, 0, &[]);
    assert_eq!(room.said(), "offer 4 to a", "nobody was busy today: by name");
    assert_eq!(room.acd.agents(room.now().time).map(|agent| agent.today.calls).sum::<u32>(), 0, "{today:?}");
}

#[test]
fn weights_are_proportions() {
    let mut room = Room::new(&kit(AgentChoice::WeightedRandom));
    for (name, weight) in [("a", 1), ("b", 3)] {
        let agent = AgentName::from(name);
        let skills = vec![("technical".to_owned(), 1)];
        room.give(Input::Agent(Agent { name: agent.clone(), skills, place: 0, weight }));
        room.give(Input::AgentState { agent, state: AgentState::Idle });
    }
    let all: String = (1..=400).map(|ticket| serve(&mut room, ticket, 1_000)).collect();
    let of_b = all.chars().filter(|agent| *agent == 'b').count();
    // 300, with a deviation of 8.7.
    assert!((260..=340).contains(&of_b), "{of_b} of 400");
}

#[test]
fn all_at_once_and_the_first_who_answers() {
    let mut room = Room::new(&kit(AgentChoice::AllAtOnce));
    for name in ["a", "b", "c"] {
        room.agent(name, "technical 1");
    }
    room.enter(1, 0, &[]);
    assert_eq!(room.said(), "offer 1 to a; offer 1 to b; offer 1 to c");
    fail(&mut room, 1, "a", 1, OfferFailure::Declined);
    room.answer(1, "c", 3);
    assert_eq!(room.said(), "withdraw 1 from b #2; join 1 and c in 0 after 0");
    room.answer(1, "b", 2);
    assert_eq!(room.said(), "withdraw 1 from b #2", "too late");
    room.end(1);
    room.said();
    // Nobody is away because others were quicker, or all were out.
    for ticket in 2..2 + u64::from(MISSES_MAX) * 2 {
        room.enter(ticket, 0, &[]);
    }
    room.wait(200_000);
    assert!(!room.said().contains("away"));
    assert!(room.acd.agents(room.now().time).all(|agent| agent.said == AgentState::Idle));
}

#[test]
fn all_at_once_has_a_bound() {
    let mut room = Room::new(&kit(AgentChoice::AllAtOnce));
    for number in 0..ALL_AT_ONCE_MAX + 2 {
        room.agent(&format!("a{number:02}"), "technical 1");
    }
    room.enter(1, 0, &[]);
    assert_eq!(room.said().split("; ").count(), ALL_AT_ONCE_MAX);
}

#[test]
fn who_does_not_answer_rests_and_the_next_is_rung() {
    let mut room = Room::new(&kit(AgentChoice::TopDown));
    room.agent("a", "technical 1");
    room.agent("b", "technical 1");
    room.enter(1, 0, &[]);
    assert_eq!(room.said(), "offer 1 to a");
    room.wait(15_000);
    assert_eq!(room.said(), "withdraw 1 from a #1; offer 1 to b");
    fail(&mut room, 1, "b", 2, OfferFailure::Busy);
    assert_eq!(room.said(), "");
    room.wait(REST_MS - 1);
    assert_eq!(room.said(), "");
    room.wait(1);
    assert_eq!(room.said(), "offer 1 to a");
    room.answer(1, "a", 3);
    assert_eq!(room.said(), "join 1 and a in 0 after 25000");
    fail(&mut room, 1, "b", 2, OfferFailure::Busy);
    assert_eq!(room.said(), "", "what is over is over");
}

#[test]
fn who_does_not_answer_again_and_again_is_away_until_he_says_otherwise() {
    let mut room = Room::new(&kit(AgentChoice::LongestIdle));
    room.agent("a", "technical 1");
    room.enter(1, 0, &[]);
    room.wait(u64::from(MISSES_MAX) * (15_000 + REST_MS) + 60_000);
    let said = room.said();
    assert_eq!(said.matches("offer").count(), MISSES_MAX as usize);
    assert!(said.ends_with("a is away"), "{said}");
    room.say("a", AgentState::Idle);
    assert_eq!(room.said(), "offer 1 to a");
    // Two misses and an answer: he begins anew.
    room.wait(15_000 + REST_MS);
    room.answer(1, "a", MISSES_MAX + 2);
    room.end(1);
    room.enter(2, 0, &[]);
    room.wait(2 * (15_000 + REST_MS));
    assert!(!room.said().contains("away"));
    fail(&mut room, 2, "a", 3, OfferFailure::Declined);
    assert!(!room.said().contains("away"), "he is there who declines");
}

#[test]
fn what_he_says_while_he_is_rung_takes_the_offer_back() {
    let mut room = Room::new(&kit(AgentChoice::TopDown));
    room.agent("a", "technical 1");
    room.agent("b", "technical 1");
    for state in [AgentState::Away, AgentState::Busy, AgentState::Gone] {
        room.say("a", AgentState::Idle);
        room.say("b", AgentState::Idle);
        room.said();
        let ticket = 1 + state as u64;
        room.enter(ticket, 0, &[]);
        room.said();
        room.say("a", AgentState::Idle);
        assert_eq!(room.said(), "");
        room.say("a", state);
        assert_eq!(room.said(), format!("withdraw {ticket} from a #1; offer {ticket} to b"));
        room.answer(ticket, "b", 2);
        room.end(ticket);
    }
}

#[test]
fn wrap_up_ends_by_itself_or_by_the_agent_with_what_he_says() {
    let mut kit = kit(AgentChoice::TopDown);
    kit.meta.queues[0].wrap_up_ms = 20_000;
    let mut room = Room::new(&kit);
    room.agent("a", "technical 1");
    let talk = |room: &mut Room, ticket| {
        room.enter(ticket, 0, &[]);
        room.answer(ticket, "a", 1);
        room.wait(60_000);
        room.said();
        room.end(ticket);
        room.said()
    };
    let served = |ticket: u64| format!("served {ticket} in routing.support by a; a writes up for 20000");
    assert_eq!(talk(&mut room, 1), served(1));
    room.say("a", AgentState::Idle);
    room.enter(9, 0, &[]);
    room.wait(19_999);
    assert_eq!(room.said(), "", "he is not free before");
    room.wait(1);
    assert_eq!(room.said(), "a is done with 1; offer 9 to a");
    room.answer(9, "a", 1);
    room.end(9);
    room.said();
    room.give(Input::WrapUpDone { agent: "a".into(), result: Some(2) });
    assert_eq!(room.said(), "a is done with 9: 2");
    room.give(Input::WrapUpDone { agent: "a".into(), result: Some(2) });
    assert_eq!(room.said(), "");
    assert_eq!(talk(&mut room, 3), served(3));
    room.say("a", AgentState::Away);
    assert_eq!(room.said(), "");
    room.wait(20_000);
    assert_eq!(room.said(), "a is done with 3");
    assert_eq!(
        room.acd.measure(room.now().time, "routing.support", "aht", 3_600_000),
        Some(runtime_contract::Value::Moment(53_333))
    );
    room.say("a", AgentState::Idle);
    assert_eq!(talk(&mut room, 4), served(4));
    room.say("a", AgentState::Gone);
    assert_eq!(room.said(), "a is done with 4");
}

#[test]
fn an_agent_who_is_removed_ends_what_he_does() {
    let mut room = Room::new(&kit(AgentChoice::TopDown));
    room.agent("a", "technical 1");
    room.enter(1, 0, &[]);
    room.answer(1, "a", 1);
    room.give(Input::AgentRemoved("a".into()));
    let doing: Vec<_> = room.acd.agents(room.now().time).map(|agent| (agent.said, agent.doing)).collect();
    assert_eq!(doing, [(AgentState::Gone, Doing::Talking(TicketId(1)))]);
    room.end(1);
    assert_eq!(
        room.said(),
        "offer 1 to a; join 1 and a in 0 after 0; served 1 in routing.support by a; a is done with 1"
    );
    assert_eq!(room.acd.agents(room.now().time).count(), 0);
}
