//! What tests come by: parts and arms of flows, and prompts in each of their languages. The interpreter counts, on
//! the very graph that serves; native code takes the same ways. It does not know how tests are played.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lang_diagnostics::Span;
use lang_flowgraph::Interpreted;
use lang_flowgraph::compared::compared;
use lang_flowgraph::marks::{Counts, Mark, MarkKind};
use lang_flowgraph::serial::from_bytes;
use runtime_contract::compared::{Bounds, Compared};
use runtime_contract::host::Observe;
use runtime_contract::program::{FlowProgram, Place, ProgramMeta};
use runtime_contract::request::{PromptUse, Request};
use runtime_contract::{Host, Outcome, Stack, Stop};

use crate::compile::Compiled;

/// How often prompts were heard: by index of the prompt and of the language in which the call was.
pub type Heard = BTreeMap<(u32, u32), u64>;

/// A program that counts what its calls come by.
pub struct Counting {
    pub program: Arc<dyn FlowProgram>,
    counts: Arc<Counts>,
}

/// A place of the project that a call can come by, and how often calls did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    pub kind: ReachedKind,
    /// `module.flow`; all that play a prompt.
    pub flows: Vec<String>,
    /// Name of the step, `fault`, `finally`, or empty for the top. Of a prompt empty.
    pub part: String,
    pub span: Span,
    /// All that runs only behind it; of a prompt its text.
    pub body: Span,
    pub place: Place,
    /// What leads there, where its line does not say it (`otherwise`); of a prompt, its language (BCP 47).
    pub label: String,
    pub count: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReachedKind {
    Part,
    Arm,
    Prompt,
}

/// A program that runs, and the one that counts on a copy of each call.
struct Watched {
    program: Arc<dyn FlowProgram>,
    counting: Arc<dyn FlowProgram>,
}

impl FlowProgram for Watched {
    fn meta(&self) -> &ProgramMeta {
        self.program.meta()
    }

    fn resume(&self, stack: &mut Stack, host: &mut Host<'_>, outcome: Outcome) -> Stop {
        let (mut arena, mut vault) = (host.arena.clone(), host.vault.clone());
        let mut copy = Host {
            meta: self.counting.meta(),
            arena: &mut arena,
            vault: &mut vault,
            observe: Observe::Live(&mut Vec::new()),
            now: host.now,
        };
        self.counting.resume(&mut stack.clone(), &mut copy, outcome);
        self.program.resume(stack, host, outcome)
    }
}

impl Counting {
    /// The program that serves, with this one beside it.
    pub fn watching(&self, program: &Arc<dyn FlowProgram>) -> Arc<dyn FlowProgram> {
        Arc::new(Watched { program: Arc::clone(program), counting: Arc::clone(&self.program) })
    }

    /// Places by number that calls came by since this was asked last; they count anew.
    pub fn take_passed(&self) -> Vec<u32> {
        self.counts.take()
    }
}

impl Compiled {
    /// Numbers of the parts and arms of these flows that the graph has; those of the library are left out.
    pub fn places_of(&self, flows: &BTreeSet<u32>) -> BTreeSet<u32> {
        let marks = (0..).zip(self.marks.marks.iter().zip(self.marks.reachable()));
        let is_own = |mark: &Mark| flows.contains(&mark.flow) && !self.analysis.is_library(mark.span.file);
        marks.filter(|(_, (mark, reachable))| *reachable && is_own(mark)).map(|(number, _)| number).collect()
    }

    /// With which constants the program compares what comes back to it, and in which bounds that lies.
    pub fn compared(&self) -> Result<Compared, String> {
        let graph = from_bytes(&self.graph).map_err(|problem| problem.to_string())?;
        let bounds = self.analysis.program.as_ref().map_or_else(Bounds::new, |program| program.bounds.clone());
        Ok(Compared { bounds, ..compared(&graph) })
    }

