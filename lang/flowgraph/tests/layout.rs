//! Frames, live maps and the text form, on small programs written by hand.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop at the first surprise"
)]

use lang_flowgraph::builder::{GraphBuilder, Site};
use lang_flowgraph::graph::{Arithmetic, Condition, FlowId, Graph, SegmentId, Terminator};
use lang_flowgraph::{Verified, graph_to_text};
use runtime_contract::host::HostCall;
use runtime_contract::program::{Parameter, Place, ProgramMeta, SiteKind};
use runtime_contract::request::Request;
use runtime_contract::types::{Class, Type};

fn start() -> (GraphBuilder, FlowId, SegmentId) {
    let meta = ProgramMeta { languages: vec!["en".into()], files: vec!["m.flow".into()], ..ProgramMeta::default() };
    let mut graph = GraphBuilder::new(meta);
    let flow = graph.flow("m.f", Vec::new(), None);
    let entry = graph.segment(flow);
    graph.set_entry(flow, entry);
    graph.go_to(graph.entry(entry));
    (graph, flow, entry)
}

/// Waits for a request; goes on in a new segment.
fn ask(graph: &mut GraphBuilder, flow: FlowId, key: &str, request: Request, words: &[lang_flowgraph::graph::Word]) {
    let resume = graph.segment(flow);
    let kind = SiteKind::Request(request);
    let site = graph.site(Site { key: key.into(), place: Place::default(), flow, step: String::new(), kind, resume });
    graph.wait(site, words);
    graph.go_to(graph.entry(resume));
}

fn kept(graph: &Graph, site: usize) -> Vec<(u32, String)> {
    graph.meta.sites[site].live.iter().map(|live| (live.slot, live.name.clone())).collect()
}

/// Two numbers, each of which lives across one wait.
fn two_in_turn(class_of_second: Class) -> Verified {
    let (mut graph, flow, _) = start();
    let (a, b) = (graph.variable(flow, Class::Word, "a"), graph.variable(flow, class_of_second, "b"));
    let language = graph.fact(lang_flowgraph::graph::Fact::Language);
    graph.store(a, language);
    ask(&mut graph, flow, "1", Request::Answer, &[]);
    let kept = graph.load(a);
    graph.set_language(kept);
    let second = if class_of_second == Class::Word { graph.constant(7) } else { graph.text("seven") };
    graph.store(b, second);
    ask(&mut graph, flow, "2", Request::Answer, &[]);
    let kept = graph.load(b);
    let kept = if class_of_second == Class::Word { kept } else { graph.host(HostCall::TextLength, &[kept], 0)[0] };
    graph.set_language(kept);
    ask(&mut graph, flow, "3", Request::HangUp, &[]);
    graph.fault_place(Place::default());
    graph.finish().unwrap()
}

#[test]
fn variables_of_one_class_that_never_meet_share_a_slot() {
    let graph = two_in_turn(Class::Word);
    assert_eq!(kept(&graph, 0), [(3, "a".to_owned())]);
    assert_eq!(kept(&graph, 1), [(3, "b".to_owned())]);
    assert_eq!(graph.meta.flows[0].frame_words, 4);
}

#[test]
fn variables_of_two_classes_never_share() {
    let graph = two_in_turn(Class::Text);
    assert_eq!(kept(&graph, 0), [(3, "a".to_owned())]);
    assert_eq!(kept(&graph, 1), [(4, "b".to_owned())]);
}

#[test]
fn what_lives_inside_a_segment_takes_no_slot() {
    let (mut graph, flow, _) = start();
    let temporary = graph.variable(flow, Class::Word, "t");
    let two = graph.constant(2);
    graph.store(temporary, two);
    let again = graph.load(temporary);
    graph.set_language(again);
    ask(&mut graph, flow, "end", Request::HangUp, &[]);
    let graph = graph.finish().unwrap();
    assert_eq!(graph.meta.flows[0].frame_words, 3);
    assert_eq!(graph.segments[0].blocks[0].instructions.len(), 2, "{}", graph_to_text(&graph));
}

