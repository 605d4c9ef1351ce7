//! Variants of an enum that a text says: whether each has words, and words of the language in which it is said.

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast;

use super::Checker;

impl Checker<'_, '_> {
    /// F0708, once for an enum, at the first variant of which callers hear the name.
    pub(super) fn said_by_name(&mut self, id: u32, said: Span) {
        let Some(info) = self.project.enums.get(id as usize) else { return };
        let Some(variant) = info.item.variants.iter().find(|variant| variant.text.is_none()) else { return };
        if info.said.replace(true) {
            return;
        }
        let name = &variant.name.text;
        let texts: Vec<String> =
            self.spoken_in(info.module).iter().map(|tag| format!("{} \"{name}\"", tag.text)).collect();
        let diagnostic = Diagnostic::new(
            Code::VariantWithoutText,
            variant.name.span,
            format!("callers hear the word `{name}` itself"),
        )
        .here("this variant has no text")
        .label(said, "said here");
        self.problems.give(match texts.is_empty() {
            true => diagnostic.help("say in the file which `languages` it has, and give the variant a text"),
            false if variant.fields.is_empty() => diagnostic.help(format!("`{name} {}`", texts.join(" "))),
            false => diagnostic.help(format!("`{}` behind its fields", texts.join(" "))),
        });
    }

    /// F0709, once for an enum: the file that says it speaks a language in which its variants have no words.
    pub(super) fn said_in_other_words(&mut self, id: u32, tags: &[String], said: Span) {
        let Some(info) = self.project.enums.get(id as usize) else { return };
        let own = self.spoken_in(info.module);
        let language = |tag: &str| tag.split('-').next().unwrap_or_default().to_owned();
        let lacks = |tag: &&String| !own.iter().any(|own| language(&own.text) == language(tag));
        let (Some(tag), Some(first)) = (tags.iter().find(lacks), own.first()) else { return };
        let spoken = info.item.variants.iter().find_map(|variant| variant.text.as_ref());
        let Some(text) = spoken.filter(|_| !info.said_foreign.replace(true)) else { return };
        let message = format!("callers in `{tag}` hear `{}` here", first.text);
        let name = &info.name.text;
        let is_library = self.project.modules.get(info.module).is_some_and(|module| module.path.starts_with("std."));
        let all: Vec<&str> = own.iter().map(|own| own.text.as_str()).chain([tag.as_str()]).collect();
        let help = match is_library {
            true => "ask by a match which one it is, and say that".to_owned(),
            false => format!("`languages {}`, and words for it in each variant", all.join(", ")),
        };
        let told = Diagnostic::new(Code::SpokenInAnotherLanguage, said, message);
        self.problems.give(told.label(text.span, format!("`{name}` has no words in `{tag}`")).help(help));
    }

    fn spoken_in(&self, module: usize) -> &[ast::LanguageTag] {
        let module = self.project.modules.get(module);
        module.and_then(|module| module.ast.languages.first()).map_or(&[][..], |line| &line.tags)
    }
}
