//! One mistake gives one diagnostic: what is only said because of another mistake is left out. A part of a file that was
//! not understood may have declared any name and handled any outcome; a name that is missing is missing everywhere.

use std::collections::{BTreeMap, BTreeSet};

use lang_diagnostics::{Code, Diagnostic, FileId, Severity, Sources, Span};
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
        | Code::SpokenInAnotherLanguage
        | Code::HolesDiffer
        | Code::NeverOpen
        | Code::NoWindow
        | Code::NoAttemptLimit
        | Code::ConsentMissing => Complaint::Incomplete,
        Code::UnusedName | Code::UnusedPrompt => Complaint::Unused,
        _ => Complaint::Other,
    }
}

/// What the parser did not understand, and who could miss it.
pub(crate) struct Gaps<'a> {
    /// All words of the unread parts.
    words: BTreeSet<&'a str>,
    /// Files of which an unread part may declare names.
    declaring: BTreeSet<FileId>,
    files: BTreeMap<FileId, FileGaps<'a>>,
}

/// Spans are in order of place and apart from each other.
#[derive(Default)]
struct FileGaps<'a> {
    /// The files whose names it uses.
    uses: Vec<FileId>,
    use_lines: Vec<Span>,
    items: Vec<Span>,
    tests: Vec<Span>,
    unread: Vec<&'a Unread>,
}

/// The one of these that a place lies in.
fn around(spans: &[Span], place: Span) -> Option<Span> {
    let behind = spans.partition_point(|span| span.start <= place.start);
    let span = spans.get(behind.checked_sub(1)?)?;
    span.holds(place).then_some(*span)
}

