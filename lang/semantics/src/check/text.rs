//! Texts: one for each language of the file, the same holes in each, and only what can be said.

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast::{self, Part as AstPart};
use runtime_contract::program::{Part, Prompt, PromptText};
use runtime_contract::spoken;

use super::literal::literals;
use super::{Checker, Typed, typed};
use crate::Surroundings;
use crate::hir::{self, ExprKind};
use crate::problems::{Problems, offer_nearest};
use crate::project::Project;
use crate::ty::Ty;

/// One language of a text before it is put in order.
pub(super) struct InLanguage<'t> {
    pub tag: Option<&'t ast::LanguageTag>,
    pub string: Option<&'t ast::TextString>,
    pub audio: Option<&'t ast::Audio>,
    pub span: Span,
}

/// Fills in the texts of all `prompt` items.
pub(crate) fn prompt_items(project: &mut Project<'_>, surroundings: &dyn Surroundings, problems: &mut Problems) {
    for at in 0..project.prompt_items.len() {
        let Some(info) = project.prompt_items.get(at) else { continue };
        let lines: Vec<InLanguage<'_>> = info
            .item
            .lines
            .iter()
            .map(|line| InLanguage {
                tag: line.tag.as_ref(),
                string: line.text.as_ref(),
                audio: line.audio.as_ref(),
                span: line.span,
            })
            .collect();
        let mut checker = Checker::new(project, info.module, problems);
        let (prompt, arguments) = checker.languages(&lines, info.name.span, Some(surroundings));
        let called_read = checker.called_read;
        let prompt = Prompt { name: Some(info.name.text.clone()), ..prompt };
        project.prompts.borrow_mut().push((prompt, spans(project, &lines)));
        if let Some(info) = project.prompt_items.get_mut(at) {
            info.arguments = arguments;
            info.called_read = called_read;
        }
    }
}

/// How variants are said: complete by language, as every text.
pub(crate) fn enum_texts(project: &mut Project<'_>, problems: &mut Problems) {
    for id in 0..project.enums.len() {
        let Some(info) = project.enums.get(id) else { continue };
        let (module, item) = (info.module, info.item);
        let texts = item.variants.iter().map(|variant| {
            let Some(text) = &variant.text else { return Vec::new() };
            let (prompt, _) = Checker::new(project, module, problems).languages(&lines_of(text), text.span, None);
            let all = 0..project.languages.len() as u32;
            all.map(|language| prompt.text(language).map_or_else(String::new, plain_text)).collect()
        });
        let texts = texts.collect();
        if let Some(info) = project.enums.get_mut(id) {
            info.texts = texts;
        }
    }
}

fn plain_text(text: &PromptText) -> String {
    let literal = |part: &Part| match part {
        Part::Literal(text) => text.clone(),
        Part::Hole(_) | Part::Plural { .. } => String::new(),
    };
    text.parts.iter().map(literal).collect()
}

fn lines_of(text: &ast::Text) -> Vec<InLanguage<'_>> {
    let lines = text.languages.iter();
    lines
        .map(|line| InLanguage { tag: line.tag.as_ref(), string: Some(&line.string), audio: None, span: line.span })
        .collect()
}

fn spans(project: &Project<'_>, lines: &[InLanguage<'_>]) -> hir::PromptSpans {
    let language = |line: &InLanguage<'_>| line.tag.and_then(|tag| project.language(&tag.text));
    lines.iter().map(|line| (language(line), line.span)).collect()
}

impl Checker<'_, '_> {
    /// A text in place becomes a prompt of the program.
    pub fn text(&mut self, text: &ast::Text) -> hir::PromptUse {
        let lines = lines_of(text);
        let (prompt, arguments) = self.languages(&lines, text.span, None);
        let mut prompts = self.project.prompts.borrow_mut();
        let number = prompts.len() as u32;
        prompts.push((prompt, spans(self.project, &lines)));
        drop(prompts);
        self.telling = None;
        self.plays(number, arguments)
    }

    /// The use of a prompt of the program.
    pub fn plays(&mut self, number: u32, arguments: Vec<hir::Expr>) -> hir::PromptUse {
        self.prompts.push(number);
        hir::PromptUse::Prompt { prompt: self.prompts.len() as u32 - 1, arguments }
    }

