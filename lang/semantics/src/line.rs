//! Whether the caller is on the line wherever a statement needs him: through steps, and through flows that are run.

use std::collections::BTreeMap;

use lang_diagnostics::{Code, Diagnostic, Span};
use runtime_contract::request;

use crate::check::CheckedFlow;
use crate::hir::{Block, Dialogue, ExprKind, Flow, Loop, OutcomeArm, Statement, StatementKind};
use crate::problems::Problems;

/// The states that the line may be in at one place, as bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
struct Line(u8);

/// The first outcome of `queue`, as in the table of requests.
const SERVED: u32 = 0;

impl Line {
    const NEVER: Line = Line(0);
    const RINGING: Line = Line(1);
    const UP: Line = Line(2);
    const GONE: Line = Line(4);
    /// Up, and the caller has heard a prompt.
    const TOLD: Line = Line(8);
    const ANSWERED: Line = Line(Line::UP.0 | Line::TOLD.0);

    fn or(self, other: Line) -> Line {
        Line(self.0 | other.0)
    }

    fn may_be(self, other: Line) -> bool {
        self.0 & other.0 != 0
    }

    /// Behind `answer`.
    fn answered(self) -> Line {
        let up = if self.may_be(Line::RINGING) { Line::UP } else { Line::NEVER };
        Line(self.0 & Line::ANSWERED.0).or(up)
    }
}

/// The help where nobody is on the line.
pub(crate) const LEAVE_OUT: &str = "leave it out here";

/// What is wrong at one statement.
#[derive(Clone, Debug)]
struct Fault {
    code: Code,
    span: Span,
    message: String,
    /// The statement inside a flow that is run.
    inside: Option<Span>,
}

/// What a flow does to the line when it is entered in one state.
#[derive(Clone, Default)]
struct Summary {
    faults: Vec<Fault>,
    /// The states in which it comes back.
    back: Line,
}

/// F0601, F0602 and F0607 in all flows. `answers` are the flows that an `inbound` leads to, `without_line` those that begin
/// when nobody is there, with the help for what needs somebody. Flows that run themselves were told of; here such a `run`
/// is taken to do nothing.
pub(crate) fn check_lines(
    flows: &[Option<CheckedFlow>],
    answers: &[u32],
    without_line: &[(u32, &str)],
    languages: &[String],
    problems: &mut Problems,
) {
    let mut lines = Lines { flows, known: BTreeMap::new(), open: Vec::new() };
    for index in 0..flows.len() as u32 {
        let without_line = without_line.iter().find(|(flow, _)| *flow == index);
        let own = match without_line {
            Some(_) => lines.summary(index, Line::GONE).faults,
            None => lines.own_faults(index, answers.contains(&index)),
        };
        for fault in own {
            problems.give(diagnostic(&fault, languages, without_line.map_or(LEAVE_OUT, |(_, help)| help)));
        }
        if let Some(finally) = lines.flow(index).and_then(|flow| flow.finally.as_ref()) {
            let mut walk =
                Walk { lines: &mut lines, faults: Vec::new(), steps: Vec::new(), seen: Line::NEVER, back: Line::NEVER };
            walk.block(finally, Line::GONE);
            for fault in &walk.faults {
                problems.give(diagnostic(fault, languages, LEAVE_OUT));
            }
        }
    }
}

fn diagnostic(fault: &Fault, languages: &[String], where_gone: &str) -> Diagnostic {
    let diagnostic = Diagnostic::new(fault.code, fault.span, fault.message.clone());
    let diagnostic = match fault.inside {
        Some(inside) if fault.code == Code::RecordingWithoutNotice => diagnostic.label(inside, "it begins here"),
        Some(inside) => diagnostic.label(inside, "needed here"),
        None => diagnostic,
    };
    diagnostic.help(match fault.code {
        Code::BeforeAnswer => "`answer` before it".to_owned(),
        Code::RecordingWithoutNotice => format!("put `say {}` before it", notice(languages)),
        _ => where_gone.to_owned(),
    })
}