#[test]
fn what_finally_reads_is_kept_at_every_wait_and_shared_with_nobody() {
    let (mut graph, flow, _) = start();
    let (early, noted) = (graph.variable(flow, Class::Word, "early"), graph.variable(flow, Class::Word, "noted"));
    let language = graph.fact(lang_flowgraph::graph::Fact::Language);
    graph.store(early, language);
    ask(&mut graph, flow, "1", Request::Answer, &[]);
    let word = graph.load(early);
    graph.set_language(word);
    let one = graph.constant(1);
    graph.store(noted, one);
    ask(&mut graph, flow, "2", Request::HangUp, &[]);
    let finally = graph.segment(flow);
    graph.set_finally(flow, finally);
    graph.go_to(graph.entry(finally));
    let word = graph.load(noted);
    graph.set_language(word);
    graph.end_block();
    let graph = graph.finish().unwrap();
    assert_eq!(kept(&graph, 0), [(3, "early".to_owned()), (4, "noted".to_owned())]);
    assert_eq!(kept(&graph, 1), [(4, "noted".to_owned())]);
}

#[test]
fn constants_are_sorted_and_only_those_in_use() {
    let (mut graph, _, _) = start();
    let place = graph.fault_place(Place { file: 0, line: 4, column: 2 });
    let (b, a) = (graph.text("b"), graph.text("a"));
    let equal = graph.host(HostCall::TextEqual, &[b, a], place)[0];
    graph.return_with(equal, &[]);
    graph.text("never");
    assert!(graph.is_ended() || graph.here().block.0 > 0, "what follows an end is not reached");
    graph.end_block();
    let graph = graph.finish().unwrap();
    assert_eq!(graph.meta.constants, ["", "a", "b"]);
}

