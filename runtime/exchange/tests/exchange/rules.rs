//! Alarms: when a condition is looked at, when it fires, and what its action does not take from anybody. What callers lead
//! to is in the manual's chapter on rules, whose tests are played.

use std::sync::Arc;

use runtime_contract::queue::MEASURES;
use runtime_contract::request::{Case, CasePriority, Request};
use runtime_contract::rule::{Alarm, Measure, When};
use runtime_contract::{FlowProgram, Type};
use runtime_exchange::{ALARM_MS_MIN, Input};
use runtime_session::testkit::{Kit, Op};

use crate::plant::Plant;

const WINDOW_MS: u64 = 900_000;

/// A flow that queues, and a rule of this head that opens a case once there is not zero of a measure.
fn watched(head: &str, measure: &str) -> Arc<dyn FlowProgram> {
    let mut kit = Kit::new(&[]);
    kit.queue("kit.support", &[], |_| ());
    kit.request("", Request::Answer, &[], vec![None], vec![1], None);
    kit.request("wait", Request::Queue { queue: 0 }, &[], vec![None; 6], vec![2; 6], None);
    kit.push(Op::Return);
    let flow = kit.flow("kit.hotline", 0, None, None);
    kit.inbound("1xxx", flow);
    // Its parameter lies where its result is looked for.
    let body = kit.push(Op::Return);
    let condition = kit.flow_of("kit.when/1 condition", &[Type::Int], body);
    let body = kit.here();
    let case = Case { kind: "many".to_owned(), priority: CasePriority::default() };
    kit.request("", Request::OpenCase(case), &[], vec![None], vec![body + 1], None);
    kit.push(Op::Return);
    let action = kit.flow("kit.when/1", body, None, None);
    let measure = MEASURES.iter().position(|(name, _)| *name == measure).unwrap() as u32;
    let tests = vec![Measure { queue: 0, measure }];
    let alarm = Alarm { window_ms: WINDOW_MS, condition, tests, shows: Vec::new(), asks_hours: false };
    kit.rule(head, When::Alarm(alarm), action);
    kit.build()
}

/// The conditions were looked at when it began, and may be again.
fn plant(program: &Arc<dyn FlowProgram>, calls_max: usize) -> Plant {
    let mut plant = Plant::new(Some(program), calls_max);
    plant.pass(2 * ALARM_MS_MIN);
    plant
}

#[test]
fn an_alarm_fires_when_it_becomes_true_and_again_only_after_it_was_false() {
    let mut plant = plant(&watched("when it waits", "waiting"), 10);
    let first = plant.call("1001");
    assert_eq!(plant.cases.len(), 1);
    plant.pass(5_000);
    let second = plant.call("1001");
    plant.pass(5_000);
    plant.bye(first);
    plant.pass(5_000);
    assert_eq!(plant.cases.len(), 1, "somebody waits still");
    plant.bye(second);
    plant.pass(5_000);
    plant.call("1001");
    assert_eq!(plant.cases.len(), 2);
}

#[test]
fn a_condition_is_looked_at_once_a_second() {
    let mut plant = plant(&watched("when it waits", "waiting"), 10);
    let caller = plant.call("1001");
    plant.bye(caller);
    // Nobody has seen that he was gone.
    plant.call("1001");
    assert!(plant.exchange.rules_look_soon());
    plant.pass(ALARM_MS_MIN);
    assert!(!plant.exchange.rules_look_soon());
    assert_eq!(plant.cases.len(), 1);
}

#[test]
fn the_window_moves_on_by_itself() {
    let mut plant = plant(&watched("when it comes", "offered"), 10);
    for cases in [1, 2] {
        let caller = plant.call("1001");
        plant.bye(caller);
        assert_eq!(plant.cases.len(), cases);
        plant.pass(WINDOW_MS + 2 * ALARM_MS_MIN);
    }
    assert_eq!(plant.exchange.next_deadline(), None, "nobody is in the window, and nothing waits");
}

#[test]
fn an_action_takes_no_callers_place() {
    let mut plant = plant(&watched("when it waits", "waiting"), 1);
    plant.call("1001");
    assert_eq!((plant.cases.len(), plant.exchange.calls_live()), (1, 1));
    assert_eq!(plant.records.len(), 1, "the action has a record of its own");
    plant.call("1001");
    assert!(plant.said().contains(&"reject Overloaded".to_owned()), "there is room for one caller");
}

#[test]
fn a_version_with_the_same_rule_goes_on_with_it() {
    let mut plant = plant(&watched("when it waits", "waiting"), 10);
    plant.call("1001");
    plant.pass(5_000);
    plant.version(&watched("when it waits", "offered"));
    assert_eq!(plant.cases.len(), 1, "it held before");
    plant.version(&watched("when it comes", "offered"));
    assert_eq!(plant.cases.len(), 2);
}

#[test]
fn nothing_begins_while_the_node_closes_down() {
    let mut plant = plant(&watched("when it comes", "answered"), 10);
    let until = runtime_contract::Tick(3_600_000_000_000);
    plant.agent("wang", runtime_exchange::AgentState::Idle);
    plant.call("1001");
    plant.give(Input::Drain { until });
    let agent = *plant.placed.last().unwrap();
    plant.answers(agent, false);
    plant.pass(5_000);
    assert_eq!(plant.cases.len(), 0);
    plant.bye(agent);
    assert!(plant.exchange.calls_live() == 0);
}