/// That the call is recorded, in the languages of the project; `…` where somebody else has to find the words.
fn notice(languages: &[String]) -> String {
    let words = |tag: &str| match tag.split('-').next() {
        Some("en") => "\"This call is recorded.\"",
        Some("zh") => "\"本次通话将被录音。\"",
        _ => "\"…\"",
    };
    match languages {
        [] => words("en").to_owned(),
        [tag] => words(tag).to_owned(),
        tags => tags.iter().map(|tag| format!("{tag} {}", words(tag))).collect::<Vec<_>>().join(" "),
    }
}

struct Lines<'f> {
    flows: &'f [Option<CheckedFlow>],
    known: BTreeMap<(u32, Line), Summary>,
    /// Flows that are being looked at.
    open: Vec<u32>,
}

impl<'f> Lines<'f> {
    fn flow(&self, flow: u32) -> Option<&'f Flow> {
        self.flows.get(flow as usize)?.as_ref().map(|checked| &checked.hir)
    }

    /// What is wrong in a flow whoever runs it: with a call that rings when it takes one, else in the state that suits
    /// it best.
    fn own_faults(&mut self, flow: u32, answers: bool) -> Vec<Fault> {
        let ringing = self.summary(flow, Line::RINGING).faults;
        if answers || ringing.is_empty() {
            return ringing;
        }
        self.summary(flow, Line::TOLD).faults
    }

    fn summary(&mut self, flow: u32, entry: Line) -> Summary {
        if let Some(known) = self.known.get(&(flow, entry)) {
            return known.clone();
        }
        let Some(body) = self.flow(flow).filter(|_| !self.open.contains(&flow)) else {
            return Summary { faults: Vec::new(), back: entry };
        };
        self.open.push(flow);
        let summary = self.walk(body, entry);
        self.open.pop();
        self.known.insert((flow, entry), summary.clone());
        summary
    }

    fn walk(&mut self, flow: &'f Flow, entry: Line) -> Summary {
        let mut steps = vec![Line::NEVER; flow.steps.len()];
        let mut summary = Summary::default();
        // A step is walked again whenever it may be entered in a further state, of which there are four.
        loop {
            let mut walk =
                Walk { lines: self, faults: Vec::new(), steps: steps.clone(), seen: Line::NEVER, back: Line::NEVER };
            walk.block(&flow.top, entry);
            for (index, step) in flow.steps.iter().enumerate() {
                if let Some(line) = walk.steps.get(index).copied().filter(|line| *line != Line::NEVER) {
                    walk.block(&step.block, line);
                }
            }
            if let Some(fault) = &flow.fault {
                let seen = walk.seen;
                walk.block(fault, seen);
            }
            let same = walk.steps == steps;
            (steps, summary.faults, summary.back) = (walk.steps, walk.faults, walk.back);
            if same {
                return summary;
            }
        }
    }
}

struct Walk<'w, 'f> {
    lines: &'w mut Lines<'f>,
    faults: Vec<Fault>,
    /// States in which each step may be entered.
    steps: Vec<Line>,
    /// States in which a fault may happen.
    seen: Line,
    back: Line,
}

impl Walk<'_, '_> {
    /// The states behind a block that was entered in these.
    fn block(&mut self, block: &Block, entry: Line) -> Line {
        block.statements.iter().fold(entry, |line, statement| match line {
            Line::NEVER => Line::NEVER,
            line => self.statement(statement, line),
        })
    }

    fn fault(&mut self, code: Code, span: Span, message: &str) {
        self.faults.push(Fault { code, span, message: message.to_owned(), inside: None });
    }

    /// The statement needs the caller on the line, answered. After a word about it he is taken to be.
    fn need(&mut self, statement: &Statement, line: Line) -> Line {
        if line.may_be(Line::GONE) {
            self.fault(Code::NoLineHere, statement.keyword, "nobody is on the line here");
            return Line::GONE;
        }
        if line.may_be(Line::RINGING) {
            self.fault(Code::BeforeAnswer, statement.keyword, "the call is not answered yet");
        }
        line.answered()
    }

    /// He hears something too.
    fn tell(&mut self, statement: &Statement, line: Line) -> Line {
        match self.need(statement, line) {
            Line::GONE => Line::GONE,
            _ => Line::TOLD,
        }
    }

