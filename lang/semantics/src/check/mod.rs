//! Bodies of flows: syntax to typed statements. Each file takes one part; this one holds what they share, the names
//! in sight and the places that need them.

mod agreement;
mod arms;
mod ask;
mod cadence;
mod call;
mod choice;
mod constant;
mod dialogue;
mod expression;
mod flow;
mod known;
mod list;
mod literal;
mod loops;
mod measure;
mod message;
mod name;
mod offer;
mod onward;
mod operator;
mod origin;
mod outcomes;
mod pattern;
mod phrase;
mod private;
mod property;
mod queue;
mod secret;
mod statement;
mod survey;
mod text;
mod variant;
mod waiting;

pub(crate) use cadence::{ActionOf, InCadence, RETRY, RETRY_AT};
pub(crate) use call::Receiver;
pub(crate) use constant::{check_items, size as cost};
pub(crate) use flow::{CheckedFlow, Edge, EdgeBound, From, Handed, HandedTo, check_flow, clause_flow};
pub(crate) use measure::Measured;
pub(crate) use origin::{Claim, Origin, Slot, settle_claims};
pub(crate) use outcomes::Outcomes;
pub(crate) use statement::Tail;
pub(crate) use text::{enum_texts, prompt_items};

use std::collections::BTreeMap;

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast;
use runtime_contract::request::Destination;

use crate::hir::{self, DialogueId, LocalId};
use crate::problems::{Problems, offer_nearest};
use crate::project::{Parameter, Project};
use crate::ty::Ty;

/// A value and its type.
pub(crate) struct Typed {
    pub expr: hir::Expr,
    pub ty: Ty,
}

pub(crate) struct LocalInfo {
    pub name: String,
    pub ty: Ty,
    pub span: Span,
    pub used: bool,
    pub read_by_handlers: bool,
    /// It stands at the top of the flow: number of such names before it.
    pub top: Option<usize>,
    /// What `fault` and `finally` see of it.
    pub copy: Option<LocalId>,
    pub origin: Origin,
    /// The private local whose value it took.
    pub private_source: Option<LocalId>,
}

/// Where in a flow the checker is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Region {
    Top,
    Step(u32),
    Fault,
    Finally,
    /// The action of a `when`.
    Rule,
    Survey,
    /// Not in a flow: a clause, a prompt item, a test.
    Outside,
}

pub(crate) struct StepInfo<'a> {
    pub name: &'a ast::Name,
    pub parameters: Vec<Parameter<'a>>,
}

/// A dialogue that is being read.
pub(crate) struct OpenDialogue {
    pub id: DialogueId,
    /// The first `again` in its arms.
    pub again: Option<Span>,
    pub in_after: bool,
}

/// The use of a name of the top part in a step.
pub(crate) struct TopUse {
    pub local: LocalId,
    pub step: u32,
    pub span: Span,
}

pub(crate) struct Checker<'p, 'a> {
    pub project: &'p Project<'a>,
    pub problems: &'p mut Problems,
    pub module: usize,
    pub result: Option<Ty>,
    /// Of each flow that is checked, whether it may come back.
    pub returns: &'p [Option<bool>],
    /// And what is known of its result.
    pub results: &'p [Origin],
    /// The flow that is read; none is a function, a clause or a test.
    pub flow: Option<u32>,
    /// What is known of each value that it returns.
    pub returned: Vec<Origin>,
    /// What steps and flows are given.
    pub given: Vec<(Slot, Origin, Span)>,
    pub claims: Vec<Claim>,
    /// The first locals are the flow's parameters.
    pub parameters: u32,
    pub locals: Vec<LocalInfo>,
    pub scopes: Vec<BTreeMap<String, LocalId>>,
    pub steps: Vec<StepInfo<'a>>,
    /// Of each name, the first step that has it.
    pub step_names: BTreeMap<&'a str, u32>,
    pub region: Region,
    pub dialogues: Vec<OpenDialogue>,
    pub dialogue_count: u32,
    pub counter_count: u32,
    /// Prompts of the program that the flow plays.
    pub prompts: Vec<u32>,
    /// Names of the top part that have their value.
    pub top_lets: usize,
    /// Those names, each with the number of statements of the top part after which it has its value.
    pub top_assigned: Vec<(LocalId, usize)>,
    pub top_uses: Vec<TopUse>,
    pub edges: Vec<Edge>,
    /// Flows that are run, and where.
    pub runs: Vec<(u32, Span)>,
    /// Hours that are asked for.
    pub hours_asked: Vec<u32>,
    /// Holes that say a Time, in the zone of the called office.
    pub times_said: Vec<Span>,
    /// What is read of the number or extension that was called.
    pub called_read: Vec<(Destination, Span)>,
    /// Private values that go to steps and flows.
    pub handed: Vec<Handed>,
    /// `is some x` gives `x` to what follows.
    pub may_bind: bool,
    /// The `on voice` whose other branch this is.
    pub off_voice: Option<Span>,
    /// What is read stands in a `test`.
    pub in_test: bool,
    /// In a clause of a queue: the agent's level of each skill that was read.
    pub agent_skills: Option<BTreeMap<u32, LocalId>>,
    /// In the comfort of a queue: the key that has the caller called back, once there is an `offer`.
    pub comfort: Option<Option<(char, Span)>>,
    /// In the actions of a cadence.
    pub cadence: Option<InCadence>,
    /// A text is for people of the house: without a tag it is in the first language of its file.
    pub to_house: bool,
    /// In an alarm: what is read of queues.
    pub measured: Option<Measured>,
    /// The words before the text that is read, where an `if` may stand around them.
    pub telling: Option<String>,
}

