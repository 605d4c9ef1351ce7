//! One mistake gives one diagnostic: what is only said because of another mistake is left out. A part of a file that was
//! not understood may have declared any name and handled any outcome; a name that is missing is missing everywhere.

use std::collections::BTreeSet;

use lang_diagnostics::{Code, Diagnostic, FileId, Sources, Span};
use lang_syntax::ast::{ItemKind, Module, Unread};

/// Places beside the first at which the same is missing; of further ones only the number is told.
const PLACES_MAX: usize = 3;

/// What a problem complains of, as far as another mistake can be its cause.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Complaint {
    /// Something is not there that a line of the same item, or a declaration, may have brought.
    Missing,
    /// A block lacks a line, or has one too many for want of another.
    Incomplete,
    /// Nothing uses it.
    Unused,
    /// It stands for itself.
    Other,
}

fn complaint(code: Code) -> Complaint {
    match code {
        Code::UnknownName
        | Code::NotVisible
        | Code::UnknownModule
        | Code::UnknownField
        | Code::MissingField
        | Code::NotAssignedOnEveryPath
        | Code::UnreachableStep
        | Code::PathDoesNotEnd
        | Code::NoLineHere
        | Code::BeforeAnswer
        | Code::GivenUnknownService
        | Code::ExpectationImpossible
        | Code::MissingInYaml => Complaint::Missing,
        Code::GapsInMatch
        | Code::OutcomeNotHandled
        | Code::OutcomeImpossible
        | Code::NoSilence
        | Code::AgainWithoutBound
        | Code::NothingToHear
        | Code::StatementAfterEnd
        | Code::LanguageMissing
        | Code::HolesDiffer
        | Code::NeverOpen => Complaint::Incomplete,
        Code::UnusedName | Code::UnusedPrompt => Complaint::Unused,
        _ => Complaint::Other,
    }
}

/// What the parser did not understand, and who could miss it.
pub(crate) struct Gaps<'a> {
    unread: Vec<&'a Unread>,
    /// All words of the unread parts.
    words: BTreeSet<&'a str>,
    files: Vec<FileGaps>,
}

struct FileGaps {
    file: FileId,
    /// The files whose names it uses.
    uses: Vec<FileId>,
    use_lines: Vec<Span>,
    items: Vec<Span>,
    tests: Vec<Span>,
}