    fn statement(&mut self, statement: &Statement, line: Line) -> Line {
        let may_fault = match &statement.kind {
            StatementKind::Answer => false,
            // Copies for handlers, which begin as `none` ahead of the first line.
            StatementKind::Let { value, .. } => !matches!(value.kind, ExprKind::None),
            _ => true,
        };
        if may_fault {
            self.seen = self.seen.or(line);
        }
        match &statement.kind {
            StatementKind::Answer => {
                if line.may_be(Line::GONE) {
                    self.fault(Code::NoLineHere, statement.keyword, "nobody is on the line here");
                    return line;
                }
                line.answered()
            }
            StatementKind::Reject(_) => {
                if line.may_be(Line::GONE) {
                    self.fault(Code::NoLineHere, statement.keyword, "nobody is on the line here");
                } else if line.may_be(Line::ANSWERED) {
                    let message = "a call that is answered cannot be rejected any more";
                    self.fault(Code::NoLineHere, statement.keyword, message);
                }
                Line::NEVER
            }
            StatementKind::HangUp => {
                if line.may_be(Line::GONE) {
                    self.fault(Code::NoLineHere, statement.keyword, "nobody is on the line here");
                }
                Line::NEVER
            }
            StatementKind::Play(_) => self.tell(statement, line),
            StatementKind::Recording { on } => {
                let told_of = line.may_be(Line::RINGING);
                let line = self.need(statement, line);
                if *on && !told_of && line.may_be(Line::UP) {
                    let message = "the recording begins before the caller has heard anything";
                    self.fault(Code::RecordingWithoutNotice, statement.keyword, message);
                    return Line::TOLD;
                }
                line
            }
            StatementKind::Menu(menu) => {
                let line = self.tell(statement, line);
                self.arms(&menu.dialogue, line)
            }
            StatementKind::Ask(ask) => {
                let line = self.tell(statement, line);
                self.arms(&ask.dialogue, line).or(line)
            }
            StatementKind::Record(record) => {
                let line = self.tell(statement, line);
                self.arms(&record.dialogue, line).or(line)
            }
            StatementKind::Connect(connect) => {
                let line = self.need(statement, line);
                connect.arms.iter().fold(Line::NEVER, |behind, arm| behind.or(self.block(&arm.block, line)))
            }
            StatementKind::Queue(call) => {
                let line = self.need(statement, line);
                let arms = call.arms.iter().map(|arm| {
                    let served = call.keeps_no_line && arm.takes.contains(&SERVED);
                    // While the agent wraps up, the caller may go.
                    (arm, if served { Line::GONE } else { line })
                });
                let arms: Vec<_> = arms.collect();
                arms.into_iter().fold(Line::NEVER, |behind, (arm, line)| behind.or(self.block(&arm.block, line)))
            }
            StatementKind::OfferCallback(_) => self.need(statement, line),
            StatementKind::Survey { held, .. } => {
                let line = self.need(statement, line);
                self.block(held, line).or(line)
            }
            StatementKind::Dial(dial) => {
                let entry = |arm: &OutcomeArm| {
                    let lines = arm.takes.iter().map(|outcome| match request::Dial::makes_line(dial.by, *outcome) {
                        true => Line::UP,
                        false => Line::GONE,
                    });
                    lines.fold(Line::NEVER, Line::or)
                };
                dial.arms.iter().fold(Line::NEVER, |behind, arm| behind.or(self.block(&arm.block, entry(arm))))
            }
            StatementKind::Transfer(transfer) => {
                let line = self.need(statement, line);
                self.block(&transfer.failed, line)
            }
            StatementKind::Service(call) => self.block(&call.ok, line).or(self.block(&call.failed, line)),
            StatementKind::If { then, otherwise, .. } => self.block(then, line).or(self.block(otherwise, line)),
            StatementKind::Match(found) => {
                found.arms.iter().fold(Line::NEVER, |behind, arm| behind.or(self.block(&arm.block, line)))
            }
            StatementKind::Loop(found) => self.rounds(found, line),
            StatementKind::Go(go) => {
                if let Some(entry) = self.steps.get_mut(go.step.0 as usize) {
                    *entry = entry.or(line);
                }
                match &go.bound {
                    Some(bound) => self.block(&bound.otherwise, line),
                    None => Line::NEVER,
                }
            }
            StatementKind::Run(run) => {
                let back = self.run(run.flow, statement, line);
                let Some(ways) = &run.hangup else { return back };
                let returned = self.block(&ways.returned, back);
                // Where nothing is said of it, what stands behind does not play to nobody: it is passed over.
                match ways.gone.statements.is_empty() {
                    true => returned.or(if back == Line::NEVER { line } else { Line::NEVER }),
                    false => returned.or(self.block(&ways.gone, Line::GONE)),
                }
            }
            StatementKind::Return(_) => {
                self.back = self.back.or(line);
                Line::NEVER
            }
            StatementKind::Again(_) => Line::NEVER,
            StatementKind::Wait(_)
            | StatementKind::Start(_)
            | StatementKind::Note { .. }
            | StatementKind::Send(_)
            | StatementKind::OpenCase(_)
            | StatementKind::SurveyAnswer { .. }
            | StatementKind::SetLanguage(_)
            | StatementKind::Let { .. }
            | StatementKind::Broken => line,
        }
    }

