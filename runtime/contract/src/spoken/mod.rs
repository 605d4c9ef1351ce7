//! How a prompt reads in a language once its holes are filled: what a caller hears, a transcript shows, and a
//! speech engine is given. It does not know how speech is made.

mod amount;
mod english;
mod figures;
mod length;
mod mandarin;
mod names;
mod phone;
pub mod plural;

use jiff::civil::Date;

use crate::calendar;
use crate::moment;
use crate::program::{Part, ProgramMeta, Prompt, PromptText};
use crate::time::Time;
use crate::types::{Type, Variant};
use crate::value::Value;

use amount::{Amount, Hundredths};
pub use figures::decimal_figures;

/// How values are said in one language.
trait Speech {
    fn int(&self, number: i64) -> String;
    /// × 10⁻⁶.
    fn decimal(&self, micros: i64) -> String;
    /// Digit by digit; other characters than digits, `*` and `#` are passed over.
    fn digits(&self, digits: &str) -> String;
    /// The country's code and the groups behind it.
    fn phone(&self, groups: &[&str]) -> String;
    fn money(&self, amount: &Amount) -> String;
    fn percent(&self, percent: Hundredths) -> String;
    fn duration(&self, negative: bool, units: &[(u64, length::Unit)]) -> String;
    fn date(&self, date: Date) -> String;
    /// Minutes since midnight, below 1440.
    fn clock(&self, minute: u32) -> String;
    fn time(&self, date: Date, minute: u32) -> String;
    /// The name of a language of the program.
    fn language(&self, tag: &str) -> String;
}

/// `None` where values are shown in figures.
fn own_speech(tag: &str) -> Option<&'static dyn Speech> {
    match tag.split('-').next().unwrap_or(tag) {
        "en" => Some(&english::English),
        "zh" => Some(&mandarin::Mandarin),
        _ => None,
    }
}

/// Whether lengths, times, dates and names of languages can be said in a language. Numbers, amounts and shares can in
/// all: where there are no words for them, the voice is given figures.
pub fn has_words(tag: &str) -> bool {
    own_speech(tag).is_some()
}

/// Places of a currency's smaller unit (ISO 4217), 4 at most; 2 for letters that are none.
pub fn minor_digits(letters: &'static str) -> u32 {
    names::currency(letters).minor_digits
}

/// How long a Latin character takes to say, blanks and marks too: 170 words a minute.
const CHARACTER_MS: u64 = 60;
/// One syllable of Mandarin.
const HAN_CHARACTER_MS: u64 = 220;

/// How long a text takes to say, in milliseconds, as simulated calls and the worst cases of flows count it.
pub fn spoken_ms(text: &str) -> u64 {
    let han = |c: char| ('\u{3400}'..='\u{9fff}').contains(&c);
    text.chars().map(|c| if han(c) { HAN_CHARACTER_MS } else { CHARACTER_MS }).sum()
}

/// The text of a prompt for a caller of the language with this index. A text that stands in for another language has
/// its holes in its own. A value that is missing leaves its hole empty; the verifier sees to it that none is.
pub fn render(meta: &ProgramMeta, prompt: &Prompt, language: u32, values: &[Value]) -> String {
    let Some(text) = prompt.text(language) else { return String::new() };
    let speech = own_speech(meta.tag(text, language)).unwrap_or(&figures::Figures);
    fill(meta, (prompt, text), language, values, speech)
}

/// The same for somebody who reads it: with figures, in every language.
pub fn render_written(meta: &ProgramMeta, prompt: &Prompt, language: u32, values: &[Value]) -> String {
    let Some(text) = prompt.text(language) else { return String::new() };
    fill(meta, (prompt, text), language, values, &figures::Written)
}

