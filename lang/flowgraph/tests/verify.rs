//! Each invariant that engines and driver rely on, broken once: the verifier names it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop at the first surprise"
)]

use lang_flowgraph::builder::{GraphBuilder, Site};
use lang_flowgraph::graph::{
    Block, BlockId, Condition, Edge, Fact, Graph, Instruction, Segment, SegmentId, Terminator, Word,
};
use lang_flowgraph::serial::{self, LoadError};
use lang_flowgraph::verify;
use runtime_contract::host::HostCall;
use runtime_contract::program::{Place, ProgramMeta, SiteId, SiteKind};
use runtime_contract::request::Request;
use runtime_contract::types::{Class, Field, RecordType, Type, TypeTable};

/// Segment 0 (blocks 0 to 3) notes a number and waits; segment 1 reads what was kept, and the reply to a `wait`.
fn sound() -> Graph {
    let mut graph = GraphBuilder::new(ProgramMeta { languages: vec!["en".into()], ..ProgramMeta::default() });
    let flow = graph.flow("m.f", Vec::new(), None);
    let (entry, resume) = (graph.segment(flow), graph.segment(flow));
    graph.set_entry(flow, entry);
    graph.go_to(graph.entry(entry));
    let place = graph.fault_place(Place::default());
    let kept = graph.variable(flow, Class::Word, "kept");
    let name = graph.variable(flow, Class::Text, "name");
    let language = graph.fact(Fact::Language);
    let (yes, no, after) = (graph.block(), graph.block(), graph.block());
    let met = graph.block_parameter(after);
    let is_first = graph.compare(Condition::Equal, language, language);
    graph.branch(is_first, yes, no);
    graph.go_to(yes);
    graph.jump(after, &[language]);
    graph.go_to(no);
    let other = graph.constant(3);
    graph.jump(after, &[other]);
    graph.go_to(after);
    graph.store(kept, met);
    let text = graph.text("gold");
    graph.store(name, text);
    let kind = SiteKind::Request(Request::Note { key: "k".into(), r#type: Type::Int });
    let (key, place_0) = ("m.f/note#1".to_owned(), Place::default());
    let site = graph.site(Site { key, place: place_0, flow, step: String::new(), kind, resume });
    graph.wait(site, &[met]);
    graph.go_to(graph.entry(resume));
    let word = graph.load(kept);
    graph.set_language(word);
    let name = graph.load(name);
    let length = graph.host(HostCall::TextLength, &[name], place)[0];
    graph.return_with(length, &[]);
    graph.finish().unwrap().into_graph()
}

fn instructions(graph: &mut Graph, segment: usize, block: usize) -> &mut Vec<Instruction> {
    &mut graph.segments[segment].blocks[block].instructions
}

fn refused(change: impl FnOnce(&mut Graph), wanted: &str) {
    let mut graph = sound();
    change(&mut graph);
    let problems = verify(&graph);
    assert!(problems.iter().any(|problem| problem.contains(wanted)), "wanted {wanted:?} in {problems:?}");
    // The same graph from a store is refused for the same reason.
    assert_eq!(serial::from_bytes(&serial::to_bytes(&graph)).unwrap_err(), LoadError::Unsound(problems));
}

#[test]
fn words() {
    let language = |word| Instruction::SetLanguage(Word(word));
    refused(|g| instructions(g, 0, 0).push(language(40)), "used before it is defined");
    refused(|g| instructions(g, 0, 3).push(language(3)), "not defined on every way here");
    refused(|g| instructions(g, 0, 0).push(Instruction::Text(9)), "no constant 9");
}

#[test]
fn ways() {
    let to = |block| Terminator::Jump(Edge { block: BlockId(block), arguments: Vec::new() });
    refused(|g| g.segments[0].blocks[1].terminator = to(1), "leads back");
    refused(|g| g.segments[0].blocks[1].terminator = to(3), "hands over too little");
    refused(|g| g.segments[0].blocks[1].terminator = to(7), "leads back, or hands over");
    refused(|g| g.segments[0].blocks[0].terminator = Terminator::End, "no way leads here");
    refused(|g| g.segments[0].blocks[0].parameters = 2, "the entry's one parameter");
    refused(|g| g.segments[0] = Segment::default(), "the entry's one parameter");
    let endless = Block { parameters: u32::MAX, instructions: Vec::new(), terminator: Terminator::End };
    refused(|g| g.segments[0].blocks.push(endless), "no way leads here");
    refused(|g| g.segments[0].blocks[3].terminator = Terminator::Continue(SegmentId(2)), "segment 2 is not one");
    refused(|g| g.segments[0].blocks[3].terminator = Terminator::Wait(SiteId(1)), "no site 1");
    refused(|g| g.segments[0].blocks[3].terminator = Terminator::Call(SiteId(0)), "of another flow or kind");
    let blocks_max = 4096;
    let chain = |count: u32| -> Vec<Block> {
        let edge = |block| Terminator::Jump(Edge { block: BlockId(block), arguments: Vec::new() });
        let end = |at| if at + 1 < count { edge(at + 1) } else { Terminator::End };
        (0..count)
            .map(|at| Block { parameters: u32::from(at == 0), instructions: Vec::new(), terminator: end(at) })
            .collect()
    };
    let mut graph = sound();
    graph.segments[1].blocks = chain(blocks_max);
    assert_eq!(verify(&graph), [""; 0]);
    refused(|g| g.segments[1].blocks = chain(blocks_max + 1), "4097 blocks, at most 4096");
}

#[test]
fn slots() {
    let load = |slot| Instruction::Load { slot };
    let frame_words = sound().meta.flows[0].frame_words;
    refused(|g| instructions(g, 0, 0).push(load(frame_words)), "is not one of the frame's");
    refused(|g| instructions(g, 0, 3).push(Instruction::Store { slot: 2, word: Word(0) }), "slot 2 is not one");
    refused(|g| instructions(g, 0, 0)[0] = load(frame_words - 1), "of the mailbox is read before a wait");
    refused(|g| instructions(g, 1, 0).push(load(frame_words - 1)), "of its payload is read");
    refused(|g| g.meta.sites[0].live.truncate(1), "is read later but not kept");
    refused(|g| g.meta.sites[0].live.reverse(), "live map not in order");
    refused(|g| g.meta.sites[0].live[1].slot = frame_words - 1, "is not one for variables");
    refused(|g| g.meta.sites[0].live[1].class = Class::Word, "TextLength takes Text");
    refused(|g| g.meta.flows[0].mailbox_at = 2, "do not fit the frame");
    refused(|g| g.meta.flows[0].frame_words = 513, "take 513 words, at most 512");
    refused(|g| g.meta.flows[0].frame_words -= 1, "1 words in a mailbox of 0");
}

#[test]
fn tables() {
    refused(|g| g.meta.constants = vec!["gold".into(), "gold".into()], "one occurs twice");
    refused(|g| g.meta.constants[0] = "a".into(), "constant 0 is not the empty text");
    refused(|g| g.meta.flows[0].entry_segment = 2, "segment 2 is not one of it");
    refused(|g| g.meta.flows[0].finally_segment = Some(9), "segment 9 is not one of it");
    refused(|g| g.meta.segments[1] = 4, "no flow 4");
    refused(|g| g.meta.segments.truncate(1), "2 segments, 1 of them with a flow");
    refused(|g| g.meta.sites[0].resume = 2, "resumes in 2");
    refused(|g| g.meta.sites[0].arguments.clear(), "arguments of other types");
    refused(|g| g.meta.sites[0].payloads.push(None), "outcomes of other types");
    refused(|g| g.meta.sites[0].kind = SiteKind::Run { flow: 1 }, "names something that is not there");
    refused(|g| g.meta.fault_places.clear(), "no fault place 0");
    let hours = |g: &mut Graph| {
        let call = Instruction::Host { call: HostCall::HoursOpen, arguments: vec![Word(0)], place: 0 };
        instructions(g, 0, 0).push(call);
    };
    refused(hours, "no hours");
}

#[test]
fn types_end() {
    let record = |types: &[Type]| RecordType {
        name: "m.R".into(),
        fields: types.iter().map(|t| Field { name: "f".into(), r#type: t.clone() }).collect(),
    };
    let with =
        |records: Vec<RecordType>| move |g: &mut Graph| g.meta.types = TypeTable { enums: vec![], records }.into();
    refused(with(vec![record(&[Type::Record(0)])]), "record 0: contains itself");
    refused(with(vec![record(&[Type::Enum(0)])]), "unknown");
    // Each twice the one before, without any slot.
    let doubling = (0..31u32).map(|at| match at {
        0 => record(&[]),
        at => record(&[Type::Record(at - 1), Type::Record(at - 1)]),
    });
    refused(with(doubling.collect()), "too large in a field");
    refused(
        |g| g.meta.sites[0].kind = SiteKind::Request(Request::Note { key: "k".into(), r#type: Type::Record(0) }),
        "a type that is unknown",
    );
}

#[test]
fn bytes_that_are_no_graph() {
    let bytes = serial::to_bytes(&sound());
    assert_eq!(*serial::from_bytes(&bytes).unwrap(), sound());
    assert_eq!(serial::from_bytes(&[]).unwrap_err(), LoadError::Format(None));
    assert_eq!(serial::from_bytes(&[9, 0, 1]).unwrap_err(), LoadError::Format(Some(9)));
    assert!(matches!(serial::from_bytes(&bytes[..bytes.len() - 1]).unwrap_err(), LoadError::Bytes(_)));
    let longer = [&bytes[..], &[0]].concat();
    assert_eq!(serial::from_bytes(&longer).unwrap_err(), LoadError::Bytes("1 bytes too many".into()));
}

#[test]
fn a_type_nested_without_end_does_not_exhaust_the_stack() {
    let nested = |depth: usize| {
        let mut graph = sound();
        let inner = (0..depth).fold(Type::Int, |inner, _| Type::Optional(Box::new(inner)));
        graph.meta.sites[0].kind = SiteKind::Request(Request::Note { key: "k".into(), r#type: inner.clone() });
        graph.meta.sites[0].arguments = vec![inner];
        serial::to_bytes(&graph)
    };
    let load = |depth| serial::from_bytes(&nested(depth)).unwrap_err();
    let depth_max = runtime_contract::types::NESTING_MAX as usize;
    assert!(matches!(load(depth_max), LoadError::Unsound(_)), "too wide for its mailbox, but read");
    assert!(matches!(load(depth_max + 1), LoadError::Bytes(_)));
    assert!(matches!(load(2_000), LoadError::Bytes(_)));
}
