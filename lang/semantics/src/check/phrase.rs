//! Phrases of a menu's choices: some in each language of the file, none of them for two choices. It does not know the
//! arms that they lead to.

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast;
use runtime_contract::phrase::plain;
use runtime_contract::request;

use super::Checker;
use super::literal::literals;
use super::text::InLanguage;

/// What can be said in one menu.
#[derive(Default)]
pub(super) struct Phrases {
    known: Vec<Phrase>,
    /// By choice and by language of the program.
    choices: Vec<Vec<Vec<String>>>,
}

struct Phrase {
    /// As it is compared.
    plain: String,
    span: Span,
    /// The whole pattern of its choice.
    pattern: Span,
}

impl Phrases {
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// As a request has them; nothing at all where no choice has any.
    pub fn into_choices(self) -> Vec<Vec<Vec<String>>> {
        match self.is_empty() {
            true => Vec::new(),
            false => self.choices,
        }
    }
}

impl Checker<'_, '_> {
    /// The phrases of the next choice, which may be none. Gives the first of them, by which a choice without a key is
    /// called.
    pub(super) fn phrases(&mut self, lines: &[ast::Phrases], pattern: Span, known: &mut Phrases) -> Option<String> {
        let own = self.project.modules.get(self.module).map_or(&[][..], |module| &module.languages);
        let mut found: Vec<(Option<u32>, Vec<String>)> = Vec::new();
        let mut broken = false;
        for line in lines {
            let (tag, string) = (line.tag.as_ref(), line.strings.first());
            match self.language_of(&InLanguage { tag, string, audio: None, span: line.span }, own) {
                Ok(language) if found.iter().any(|(earlier, _)| *earlier == language) => {
                    let tag = line.tag.as_ref().map_or("this phrase", |tag| tag.text.as_str());
                    let message = format!("`{tag}` stands here twice");
                    self.problems.give(Diagnostic::new(Code::DuplicateName, line.span, message));
                    broken = true;
                }
                Ok(language) => {
                    let phrases = line.strings.iter().filter_map(|string| self.phrase(string, pattern, known));
                    found.push((language, phrases.collect()));
                }
                Err(()) => broken = true,
            }
        }
        if !broken {
            self.in_each_language(&found, own, lines);
        }
        let of = |language: Option<u32>| found.iter().find(|(own, _)| *own == language).map(|(_, phrases)| phrases);
        // A caller of a language that the file does not have hears its first, and answers in that.
        let first = of(own.first().copied()).or_else(|| found.first().map(|(_, phrases)| phrases));
        let all = 0..self.project.languages.len() as u32;
        let choice: Vec<Vec<String>> =
            all.filter_map(|language| of(Some(language)).or_else(|| of(None)).or(first).cloned()).collect();
        let name = choice.iter().flatten().next().cloned();
        known.choices.push(choice);
        name
    }

    /// One phrase, which leads to no other choice yet.
    fn phrase(&mut self, string: &ast::TextString, pattern: Span, known: &mut Phrases) -> Option<String> {
        self.no_secret(&literals(string), string.span);
        let wrong = match string.plain().map(|text| (plain(&text), text)) {
            None => "nobody can say a phrase with a hole",
            Some((plain, _)) if plain.is_empty() => "nobody can say this phrase",
            Some((plain, text)) => {
                if let Some(earlier) = known.known.iter().find(|phrase| phrase.plain == plain) {
                    // A caller may change his language, so it counts over all of them. Twice for one choice is no harm.
                    if earlier.pattern != pattern {
                        let message = format!("the phrase `{text}` leads to two choices");
                        let diagnostic = Diagnostic::new(Code::PhraseClash, string.span, message);
                        let diagnostic = diagnostic.label(earlier.span, "it leads here already");
                        self.problems.give(diagnostic.help("another phrase"));
                    }
                } else {
                    known.known.push(Phrase { plain, span: string.span, pattern });
                }
                return Some(text);
            }
        };
        self.problems.give(Diagnostic::new(Code::BadLiteral, string.span, wrong).help("`\"my order\"`"));
        None
    }

    fn in_each_language(&mut self, found: &[(Option<u32>, Vec<String>)], own: &[u32], lines: &[ast::Phrases]) {
        let Some((first, last)) = lines.first().zip(lines.last()) else { return };
        if found.iter().any(|(language, _)| language.is_none()) {
            return;
        }
        let is_missing = |language: &&u32| !found.iter().any(|(known, _)| *known == Some(**language));
        let missing =
            own.iter().filter(is_missing).filter_map(|language| self.project.languages.get(*language as usize));
        let missing: Vec<&str> = missing.map(String::as_str).collect();
        let Some(tag) = missing.first() else { return };
        let message = format!("this choice has no phrase in `{}`", missing.join("`, `"));
        let example = found.iter().flat_map(|(_, phrases)| phrases).next().map_or("orders", String::as_str);
        let help = format!("`{tag} \"{example}\"`");
        let span = first.span.to(last.span);
        self.problems.give(Diagnostic::new(Code::PhraseMissingLanguage, span, message).help(help));
    }

    /// Whoever writes a key as its figures must not be taken for another choice.
    pub(super) fn phrases_and_keys(&mut self, phrases: &Phrases, keys: impl Iterator<Item = (String, Span)>) {
        for (key, span) in keys {
            for phrase in &phrases.known {
                if request::Menu::takes(&key, &phrase.plain) && !phrase.pattern.holds(span) {
                    let message = format!("the phrase `{}` is a key of another choice", phrase.plain);
                    let diagnostic = Diagnostic::new(Code::PhraseClash, phrase.span, message);
                    self.problems.give(diagnostic.label(span, "the key").help("another phrase"));
                }
            }
        }
    }
}