fn fill(
    meta: &ProgramMeta,
    (prompt, text): (&Prompt, &PromptText),
    language: u32,
    values: &[Value],
    speech: &dyn Speech,
) -> String {
    let tag = meta.tag(text, language);
    let mut said = String::new();
    for part in &text.parts {
        match part {
            Part::Literal(words) => said.push_str(after(&said, words)),
            Part::Hole(at) => {
                let index = *at as usize;
                if let (Some(r#type), Some(value)) = (prompt.arguments.get(index), values.get(index)) {
                    let zone = values.get(index + 1);
                    said.push_str(&match (r#type, value) {
                        (Type::Enum(id), Value::Enum(variant, _)) => {
                            // A text that stands in for another language may be of one that the program has.
                            let own = meta.languages.iter().position(|own| own == tag).unwrap_or(language as usize);
                            variant_words(meta.types.variants(*id).get(*variant as usize), own)
                        }
                        _ => say(speech, r#type, value, zone, &meta.languages),
                    });
                }
            }
            Part::Plural { argument, forms } => {
                let number = match values.get(*argument as usize) {
                    Some(Value::Int(number)) => *number,
                    _ => 0,
                };
                said.push_str(forms.get(plural::class(tag, number)).or(forms.last()).map_or("", String::as_str));
            }
        }
    }
    said
}

/// A variant as it is said: by its text, else by its name.
fn variant_words(variant: Option<&Variant>, language: usize) -> String {
    let Some(variant) = variant else { return String::new() };
    let own = variant.texts.get(language).or(variant.texts.first());
    own.cloned().unwrap_or_else(|| variant.name.replace('_', " "))
}

/// The full stop of an abbreviation, as in `10 a.m.`, ends the sentence too.
fn after<'w>(said: &str, words: &'w str) -> &'w str {
    match words.strip_prefix('.') {
        Some(rest) if said.ends_with('.') && !rest.starts_with('.') => rest,
        _ => words,
    }
}

/// One value as it is said. A private value is never said: the checker refuses the hole, this the value. Behind a Time
/// stands the zone in which it is said.
fn say(speech: &dyn Speech, r#type: &Type, value: &Value, zone: Option<&Value>, languages: &[String]) -> String {
    match (r#type, value) {
        (Type::Int, Value::Int(number)) => speech.int(*number),
        (Type::Decimal, Value::Decimal(micros)) => speech.decimal(*micros),
        (Type::Percent, Value::Decimal(share)) => speech.percent(Hundredths::of_share(*share)),
        (Type::Digits, Value::Text(digits)) => speech.digits(digits),
        (_, Value::Text(text)) => text.clone(),
        (_, Value::Money(money)) => speech.money(&Amount::new(*money)),
        (_, Value::Phone(phone)) => speech.phone(&phone::groups(&phone.word().to_string())),
        (Type::Duration, Value::Moment(ms)) => speech.duration(*ms < 0, &length::units(ms.unsigned_abs())),
        (Type::Date, Value::Moment(days)) => moment::date_of(*days).map_or_else(String::new, |date| speech.date(date)),
        (Type::Clock, Value::Moment(ms)) => speech.clock(minute_of(*ms)),
        (Type::Time, Value::Moment(ms)) => match zone {
            Some(Value::Text(zone)) => time_in(speech, Time(*ms), zone),
            _ => time_in(speech, Time(*ms), "UTC"),
        },
        (_, Value::Language(index)) => {
            languages.get(*index as usize).map_or_else(String::new, |tag| speech.language(tag))
        }
        _ => String::new(),
    }
}

fn minute_of(ms: i64) -> u32 {
    u32::try_from(ms.rem_euclid(calendar::DAY_MS) / 60_000).unwrap_or(0)
}

fn time_in(speech: &dyn Speech, time: Time, zone: &str) -> String {
    let local = calendar::local(time, zone).or_else(|| calendar::local(time, "UTC"));
    let said = local.and_then(|(days, minute, _)| {
        let date = moment::date_of(days.into())?;
        Some(speech.time(date, minute.into()))
    });
    said.unwrap_or_default()
}

#[cfg(test)]
mod tests;
