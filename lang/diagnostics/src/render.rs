//! Problems as people read them, drawn by miette: the source lines, the places marked, the repair below.

use std::fmt;

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteSpanContents, SourceCode, SourceSpan, SpanContents,
};

use crate::{Diagnostic, FileId, Label, Severity, Source, Sources, Span};

/// Whether the text may hold ANSI colours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Colours {
    Off,
    On,
}

/// Below this many columns nothing useful can be drawn.
const WIDTH_MIN: usize = 40;

/// The problems as text, in the order given, each closed by a blank line. `width` is that of the terminal, in columns.
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, colours: Colours, width: usize) -> String {
    let theme = match colours {
        Colours::Off => GraphicalTheme::unicode_nocolor(),
        Colours::On => GraphicalTheme::unicode(),
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(width.max(WIDTH_MIN))
        .with_links(false)
        .with_context_lines(1)
        .without_syntax_highlighting();
    let mut text = String::new();
    for diagnostic in diagnostics {
        let report = Report::new(diagnostic, sources);
        if handler.render_report(&mut text, &report).is_err() {
            text.push_str(&format!("{}: {}\n", diagnostic.code, diagnostic.message));
        }
        text.push('\n');
    }
    text
}

/// One file's part of a problem. The file of the primary place comes first; the others hang on it.
struct Report<'s> {
    code: Option<String>,
    severity: Severity,
    message: String,
    help: Option<String>,
    source: Option<Excerpts<'s>>,
    labels: Vec<LabeledSpan>,
    elsewhere: Vec<Report<'s>>,
}

impl<'s> Report<'s> {
    fn new(diagnostic: &Diagnostic, sources: &'s Sources) -> Self {
        let main = diagnostic.span().file;
        let mut files: Vec<FileId> = Vec::new();
        for label in &diagnostic.labels {
            if label.span.file != main && !files.contains(&label.span.file) {
                files.push(label.span.file);
            }
        }
        let elsewhere = files.into_iter().map(|file| {
            let texts =
                diagnostic.labels.iter().filter(|label| label.span.file == file).map(|label| label.text.as_str());
            let message = texts.collect::<Vec<_>>().join("; ");
            Report::of_file(diagnostic, sources, file, message)
        });
        let elsewhere = elsewhere.collect();
        let notes = diagnostic.notes.iter().map(|note| format!("note: {note}"));
        let lines: Vec<String> = diagnostic.help.iter().cloned().chain(notes).collect();
        let mut report = Report::of_file(diagnostic, sources, main, diagnostic.message.clone());
        report.code = Some(diagnostic.code.to_string());
        report.severity = diagnostic.severity;
        report.help = (!lines.is_empty()).then(|| lines.join("\n"));
        report.elsewhere = elsewhere;
        report
    }

    fn of_file(diagnostic: &Diagnostic, sources: &'s Sources, file: FileId, message: String) -> Self {
        let source = sources.get(file);
        let labels = diagnostic.labels.iter().filter(|label| label.span.file == file);
        let labels = source.map(|source| labels.map(|label| labelled(label, source.text())).collect());
        Report {
            code: None,
            severity: Severity::Advice,
            message,
            help: None,
            source: source.map(Excerpts),
            labels: labels.unwrap_or_default(),
            elsewhere: Vec::new(),
        }
    }
}

/// The lines of a file as miette wants them, but with columns counted in characters, as everywhere else.
struct Excerpts<'s>(&'s Source);

impl SourceCode for Excerpts<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        context_lines_before: usize,
        context_lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, miette::MietteError> {
        let (source, start) = (self.0, span.offset());
        let last_byte = start + span.len().saturating_sub(1);
        let place = source.position(start as u32);
        let first_line = place.line.saturating_sub(context_lines_before as u32).max(1);
        let last_line = source.position(last_byte as u32).line.saturating_add(context_lines_after as u32);
        let (from, column) = match context_lines_before {
            0 => (start, place.column as usize - 1),
            _ => (source.line_start(first_line), 0),
        };
        let to = source.line_start(last_line.saturating_add(1)).max(from);
        let data = source.text().as_bytes().get(from..to).ok_or(miette::MietteError::OutOfBounds)?;
        let (range, line) = (SourceSpan::from(from..to), first_line as usize - 1);
        let name = source.path().to_owned();
        Ok(Box::new(MietteSpanContents::new_named(
            name,
            data,
            range,
            line,
            column,
            (last_line - first_line) as usize + 1,
        )))
    }
}

fn labelled(label: &Label, text: &str) -> LabeledSpan {
    let Span { start, end, .. } = clamped(label.span, text);
    let words = (!label.text.is_empty()).then(|| label.text.clone());
    let range = start as usize..end as usize;
    if label.primary {
        LabeledSpan::new_primary_with_span(words, range)
    } else {
        LabeledSpan::new_with_span(words, range)
    }
}

/// The place moved into its text, and to the borders of characters: miette refuses any other.
fn clamped(span: Span, text: &str) -> Span {
    let into = |offset: u32| {
        let mut offset = (offset as usize).min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset as u32
    };
    Span::new(span.file, into(span.start), into(span.end))
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Report<'_> {}

impl miette::Diagnostic for Report<'_> {
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

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        if self.elsewhere.is_empty() {
            return None;
        }
        Some(Box::new(self.elsewhere.iter().map(|report| report as &dyn miette::Diagnostic)))
    }
}
