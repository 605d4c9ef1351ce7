//! Trees written by hand, lowered and interpreted. Each `note` of a number leaves a trace; what needs an answer takes
//! the next of the script.

use lang_diagnostics::{FileId, Sources, Span};
use lang_semantics::hir::*;
use runtime_contract::arena::Arena;
use runtime_contract::drive::{End, Outcome, Stop, enter};
use runtime_contract::host::{Host, Observe};
use runtime_contract::program::{FlowProgram, Operation, Service};
use runtime_contract::request::{Kind, RejectReason};
use runtime_contract::stack::FRAME_HEADER_WORDS;
use runtime_contract::time::Time;
use runtime_contract::types::{EnumType, Type, TypeTable, Variant};
use runtime_contract::vault::Vault;
use runtime_contract::{Stack, limits};

use super::hir_to_graph;
use crate::interpreter::Interpreted;

fn span() -> Span {
    Span::new(FileId(0), 0, 1)
}

fn statement(kind: StatementKind) -> Statement {
    Statement { kind, keyword: span(), span: span() }
}

fn block(kinds: impl IntoIterator<Item = StatementKind>) -> Block {
    Block { statements: kinds.into_iter().map(statement).collect() }
}

fn expr(kind: ExprKind, ty: Type) -> Expr {
    Expr { kind, ty, span: span() }
}

fn int(n: i64) -> Expr {
    expr(ExprKind::Int(n), Type::Int)
}

fn local(id: u32, ty: Type) -> Expr {
    expr(ExprKind::Local(LocalId(id)), ty)
}

fn note(n: i64) -> StatementKind {
    trace(int(n))
}

fn trace(value: Expr) -> StatementKind {
    StatementKind::Note { key: "n".into(), value }
}

fn go(step: u32) -> Go {
    Go { step: StepId(step), arguments: vec![], bound: None }
}

fn declared(name: &str, ty: Type) -> Local {
    Local { name: name.into(), ty, span: span(), read_by_handlers: false }
}

fn flow(top: Block) -> Flow {
    Flow {
        name: "m.f".into(),
        span: span(),
        locals: vec![],
        parameters: 0,
        result: None,
        top,
        steps: vec![],
        fault: None,
        finally: None,
        counters: 0,
        dialogues: 0,
        prompts: vec![],
        is_attempt: false,
    }
}

fn step(name: &str, parameters: Vec<LocalId>, block: Block) -> Step {
    Step { name: name.into(), span: span(), parameters, block }
}

/// A menu with the choices 1 and 2.
fn menu(id: u32, tries_max: Option<u32>, arms: Vec<(Vec<Takes>, Block)>) -> StatementKind {
    let arms = arms.into_iter().map(|(takes, block)| DialogueArm { takes, block, span: span() }).collect();
    let id = DialogueId(id);
    let prompts = Prompts::default();
    let tries_span = Span::default();
    StatementKind::Menu(Menu {
        dialogue: Dialogue {
            id,
            tries_max,
            tries_span,
            prompts,
            reprompt: None,
            listen_ms: 5_000,
            between_keys_ms: 3_000,
            arms,
        },
        phrases: Vec::new(),
    })
}

fn key(key: &str) -> Takes {
    Takes::Key(key.into())
}