    fn languages(
        &mut self,
        lines: &[InLanguage<'_>],
        span: Span,
        surroundings: Option<&dyn Surroundings>,
    ) -> (Prompt, Vec<hir::Expr>) {
        let own = self.project.modules.get(self.module).map_or(&[][..], |module| &module.languages);
        let is_plain = self.to_house && lines.iter().all(|line| line.tag.is_none());
        let own = own.get(..1).filter(|_| is_plain).unwrap_or(own);
        let mut found: Vec<(Option<u32>, PromptText)> = Vec::new();
        let mut holes = Holes::default();
        let mut uses: Vec<Vec<usize>> = Vec::new();
        let mut broken = false;
        let read_before = self.called_read.len();
        for line in lines {
            let language = match self.language_of(line, own) {
                Ok(language) => language,
                Err(()) => {
                    broken = true;
                    continue;
                }
            };
            if found.iter().any(|(earlier, _)| *earlier == language) {
                let tag = line.tag.map_or("this text", |tag| tag.text.as_str());
                self.problems.give(Diagnostic::new(
                    Code::DuplicateName,
                    line.span,
                    format!("`{tag}` stands here twice"),
                ));
                broken = true;
                continue;
            }
            if let Some(string) = line.string {
                if line.audio.is_none() && is_empty(string) {
                    let diagnostic = Diagnostic::new(Code::NothingToHear, string.span, "this text is empty");
                    self.problems.give(diagnostic.help("leave it out, or write what is meant"));
                }
                self.no_secret(&literals(string), string.span);
            }
            let audio = line.audio.and_then(|audio| self.audio(audio, surroundings));
            let tags = self.tags_of(line, language, own);
            let (parts, used, sound) = self.parts(line, &tags, &mut holes);
            broken |= !sound;
            uses.push(used);
            found.push((language, PromptText { tag: None, audio, parts }));
        }
        self.read_once(read_before);
        if !broken {
            self.complete(&found, own, lines, span);
            self.same_holes(&uses, &holes, lines);
        }
        let Holes { arguments, .. } = holes;
        let types = arguments.iter().map(|argument| argument.ty.lower()).collect();
        let texts = self.in_order(found, lines, own);
        (Prompt { name: None, arguments: types, texts }, arguments.into_iter().map(|argument| argument.expr).collect())
    }

    /// What one text reads of the number or extension that was called is one reading, in however many languages.
    fn read_once(&mut self, before: usize) {
        for (what, span) in self.called_read.split_off(before) {
            if !self.called_read.iter().skip(before).any(|(known, _)| *known == what) {
                self.called_read.push((what, span));
            }
        }
    }

    /// Texts by the program's languages. A language that the file does not have falls back to the file's first, and that
    /// text then says its own language.
    fn in_order(
        &self,
        found: Vec<(Option<u32>, PromptText)>,
        lines: &[InLanguage<'_>],
        own: &[u32],
    ) -> Vec<PromptText> {
        let of = |language: Option<&u32>| {
            let language = language.copied();
            found.iter().find(|(own, _)| *own == language).map(|(_, text)| text.clone())
        };
        let stand_in = |language: Option<u32>, text: &PromptText| {
            let number = language.and_then(|language| self.project.languages.get(language as usize)).cloned();
            // What no language of the program has was written with its tag.
            let written = || lines.iter().find_map(|line| line.tag).map(|tag| tag.text.clone());
            let tag = language.and_then(|_| number.or_else(written));
            PromptText { tag, ..text.clone() }
        };
        let all = 0..self.project.languages.len() as u32;
        if let [(language, text)] = found.as_slice() {
            let own_only = language.as_ref().map_or(own, std::slice::from_ref);
            return match all.clone().all(|language| own_only.contains(&language)) {
                true => vec![text.clone()],
                false if language.is_some() => vec![stand_in(*language, text)],
                // A text without words, in a file that has not all languages of the program.
                false => all
                    .map(|language| match own.contains(&language) {
                        true => text.clone(),
                        false => stand_in(own.first().copied(), text),
                    })
                    .collect(),
            };
        }
        let first = of(own.first())
            .map(|text| stand_in(own.first().copied(), &text))
            .or_else(|| found.first().map(|(language, text)| stand_in(*language, text)));
        all.filter_map(|language| of(Some(&language)).or_else(|| first.clone())).collect()
    }

    /// Tags of the languages in which a line may be heard: its own, or all of the file's.
    fn tags_of(&self, line: &InLanguage<'_>, language: Option<u32>, own: &[u32]) -> Vec<String> {
        let known = |language: &u32| self.project.languages.get(*language as usize).cloned();
        match (line.tag, language) {
            (Some(tag), _) => vec![tag.text.clone()],
            (None, Some(language)) => known(&language).into_iter().collect(),
            (None, None) => own.iter().filter_map(known).collect(),
        }
    }

    /// The program's index of a line's language; `None` where the text has no words or the file one language only, or
    /// where the library has a language that the program does not.
    pub(super) fn language_of(&mut self, line: &InLanguage<'_>, own: &[u32]) -> Result<Option<u32>, ()> {
        let module = self.project.modules.get(self.module);
        let Some(tag) = line.tag else {
            let wordless = line.string.is_none_or(|string| !has_words(string)) && line.audio.is_none();
            if !wordless && own.len() != 1 {
                let known: Vec<&str> =
                    own.iter().filter_map(|l| self.project.languages.get(*l as usize)).map(String::as_str).collect();
                let diagnostic = match known.first() {
                    Some(first) => {
                        Diagnostic::new(Code::LanguageMissing, line.span, "this text does not say its language")
                            .help(format!("`{first} …`"))
                    }
                    None => Diagnostic::new(Code::LanguageMissing, line.span, "this file does not say its languages")
                        .help(format!("`languages {}`", self.project.languages.join(", "))),
                };
                self.problems.give(diagnostic);
                return Err(());
            }
            return Ok(own.first().copied().filter(|_| !wordless));
        };
        let declared = module.and_then(|module| module.ast.languages.first()).map_or(&[][..], |line| &line.tags);
        if let Some(at) = declared.iter().position(|known| known.text == tag.text) {
            // A language of the library that the program does not have gets a number that no language has.
            let index = self.project.language(&tag.text);
            return Ok(index.or(Some(u32::MAX - at as u32)));
        }
        let message = format!("`{}` is not a language of this file", tag.text);
        let mut diagnostic = Diagnostic::new(Code::UnknownName, tag.span, message);
        let names: Vec<&str> = declared.iter().map(|tag| tag.text.as_str()).collect();
        diagnostic = match crate::problems::nearest(&tag.text, names.iter().copied()) {
            Some(_) => offer_nearest(diagnostic, &tag.text, names, "{}"),
            None => {
                let all: Vec<&str> = names.into_iter().chain([tag.text.as_str()]).collect();
                diagnostic.help(format!("`languages {}`", all.join(", ")))
            }
        };
        self.problems.give(diagnostic);
        Err(())
    }

    fn audio(&mut self, audio: &ast::Audio, surroundings: Option<&dyn Surroundings>) -> Option<(String, [u8; 32])> {
        self.audio_file(&audio.file, surroundings)
    }

    /// A file below `prompts/` that is there and can be played, and its hash.
    pub fn audio_file(
        &mut self,
        written: &ast::TextString,
        surroundings: Option<&dyn Surroundings>,
    ) -> Option<(String, [u8; 32])> {
        let file = written.plain().unwrap_or_default();
        match surroundings?.audio(&file) {
            Some(hash) => {
                if let Some(why) = surroundings?.unplayable(&file) {
                    let (why, remedy) = why.rsplit_once("; ").unwrap_or((why, "record it again"));
                    let message = format!("`prompts/{file}` cannot be played: {why}");
                    self.problems.give(Diagnostic::new(Code::AudioNotDecodable, written.span, message).help(remedy));
                }
                Some((file, hash))
            }
            None => {
                self.problems.give(
                    Diagnostic::new(Code::AudioMissing, written.span, format!("there is no file `prompts/{file}`"))
                        .help(format!("put the recording at prompts/{file}, or leave the audio out and keep the text")),
                );
                None
            }
        }
    }

    /// Every language of the file has its line, unless the text has no words.
    fn complete(&mut self, found: &[(Option<u32>, PromptText)], own: &[u32], lines: &[InLanguage<'_>], span: Span) {
        if found.is_empty() {
            self.problems.give(
                Diagnostic::new(Code::LanguageMissing, span, "this prompt has no text").help("`en \"Welcome.\"`"),
            );
            return;
        }
        if found.iter().any(|(language, _)| language.is_none()) {
            return;
        }
        let missing: Vec<&str> = own
            .iter()
            .filter(|language| !found.iter().any(|(known, _)| *known == Some(**language)))
            .filter_map(|language| self.project.languages.get(*language as usize))
            .map(String::as_str)
            .collect();
        if let Some(first) = missing.first() {
            let place = lines.iter().fold(span, |span, line| if span.is_empty() { line.span } else { span });
            self.problems.give(
                Diagnostic::new(Code::LanguageMissing, place, format!("this text lacks `{}`", missing.join("`, `")))
                    .help(format!("`{first} \"Welcome.\"`")),
            );
        }
    }

    /// All languages use the same holes.
    fn same_holes(&mut self, uses: &[Vec<usize>], holes: &Holes, lines: &[InLanguage<'_>]) {
        let arguments = &holes.arguments;
        if arguments.iter().any(|argument| argument.ty.is_broken()) {
            return;
        }
        for (used, line) in uses.iter().zip(lines) {
            let missing = (0..arguments.len()).find(|argument| !used.contains(argument));
            if let Some((at, argument)) = missing.and_then(|missing| Some((missing, arguments.get(missing)?))) {
                let help = match holes.names.get(at).map_or("", String::as_str) {
                    "" => "use the same holes in all languages".to_owned(),
                    name => format!("say `{{{name}}}` in this language too"),
                };
                self.problems.give(
                    Diagnostic::new(Code::HolesDiffer, line.span, "this language leaves out what another one says")
                        .label(argument.expr.span, "said here only")
                        .help(help),
                );
                return;
            }
        }
    }

    /// The parts of one string; holes join the arguments unless an equal one is there. False when one cannot be said.
    fn parts(&mut self, line: &InLanguage<'_>, tags: &[String], holes: &mut Holes) -> (Vec<Part>, Vec<usize>, bool) {
        let (mut parts, mut used, mut sound) = (Vec::new(), Vec::new(), true);
        for part in line.string.map_or(&[][..], |string| &string.parts) {
            let (value, forms, span) = match part {
                AstPart::Literal { text, .. } => {
                    parts.push(Part::Literal(text.clone()));
                    continue;
                }
                AstPart::Hole { value, span } => (value, None, *span),
                AstPart::Plural { value, forms, span } => (value, Some(forms), *span),
            };
            let name = Self::names_of(value)
                .map(|names| names.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join("."));
            let value = self.expr(value, None);
            let sayable = match forms {
                None => self.speakable(&value, tags, span),
                Some(forms) => self.plural(&value, forms, tags, span),
            };
            if !sayable {
                sound = false;
                continue;
            }
            let is_time = matches!(value.ty, Ty::Time);
            let value_span = value.expr.span;
            let at = holes.argument(value, name.unwrap_or_default());
            used.push(at);
            if is_time {
                // The zone in which it is said, right behind it.
                used.push(at + 1);
                self.times_said.push(value_span);
            }
            parts.push(match forms {
                None => Part::Hole(at as u32),
                Some(forms) => {
                    let forms = forms.iter().map(|form| form.text.clone()).collect();
                    Part::Plural { argument: at as u32, forms }
                }
            });
        }
        (parts, used, sound)
    }

    /// What a test listens for: one text and the values of its holes, said in the language of the tag or, without one, in
    /// that in which it is heard.
    pub fn heard(&mut self, tag: Option<&ast::LanguageTag>, string: &ast::TextString) -> Option<Heard> {
        if let Some(tag) = tag.filter(|tag| self.project.language(&tag.text).is_none()) {
            let name = ast::Name { text: tag.text.clone(), span: tag.span };
            self.language_named(&name);
            return None;
        }
        let own = self.project.modules.get(self.module).map_or(&[][..], |module| &module.languages);
        self.no_secret(&literals(string), string.span);
        let line = InLanguage { tag, string: Some(string), audio: None, span: string.span };
        let tags = self.tags_of(&line, None, own);
        let mut holes = Holes::default();
        let (parts, _, sound) = self.parts(&line, &tags, &mut holes);
        sound.then(|| Heard {
            parts,
            tag: tag.map(|tag| tag.text.clone()),
            values: holes.arguments.into_iter().map(|argument| argument.expr).collect(),
        })
    }

    fn speakable(&mut self, value: &Typed, tags: &[String], span: Span) -> bool {
        match &value.ty {
            Ty::Text | Ty::Int(_) | Ty::Decimal | Ty::Digits | Ty::Money | Ty::Percent | Ty::Phone => return true,
            ty @ (Ty::Duration | Ty::Time | Ty::Date | Ty::Clock | Ty::Language) => {
                let Some(tag) = tags.iter().find(|tag| !spoken::has_words(tag)) else { return true };
                let what = format!("a hole of the type `{}` in `{tag}`", self.text_of(ty));
                self.problems.not_yet(span, &what);
                return false;
            }
            Ty::Enum(id) => match self.private_field(&value.ty) {
                None => {
                    self.said_by_name(*id, value.expr.span);
                    self.said_in_other_words(*id, tags, value.expr.span);
                    return true;
                }
                Some(field) => {
                    let message = format!("a private value is never said, and `{field}` is one");
                    let diagnostic = self.leak(value, message).help("ask by a match which one it is, and say that");
                    self.problems.give(diagnostic);
                    return false;
                }
            },
            _ => {}
        }
        self.unspeakable(value);
        false
    }

    /// Tells why a value has no place in a text.
    pub(super) fn unspeakable(&mut self, value: &Typed) {
        let diagnostic = match &value.ty {
            ty if ty.is_broken() => return,
            ty if ty.is_private() => self.leak(value, "a private value is never said"),
            Ty::Optional(_) | Ty::Nothing => self.optional_as_present(value).help(self.said_if_present(value)),
            _ => {
                let message = format!("a `{}` cannot be said", self.text_of(&value.ty));
                let diagnostic = Diagnostic::new(Code::NotSpeakable, value.expr.span, message);
                match &value.ty {
                    Ty::Bool => diagnostic.help(self.said_if_so()),
                    Ty::Recording if self.telling.as_deref() == Some("say") => diagnostic.help("`play …`"),
                    Ty::Recording => diagnostic.help("leave it out of this text"),
                    Ty::TimeZone => diagnostic.help("`{….text}`"),
                    _ => diagnostic.help("name one of its fields"),
                }
            }
        };
        self.problems.give(diagnostic);
    }

    pub(super) fn plural(&mut self, value: &Typed, forms: &[ast::PluralForm], tags: &[String], span: Span) -> bool {
        if value.ty.is_broken() {
            return false;
        }
        if !matches!(value.ty, Ty::Int(_)) {
            let message = format!("a plural goes by a whole number, and this is `{}`", self.text_of(&value.ty));
            let help = "name a whole number, or say the words without a plural";
            self.problems.give(Diagnostic::new(Code::TypeMismatch, value.expr.span, message).help(help));
            return false;
        }
        for tag in tags {
            let classes = spoken::plural::classes(tag);
            if classes.len() == forms.len() {
                continue;
            }
            let (many, s) = (classes.len(), if classes.len() == 1 { "" } else { "s" });
            let message = format!("`{tag}` has {many} plural form{s}, not {}", forms.len());
            let diagnostic = Diagnostic::new(Code::PluralFormsWrong, span, message);
            self.problems.give(match classes.as_slice() {
                [_] => diagnostic.help("the word itself, without a bar"),
                ["one", "other"] => diagnostic.help("`{n|caller|callers}`"),
                classes => diagnostic
                    .help(format!("`{{n|{}}}`", classes.join("|")))
                    .note("by the plural classes of CLDR, in this order"),
            });
            return false;
        }
        true
    }
}

/// A text that a test listens for.
pub(crate) struct Heard {
    pub parts: Vec<Part>,
    pub tag: Option<String>,
    pub values: Vec<hir::Expr>,
}

/// The values of a text's holes.
#[derive(Default)]
struct Holes {
    arguments: Vec<Typed>,
    /// Of each, the path of names that it is; empty for any other expression.
    names: Vec<String>,
}

impl Holes {
    /// Index of a value, which joins the others unless an equal one is there. Behind a Time follows its zone.
    fn argument(&mut self, value: Typed, name: String) -> usize {
        if let Some(at) = self.arguments.iter().position(|known| known.expr.same(&value.expr)) {
            return at;
        }
        let at = self.arguments.len();
        let zone = matches!(value.ty, Ty::Time).then(|| typed(ExprKind::CalledZone, Ty::TimeZone, value.expr.span));
        self.names.push(name);
        self.arguments.push(value);
        if let Some(zone) = zone {
            self.names.push(String::new());
            self.arguments.push(zone);
        }
        at
    }
}

fn is_empty(string: &ast::TextString) -> bool {
    string.parts.iter().all(|part| matches!(part, AstPart::Literal { text, .. } if text.trim().is_empty()))
}

fn has_words(string: &ast::TextString) -> bool {
    string.parts.iter().any(|part| match part {
        AstPart::Literal { text, .. } => text.chars().any(char::is_alphabetic),
        AstPart::Hole { .. } => false,
        AstPart::Plural { .. } => true,
    })
}

impl hir::Expr {
    /// Whether two values are the same text of the language, wherever they stand.
    pub(crate) fn same(&self, other: &hir::Expr) -> bool {
        use ExprKind::{
            And, Binary, Bool, CalledExtension, CalledNumber, CallerLanguage, CallerNumber, Construct, Convert,
            Decimal, Else, Field, HoursOpen, Inline, Int, IsSome, IsVariant, Language, Last, Length, List, Local,
            Match, Moment, Money, Negate, None, Not, OnVoice, OptionalField, Or, Phone, Record, Row, Some, Text,
            Variant, Zoned,
        };
        match (&self.kind, &other.kind) {
            (Local(a), Local(b)) => a == b,
            (Field { base: a, field: x }, Field { base: b, field: y })
            | (OptionalField { base: a, field: x }, OptionalField { base: b, field: y }) => x == y && a.same(b),
            (Convert(x, a), Convert(y, b)) => x == y && a.same(b),
            (Binary(x, a, c), Binary(y, b, d)) => x == y && a.same(b) && c.same(d),
            (Else(a, c), Else(b, d)) | (Last(a, c), Last(b, d)) | (And(a, c), And(b, d)) | (Or(a, c), Or(b, d)) => {
                a.same(b) && c.same(d)
            }
            (Length(a), Length(b)) | (Negate(a), Negate(b)) | (Not(a), Not(b)) | (Some(a), Some(b)) => a.same(b),
            (Zoned(x, a), Zoned(y, b)) => x == y && a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b)),
            (Text(a), Text(b)) => a == b,
            (Bool(a), Bool(b)) => a == b,
            (Decimal(a), Decimal(b)) | (Moment(a), Moment(b)) => a == b,
            (Phone(a), Phone(b)) => a == b,
            (Language(a), Language(b)) | (Variant(a), Variant(b)) => a == b,
            (Construct { variant: x, fields: a }, Construct { variant: y, fields: b }) => {
                x == y && a.iter().zip(b).all(|(a, b)| a.index == b.index && a.value.same(&b.value))
            }
            (IsVariant(a, x), IsVariant(b, y)) => x == y && a.same(b),
            (List(a), List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b)),
            (Row(a, c), Row(b, d)) => a.same(b) && c.same(d),
            (None, None) => true,
            (IsSome(a, Option::None), IsSome(b, Option::None)) => a.same(b),
            (Record(a), Record(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.index == b.index && a.value.same(&b.value))
            }
            (Inline { function: x, parameters: a, .. }, Inline { function: y, parameters: b, .. }) => {
                x == y && a.iter().zip(b).all(|((_, a), (_, b))| a.same(b))
            }
            (Match(a, x), Match(b, y)) => {
                a.same(b) && x.len() == y.len() && x.iter().zip(y).all(|(x, y)| x.value.same(&y.value) && x.takes_as(y))
            }
            (Int(a), Int(b)) => a == b,
            (Money(a), Money(b)) => a == b,
            (HoursOpen(a), HoursOpen(b)) => a == b,
            (CallerNumber, CallerNumber)
            | (CallerLanguage, CallerLanguage)
            | (OnVoice, OnVoice)
            | (CalledNumber, CalledNumber)
            | (CalledExtension, CalledExtension) => true,
            _ => false,
        }
    }
}
