//! Whether callers hear their own language: through what sets it, through steps, and through flows of other files.

use std::collections::BTreeMap;

use lang_diagnostics::{Code, Diagnostic, FileId, Span};
use runtime_contract::rule::When;

use crate::check::CheckedFlow;
use crate::hir::{self, Block, Expr, ExprKind, Flow, Operator, Pattern, PromptUse, Prompts, Statement, StatementKind};
use crate::problems::Problems;
use crate::project::Project;

/// Languages that the caller may have at one place, as bits by index of the program's; those behind the last bit are
/// not looked at.
type Tongues = u64;

const NEVER: Tongues = 0;
/// The place is reached, in whatever language the file speaks.
const REACHED: Tongues = 1 << 63;

/// A text that lacks a language which its hearer may have.
#[derive(Clone, Copy)]
struct Fault {
    text: Span,
    lacks: Tongues,
    /// The language that stands in.
    instead: u32,
    /// Where a flow of another file is run.
    run: Option<Span>,
    /// The text is the library's.
    library: bool,
}

/// The first of each file, or of each place that leads into the library.
type Found = BTreeMap<(FileId, Option<u32>), Fault>;

#[derive(Clone, Default)]
struct Summary {
    faults: Found,
    /// The languages in which the flow comes back.
    back: Tongues,
}

/// F0709. `entries` are the flows in which a conversation begins; the action of a rule about a caller begins in the
/// language in which he waited.
pub(crate) fn check_heard(
    project: &Project<'_>,
    flows: &[Option<CheckedFlow>],
    queues: &[hir::Queue],
    entries: impl Iterator<Item = u32>,
    rules: &[hir::Rule],
    problems: &mut Problems,
) {
    if project.languages.len() < 2 && !project.modules.iter().any(|module| module.path.starts_with("std.")) {
        return;
    }
    let mut heard = Heard { project, flows, queues, waited: BTreeMap::new(), known: BTreeMap::new() };
    let mut found = Found::new();
    let mut look = |heard: &mut Heard<'_>, entry: u32, begins: Tongues| {
        heard.summary(entry, begins).faults.into_values().for_each(|fault| add(&mut found, fault));
    };
    for entry in entries {
        let begins = heard.begins(entry);
        look(&mut heard, entry, begins);
    }
    for rule in rules.iter().map(|rule| &rule.rule) {
        let (When::Missed { queue } | When::Served { queue }) = rule.when else { continue };
        let waited = heard.waited.get(&queue).copied().unwrap_or(NEVER);
        look(&mut heard, rule.flow, waited);
    }
    for fault in found.values() {
        problems.give(told(project, fault));
    }
}

fn add(found: &mut Found, fault: Fault) {
    let key = match fault.run.filter(|_| fault.library) {
        Some(run) => (run.file, Some(run.start)),
        None => (fault.text.file, None),
    };
    found.entry(key).or_insert(fault).lacks |= fault.lacks;
}

fn told(project: &Project<'_>, fault: &Fault) -> Diagnostic {
    let tag = |language: u32| project.languages.get(language as usize).map_or("", String::as_str);
    let lacking: Vec<u32> = (0..63).filter(|language| fault.lacks & (1 << language) != 0).collect();
    let names: Vec<String> = lacking.iter().map(|language| format!("`{}`", tag(*language))).collect();
    let message = format!("callers in {} hear `{}` here", names.join(" and in "), tag(fault.instead));
    if let (Some(run), true) = (fault.run, fault.library) {
        return Diagnostic::new(Code::SpokenInAnotherLanguage, run, message)
            .label(fault.text, "this has no other words")
            .help("leave it out, and write a flow of your own that says it in all languages");
    }
    let mut spoken = vec![fault.instead];
    spoken.extend(lacking);
    spoken.sort_unstable();
    let spoken: Vec<&str> = spoken.into_iter().map(tag).collect();
    let diagnostic = Diagnostic::new(Code::SpokenInAnotherLanguage, fault.text, message)
        .help(format!("`languages {}`", spoken.join(", ")));
    fault.run.into_iter().fold(diagnostic, |told, run| told.label(run, "they come from here"))
}

struct Heard<'f> {
    project: &'f Project<'f>,
    flows: &'f [Option<CheckedFlow>],
    queues: &'f [hir::Queue],
    /// Languages in which callers wait in each queue.
    waited: BTreeMap<u32, Tongues>,
    /// Also of those that are being looked at: a flow that runs itself was told of.
    known: BTreeMap<(u32, Tongues), Summary>,
}

