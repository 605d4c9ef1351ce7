//! Arms of what ends in one of several named outcomes: each outcome that can happen stands in exactly one.

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast::{self, PatternKind};
use runtime_contract::request::Kind;

use super::Checker;
use crate::hir::{Block, LocalId, OutcomeArm};
use crate::problems::{nearest, offer_nearest};
use crate::ty::Ty;

/// What a statement may end in.
pub(crate) struct Outcomes {
    /// As a message names it.
    pub verb: String,
    /// As in the table of requests.
    pub names: &'static [&'static str],
    /// Those that can happen, by their index.
    pub possible: Vec<usize>,
    /// Some may be missing that nobody knows of: none is asked for.
    pub partly_known: bool,
    /// It goes on by itself where there are no arms.
    pub good: Option<usize>,
    /// What the good one brings.
    pub payload: Option<Ty>,
    /// Of an outcome that cannot happen: what would make it possible.
    pub remedy: fn(&str) -> Option<&'static str>,
    /// What an arm may lead to, as a help shows it.
    pub leads_to: &'static str,
}

impl Outcomes {
    pub fn of(kind: Kind, good: Option<&str>) -> Outcomes {
        let row = kind.row();
        Outcomes {
            verb: format!("`{} to`", row.name),
            names: row.outcomes,
            possible: (0..row.outcomes.len()).collect(),
            good: good.and_then(|good| row.outcomes.iter().position(|outcome| *outcome == good)),
            payload: None,
            partly_known: false,
            remedy: |_| None,
            leads_to: "continue",
        }
    }

    fn possible_names(&self) -> Vec<&'static str> {
        self.possible.iter().filter_map(|at| self.names.get(*at).copied()).collect()
    }
}

/// All arms, and the local that takes what the good outcome brings.
pub(crate) struct FoundArms {
    pub arms: Vec<OutcomeArm>,
    pub result: Option<LocalId>,
}

impl Checker<'_, '_> {
    /// Each outcome once, by its arm or by `else`. `None` when one is missing.
    pub fn outcome_arms(
        &mut self,
        statement: &ast::Statement,
        written: Option<&ast::Arms>,
        outcomes: &Outcomes,
    ) -> Option<FoundArms> {
        let mut taken: Vec<(usize, Span)> = Vec::new();
        let mut arms: Vec<OutcomeArm> = Vec::new();
        let mut result = None;
        for arm in written.map_or(&[][..], |arms| &arms.list) {
            let (takes, block) = self.scoped(|checker| {
                let mut takes = Vec::new();
                for pattern in &arm.patterns {
                    let alone = arm.patterns.len() == 1;
                    let (found, bound) = checker.outcome_of(pattern, alone, outcomes, &mut taken);
                    takes.extend(found);
                    result = result.or(bound);
                }
                (takes, checker.statements(&arm.body.statements, &super::statement::Tail::default()).block)
            });
            arms.push(OutcomeArm { takes, block, span: arm.span });
        }
        if let (Some(good), None) = (outcomes.good, written) {
            taken.push((good, statement.keyword));
            arms.push(OutcomeArm { takes: vec![good as u32], block: Block::default(), span: statement.keyword });
        }
        let missing = |taken: &[(usize, Span)]| -> Vec<usize> {
            outcomes.possible.iter().copied().filter(|at| !taken.iter().any(|(known, _)| known == at)).collect()
        };
        if let Some(otherwise) = &statement.otherwise {
            let rest: Vec<usize> = missing(&taken).into_iter().filter(|at| Some(*at) != outcomes.good).collect();
            let block = self.block(&otherwise.body.statements);
            if rest.is_empty() {
                let message = "every outcome has its arm, so `else` is idle";
                self.problems.give(
                    Diagnostic::new(Code::OutcomeImpossible, otherwise.keyword, message)
                        .help("leave `else` and what follows away"),
                );
            }
            taken.extend(rest.iter().map(|at| (*at, otherwise.keyword)));
            let takes = rest.into_iter().map(|at| at as u32).collect();
            arms.push(OutcomeArm { takes, block, span: otherwise.body.span });
        }
        let missing = missing(&taken);
        let names: Vec<&str> = missing.iter().filter_map(|at| outcomes.names.get(*at).copied()).collect();
        if names.is_empty() || outcomes.partly_known {
            return Some(FoundArms { arms, result });
        }
        let message = format!("no arm says what happens on `{}`", names.join("`, `"));
        let help = match written {
            Some(_) => format!("`{} => {}`", names.join(", "), outcomes.leads_to),
            None => "`else say \"Nobody is there.\"`".to_owned(),
        };
        self.problems.give(Diagnostic::new(Code::OutcomeNotHandled, statement.keyword, message).help(help));
        None
    }

