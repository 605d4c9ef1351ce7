//! One problem: its code, its sentence, the places it names and the repair it offers.

use crate::{Code, Span, Way};

/// How much a problem weighs. Only `Error` keeps a file from compiling.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Severity {
    Advice,
    Warning,
    Error,
}

impl Severity {
    pub fn word(self) -> &'static str {
        match self {
            Severity::Advice => "advice",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// A place and what is to be said about it; `text` may be empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    pub span: Span,
    pub text: String,
    pub primary: bool,
}

/// Replaces the text at `span` by `text`; an empty span inserts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edit {
    pub span: Span,
    pub text: String,
}

/// A repair that a tool may apply: all edits together, none overlapping.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Suggestion {
    pub title: String,
    pub edits: Vec<Edit>,
    /// Nothing else can have been meant, so `check --fix` applies it unasked. What callers hear or where they go is
    /// never guessed.
    pub certain: bool,
}

/// The user's mistake. `message` is lower case without a full stop, user text in backticks; `help` is a text that would
/// compile.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub struct Diagnostic {
    pub code: Code,
    pub severity: Severity,
    pub message: String,
    pub labels: Vec<Label>,
    pub help: Option<String>,
    pub notes: Vec<String>,
    /// How a call, and how a value, comes to the place.
    pub ways: Vec<Way>,
    pub suggestion: Option<Suggestion>,
}

impl Diagnostic {
    /// A problem at `span`, with the weight that its code has by default.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        let label = Label { span, text: String::new(), primary: true };
        Diagnostic {
            code,
            severity: code.severity(),
            message: message.into(),
            labels: vec![label],
            help: None,
            notes: Vec::new(),
            ways: Vec::new(),
            suggestion: None,
        }
    }

    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Says something about the primary place.
    pub fn here(mut self, text: impl Into<String>) -> Self {
        if let Some(label) = self.labels.iter_mut().find(|label| label.primary) {
            label.text = text.into();
        }
        self
    }

    /// Names a second place, of the same file or another.
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into(), primary: false });
        self
    }

    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    pub fn way(mut self, way: Way) -> Self {
        self.ways.push(way);
        self
    }

    /// Adds one edit to the repair; `title` names the repair and is kept from the first edit.
    pub fn edit(mut self, title: impl Into<String>, span: Span, text: impl Into<String>) -> Self {
        let edit = Edit { span, text: text.into() };
        match &mut self.suggestion {
            Some(suggestion) => suggestion.edits.push(edit),
            None => self.suggestion = Some(Suggestion { title: title.into(), edits: vec![edit], certain: false }),
        }
        self
    }

    /// The repair may be applied unasked; see [`Suggestion::certain`].
    pub fn certain(self) -> Self {
        self.certain_if(true)
    }

    pub fn certain_if(mut self, certain: bool) -> Self {
        if let Some(suggestion) = &mut self.suggestion {
            suggestion.certain = certain;
        }
        self
    }

    /// The place that the problem is about.
    pub fn span(&self) -> Span {
        let primary = self.labels.iter().find(|label| label.primary).or(self.labels.first());
        primary.map_or(Span::default(), |label| label.span)
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