impl<'a> Gaps<'a> {
    /// `modules` in the order of their paths, as `use` names them.
    pub fn new(modules: &[(&str, &'a Module)], unread: Vec<&'a Unread>, sources: &'a Sources) -> Gaps<'a> {
        let files = modules.iter().map(|(_, module)| {
            let paths = module
                .uses
                .iter()
                .map(|used| used.module.names.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join("."));
            let tests = module.items.iter().filter(|item| matches!(item.kind, ItemKind::Test(_)));
            let found = |path: String| modules.binary_search_by(|(other, _)| (*other).cmp(path.as_str())).ok();
            let used = paths.filter_map(|path| modules.get(found(path)?));
            let gaps = FileGaps {
                uses: used.map(|(_, module)| module.span.file).collect(),
                use_lines: module.uses.iter().map(|used| used.span).collect(),
                items: module.items.iter().map(|item| item.span).collect(),
                tests: tests.map(|item| item.span).collect(),
                unread: Vec::new(),
            };
            (module.span.file, gaps)
        });
        let mut files: BTreeMap<FileId, FileGaps<'a>> = files.collect();
        let words = unread.iter().flat_map(|unread| words(sources.slice(unread.span))).collect();
        let declaring = unread.iter().filter(|unread| unread.declares).map(|unread| unread.span.file).collect();
        for part in unread {
            files.entry(part.span.file).or_default().unread.push(part);
        }
        Gaps { files, words, declaring }
    }

    /// The problems of the checker without those that follow from others.
    pub fn without_consequences(&self, found: Vec<Diagnostic>, sources: &Sources) -> Vec<Diagnostic> {
        let unknown: BTreeSet<Span> =
            found.iter().filter(|problem| problem.code == Code::UnknownName).map(Diagnostic::span).collect();
        let is_flawed = self.has_unread()
            || found.iter().any(|p| p.is_error() && p.code != Code::NotYet && !self.is_in_test(p.span()));
        let bad_uses: BTreeSet<FileId> =
            found.iter().map(Diagnostic::span).filter(|span| self.is_use(*span)).map(|span| span.file).collect();
        let mut kept: Vec<Diagnostic> = Vec::new();
        // Of what is missing, the first of those that say the same.
        let mut first: BTreeMap<(Code, Severity, String), usize> = BTreeMap::new();
        for problem in found {
            let span = problem.span();
            let misspelt = problem.code == Code::UnreachableStep && self.item_has(span, &unknown);
            // Tests are weighed against flows that are whole.
            let untested = is_flawed && self.is_in_test(span);
            let unused = || !self.is_use(span) && self.sees_any(span.file, &bad_uses);
            let is_missing = complaint(problem.code) == Complaint::Missing;
            if misspelt || (is_missing && (untested || unused())) || self.explain(&problem, sources) {
                continue;
            }
            if is_missing {
                let saying = (problem.code, problem.severity, problem.message.clone());
                let earlier = *first.entry(saying).or_insert(kept.len());
                if let Some(earlier) = kept.get_mut(earlier) {
                    earlier.labels.push(here_too(span));
                    continue;
                }
            }
            kept.push(problem);
        }
        kept.iter_mut().for_each(count_further_places);
        kept
    }

    /// Whether something unread explains the problem.
    fn explain(&self, problem: &Diagnostic, sources: &Sources) -> bool {
        let span = problem.span();
        if self.unread_of(span.file).any(|unread| unread.span.holds(span)) {
            return true;
        }
        // What a line was to lead to that did not read may have gone on.
        let ends = || problem.labels.iter().filter(|label| !label.primary).map(|label| label.span);
        if problem.code == Code::StatementAfterEnd
            && ends().any(|end| self.unread_of(end.file).any(|unread| end.holds(unread.span)))
        {
            return true;
        }
        match complaint(problem.code) {
            Complaint::Other => false,
            Complaint::Unused => self.has_unread(),
            Complaint::Missing => self.may_be_declared(span, sources),
            // The languages of a text are declared by a line of the file.
            Complaint::Incomplete if problem.code == Code::LanguageMissing && self.may_be_declared(span, sources) => {
                true
            }
            Complaint::Incomplete => self.unread_of(span.file).any(|unread| {
                unread.block.is_some_and(|block| block.holds(span))
                    || unread.heads.iter().any(|head| head.holds(span) || span.holds(*head))
            }),
        }
    }

    /// Whether something unread may bring the name that is missing at `span`.
    fn may_be_declared(&self, span: Span, sources: &Sources) -> bool {
        words(sources.slice(span)).any(|word| self.words.contains(word))
            || self.sees_any(span.file, &self.declaring)
            || self.unread_of(span.file).any(|unread| !unread.declares && unread.item.is_some_and(|i| i.holds(span)))
    }

    fn has_unread(&self) -> bool {
        self.files.values().any(|file| !file.unread.is_empty())
    }

    fn unread_of(&self, file: FileId) -> impl Iterator<Item = &'a Unread> + '_ {
        self.files.get(&file).into_iter().flat_map(|file| file.unread.iter().copied())
    }

    /// Whether names of one of `others` can be used in `file`.
    fn sees_any(&self, file: FileId, others: &BTreeSet<FileId>) -> bool {
        let used = || self.files.get(&file).is_some_and(|known| known.uses.iter().any(|used| others.contains(used)));
        others.contains(&file) || used()
    }

    fn is_in_test(&self, place: Span) -> bool {
        self.files.get(&place.file).is_some_and(|file| around(&file.tests, place).is_some())
    }

    fn is_use(&self, place: Span) -> bool {
        self.files.get(&place.file).is_some_and(|file| around(&file.use_lines, place).is_some())
    }

    /// Whether one of `others` lies in the item around `place`.
    fn item_has(&self, place: Span, others: &BTreeSet<Span>) -> bool {
        let item = self.files.get(&place.file).and_then(|file| around(&file.items, place));
        item.is_some_and(|item| {
            let from = Span { end: item.start, ..item };
            others.range(from..).take_while(|other| other.file == item.file && other.start < item.end).next().is_some()
        })
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|sign: char| !sign.is_alphanumeric() && sign != '_').filter(|word| !word.is_empty())
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
