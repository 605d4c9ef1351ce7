//! Sites: what a request says and where it stands, and the wait or `run` at them.

use lang_diagnostics::Span;
use lang_semantics::hir::{self, Argument, Expr};
use runtime_contract::program::SiteKind;
use runtime_contract::request::{PromptUse, Prompts, Request};

use super::flow::FlowWriter;
use crate::builder::Site;
use crate::graph::{SegmentId, Word};

impl FlowWriter<'_> {
    /// Waits with this request. The cursor is where its outcome comes in, and the cursor of a request that ends its
    /// path is where nothing comes.
    pub fn request(&mut self, request: Request, label: &str, arguments: &[Word], keyword: Span) {
        let key = self.key(label);
        if request.outcomes() == 0 {
            let here = self.graph.here();
            return self.wait_at(key, request, arguments, here.segment, keyword);
        }
        let resume = self.graph.segment(self.flow);
        self.wait_at(key, request, arguments, resume, keyword);
        self.graph.go_to(self.graph.entry(resume));
    }

    /// Waits at a site with this key; the outcome comes in at the start of `resume`.
    pub fn wait_at(&mut self, key: String, request: Request, arguments: &[Word], resume: SegmentId, keyword: Span) {
        let site = self.site(SiteKind::Request(request), key, resume, keyword);
        let site = self.graph.site(site);
        self.graph.wait(site, arguments);
    }

    /// Runs a flow; the cursor is where its result comes in.
    pub fn call_flow(&mut self, flow: u32, arguments: &[Word], keyword: Span) {
        let resume = self.graph.segment(self.flow);
        let callee = self.program.flows.get(flow as usize).map_or("?", |callee| callee.name.as_str());
        let key = self.key(&format!("run {callee}"));
        let site = self.site(SiteKind::Run { flow }, key, resume, keyword);
        let site = self.graph.site(site);
        self.graph.call(site, arguments);
        self.graph.go_to(self.graph.entry(resume));
    }

    /// The key of the next site with this label.
    pub fn key(&mut self, label: &str) -> String {
        let dot = if self.part.is_empty() { "" } else { "." };
        let stem = format!("{}{dot}{}/{label}", self.tree.name, self.part);
        let ordinal = self.ordinals.entry(stem.clone()).and_modify(|ordinal| *ordinal += 1).or_insert(1);
        format!("{stem}#{ordinal}")
    }

    fn site(&self, kind: SiteKind, key: String, resume: SegmentId, keyword: Span) -> Site {
        Site { key, place: self.place(keyword), flow: self.flow, step: self.part.clone(), kind, resume }
    }

    /// A word of what came back with the outcome, for a value of so many words.
    pub fn payload_words(&mut self, width: usize) -> Vec<Word> {
        (0..width as u32).map(|at| self.graph.payload(at)).collect()
    }

    /// The static part of some prompts, and the words of their values in mailbox order.
    pub fn prompts(&mut self, prompts: &hir::Prompts) -> (Prompts, Vec<Word>) {
        let mut words = Vec::new();
        let mut items = Vec::new();
        for item in &prompts.items {
            let at = words.len() as u32;
            match item {
                hir::PromptUse::Prompt { prompt, arguments } => {
                    items.push(PromptUse::Prompt { prompt: *prompt, arguments_at: at });
                    for argument in arguments {
                        words.extend(self.value(argument));
                    }
                }
                hir::PromptUse::Recording(recording) => {
                    items.push(PromptUse::Recording { at });
                    words.extend(self.value(recording));
                }
            }
        }
        (Prompts { items, barge_in: prompts.barge_in }, words)
    }

    /// Computed in the order in which they are written, given in the order of their indices.
    pub fn arguments(&mut self, arguments: &[Argument]) -> Vec<Word> {
        let mut computed: Vec<(u32, Vec<Word>)> =
            arguments.iter().map(|argument| (argument.index, self.value(&argument.value))).collect();
        computed.sort_by_key(|(index, _)| *index);
        computed.into_iter().flat_map(|(_, words)| words).collect()
    }

    pub fn width(&self, value: &Expr) -> usize {
        self.program.types.width(&value.ty)
    }
}