    /// A round may find the line as any round before left it.
    fn rounds(&mut self, found: &Loop, line: Line) -> Line {
        let told = self.faults.len();
        let (mut before, mut behind) = (line, Line::NEVER);
        loop {
            self.faults.truncate(told);
            behind = behind.or(self.block(&found.block, before));
            let next = before.or(behind);
            if next == before {
                break;
            }
            before = next;
        }
        if found.is_certain { behind } else { behind.or(line) }
    }

    fn arms(&mut self, dialogue: &Dialogue, line: Line) -> Line {
        dialogue.arms.iter().fold(Line::NEVER, |behind, arm| behind.or(self.block(&arm.block, line)))
    }

    /// A flow is run: what it needs must hold here. What is wrong with it everywhere was told of at its own place.
    fn run(&mut self, flow: u32, statement: &Statement, line: Line) -> Line {
        let mut back = Line::NEVER;
        // The queue whose survey this would be was told of at the same word.
        let mut told = self.faults.iter().any(|fault| fault.span == statement.keyword);
        for state in [Line::RINGING, Line::UP, Line::TOLD, Line::GONE] {
            if !line.may_be(state) {
                continue;
            }
            let summary = self.lines.summary(flow, state);
            back = back.or(summary.back);
            let everywhere = |lines: &mut Lines<'_>| {
                !lines.summary(flow, Line::TOLD).faults.is_empty()
                    && !lines.summary(flow, Line::RINGING).faults.is_empty()
            };
            // What is advice stands behind what is wrong.
            let first = summary.faults.iter().min_by_key(|fault| fault.code == Code::RecordingWithoutNotice);
            if let (Some(first), false) = (first, told)
                && (state == Line::GONE || !everywhere(self.lines))
            {
                told = true;
                let message = match first.code {
                    Code::BeforeAnswer => "this flow needs the caller, and the call is not answered yet",
                    Code::RecordingWithoutNotice => "this flow begins a recording before the caller has heard anything",
                    _ if state == Line::GONE => "this flow needs the caller, and nobody is on the line here",
                    _ => "this flow rejects the call, which is answered already",
                };
                let inside = Some(first.inside.unwrap_or(first.span));
                self.faults.push(Fault {
                    code: first.code,
                    span: statement.keyword,
                    message: message.to_owned(),
                    inside,
                });
            }
        }
        if told && line.may_be(Line::RINGING) { Line::TOLD } else { back }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_in_the_languages_of_the_project() {
        let notice = |tags: &[&str]| notice(&tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>());
        assert_eq!(notice(&["en-GB"]), "\"This call is recorded.\"");
        assert_eq!(notice(&["zh"]), "\"本次通话将被录音。\"");
        assert_eq!(notice(&["zh", "en", "de"]), "zh \"本次通话将被录音。\" en \"This call is recorded.\" de \"…\"");
    }
}
