//! Samples, a seeded source of chance, and a cut of text into tokens; for the tests of this crate.
#![allow(dead_code, clippy::indexing_slicing, reason = "each test binary uses its part")]

use std::ops::Range;

pub const SAMPLES: [(&str, &str); 6] = [
    ("hotline", include_str!("../samples/hotline.flow")),
    ("routing", include_str!("../samples/routing.flow")),
    ("outbound", include_str!("../samples/outbound.flow")),
    ("survey", include_str!("../samples/survey.flow")),
    ("hotline_test", include_str!("../samples/hotline_test.flow")),
    ("everything", include_str!("../samples/everything.flow")),
];

/// SplitMix64: small, and the same everywhere.
pub struct Chance(pub u64);

impl Chance {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}

#[expect(clippy::disallowed_methods, reason = "a seed to replay comes from outside")]
/// The seeds to run: all up to `count`, or the one of `STROWGER_SEED`.
pub fn seeds(count: u64) -> Range<u64> {
    match std::env::var("STROWGER_SEED").ok().and_then(|seed| seed.parse::<u64>().ok()) {
        Some(seed) => seed..seed + 1,
        None => 0..count,
    }
}

/// The byte ranges of the tokens of one line; comments are none.
pub fn tokens(line: &str) -> Vec<Range<usize>> {
    let signs: Vec<(usize, char)> = line.char_indices().collect();
    let end_of = |index: usize| signs.get(index).map_or(line.len(), |(at, _)| *at);
    let is_word = |sign: char| sign.is_alphanumeric() || sign == '_';
    let mut found = Vec::new();
    let mut index = 0;
    while index < signs.len() {
        let (start, first) = signs[index];
        let from = index;
        if line[start..].starts_with("//") {
            break;
        }
        index += 1;
        match first {
            blank if blank.is_whitespace() => continue,
            '"' => {
                while index < signs.len() && signs[index].1 != '"' {
                    index += if signs[index].1 == '\\' { 2 } else { 1 };
                }
                index += 1;
            }
            digit if digit.is_ascii_digit() => {
                let figure = |index: usize| signs.get(index).is_some_and(|(_, sign)| sign.is_ascii_digit());
                while index < signs.len() {
                    let sign = signs[index].1;
                    let clings = matches!(sign, ':' | '.') || (sign == '-' && index - from >= 4);
                    if is_word(sign) || sign == '%' || (clings && figure(index + 1)) {
                        index += 1;
                    } else {
                        break;
                    }
                }
            }
            word if is_word(word) => {
                while index < signs.len() && is_word(signs[index].1) {
                    index += 1;
                }
            }
            _ => {
                let pair = &line[start..end_of((index + 1).min(signs.len()))];
                if ["=>", "->", "..", "==", "!=", "<=", ">="].contains(&pair) {
                    index += 1;
                }
            }
        }
        found.push(start..end_of(index));
    }
    found
}

/// Words and signs of the language, and a few that are none.
pub const SOUP: [&str; 60] = [
    "flow", "step", "menu", "say", "go", "if", "else", "then", "match", "queue", "ask", "private", "digits", "let",
    "use", "hours", "prompt", "survey", "test", "again", "after", "tries", "=>", "->", "=", "==", "is", "some", "none",
    "{", "}", "(", ")", "[", "]", ",", ":", ".", "..", "\"text\"", "\"{n}\"", "\"open", "zh", "en", "1", "*", "#",
    "16..19", "09:00", "80%", "30s", "x", "main", "not", "and", "or", "-", "// note", "\n", "\n    ",
];

/// Cuts, doubles, swaps or changes tokens of a sample.
pub fn mutate(text: &str, chance: &mut Chance) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for _ in 0..1 + chance.below(6) {
        let at = chance.below(lines.len());
        let found = tokens(&lines[at]);
        let line = lines[at].clone();
        match chance.below(6) {
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, line),
            2 => {
                let other = chance.below(lines.len());
                lines.swap(at, other);
            }
            _ if found.is_empty() => {}
            3 => lines[at].replace_range(found[chance.below(found.len())].clone(), ""),
            4 => lines[at].replace_range(found[chance.below(found.len())].clone(), SOUP[chance.below(SOUP.len())]),
            _ => lines[at].insert_str(found[chance.below(found.len())].start, SOUP[chance.below(SOUP.len())]),
        }
    }
    lines.join("\n")
}