impl<'f> Heard<'f> {
    fn flow(&self, flow: u32) -> Option<&'f Flow> {
        self.flows.get(flow as usize)?.as_ref().map(|checked| &checked.hir)
    }

    fn all(&self) -> Tongues {
        (0..self.project.languages.len().min(63)).fold(REACHED, |all, language| all | 1 << language)
    }

    /// A conversation begins in the program's first language, unless its own file has others.
    fn begins(&self, flow: u32) -> Tongues {
        let module = |name: &str| self.project.modules.iter().find(|module| Some(module.path) == module_of(name));
        let speaks = self.flow(flow).and_then(|flow| module(&flow.name)).is_some_and(|own| own.languages.contains(&0));
        if speaks { REACHED | 1 } else { REACHED }
    }

    fn summary(&mut self, flow: u32, entry: Tongues) -> Summary {
        if let Some(known) = self.known.get(&(flow, entry)) {
            return known.clone();
        }
        let open = Summary { faults: Found::new(), back: entry };
        let Some(body) = self.flow(flow) else { return open };
        self.known.insert((flow, entry), open);
        let mut steps = vec![NEVER; body.steps.len()];
        let summary = loop {
            let mut walk = Walk { heard: self, flow: body, own: Summary::default(), steps: steps.clone(), seen: NEVER };
            walk.block(&body.top, entry);
            for (index, step) in body.steps.iter().enumerate() {
                let tongues = walk.steps.get(index).copied().unwrap_or_default();
                walk.block(&step.block, tongues);
            }
            if let Some(fault) = &body.fault {
                walk.block(fault, walk.seen);
            }
            let same = walk.steps == steps;
            let (own, reached) = (walk.own, walk.steps);
            if same {
                break own;
            }
            steps = reached;
        };
        self.known.insert((flow, entry), summary.clone());
        summary
    }
}

/// Of `module.flow` and of `module.queue/clause`.
fn module_of(flow: &str) -> Option<&str> {
    Some(flow.split('/').next()?.rsplit_once('.')?.0)
}

struct Walk<'w, 'f> {
    heard: &'w mut Heard<'f>,
    flow: &'f Flow,
    own: Summary,
    /// Languages in which each step may be entered.
    steps: Vec<Tongues>,
    /// Languages in which a fault may happen.
    seen: Tongues,
}

impl Walk<'_, '_> {
    /// The languages behind a block that was entered in these.
    fn block(&mut self, block: &Block, entry: Tongues) -> Tongues {
        block.statements.iter().fold(entry, |tongues, statement| match tongues {
            NEVER => NEVER,
            tongues => self.statement(statement, tongues),
        })
    }

    fn statement(&mut self, statement: &Statement, tongues: Tongues) -> Tongues {
        self.seen |= tongues;
        self.texts(statement, tongues);
        match &statement.kind {
            StatementKind::SetLanguage(Expr { kind: ExprKind::Language(language), .. }) => {
                REACHED | 1u64.checked_shl(*language).unwrap_or_default()
            }
            StatementKind::SetLanguage(_) => self.heard.all(),
            StatementKind::If { condition, then, otherwise } => {
                let [yes, no] = self.narrowed(condition, tongues);
                self.block(then, yes) | self.block(otherwise, no)
            }
            StatementKind::Match(found) if matches!(found.subject.kind, ExprKind::CallerLanguage) => {
                let (mut left, mut behind) = (tongues, NEVER);
                for arm in &found.arms {
                    let fits = arm.patterns.iter().fold(NEVER, |fits, pattern| {
                        fits | match pattern {
                            Pattern::Equal(Expr { kind: ExprKind::Language(language), .. }) => only(*language, left),
                            _ => left,
                        }
                    });
                    behind |= self.block(&arm.block, fits);
                    left = without(fits, left);
                }
                behind
            }
            StatementKind::Loop(found) => self.rounds(found, tongues),
            StatementKind::Go(go) => {
                if let Some(entry) = self.steps.get_mut(go.step.0 as usize) {
                    *entry |= tongues;
                }
                go.bound.as_ref().map_or(NEVER, |bound| self.block(&bound.otherwise, tongues))
            }
            StatementKind::Run(run) => {
                let back = self.run(run.flow, statement, tongues);
                match &run.hangup {
                    Some(ways) => self.block(&ways.returned, back) | self.block(&ways.gone, tongues),
                    None => back,
                }
            }
            StatementKind::Queue(call) => {
                let queue = |at: u32| self.heard.queues.get(at as usize).map(|queue| &queue.table);
                // None overflows in a circle, but of what is wrong nobody knows.
                let overflow = |at: &u32| queue(*at)?.overflow.as_ref().map(|overflow| overflow.queue);
                let all = std::iter::successors(Some(call.queue), overflow).take(self.heard.queues.len());
                for queue in all.collect::<Vec<_>>() {
                    *self.heard.waited.entry(queue).or_default() |= tongues;
                }
                if let Some(comfort) = queue(call.queue).and_then(|table| table.comfort) {
                    self.run(comfort.flow, statement, tongues);
                }
                self.blocks(statement, tongues)
            }
            StatementKind::Return(_) => {
                self.own.back |= tongues;
                NEVER
            }
            StatementKind::Reject(_) | StatementKind::HangUp | StatementKind::Again(_) => NEVER,
            StatementKind::Menu(_)
            | StatementKind::Service(_)
            | StatementKind::Connect(_)
            | StatementKind::Transfer(_)
            | StatementKind::Dial(_)
            | StatementKind::Match(_) => self.blocks(statement, tongues),
            _ => tongues | self.blocks(statement, tongues),
        }
    }