/// Runs the first flow: `answers` are outcomes, `None` is `Gone`.
fn run(program: &Program, answers: &[Option<u32>]) -> String {
    let mut sources = Sources::new();
    sources.add("m.flow", "x");
    let graph = hir_to_graph(program, &sources, None).unwrap().graph;
    let program = Interpreted::new(graph);
    let meta = program.meta();
    let (mut arena, mut vault, mut stack) = (Arena::default(), Vault::default(), Stack::default());
    assert!(enter(meta, &mut stack, 0, &[]));
    let mut answers = answers.iter();
    let mut traces = Vec::new();
    let mut outcome = Outcome::Start;
    loop {
        let mut seen = Vec::new();
        let observe = Observe::Live(&mut seen);
        let mut host = Host { meta, arena: &mut arena, vault: &mut vault, observe, now: Time(0) };
        let stop = program.resume(&mut stack, &mut host, outcome);
        traces.extend(stack.faults.drain(..).map(|fault| format!("!{}", fault.kind.name())));
        let site = match stop {
            Stop::Wait(site) => site,
            Stop::Done(end) => {
                assert_eq!(answers.next(), None, "answers left after {traces:?}");
                traces.push(match end {
                    End::Returned(_) => "returned".into(),
                    End::Gone => "gone".into(),
                    End::Fault(kind) => format!("fault {}", kind.name()),
                });
                return traces.join(" ");
            }
        };
        let request = meta.request(site).unwrap();
        outcome = match request.kind() {
            Kind::Note => {
                let mailbox = meta.flow(stack.flow()).unwrap().mailbox_at;
                traces.push((stack.slot(mailbox) as i64).to_string());
                Outcome::Result(0)
            }
            Kind::HangUp | Kind::Reject => Outcome::Gone,
            _ => {
                let answer = answers.next().unwrap_or_else(|| panic!("no answer after {traces:?}"));
                answer.map_or(Outcome::Gone, Outcome::Result)
            }
        };
    }
}

fn only(flow: Flow) -> Program {
    Program { flows: vec![flow], languages: vec!["en".into()], ..Program::default() }
}

#[test]
fn branches_that_wait_and_branches_that_do_not_meet_again() {
    let is_one = |id| {
        let subject = local(id, Type::Int);
        expr(ExprKind::Binary(Operator::Equal, Box::new(subject), Box::new(int(1))), Type::Bool)
    };
    let top = block([
        StatementKind::Let { local: LocalId(0), value: int(1) },
        StatementKind::If { condition: is_one(0), then: block([note(1)]), otherwise: block([]) },
        note(2),
        StatementKind::Let { local: LocalId(1), value: int(2) },
        StatementKind::If { condition: is_one(1), then: block([note(3), note(4)]), otherwise: block([]) },
        trace(local(0, Type::Int)),
        StatementKind::Return(None),
    ]);
    let locals = vec![declared("a", Type::Int), declared("b", Type::Int)];
    assert_eq!(run(&only(Flow { locals, ..flow(top) }), &[]), "1 2 1 returned");
}

#[test]
fn again_is_counted_and_what_stands_before_it_still_happens() {
    let again = StatementKind::Again(DialogueId(0));
    let arms = vec![
        (vec![key("1")], block([note(1)])),
        (vec![key("2")], block([note(2), again.clone()])),
        (vec![Takes::Other, Takes::Silence], block([again])),
        (vec![Takes::AfterTries], block([note(9)])),
    ];
    let top = block([menu(0, Some(3), arms), note(5), StatementKind::HangUp]);
    let program = only(Flow { dialogues: 1, ..flow(top) });
    assert_eq!(run(&program, &[Some(0)]), "1 5 gone");
    assert_eq!(run(&program, &[Some(3), Some(1), Some(0)]), "2 1 5 gone");
    assert_eq!(run(&program, &[Some(2), Some(3), Some(1)]), "2 9 5 gone");
    assert_eq!(run(&program, &[Some(2), None]), "gone");
}

#[test]
fn one_arm_serves_an_outcome_and_the_last_try() {
    let arms = vec![
        (vec![key("1"), key("2")], block([note(1)])),
        (vec![Takes::Other], block([StatementKind::Again(DialogueId(0))])),
        (vec![Takes::Silence, Takes::AfterTries], block([note(9)])),
    ];
    let program = only(Flow { dialogues: 1, ..flow(block([menu(0, Some(2), arms), StatementKind::HangUp])) });
    assert_eq!(run(&program, &[Some(3)]), "9 gone");
    assert_eq!(run(&program, &[Some(2), Some(2)]), "9 gone");
    assert_eq!(run(&program, &[Some(1)]), "1 gone");
}