    /// The outcome that a pattern of an arm takes, and the local that takes what it brings.
    fn outcome_of(
        &mut self,
        pattern: &ast::Pattern,
        alone: bool,
        outcomes: &Outcomes,
        taken: &mut Vec<(usize, Span)>,
    ) -> (Option<u32>, Option<LocalId>) {
        let mut bound = None;
        let name = match &pattern.kind {
            PatternKind::Name(path) => match path.names.as_slice() {
                [name] => name,
                _ => return (self.no_outcome(pattern.span, outcomes), None),
            },
            PatternKind::Bound { outcome, name } => {
                let good = outcomes.good.and_then(|good| outcomes.names.get(good));
                let brings = outcomes.payload.as_ref().filter(|_| good.is_some_and(|good| *good == outcome.text));
                match brings.filter(|_| alone) {
                    Some(ty) => bound = Some(self.declare(name, ty.clone())),
                    None => {
                        self.declare(name, Ty::Broken);
                        let message = match brings {
                            Some(_) => format!("`{}` has no value when another outcome of the arm is met", name.text),
                            None => format!("`{}` brings nothing that could have a name", outcome.text),
                        };
                        let diagnostic = Diagnostic::new(Code::PayloadOnPlainOutcome, name.span, message);
                        self.problems.give(diagnostic.help("leave the name out"));
                    }
                }
                outcome
            }
            PatternKind::Else => {
                let help = format!("`{} => {}`", outcomes.possible_names().join(", "), outcomes.leads_to);
                self.else_in_outcomes(pattern.span, &help);
                taken.extend(outcomes.possible.iter().map(|at| (*at, pattern.span)));
                return (None, None);
            }
            _ => return (self.no_outcome(pattern.span, outcomes), None),
        };
        let at = outcomes.names.iter().position(|outcome| *outcome == name.text);
        let Some(at) = at.filter(|at| outcomes.possible.contains(at)) else {
            taken.extend(self.impossible(name, outcomes).map(|at| (at, name.span)));
            return (None, bound);
        };
        if let Some((_, earlier)) = taken.iter().find(|(known, _)| *known == at) {
            self.problems.give(
                Diagnostic::new(Code::OutcomeHandledTwice, pattern.span, format!("`{}` has an arm already", name.text))
                    .label(*earlier, "handled here")
                    .help("keep one of the two"),
            );
            return (None, bound);
        }
        taken.push((at, pattern.span));
        (Some(at as u32), bound)
    }

    /// F0303. What was meant counts as handled, so that only the spelling is complained about.
    fn impossible(&mut self, name: &ast::Name, outcomes: &Outcomes) -> Option<usize> {
        let message = format!("{} never ends in `{}`", outcomes.verb, name.text);
        let diagnostic = Diagnostic::new(Code::OutcomeImpossible, name.span, message);
        let known = outcomes.possible_names();
        let meant = nearest(&name.text, known.iter().copied());
        let meant_at = match known.as_slice() {
            // Where there is but one, no other can have been meant.
            [_] => outcomes.possible.first().copied(),
            _ => outcomes.possible.iter().copied().find(|at| outcomes.names.get(*at).copied() == meant.as_deref()),
        };
        self.problems.give(match ((outcomes.remedy)(&name.text), meant, known.as_slice()) {
            (Some(remedy), ..) => diagnostic.help("leave it out").note(remedy),
            (_, Some(_), _) => {
                let form = format!("{{}} => {}", outcomes.leads_to);
                offer_nearest(diagnostic, &name.text, known.iter().copied(), &form)
            }
            (_, None, [only]) => diagnostic.help(format!("`{only} => {}`", outcomes.leads_to)),
            (_, None, known) => diagnostic.help("leave it out").note(format!("its outcomes are {}", known.join(", "))),
        });
        meant_at
    }

    fn no_outcome(&mut self, span: Span, outcomes: &Outcomes) -> Option<u32> {
        let message = format!("{} never ends in this", outcomes.verb);
        let note = format!("its outcomes are {}", outcomes.possible_names().join(", "));
        self.problems.give(Diagnostic::new(Code::OutcomeImpossible, span, message).help("leave it out").note(note));
        None
    }
}
