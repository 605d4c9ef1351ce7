//! Flows that were compiled each by itself, as one graph: all numbers in them (of segments, sites, fault places,
//! constants, prompts, marks and the flow) become the program's. It changes nothing else of them.

use std::sync::Arc;

use runtime_contract::program::{ProgramMeta, SiteKind};
use runtime_contract::request::PromptUse;

use crate::finish::Part;
use crate::graph::{Graph, Instruction, Terminator};
use crate::marks::Marks;
use crate::parallel;

/// Numbers of the program at which those of a flow begin.
#[derive(Clone, Copy, Default)]
struct Base {
    segment: u32,
    site: u32,
    place: u32,
    mark: u32,
}

impl Base {
    fn behind(self, part: &Part) -> Base {
        let meta = &part.graph.meta;
        Base {
            segment: self.segment + meta.segments.len() as u32,
            site: self.site + meta.sites.len() as u32,
            place: self.place + meta.fault_places.len() as u32,
            mark: self.mark + part.marks.len() as u32,
        }
    }
}

/// `parts` by flow of `program`; one that nobody else holds is not copied. `prompts` are those of a flow.
pub fn link<'p>(
    mut program: ProgramMeta,
    mut parts: Vec<Arc<Part>>,
    prompts: impl Fn(usize) -> &'p [u32] + Sync,
) -> (Graph, Marks) {
    let constants = constants(&parts);
    let mut next = Base::default();
    let mut base = |part: &Arc<Part>| {
        let here = next;
        next = here.behind(part);
        here
    };
    let bases: Vec<Base> = parts.iter().map(&mut base).collect();
    parallel::map_mut(&mut parts, 1, |flow, part| {
        let base = bases.get(flow).copied().unwrap_or_default();
        renumber(Arc::make_mut(part), flow as u32, base, &constants, prompts(flow));
    });
    let (mut segments, mut marks, mut placed) = (Vec::new(), Vec::new(), Vec::new());
    for (flow, part) in parts.into_iter().map(Arc::unwrap_or_clone).enumerate() {
        let ProgramMeta { flows, sites, fault_places, .. } = part.graph.meta;
        program.segments.extend(std::iter::repeat_n(flow as u32, part.graph.segments.len()));
        program.flows.iter_mut().skip(flow).zip(flows).for_each(|(declared, flow)| *declared = flow);
        program.sites.extend(sites);
        program.fault_places.extend(fault_places);
        segments.extend(part.graph.segments);
        marks.extend(part.marks);
        placed.extend(part.placed);
    }
    program.constants = constants;
    (Graph { meta: program, segments }, Marks::new(marks, placed))
}

/// Of all flows: sorted, without duplicates.
fn constants(parts: &[Arc<Part>]) -> Vec<String> {
    let mut all: Vec<&str> = parts.iter().flat_map(|part| &part.graph.meta.constants).map(String::as_str).collect();
    all.push("");
    all.sort_unstable();
    all.dedup();
    all.into_iter().map(str::to_owned).collect()
}

fn renumber(part: &mut Part, flow: u32, base: Base, constants: &[String], prompts: &[u32]) {
    let meta = &mut part.graph.meta;
    for own in &mut meta.flows {
        own.entry_segment += base.segment;
        let handlers = own.fault_segment.iter_mut().chain(&mut own.finally_segment);
        handlers.for_each(|segment| *segment += base.segment);
    }
    for site in &mut meta.sites {
        site.flow = flow;
        site.resume += base.segment;
        if let SiteKind::Request(request) = &mut site.kind {
            for item in request.prompts_mut() {
                if let PromptUse::Prompt { prompt, .. } = item {
                    *prompt = prompts.get(*prompt as usize).copied().unwrap_or(u32::MAX);
                }
            }
        }
    }
    part.marks.iter_mut().for_each(|mark| mark.flow = flow);
    part.placed.iter_mut().flatten().flatten().for_each(|placed| placed.mark += base.mark);
    let find = |text: &String| constants.binary_search(text).map_or(u32::MAX, |found| found as u32);
    let texts: Vec<u32> = meta.constants.iter().map(find).collect();
    for block in part.graph.segments.iter_mut().flat_map(|segment| &mut segment.blocks) {
        for instruction in &mut block.instructions {
            match instruction {
                Instruction::Text(text) => *text = texts.get(*text as usize).copied().unwrap_or(u32::MAX),
                Instruction::Arithmetic { place, .. }
                | Instruction::Require { place, .. }
                | Instruction::Host { place, .. } => *place += base.place,
                _ => {}
            }
        }
        match &mut block.terminator {
            Terminator::Continue(next) => next.0 += base.segment,
            Terminator::Wait(site) | Terminator::Call(site) => site.0 += base.site,
            Terminator::Fault { place, .. } => *place += base.place,
            _ => {}
        }
    }
}
