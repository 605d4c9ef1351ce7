//! A graph as text, for people and snapshots. Stable: the same graph gives the same text, and a change in one
//! segment changes only its lines.

use std::fmt::{self, Write};

use runtime_contract::program::{FlowMeta, SiteInfo, SiteKind};

use crate::graph::{Block, Edge, Graph, Instruction, Terminator, Word};

pub fn graph_to_text(graph: &Graph) -> String {
    let mut out = String::new();
    // Writing to a String does not fail.
    let _ = write_graph(&mut out, graph);
    out
}

fn write_graph(out: &mut String, graph: &Graph) -> fmt::Result {
    for (id, flow) in (0u32..).zip(&graph.meta.flows) {
        if id > 0 {
            writeln!(out)?;
        }
        write_flow(out, flow)?;
        for (site_id, site) in graph.meta.sites.iter().enumerate().filter(|(_, site)| site.flow == id) {
            write_site(out, graph, site_id, site)?;
        }
        let segments = graph.segments.iter().zip(&graph.meta.segments).enumerate();
        for (segment_id, (segment, _)) in segments.filter(|(_, (_, owner))| **owner == id) {
            writeln!(out, "  segment {segment_id}")?;
            let mut next = 0;
            for (block_id, block) in segment.blocks.iter().enumerate() {
                write_block(out, graph, flow, block_id, block, &mut next)?;
            }
        }
    }
    Ok(())
}

fn write_flow(out: &mut String, flow: &FlowMeta) -> fmt::Result {
    write!(out, "flow {}: frame {}, mailbox {}", flow.name, flow.frame_words, flow.mailbox_at)?;
    write!(out, ", entry segment {}", flow.entry_segment)?;
    let blocks = [("fault", flow.fault_segment), ("finally", flow.finally_segment)];
    for (name, segment) in blocks.into_iter().filter_map(|(name, segment)| Some((name, segment?))) {
        write!(out, ", {name} segment {segment}")?;
    }
    writeln!(out)
}

fn write_site(out: &mut String, graph: &Graph, id: usize, site: &SiteInfo) -> fmt::Result {
    write!(out, "  site {id} {}:", site.key)?;
    match &site.kind {
        SiteKind::Request(request) => write!(out, " {}", request.kind().row().name)?,
        SiteKind::Run { flow } => write!(out, " run {}", graph.meta.flow(*flow).map_or("?", |flow| &flow.name))?,
    }
    write!(out, ", {} outcomes to segment {}, keeps", site.payloads.len(), site.resume)?;
    for live in &site.live {
        let name = if live.name.is_empty() { "·" } else { &live.name };
        write!(out, " {}:{name}:{:?}", live.slot, live.class)?;
    }
    writeln!(out, "{}", if site.live.is_empty() { " nothing" } else { "" })
}

fn write_block(
    out: &mut String,
    graph: &Graph,
    flow: &FlowMeta,
    id: usize,
    block: &Block,
    next: &mut u32,
) -> fmt::Result {
    let mut define = |count: u32| {
        let from = *next;
        *next += count;
        (from..*next).map(Word).collect::<Vec<_>>()
    };
    writeln!(out, "    block {id}({})", words(&define(block.parameters)))?;
    for instruction in &block.instructions {
        write!(out, "      ")?;
        let results = define(instruction.results());
        if !results.is_empty() {
            write!(out, "{} = ", words(&results))?;
        }
        write_instruction(out, graph, flow, instruction)?;
        if let Some(place) = instruction.place().and_then(|place| graph.meta.fault_places.get(place as usize)) {
            write!(out, " at {}:{}", graph.meta.place_text(*place), place.column)?;
        }
        writeln!(out)?;
    }
    write!(out, "      ")?;
    write_terminator(out, graph, &block.terminator)?;
    writeln!(out)
}

fn write_instruction(out: &mut String, graph: &Graph, flow: &FlowMeta, instruction: &Instruction) -> fmt::Result {
    let slot_name = |slot: u32| match slot.checked_sub(flow.mailbox_at) {
        Some(at) => format!("mailbox {at}"),
        None => format!("slot {slot}"),
    };
    match instruction {
        Instruction::Constant(value) => write!(out, "{}", *value as i64),
        Instruction::Text(index) => {
            write!(out, "text {:?}", graph.meta.constants.get(*index as usize).map_or("?", String::as_str))
        }
        Instruction::Load { slot } => write!(out, "load {}", slot_name(*slot)),
        Instruction::Store { slot, word } => write!(out, "store {} {}", slot_name(*slot), words(&[*word])),
        Instruction::Fact(fact) => write!(out, "fact {fact:?}"),
        Instruction::SetLanguage(word) => write!(out, "set language {}", words(&[*word])),
        Instruction::Arithmetic { operation, left, right, .. } => {
            write!(out, "{} {}", format!("{operation:?}").to_lowercase(), words(&[*left, *right]))
        }
        Instruction::Compare { condition, left, right } => {
            write!(out, "compare {condition:?} {}", words(&[*left, *right]))
        }
        Instruction::And(left, right) => write!(out, "and {}", words(&[*left, *right])),
        Instruction::Or(left, right) => write!(out, "or {}", words(&[*left, *right])),
        Instruction::Select { condition, yes, no } => write!(out, "select {}", words(&[*condition, *yes, *no])),
        Instruction::Require { condition, fault, .. } => {
            write!(out, "require {} else fault {}", words(&[*condition]), fault.name())
        }
        Instruction::Host { call, arguments, .. } => write!(out, "{call:?}({})", words(arguments)),
    }
}

fn write_terminator(out: &mut String, graph: &Graph, terminator: &Terminator) -> fmt::Result {
    let key = |site: runtime_contract::SiteId| graph.meta.site(site).map_or("?", |site| &site.key);
    match terminator {
        Terminator::Jump(edge) => write!(out, "jump {}", way(edge)),
        Terminator::Branch { condition, yes, no } => {
            write!(out, "branch {} to {} else {}", words(&[*condition]), way(yes), way(no))
        }
        Terminator::Switch { word, table, default } => {
            let table: Vec<String> = table.iter().map(way).collect();
            write!(out, "switch {} to [{}] else {}", words(&[*word]), table.join(", "), way(default))
        }
        Terminator::Wait(site) => write!(out, "wait {}", key(*site)),
        Terminator::Call(site) => write!(out, "call {}", key(*site)),
        Terminator::Continue(segment) => write!(out, "continue in segment {}", segment.0),
        Terminator::Return(tag) => write!(out, "return {}", words(&[*tag])),
        Terminator::End => write!(out, "end"),
        Terminator::Fault { kind, place } => {
            write!(out, "fault {}", kind.name())?;
            match graph.meta.fault_places.get(*place as usize) {
                Some(place) => write!(out, " at {}:{}", graph.meta.place_text(*place), place.column),
                None => Ok(()),
            }
        }
    }
}

fn way(edge: &Edge) -> String {
    match edge.arguments.as_slice() {
        [] => format!("{}", edge.block.0),
        arguments => format!("{}({})", edge.block.0, words(arguments)),
    }
}

fn words(words: &[Word]) -> String {
    words.iter().map(|word| format!("w{}", word.0)).collect::<Vec<_>>().join(", ")
}