impl<'p, 'a> Checker<'p, 'a> {
    pub fn new(project: &'p Project<'a>, module: usize, problems: &'p mut Problems) -> Self {
        Checker {
            project,
            problems,
            module,
            result: None,
            returns: &[],
            results: &[],
            flow: None,
            returned: Vec::new(),
            given: Vec::new(),
            claims: Vec::new(),
            parameters: 0,
            locals: Vec::new(),
            scopes: vec![BTreeMap::new()],
            steps: Vec::new(),
            step_names: BTreeMap::new(),
            region: Region::Outside,
            dialogues: Vec::new(),
            dialogue_count: 0,
            counter_count: 0,
            prompts: Vec::new(),
            top_lets: 0,
            top_assigned: Vec::new(),
            top_uses: Vec::new(),
            edges: Vec::new(),
            runs: Vec::new(),
            hours_asked: Vec::new(),
            times_said: Vec::new(),
            called_read: Vec::new(),
            handed: Vec::new(),
            may_bind: false,
            off_voice: None,
            in_test: false,
            agent_skills: None,
            comfort: None,
            cadence: None,
            to_house: false,
            measured: None,
            telling: None,
        }
    }

    /// Does something with names of its own.
    pub fn scoped<T>(&mut self, inner: impl FnOnce(&mut Self) -> T) -> T {
        self.scopes.push(BTreeMap::new());
        let value = inner(self);
        self.scopes.pop();
        value
    }

    /// A value that the checker keeps for itself.
    pub fn hidden(&mut self, ty: Ty, span: Span) -> LocalId {
        self.locals.push(LocalInfo {
            name: String::new(),
            ty,
            span,
            used: true,
            read_by_handlers: false,
            top: None,
            copy: None,
            origin: Origin::default(),
            private_source: None,
        });
        LocalId(self.locals.len() as u32 - 1)
    }

    /// Declares a name in the innermost scope.
    pub fn declare(&mut self, name: &ast::Name, ty: Ty) -> LocalId {
        let local = self.hidden(ty, name.span);
        self.give_name(local, name);
        local
    }

    /// Gives a hidden local its name in the innermost scope.
    pub fn give_name(&mut self, local: LocalId, name: &ast::Name) {
        let earlier = self.lookup(&name.text).and_then(|local| self.local(local)).map(|local| local.span);
        let earlier = earlier.or_else(|| self.project.visible(self.module, &name.text));
        let built_in = matches!(name.text.as_str(), "caller" | "called");
        if earlier.is_some() || built_in {
            let here = self.scopes.last().is_some_and(|scope| scope.contains_key(&name.text));
            let (code, message) = match here {
                true => (Code::DuplicateName, format!("`{}` has its value already", name.text)),
                false => (Code::ShadowedName, format!("`{}` would hide another `{}`", name.text, name.text)),
            };
            let mut diagnostic = Diagnostic::new(code, name.span, message);
            if let Some(earlier) = earlier {
                diagnostic = diagnostic.label(earlier, "declared here");
            }
            self.problems.give(diagnostic.help(format!("another name, as `{}_2`", name.text)));
        }
        if let Some(info) = self.local_mut(local) {
            info.name = name.text.clone();
            info.used = false;
        }
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name.text.clone(), local);
        }
    }

    pub fn lookup(&self, name: &str) -> Option<LocalId> {
        self.scopes.iter().rev().find_map(|scope| scope.get(name)).copied()
    }

    pub fn local(&self, local: LocalId) -> Option<&LocalInfo> {
        self.locals.get(local.0 as usize)
    }

    pub fn local_mut(&mut self, local: LocalId) -> Option<&mut LocalInfo> {
        self.locals.get_mut(local.0 as usize)
    }

    pub fn text_of(&self, ty: &Ty) -> String {
        ty.text(self.project)
    }

    /// A path of names, as it is written with dots; `None` for any other expression.
    pub fn names_of(expr: &ast::Expr) -> Option<Vec<&ast::Name>> {
        match &expr.kind {
            ast::ExprKind::Name(name) => Some(vec![name]),
            ast::ExprKind::Field { base, field } => {
                let mut names = Self::names_of(base)?;
                names.push(field);
                Some(names)
            }
            _ => None,
        }
    }

    /// The step that a `go` names.
    pub fn step(&mut self, name: &ast::Name) -> Option<u32> {
        if let Some(index) = self.step_names.get(name.text.as_str()) {
            return Some(*index);
        }
        if matches!(self.region, Region::Outside | Region::Rule) {
            let diagnostic = Diagnostic::new(Code::UnknownName, name.span, "only a flow has steps");
            self.problems.give(diagnostic.help("leave it out"));
            return None;
        }
        let message = format!("this flow has no step `{}`", name.text);
        let mut diagnostic = Diagnostic::new(Code::UnknownName, name.span, message);
        diagnostic = match self.project.reach(self.module, &[&name.text]).map(|reached| reached.def) {
            Some(crate::project::Def::Flow(_)) => diagnostic.help(format!("`run {}()`", name.text)),
            _ => {
                let names = self.steps.iter().map(|step| step.name.text.as_str());
                offer_nearest(diagnostic, &name.text, names, "go {}")
            }
        };
        self.problems.give(diagnostic);
        None
    }
}

pub(crate) fn broken(span: Span) -> Typed {
    Typed { expr: broken_expr(span), ty: Ty::Broken }
}

pub(crate) fn broken_expr(span: Span) -> hir::Expr {
    hir::Expr { kind: hir::ExprKind::Broken, ty: Ty::Broken.lower(), span }
}

pub(crate) fn typed(kind: hir::ExprKind, ty: Ty, span: Span) -> Typed {
    Typed { expr: hir::Expr { kind, ty: ty.lower(), span }, ty }
}