#[test]
fn tries_begin_anew_at_every_arrival_but_a_bounded_go_counts_for_ever() {
    let again = || block([StatementKind::Again(DialogueId(0))]);
    let arms = vec![
        (vec![key("1"), key("2")], block([])),
        (vec![Takes::Other, Takes::Silence], again()),
        (vec![Takes::AfterTries], block([note(9), StatementKind::HangUp])),
    ];
    let bound = Bound {
        counter: CounterId(0),
        times: 2,
        times_span: Span::default(),
        otherwise: block([note(7), StatementKind::HangUp]),
    };
    let back = StatementKind::Go(Go { bound: Some(bound), ..go(0) });
    let steps = vec![step("s", vec![], block([menu(0, Some(2), arms), back]))];
    let top = block([StatementKind::Go(go(0))]);
    let program = only(Flow { steps, dialogues: 1, counters: 1, ..flow(top) });
    assert_eq!(run(&program, &[Some(2), Some(0), Some(2), Some(0), Some(2), Some(0)]), "7 gone");
    assert_eq!(run(&program, &[Some(0), Some(2), Some(2)]), "9 gone");
}

#[test]
fn a_step_hands_its_parameters_on_in_another_order() {
    let argument = |index, id| Argument { index, value: local(id, Type::Int) };
    let bound = Bound {
        counter: CounterId(0),
        times: 1,
        times_span: Span::default(),
        otherwise: block([StatementKind::Return(None)]),
    };
    let swap = Go { arguments: vec![argument(0, 1), argument(1, 0)], bound: Some(bound), ..go(0) };
    let body = block([trace(local(0, Type::Int)), trace(local(1, Type::Int)), StatementKind::Go(swap)]);
    let arguments = vec![Argument { index: 1, value: int(2) }, Argument { index: 0, value: int(1) }];
    let flow = Flow {
        locals: vec![declared("a", Type::Int), declared("b", Type::Int)],
        steps: vec![step("s", vec![LocalId(0), LocalId(1)], body)],
        counters: 1,
        ..flow(block([StatementKind::Go(Go { arguments, ..go(0) })]))
    };
    assert_eq!(run(&only(flow), &[]), "1 2 2 1 returned");
}

#[test]
fn finally_runs_inner_first_and_a_fault_has_its_handler() {
    let overflow = expr(ExprKind::Binary(Operator::Add, Box::new(int(i64::MAX)), Box::new(int(1))), Type::Int);
    let inner = Flow {
        name: "m.g".into(),
        finally: Some(block([note(20)])),
        ..flow(block([trace(overflow), StatementKind::Return(None)]))
    };
    let call = StatementKind::Run(Run { flow: 1, arguments: vec![], result: None, returns: Some(true), hangup: None });
    let outer = Flow {
        fault: Some(block([note(30), StatementKind::HangUp])),
        finally: Some(block([note(40)])),
        ..flow(block([note(10), call, note(11), StatementKind::Return(None)]))
    };
    let program = Program { flows: vec![outer, inner], ..Program::default() };
    assert_eq!(run(&program, &[]), "10 !overflow 20 !overflow 30 40 gone");
}

#[test]
fn a_result_comes_back_by_its_variant() {
    let types = TypeTable {
        enums: vec![EnumType { name: "m.E".into(), variants: ["a", "b", "c"].map(Variant::plain).into() }],
        records: vec![],
    };
    let variant = |n| expr(ExprKind::Variant(n), Type::Enum(0));
    let inner = Flow {
        name: "m.g".into(),
        locals: vec![declared("x", Type::Enum(0))],
        parameters: 1,
        result: Some(Type::Enum(0)),
        ..flow(block([StatementKind::Return(Some(local(0, Type::Enum(0))))]))
    };
    let arguments = vec![Argument { index: 0, value: variant(2) }];
    let arm = |patterns, n| MatchArm { patterns, block: block([note(n)]), span: span() };
    let choice = Match {
        subject: local(0, Type::Enum(0)),
        arms: vec![
            arm(vec![Pattern::Variant(0, vec![])], 1),
            arm(vec![Pattern::Variant(1, vec![]), Pattern::Variant(2, vec![])], 2),
        ],
    };
    let outer = Flow {
        locals: vec![declared("r", Type::Enum(0))],
        ..flow(block([
            StatementKind::Run(Run { flow: 1, arguments, result: Some(LocalId(0)), returns: Some(true), hangup: None }),
            StatementKind::Match(choice),
            StatementKind::Reject(RejectReason::Busy),
        ]))
    };
    assert_eq!(run(&Program { flows: vec![outer, inner], types, ..Program::default() }, &[]), "2 gone");
}

