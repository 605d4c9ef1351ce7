//! How a prompt reads in a language once its holes are filled: what a caller hears, a transcript shows, and a
//! speech engine is given. It does not know how speech is made.

mod english;
mod mandarin;

use crate::currency;
use crate::program::{Part, Prompt};
use crate::types::Type;
use crate::value::{Money, Value};

/// How values are said in one language.
trait Speech {
    fn int(&self, number: i64) -> String;
    /// Digit by digit; other characters are passed over.
    fn digits(&self, digits: &str) -> String;
    fn money(&self, money: Money) -> String;
    /// Index of the plural form, in CLDR order.
    fn plural(&self, number: i64) -> usize;
}

/// Languages that have no speech rules here get figures.
struct Figures;

impl Speech for Figures {
    fn int(&self, number: i64) -> String {
        number.to_string()
    }

    fn digits(&self, digits: &str) -> String {
        digits.chars().map(String::from).collect::<Vec<_>>().join(" ")
    }

    fn money(&self, money: Money) -> String {
        format!("{} {}", decimal_figures(money.amount, 10_000), currency::letters(money.currency).unwrap_or("?"))
    }

    fn plural(&self, number: i64) -> usize {
        usize::from(number != 1)
    }
}

fn speech(tag: &str) -> &'static dyn Speech {
    match tag.split('-').next().unwrap_or(tag) {
        "en" => &english::English,
        "zh" => &mandarin::Mandarin,
        _ => &Figures,
    }
}

/// The text of a prompt in the language with this index and tag. A value that is missing leaves its hole
/// empty; the verifier sees to it that none is.
pub fn render(prompt: &Prompt, language: u32, tag: &str, values: &[Value]) -> String {
    let Some(text) = prompt.text(language) else { return String::new() };
    let speech = speech(tag);
    let mut said = String::new();
    for part in &text.parts {
        match part {
            Part::Literal(words) => said.push_str(words),
            Part::Hole(at) => {
                let index = *at as usize;
                if let (Some(r#type), Some(value)) = (prompt.arguments.get(index), values.get(index)) {
                    said.push_str(&say(speech, r#type, value));
                }
            }
            Part::Plural { argument, forms } => {
                let number = match values.get(*argument as usize) {
                    Some(Value::Int(number)) => *number,
                    _ => 0,
                };
                said.push_str(forms.get(speech.plural(number)).or(forms.last()).map_or("", String::as_str));
            }
        }
    }
    said
}

/// One value as it is said. A private value is never said: the checker refuses the hole, this the value.
fn say(speech: &dyn Speech, r#type: &Type, value: &Value) -> String {
    match (r#type, value) {
        (Type::Int, Value::Int(number)) => speech.int(*number),
        (Type::Digits, Value::Text(digits)) => speech.digits(digits),
        (_, Value::Text(text)) => text.clone(),
        (_, Value::Money(money)) => speech.money(*money),
        _ => String::new(),
    }
}

/// `12.5` from a scaled integer, without trailing zeros. `scale` is a power of ten.
pub fn decimal_figures(scaled: i64, scale: u64) -> String {
    let magnitude = scaled.unsigned_abs();
    let sign = if scaled < 0 { "-" } else { "" };
    let (whole, rest) = (magnitude / scale, magnitude % scale);
    if rest == 0 {
        return format!("{sign}{whole}");
    }
    let places = scale.ilog10() as usize;
    format!("{sign}{whole}.{}", format!("{rest:0places$}").trim_end_matches('0'))
}

/// Whole units and hundredths of an amount, hundredths rounded half away from zero, without its sign.
fn units_and_hundredths(amount: i64) -> (u64, u64) {
    let hundredths = (amount.unsigned_abs() + 50) / 100;
    (hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::PromptText;

    #[test]
    fn a_prompt_reads_in_each_language() {
        let parts =
            |before: &str, after: &str| vec![Part::Literal(before.into()), Part::Hole(0), Part::Literal(after.into())];
        let prompt = Prompt {
            name: None,
            arguments: vec![Type::Money],
            texts: vec![
                PromptText { audio: None, parts: parts("您的余额是", "。") },
                PromptText { audio: None, parts: parts("Your balance is ", ".") },
            ],
        };
        let money = |amount, currency| [Value::Money(Money { amount, currency })];
        assert_eq!(render(&prompt, 0, "zh", &money(125_000, 156)), "您的余额是十二元五角。");
        assert_eq!(render(&prompt, 1, "en", &money(125_000, 840)), "Your balance is twelve dollars fifty.");
        assert_eq!(render(&prompt, 1, "fr", &money(-125_000, 978)), "Your balance is -12.5 EUR.");
    }

    #[test]
    fn a_text_without_words_serves_all_languages() {
        let prompt = Prompt {
            name: None,
            arguments: vec![Type::Digits],
            texts: vec![PromptText { audio: None, parts: vec![Part::Hole(0)] }],
        };
        let digits = [Value::Text("4102".into())];
        assert_eq!(render(&prompt, 0, "zh", &digits), "四一零二");
        assert_eq!(render(&prompt, 1, "en", &digits), "four one zero two");
    }

    #[test]
    fn plurals_take_the_form_of_the_number() {
        let prompt = Prompt {
            name: None,
            arguments: vec![Type::Int],
            texts: vec![PromptText {
                audio: None,
                parts: vec![
                    Part::Hole(0),
                    Part::Literal(" ".into()),
                    Part::Plural { argument: 0, forms: vec!["caller".into(), "callers".into()] },
                ],
            }],
        };
        assert_eq!(render(&prompt, 0, "en", &[Value::Int(1)]), "one caller");
        assert_eq!(render(&prompt, 0, "en", &[Value::Int(22)]), "twenty-two callers");
    }

    #[test]
    fn figures_without_trailing_zeros() {
        assert_eq!(decimal_figures(125_000, 10_000), "12.5");
        assert_eq!(decimal_figures(-1, 1_000_000), "-0.000001");
        assert_eq!(decimal_figures(i64::MIN, 1), "-9223372036854775808");
    }
}
