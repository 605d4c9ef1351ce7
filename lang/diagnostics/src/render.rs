//! Problems as people read them, drawn by miette: the source lines, the places marked, the repair below.

use std::fmt;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};

use crate::excerpt::{CONTEXT_LINES, Excerpt, excerpt};
use crate::visible::visible;
use crate::{Diagnostic, FileId, Label, Severity, Sources};

/// Whether the text may hold ANSI colours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Colours {
    Off,
    On,
}

/// Below this many columns nothing useful can be drawn.
const WIDTH_MIN: usize = 40;

/// The problems as text, in the order given, each closed by a blank line. `width` is that of the terminal, in columns.
/// Nothing of the sources that a terminal would obey is in it.
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, colours: Colours, width: usize) -> String {
    let theme = match colours {
        Colours::Off => GraphicalTheme::unicode_nocolor(),
        Colours::On => GraphicalTheme::unicode(),
    };
    let width = width.max(WIDTH_MIN);
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(width)
        .with_links(false)
        .with_context_lines(CONTEXT_LINES as usize)
        .without_syntax_highlighting();
    let mut text = String::new();
    for diagnostic in diagnostics {
        for (at, report) in reports(diagnostic, sources, width).into_iter().enumerate() {
            text.push_str(if at == 0 { "" } else { "\n" });
            if handler.render_report(&mut text, &report).is_err() {
                text.push_str(&format!("{}: {}\n", diagnostic.code, report.message));
            }
        }
        text.push('\n');
    }
    text
}

/// A problem as it is drawn: the file of its primary place with all that is said, then each further file.
fn reports(diagnostic: &Diagnostic, sources: &Sources, width: usize) -> Vec<Report> {
    let main = diagnostic.span().file;
    let mut files: Vec<FileId> = vec![main];
    for label in &diagnostic.labels {
        if !files.contains(&label.span.file) {
            files.push(label.span.file);
        }
    }
    let reports = files.into_iter().map(|file| {
        let labels: Vec<&Label> = diagnostic.labels.iter().filter(|label| label.span.file == file).collect();
        if file == main {
            Report::of_problem(diagnostic, &labels, sources, width)
        } else {
            Report::elsewhere(&labels, sources, width)
        }
    });
    reports.collect()
}

/// One file's part of a problem.
struct Report {
    code: Option<String>,
    severity: Severity,
    message: String,
    help: Option<String>,
    source: Option<Excerpt>,
    labels: Vec<LabeledSpan>,
}

impl Report {
    fn of_problem(diagnostic: &Diagnostic, labels: &[&Label], sources: &Sources, width: usize) -> Self {
        let notes = diagnostic.notes.iter().map(|note| format!("note: {note}"));
        let ways = diagnostic.ways.iter().map(|way| format!("note: {}", way.sentence(sources)));
        let lines: Vec<String> = diagnostic.help.iter().cloned().chain(notes).chain(ways).collect();
        let mut report = Report {
            code: Some(diagnostic.code.to_string()),
            severity: diagnostic.severity,
            message: visible(&diagnostic.message).into_owned(),
            help: (!lines.is_empty()).then(|| visible(&lines.join("\n")).into_owned()),
            source: None,
            labels: Vec::new(),
        };
        report.show(labels, sources, width);
        report
    }

    /// What is said of one more file. A single label is said above its lines, and not once more below.
    fn elsewhere(labels: &[&Label], sources: &Sources, width: usize) -> Self {
        let texts = labels.iter().map(|label| label.text.as_str()).collect::<Vec<_>>().join("; ");
        let message = visible(&texts).into_owned();
        let mut report =
            Report { code: None, severity: Severity::Advice, message, help: None, source: None, labels: Vec::new() };
        report.show(labels, sources, width);
        if let [label] = report.labels.as_mut_slice() {
            label.set_label(None);
        }
        report
    }

    fn show(&mut self, labels: &[&Label], sources: &Sources, width: usize) {
        let Some(source) = labels.first().and_then(|label| sources.get(label.span.file)) else { return };
        let (excerpt, places) = excerpt(source, labels, width);
        let labels = labels.iter().zip(places).map(|(label, place)| {
            let words = (!label.text.is_empty()).then(|| visible(&label.text).into_owned());
            match label.primary {
                true => LabeledSpan::new_primary_with_span(words, place),
                false => LabeledSpan::new_with_span(words, place),
            }
        });
        self.labels = labels.collect();
        self.source = Some(excerpt);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Report {}

impl miette::Diagnostic for Report {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.code.as_ref().map(|code| Box::new(code) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Advice => miette::Severity::Advice,
            Severity::Warning => miette::Severity::Warning,
            Severity::Error => miette::Severity::Error,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}