impl<'a> Gaps<'a> {
    /// `modules` by path, as `use` names them.
    pub fn new(modules: &[(&str, &'a Module)], unread: Vec<&'a Unread>, sources: &'a Sources) -> Gaps<'a> {
        let files = modules.iter().map(|(_, module)| {
            let paths = module
                .uses
                .iter()
                .map(|used| used.module.names.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join("."));
            let tests = module.items.iter().filter(|item| matches!(item.kind, ItemKind::Test(_)));
            let used = paths.filter_map(|path| modules.iter().find(|(other, _)| *other == path));
            FileGaps {
                file: module.span.file,
                uses: used.map(|(_, module)| module.span.file).collect(),
                use_lines: module.uses.iter().map(|used| used.span).collect(),
                items: module.items.iter().map(|item| item.span).collect(),
                tests: tests.map(|item| item.span).collect(),
            }
        });
        let words = unread.iter().flat_map(|unread| words(sources.slice(unread.span))).collect();
        Gaps { files: files.collect(), words, unread }
    }

    /// The problems of the checker without those that follow from others.
    pub fn without_consequences(&self, found: Vec<Diagnostic>, sources: &Sources) -> Vec<Diagnostic> {
        let unknown: Vec<Span> =
            found.iter().filter(|problem| problem.code == Code::UnknownName).map(Diagnostic::span).collect();
        let is_flawed = !self.unread.is_empty()
            || found.iter().any(|p| p.is_error() && p.code != Code::NotYet && !self.is_in_test(p.span()));
        let bad_uses: Vec<Span> = found.iter().map(Diagnostic::span).filter(|span| self.is_use(*span)).collect();
        let mut kept: Vec<Diagnostic> = Vec::new();
        for problem in found {
            let span = problem.span();
            let misspelt = problem.code == Code::UnreachableStep && self.item_has(span, &unknown);
            // Tests are weighed against flows that are whole.
            let untested = is_flawed && self.is_in_test(span);
            let unused = !self.is_use(span) && bad_uses.iter().any(|bad| self.sees(span.file, bad.file));
            let is_missing = complaint(problem.code) == Complaint::Missing;
            if misspelt || (is_missing && (untested || unused)) || self.explain(&problem, sources) {
                continue;
            }
            match kept.iter_mut().find(|earlier| says_the_same(earlier, &problem)) {
                Some(earlier) => earlier.labels.push(here_too(problem.span())),
                None => kept.push(problem),
            }
        }
        kept.iter_mut().for_each(count_further_places);
        kept
    }

    /// Whether something unread explains the problem.
    fn explain(&self, problem: &Diagnostic, sources: &Sources) -> bool {
        let span = problem.span();
        if self.unread.iter().any(|unread| unread.span.holds(span)) {
            return true;
        }
        // What a line was to lead to that did not read may have gone on.
        let ends = || problem.labels.iter().filter(|label| !label.primary).map(|label| label.span);
        if problem.code == Code::StatementAfterEnd
            && self.unread.iter().any(|unread| ends().any(|end| end.holds(unread.span)))
        {
            return true;
        }
        match complaint(problem.code) {
            Complaint::Other => false,
            Complaint::Unused => !self.unread.is_empty(),
            Complaint::Missing => self.may_be_declared(span, sources),
            // The languages of a text are declared by a line of the file.
            Complaint::Incomplete if problem.code == Code::LanguageMissing && self.may_be_declared(span, sources) => {
                true
            }
            Complaint::Incomplete => self.unread.iter().any(|unread| {
                unread.block.is_some_and(|block| block.holds(span))
                    || unread.heads.iter().any(|head| head.holds(span) || span.holds(*head))
            }),
        }
    }

    /// Whether something unread may bring the name that is missing at `span`.
    fn may_be_declared(&self, span: Span, sources: &Sources) -> bool {
        words(sources.slice(span)).any(|word| self.words.contains(word))
            || self.unread.iter().any(|unread| match unread.declares {
                true => self.sees(span.file, unread.span.file),
                false => unread.item.is_some_and(|item| item.holds(span)),
            })
    }

    /// Whether names of `other` can be used in `file`.
    fn sees(&self, file: FileId, other: FileId) -> bool {
        file == other || self.files.iter().any(|known| known.file == file && known.uses.contains(&other))
    }

    fn is_in_test(&self, place: Span) -> bool {
        self.files.iter().flat_map(|file| &file.tests).any(|test| test.holds(place))
    }

    fn is_use(&self, place: Span) -> bool {
        self.files.iter().flat_map(|file| &file.use_lines).any(|line| line.holds(place))
    }

    fn item_has(&self, place: Span, others: &[Span]) -> bool {
        let items = self.files.iter().flat_map(|file| &file.items);
        items.filter(|item| item.holds(place)).any(|item| others.iter().any(|other| item.holds(*other)))
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|sign: char| !sign.is_alphanumeric() && sign != '_').filter(|word| !word.is_empty())
}

fn says_the_same(earlier: &Diagnostic, problem: &Diagnostic) -> bool {
    complaint(problem.code) == Complaint::Missing
        && earlier.code == problem.code
        && earlier.message == problem.message
        && earlier.severity == problem.severity
}

fn here_too(span: Span) -> lang_diagnostics::Label {
    lang_diagnostics::Label { span, text: HERE_TOO.to_owned(), primary: false }
}

const HERE_TOO: &str = "and here";

fn count_further_places(problem: &mut Diagnostic) {
    let mut places = 0;
    problem.labels.retain(|label| {
        places += usize::from(!label.primary && label.text == HERE_TOO);
        label.text != HERE_TOO || places <= PLACES_MAX
    });
    match places.saturating_sub(PLACES_MAX) {
        0 => {}
        1 => problem.notes.push("and in one more place".to_owned()),
        more => problem.notes.push(format!("and in {more} more places")),
    }
}
