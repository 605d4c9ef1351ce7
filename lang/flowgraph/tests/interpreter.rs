//! What each operation means, on known words: the interpreter is what native code is held against, so it is held
//! against these.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop at the first surprise"
)]

use lang_flowgraph::Interpreted;
use lang_flowgraph::builder::GraphBuilder;
use lang_flowgraph::graph::{Arithmetic, Condition, Fact, Word};
use runtime_contract::arena::Arena;
use runtime_contract::drive::{End, Outcome, Stop, enter};
use runtime_contract::host::{FaultKind, Host, HostCall, Observe};
use runtime_contract::program::{FlowProgram, Place, ProgramMeta};
use runtime_contract::stack::{RESULT_AT, Stack};
use runtime_contract::time::Time;
use runtime_contract::types::Type;
use runtime_contract::vault::Vault;

/// The word that an expression gives, or its fault.
fn run(write: impl FnOnce(&mut GraphBuilder, u32) -> Word) -> Result<i64, FaultKind> {
    let mut graph = GraphBuilder::new(ProgramMeta::default());
    let flow = graph.flow("m.f", Vec::new(), Some(Type::Int));
    let entry = graph.segment(flow);
    graph.set_entry(flow, entry);
    graph.go_to(graph.entry(entry));
    let place = graph.fault_place(Place { file: 0, line: 9, column: 1 });
    let word = write(&mut graph, place);
    let tag = graph.constant(0);
    graph.return_with(tag, &[word]);
    let program = Interpreted::new(graph.finish().unwrap());
    let mut stack = Stack::default();
    stack.header.language = 5;
    stack.header.channel = 2;
    stack.header.caller_number = [1, 861_380];
    stack.header.called = [1, 864_008];
    assert!(enter(program.meta(), &mut stack, 0, &[]));
    let (mut arena, mut vault, mut observed) = (Arena::default(), Vault::default(), Vec::new());
    let observe = Observe::Live(&mut observed);
    let mut host = Host { meta: program.meta(), arena: &mut arena, vault: &mut vault, observe, now: Time(0) };
    match program.resume(&mut stack, &mut host, Outcome::Start) {
        Stop::Done(End::Returned(0)) => Ok(stack.slot(RESULT_AT) as i64),
        Stop::Done(End::Fault(kind)) => {
            assert_eq!(stack.faults.first().map(|faulted| faulted.place), Some(Some(place)));
            Err(kind)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn arithmetic_is_checked_at_its_bounds() {
    let of = |operation, left, right| {
        run(|graph, place| {
            let (left, right) = (graph.integer(left), graph.integer(right));
            graph.arithmetic(operation, left, right, place)
        })
    };
    let overflow = Err(FaultKind::Overflow);
    assert_eq!(of(Arithmetic::Add, i64::MAX - 1, 1), Ok(i64::MAX));
    assert_eq!(of(Arithmetic::Add, i64::MAX, 1), overflow);
    assert_eq!(of(Arithmetic::Subtract, 3, 5), Ok(-2));
    assert_eq!(of(Arithmetic::Subtract, i64::MIN, 1), overflow);
    assert_eq!(of(Arithmetic::Multiply, -4, 5), Ok(-20));
    assert_eq!(of(Arithmetic::Multiply, i64::MIN, -1), overflow);
}

#[test]
fn the_least_integer_has_no_opposite() {
    let negated = |value| {
        run(|graph, place| {
            let word = graph.integer(value);
            graph.negate(word, place)
        })
    };
    assert_eq!(negated(7), Ok(-7));
    assert_eq!(negated(i64::MIN), Err(FaultKind::Overflow));
}

#[test]
fn comparisons_are_signed() {
    for (condition, wanted) in [
        (Condition::Equal, [0, 1, 0]),
        (Condition::NotEqual, [1, 0, 1]),
        (Condition::Less, [1, 0, 0]),
        (Condition::LessOrEqual, [1, 1, 0]),
        (Condition::Greater, [0, 0, 1]),
        (Condition::GreaterOrEqual, [0, 1, 1]),
    ] {
        for (left, wanted) in [-1, 0, 1].into_iter().zip(wanted) {
            let holds = run(|graph, _| {
                let (left, zero) = (graph.integer(left), graph.constant(0));
                graph.compare(condition, left, zero)
            });
            assert_eq!(holds, Ok(wanted), "{left} {condition:?} 0");
        }
    }
}

#[test]
fn truths() {
    let of = |write: fn(&mut GraphBuilder, Word, Word) -> Word, left, right| {
        run(|graph, _| {
            let (left, right) = (graph.integer(left), graph.integer(right));
            write(graph, left, right)
        })
    };
    assert_eq!(of(GraphBuilder::and, 1, 0), Ok(0));
    assert_eq!(of(GraphBuilder::or, 1, 0), Ok(1));
    assert_eq!(of(|graph, word, _| graph.not(word), 0, 0), Ok(1));
    assert_eq!(of(|graph, word, _| graph.not(word), 5, 0), Ok(0));
    assert_eq!(of(|graph, left, right| graph.select(left, right, left), 9, 4), Ok(4));
    assert_eq!(of(|graph, left, right| graph.select(right, right, left), 9, 0), Ok(9));
}

#[test]
fn requirements_name_their_fault() {
    let of = |left, right| {
        run(|graph, place| {
            let (left, right) = (graph.integer(left), graph.integer(right));
            graph.require_same_currency(left, right, place);
            left
        })
    };
    assert_eq!(of(156, 156), Ok(156));
    assert_eq!(of(156, 840), Err(FaultKind::Currency));
    let never = run(|graph, place| {
        let zero = graph.constant(0);
        graph.fault(FaultKind::Index, place);
        zero
    });
    assert_eq!(never, Err(FaultKind::Index));
}

#[test]
fn facts_and_the_language() {
    assert_eq!(Fact::ALL.map(|fact| run(|graph, _| graph.fact(fact))), [5, 1, 861_380, 1, 864_008, 2].map(Ok));
    let changed = run(|graph, _| {
        let word = graph.constant(2);
        graph.set_language(word);
        graph.fact(Fact::Language)
    });
    assert_eq!(changed, Ok(2));
}

#[test]
fn host_calls_answer_or_fault() {
    let joined = run(|graph, place| {
        let (left, right) = (graph.text("4111"), graph.text("2222"));
        let text = graph.host(HostCall::TextJoin, &[left, right], place)[0];
        graph.host(HostCall::TextLength, &[text], place)[0]
    });
    assert_eq!(joined, Ok(8));
    let of = |divisor| {
        run(|graph, place| {
            let (left, right) = (graph.integer(7_000_000), graph.integer(divisor));
            graph.host(HostCall::DecimalDivide, &[left, right], place)[0]
        })
    };
    assert_eq!(of(2_000_000), Ok(3_500_000));
    assert_eq!(of(0), Err(FaultKind::Divide));
    let money = run(|graph, place| {
        let (amount, currency, half) = (graph.integer(30), graph.integer(156), graph.integer(500_000));
        let words = graph.host(HostCall::MoneyMultiply, &[amount, currency, half], place);
        graph.arithmetic(Arithmetic::Add, words[0], words[1], place)
    });
    assert_eq!(money, Ok(15 + 156));
}

#[test]
fn a_switch_takes_its_way_by_index() {
    let of = |index: i64| {
        run(|graph, _| {
            let ways = [graph.block(), graph.block(), graph.block()];
            let (word, after) = (graph.integer(index), graph.block());
            let met = graph.block_parameter(after);
            graph.switch(word, &ways[..2], ways[2]);
            for (value, way) in (10..).zip(ways) {
                graph.go_to(way);
                let value = graph.integer(value);
                graph.jump(after, &[value]);
            }
            graph.go_to(after);
            met
        })
    };
    assert_eq!([0, 1, 2, -1, 1 << 32].map(of), [10, 11, 12, 12, 12].map(Ok));
}
