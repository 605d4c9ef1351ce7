//! Strings and what stands in their holes; texts of several languages.

use lang_diagnostics::{Code, Diagnostic, Span};

use super::AstBuilder;
use crate::ast::{LanguageTag, Part, PluralForm, Text, TextIn, TextString};
use crate::grammar::Rule;
use crate::node::Node;

impl<'t> AstBuilder<'t, '_> {
    pub(super) fn text(&mut self, node: &Node<'t, '_>) -> Text {
        let languages = node.inner().filter_map(|part| match part.rule() {
            Rule::string => {
                let string = self.string(&part);
                Some(TextIn { tag: None, span: string.span, string })
            }
            Rule::text_in => {
                let tag = part.child(Rule::tag).map(|tag| self.tag(&tag));
                let string = self.string(&part.child(Rule::string)?);
                Some(TextIn { tag, string, span: part.span() })
            }
            _ => None,
        });
        let languages: Vec<TextIn> = languages.collect();
        self.languages_once(&languages);
        Text { languages, span: node.span() }
    }

    fn languages_once(&mut self, languages: &[TextIn]) {
        for (index, language) in languages.iter().enumerate() {
            let Some(tag) = &language.tag else { continue };
            let before = languages.iter().take(index).filter_map(|language| language.tag.as_ref());
            if let Some(first) = before.into_iter().find(|before| before.text == tag.text) {
                let message = format!("`{}` stands twice in one text", tag.text);
                self.report(
                    Diagnostic::new(Code::DuplicateName, tag.span, message)
                        .label(first.span, "the first is here")
                        .help("leave one of them out"),
                );
                return;
            }
        }
    }

    pub(super) fn tag(&mut self, node: &Node<'t, '_>) -> LanguageTag {
        LanguageTag { text: node.text().to_owned(), span: node.span() }
    }

    pub(super) fn string_of(&mut self, node: &Node<'t, '_>) -> TextString {
        match node.child(Rule::string) {
            Some(string) => self.string(&string),
            None => TextString { parts: Vec::new(), span: node.span() },
        }
    }

    /// A string literal, quotes included.
    pub(super) fn string(&mut self, node: &Node<'t, '_>) -> TextString {
        let span = node.span();
        let base = span.start as usize + 1;
        let text = node.text();
        let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or("");
        let inner_span = Span::new(self.file, span.start + 1, span.start + 1 + inner.len() as u32);
        if !inner.contains(['{', '\\']) {
            let literal = Part::Literal { text: inner.to_owned(), span: inner_span };
            let parts = if inner.is_empty() { Vec::new() } else { vec![literal] };
            return TextString { parts, span };
        }
        let parts = match self.known.read(Rule::one_text, inner) {
            Ok(parts) => {
                let whole = parts.whole(inner).map(|part| Node::of_text(self.file, part, base));
                whole.iter().flat_map(Node::inner).filter_map(|part| self.part(&part)).collect()
            }
            Err(at) => {
                let problem = self.hole_problem(inner, inner_span, at);
                self.report(problem);
                vec![Part::Literal { text: inner.to_owned(), span: inner_span }]
            }
        };
        TextString { parts, span }
    }

    fn part(&mut self, node: &Node<'t, '_>) -> Option<Part> {
        let span = node.span();
        if node.rule() == Rule::text_literal {
            return Some(Part::Literal { text: unescape(node.text()), span });
        }
        let value = Box::new(self.expr(&node.child(Rule::expression)?));
        let Some(forms) = node.child(Rule::plural_forms) else { return Some(Part::Hole { value, span }) };
        let forms = forms.inner().map(|form| PluralForm { text: form.text().to_owned(), span: form.span() });
        Some(Part::Plural { value, forms: forms.collect(), span })
    }

    fn hole_problem(&self, inner: &str, span: Span, at: usize) -> Diagnostic {
        let at = at.min(inner.len());
        let before = inner.get(..at).unwrap_or("");
        let rest = inner.get(at..).unwrap_or("");
        let escape = rest.strip_prefix('\\').map(|rest| rest.chars().next());
        if let Some(sign) = escape {
            let width = 1 + sign.map_or(0, char::len_utf8);
            let place = Span::new(self.file, span.start + at as u32, span.start + (at + width) as u32);
            let problem = Diagnostic::new(Code::UnexpectedWord, place, "a text has no such sign behind `\\`");
            return problem.help("`\\\"`, `\\\\`, `\\{` and `\\n` are a quote, a backslash, a brace and a new line");
        }
        let opened = before.rfind('{').or_else(|| inner.find('{')).unwrap_or(at);
        let closed = inner.get(opened..).and_then(|hole| hole.find('}')).map_or(inner.len(), |end| opened + end + 1);
        let place = Span::new(self.file, span.start + opened as u32, span.start + closed as u32);
        Diagnostic::new(Code::UnexpectedWord, place, "this hole of the text does not read")
            .here("between `{` and `}` stands one value")
            .help("`{customer.name}`; a brace that is said is written `\\{`")
    }
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut escaped = false;
    for sign in text.chars() {
        match sign {
            'n' if escaped => plain.push('\n'),
            '\\' if !escaped => {
                escaped = true;
                continue;
            }
            sign => plain.push(sign),
        }
        escaped = false;
    }
    plain
}