#[test]
fn what_is_not_needed_is_not_computed() {
    let overflow = expr(ExprKind::Binary(Operator::Add, Box::new(int(i64::MAX)), Box::new(int(1))), Type::Int);
    let some = expr(ExprKind::Some(Box::new(int(4))), Type::Optional(Box::new(Type::Int)));
    let or_else = expr(ExprKind::Else(Box::new(some), Box::new(overflow.clone())), Type::Int);
    let is_large = expr(ExprKind::Binary(Operator::Greater, Box::new(overflow), Box::new(int(0))), Type::Bool);
    let no = expr(ExprKind::Bool(false), Type::Bool);
    let both = expr(ExprKind::And(Box::new(no), Box::new(is_large)), Type::Bool);
    let kept = StatementKind::Let { local: LocalId(0), value: both.clone() };
    let choose = StatementKind::If { condition: both, then: block([note(1)]), otherwise: block([note(2)]) };
    let again =
        StatementKind::If { condition: local(0, Type::Bool), then: block([note(3)]), otherwise: block([note(4)]) };
    let top = block([kept, trace(or_else), choose, again, StatementKind::Return(None)]);
    let program = only(Flow { locals: vec![declared("b", Type::Bool)], ..flow(top) });
    assert_eq!(run(&program, &[]), "4 2 4 returned");
}

#[test]
fn sites_are_named_by_flow_step_and_kind() {
    let operation = Operation { name: "find".into(), parameters: vec![], result: None, within_ms: 1, writes: false };
    let find = || {
        let (ok, failed) = (block([]), block([]));
        StatementKind::Service(ServiceCall { service: 0, operation: 0, arguments: vec![], result: None, ok, failed })
    };
    let steps = vec![step("s", vec![], block([find(), find(), StatementKind::Return(None)]))];
    let flow = Flow {
        steps,
        finally: Some(block([note(1)])),
        ..flow(block([StatementKind::Answer, StatementKind::Go(go(0))]))
    };
    let services = vec![Service { name: "crm".into(), operations: vec![operation] }];
    let graph = hir_to_graph(&Program { services, ..only(flow) }, &Sources::new(), None).unwrap().graph;
    let keys: Vec<_> = graph.meta.sites.iter().map(|site| site.key.as_str()).collect();
    assert_eq!(keys, ["m.f/answer#1", "m.f.s/crm.find#1", "m.f.s/crm.find#2", "m.f.finally/note n#1"]);
    assert_eq!(graph.meta.sites.iter().map(|site| site.step.as_str()).collect::<Vec<_>>(), ["", "s", "s", "finally"]);
}

#[test]
fn a_program_beyond_a_bound_is_refused_in_words() {
    // Beside its parameters, the frame holds its header and a mailbox for the note.
    let most = limits::FRAME_BYTES_MAX / 8 - FRAME_HEADER_WORDS as usize - 1;
    let with_parameters = |count: usize| {
        let locals = (0..count).map(|_| declared("p", Type::Int)).collect();
        let top = block([note(1), StatementKind::Return(None)]);
        hir_to_graph(&only(Flow { locals, parameters: count as u32, ..flow(top) }), &Sources::new(), None)
    };
    assert!(with_parameters(most).is_ok());
    let problems = with_parameters(most + 1).unwrap_err();
    assert!(problems.iter().any(|problem| problem.contains("flow m.f")), "{problems:?}");
}