    fn blocks(&mut self, statement: &Statement, tongues: Tongues) -> Tongues {
        statement.blocks().into_iter().fold(NEVER, |behind, block| behind | self.block(block, tongues))
    }

    /// A round may find the language as any round before left it.
    fn rounds(&mut self, found: &hir::Loop, tongues: Tongues) -> Tongues {
        let (mut before, mut behind) = (tongues, NEVER);
        loop {
            behind |= self.block(&found.block, before);
            if before | behind == before {
                break;
            }
            before |= behind;
        }
        if found.is_certain { behind } else { behind | tongues }
    }

    fn run(&mut self, flow: u32, statement: &Statement, tongues: Tongues) -> Tongues {
        let Summary { faults, back } = self.heard.summary(flow, tongues);
        let is_library = self.flow.name.starts_with("std.");
        for fault in faults.into_values() {
            let enters = match fault.library {
                true => !is_library && fault.run.is_none(),
                false => fault.run.is_none() && statement.keyword.file != fault.text.file,
            };
            let run = if enters { Some(statement.keyword) } else { fault.run };
            add(&mut self.own.faults, Fault { run, ..fault });
        }
        back
    }

    /// The languages in which a condition holds, and those in which it does not.
    fn narrowed(&self, condition: &Expr, tongues: Tongues) -> [Tongues; 2] {
        let language = |left: &Expr, right: &Expr| match (&left.kind, &right.kind) {
            (ExprKind::CallerLanguage, ExprKind::Language(language))
            | (ExprKind::Language(language), ExprKind::CallerLanguage) => Some(*language),
            _ => None,
        };
        match &condition.kind {
            ExprKind::Not(inner) => {
                let [yes, no] = self.narrowed(inner, tongues);
                [no, yes]
            }
            ExprKind::Binary(operator @ (Operator::Equal | Operator::NotEqual), left, right) => {
                let Some(language) = language(left, right) else { return [tongues; 2] };
                let yes = only(language, tongues);
                let no = without(yes, tongues);
                if *operator == Operator::Equal { [yes, no] } else { [no, yes] }
            }
            _ => [tongues; 2],
        }
    }

    /// Texts that this statement says to the caller.
    fn texts(&mut self, statement: &Statement, tongues: Tongues) {
        let dialogue = match &statement.kind {
            StatementKind::Menu(menu) => Some(&menu.dialogue),
            StatementKind::Ask(ask) => Some(&ask.dialogue),
            StatementKind::Record(record) => Some(&record.dialogue),
            _ => None,
        };
        let told = match &statement.kind {
            StatementKind::Play(prompts) => Some(prompts),
            StatementKind::Send(message) if message.to.is_none() => Some(&message.text),
            _ => dialogue.map(|own| &own.prompts),
        };
        let again = dialogue.and_then(|own| own.reprompt.as_ref());
        let known = self.heard.project.prompts.borrow();
        for item in told.into_iter().chain(again).flat_map(|prompts: &Prompts| &prompts.items) {
            let PromptUse::Prompt { prompt, .. } = item else { continue };
            let written = self.flow.prompts.get(*prompt as usize).and_then(|prompt| known.get(*prompt as usize));
            let Some((prompt, spans)) = written else { continue };
            let languages = self.heard.project.languages.iter();
            let stands_in = (0u32..63).zip(languages).filter(|(language, tag)| {
                let own = prompt.text(*language).and_then(|text| text.tag.as_ref());
                tongues & (1 << language) != 0 && own.is_some_and(|own| own != *tag)
            });
            let lacks = stands_in.fold(NEVER, |lacks, (language, _)| lacks | 1 << language);
            let first = spans.first().filter(|_| lacks != NEVER);
            if let Some((instead, text)) = first {
                let tag = prompt.texts.iter().find_map(|text| text.tag.as_ref());
                let named = tag.and_then(|tag| self.heard.project.languages.iter().position(|own| own == tag));
                let instead = named.map(|at| at as u32).or(*instead).unwrap_or_default();
                let library = self.flow.name.starts_with("std.");
                let fault = Fault { text: *text, lacks, instead, run: None, library };
                add(&mut self.own.faults, fault);
            }
        }
    }
}

/// Those among them in which the caller has this language; he may have it wherever nobody chose.
fn only(language: u32, tongues: Tongues) -> Tongues {
    let bit = 1u64.checked_shl(language).unwrap_or_default();
    if tongues & bit != 0 || tongues == REACHED { REACHED | bit } else { NEVER }
}

/// Those that are left when these are taken.
fn without(taken: Tongues, tongues: Tongues) -> Tongues {
    match tongues & !taken {
        0 if tongues == REACHED => REACHED,
        0 => NEVER,
        left => left | REACHED,
    }
}