    /// The same program, on an engine that counts.
    pub fn counting(&self) -> Result<Counting, String> {
        let graph = from_bytes(&self.graph).map_err(|problem| problem.to_string())?;
        let counts = Arc::new(Counts::new(self.marks.clone()));
        let program = Interpreted::new(graph);
        Ok(Counting { program: Arc::new(program.counting(Arc::clone(&counts))), counts })
    }

    /// All places of the project in the order of its files; modules of the library are left out unless asked for.
    pub fn reached(&self, counting: &Counting, heard: &Heard, with_library: bool) -> Vec<Reached> {
        let mut found = Vec::new();
        let counts = counting.counts.counts();
        for ((mark, count), reachable) in self.marks.marks.iter().zip(counts).zip(self.marks.reachable()) {
            if reachable {
                found.push(self.reached_mark(mark, count));
            }
        }
        found.extend(self.reached_prompts(heard));
        found.retain(|reached| with_library || !self.analysis.is_library(reached.span.file));
        found.sort_by_key(|reached| (reached.place.file, reached.span.start, reached.kind));
        found
    }

    fn reached_mark(&self, mark: &Mark, count: u64) -> Reached {
        let kind = match mark.kind {
            MarkKind::Part => ReachedKind::Part,
            MarkKind::Arm => ReachedKind::Arm,
        };
        let flow = self.program.meta().flow(mark.flow);
        Reached {
            kind,
            flows: flow.map(|flow| flow.name.clone()).into_iter().collect(),
            part: mark.part.clone(),
            span: mark.span,
            body: mark.body,
            place: self.place(mark.span),
            label: mark.label.to_owned(),
            count,
        }
    }

    /// Each prompt that some site plays, once for each language in which it is written.
    fn reached_prompts(&self, heard: &Heard) -> Vec<Reached> {
        let meta = self.program.meta();
        let Some(program) = &self.analysis.program else { return Vec::new() };
        let mut found = Vec::new();
        for (prompt, flows) in played(meta) {
            let spans = program.prompt_spans.get(prompt as usize).map_or(&[][..], Vec::as_slice);
            let count = |mine: &dyn Fn(u32) -> bool| {
                heard.iter().filter(|((p, language), _)| *p == prompt && mine(*language)).map(|(_, count)| count).sum()
            };
            for (at, (language, span)) in spans.iter().enumerate() {
                let written = |heard: u32| spans.iter().any(|(language, _)| *language == Some(heard));
                let (label, count) = match language {
                    // The first language stands in for those in which the text is not written.
                    Some(language) => {
                        let tag = meta.languages.get(*language as usize).cloned().unwrap_or_default();
                        (tag, count(&|heard| heard == *language || (at == 0 && !written(heard))))
                    }
                    None => (String::new(), count(&|_| true)),
                };
                let flows = flows.iter().cloned().collect();
                let (kind, part) = (ReachedKind::Prompt, String::new());
                found.push(Reached {
                    kind,
                    flows,
                    part,
                    span: *span,
                    body: *span,
                    place: self.place(*span),
                    label,
                    count,
                });
            }
        }
        found
    }

    fn place(&self, span: Span) -> Place {
        let position = self.analysis.sources.position(span.file, span.start);
        Place { file: span.file.0, line: position.line, column: position.column }
    }
}

/// Prompts that sites play, with the flows that do.
fn played(meta: &ProgramMeta) -> BTreeMap<u32, BTreeSet<String>> {
    let mut played: BTreeMap<u32, BTreeSet<String>> = BTreeMap::new();
    for (site, info) in meta.sites.iter().enumerate() {
        let request = meta.request(runtime_contract::SiteId(site as u32));
        for item in request.map_or(&[][..], Request::prompts) {
            if let (PromptUse::Prompt { prompt, .. }, Some(flow)) = (item, meta.flow(info.flow)) {
                played.entry(*prompt).or_default().insert(flow.name.clone());
            }
        }
    }
    played
}