#[test]
fn mistakes_of_the_writer_are_told() {
    let (mut graph, flow, entry) = start();
    let here = graph.constant(1);
    let other = graph.segment(flow);
    graph.continue_in(other);
    graph.go_to(graph.entry(other));
    graph.set_language(here);
    graph.continue_in(entry);
    assert!(graph.finish().unwrap_err()[0].contains("words of another segment"));

    let (mut graph, ..) = start();
    let (first, second) = (graph.block(), graph.block());
    graph.jump(first, &[]);
    graph.go_to(first);
    graph.jump(second, &[]);
    graph.go_to(second);
    graph.jump(first, &[]);
    assert!(graph.finish().unwrap_err()[0].contains("leads back to itself"));

    let (mut graph, flow, _) = start();
    ask(&mut graph, flow, "note", Request::Note { key: "k".into(), r#type: Type::Money }, &[]);
    assert!(graph.finish().unwrap_err()[0].contains("0 words of arguments, wanted Some(2)"));

    let (graph, ..) = start();
    assert!(graph.finish().unwrap_err()[0].contains("has no end"));
}

#[test]
fn a_text_in_a_plain_slot_is_refused() {
    let (mut graph, flow, _) = start();
    let plain = graph.variable(flow, Class::Word, "plain");
    let text = graph.text("gold");
    graph.store(plain, text);
    ask(&mut graph, flow, "1", Request::Answer, &[]);
    let word = graph.load(plain);
    graph.set_language(word);
    graph.end_block();
    assert_eq!(graph.finish().unwrap_err(), ["segment 0: word 1 is Text, slot 3 takes Word"]);
}

#[test]
fn flows_that_run_themselves_or_too_deep_are_refused() {
    let chain = |count: usize, last_runs: Option<usize>| {
        let mut graph = GraphBuilder::new(ProgramMeta::default());
        let flows: Vec<FlowId> = (0..count).map(|at| graph.flow(&format!("f{at}"), Vec::new(), None)).collect();
        for (at, flow) in flows.iter().enumerate() {
            let entry = graph.segment(*flow);
            graph.set_entry(*flow, entry);
            graph.go_to(graph.entry(entry));
            let callee = if at + 1 < count { Some(at + 1) } else { last_runs };
            if let Some(callee) = callee {
                let resume = graph.segment(*flow);
                let kind = SiteKind::Run { flow: callee as u32 };
                let (key, step) = (format!("run{at}"), String::new());
                let site = graph.site(Site { key, place: Place::default(), flow: *flow, step, kind, resume });
                graph.call(site, &[]);
                graph.go_to(graph.entry(resume));
            }
            let zero = graph.constant(0);
            graph.return_with(zero, &[]);
        }
        graph.finish()
    };
    let depth_max = runtime_contract::limits::RUN_DEPTH_MAX;
    assert!(chain(depth_max, None).is_ok());
    assert!(chain(depth_max + 1, None).unwrap_err()[0].contains("17 flows run inside each other"));
    assert_eq!(chain(3, Some(1)).unwrap_err(), ["a flow runs itself"]);
}

#[test]
fn a_frame_ends_at_its_bound() {
    let with = |count: u32| {
        let (mut graph, flow, _) = start();
        let language = graph.fact(lang_flowgraph::graph::Fact::Language);
        let variables: Vec<_> = (0..count).map(|_| graph.variable(flow, Class::Word, "")).collect();
        variables.iter().for_each(|variable| graph.store(*variable, language));
        ask(&mut graph, flow, "1", Request::Answer, &[]);
        for variable in variables {
            let word = graph.load(variable);
            graph.set_language(word);
        }
        graph.end_block();
        graph.finish()
    };
    assert_eq!(with(512 - 3).unwrap().meta.flows[0].frame_words, 512);
    assert!(with(512 - 2).unwrap_err()[0].contains("take 513 words, at most 512"));
}

#[test]
fn the_text_form() {
    let (mut graph, _, _) = start();
    let parameters = vec![Parameter { name: "n".into(), r#type: Type::Int }];
    let flow = graph.flow("m.count", parameters, Some(Type::Int));
    let (entry, place) = (graph.segment(flow), graph.fault_place(Place { file: 0, line: 7, column: 5 }));
    graph.set_entry(flow, entry);
    let zero = graph.constant(0);
    graph.return_with(zero, &[]);
    graph.go_to(graph.entry(entry));
    let parameter = graph.parameter(flow, 0)[0];
    let word = graph.load(parameter);
    ask(&mut graph, flow, "m.count/note#1", Request::Note { key: "n".into(), r#type: Type::Int }, &[word]);
    let (word, one) = (graph.load(parameter), graph.constant(1));
    let sum = graph.arithmetic(Arithmetic::Add, word, one, place);
    let negative = graph.compare(Condition::Less, sum, one);
    let (yes, no, after) = (graph.block(), graph.block(), graph.block());
    let given = graph.block_parameter(after);
    graph.branch(negative, yes, no);
    graph.go_to(yes);
    graph.fault(runtime_contract::FaultKind::Index, place);
    graph.go_to(no);
    graph.jump(after, &[sum]);
    graph.go_to(after);
    let zero = graph.constant(0);
    graph.return_with(zero, &[given]);
    let graph = graph.finish().unwrap();
    assert_eq!(graph_to_text(&graph), TEXT);
}

const TEXT: &str = "\
flow m.f: frame 3, mailbox 3, entry segment 0
  segment 0
    block 0(w0)
      w1 = 0
      return w1

flow m.count: frame 6, mailbox 5, entry segment 1
  site 0 m.count/note#1: note, 1 outcomes to segment 2, keeps 4:n:Word
  segment 1
    block 0(w0)
      w1 = load slot 4
      store mailbox 0 w1
      wait m.count/note#1
  segment 2
    block 0(w0)
      w1 = load slot 4
      w2 = 1
      w3 = add w1, w2 at m.flow:7:5
      w4 = compare Less w3, w2
      branch w4 to 1 else 2
    block 1()
      fault index at m.flow:7:5
    block 2()
      jump 3(w3)
    block 3(w5)
      w6 = 0
      store slot 3 w5
      return w6
";

fn continues(graph: &Graph) -> usize {
    let blocks = graph.segments.iter().flat_map(|segment| &segment.blocks);
    blocks.filter(|block| matches!(block.terminator, Terminator::Continue(_))).count()
}

#[test]
fn a_short_segment_takes_the_place_of_the_way_to_it() {
    let (mut graph, flow, entry) = start();
    let tries = graph.variable(flow, Class::Word, "tries");
    let step = graph.segment(flow);
    graph.continue_in(step);
    graph.go_to(graph.entry(step));
    let (outcome, tried) = (graph.outcome(), graph.load(tries));
    let sum = graph.arithmetic(Arithmetic::Add, outcome, tried, 0);
    graph.store(tries, sum);
    ask(&mut graph, flow, "1", Request::Answer, &[]);
    graph.continue_in(step);
    graph.fault_place(Place::default());
    let graph = graph.finish().unwrap();
    assert_eq!((graph.segments.len(), continues(&graph)), (2, 0), "{}", graph_to_text(&graph));
    assert_eq!(graph.meta.flows[0].entry_segment, entry.0);
}

/// What leads back to itself must go on burning fuel.
#[test]
fn segments_that_lead_to_each_other_keep_a_continue() {
    let (mut graph, flow, entry) = start();
    let other = graph.segment(flow);
    graph.continue_in(other);
    graph.go_to(graph.entry(other));
    graph.continue_in(entry);
    graph.fault_place(Place::default());
    assert!(continues(&graph.finish().unwrap()) > 0);
}
