//! What holds for every text: no panic, an end, a form that stays, comments and meaning kept.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may stop at the first surprise")]

mod support;

use lang_diagnostics::{Diagnostic, FileId};
use lang_syntax::{BLOCK_DEPTH_MAX, BRACKET_DEPTH_MAX, FILE_BYTES_MAX, LINE_TOKENS_MAX, PROBLEMS_MAX, format, parse};
use support::{Chance, SAMPLES, SOUP, mutate, seeds, tokens};

/// Reads and formats; the form must stay.
fn survive(text: &str, seed: u64) {
    let (_, problems) = parse(FileId(0), text);
    for problem in &problems {
        assert!(problem.span().end as usize <= text.len(), "seed {seed}: {problem:?}");
    }
    let once = format(text);
    assert_eq!(format(&once), once, "seed {seed}: the form does not stay\n{text}");
    if problems.iter().any(Diagnostic::is_error) {
        assert_eq!(once, text, "seed {seed}: a text with mistakes was changed");
    }
}

#[test]
fn random_bytes_are_survived() {
    for seed in seeds(200) {
        let mut chance = Chance(seed);
        let bytes: Vec<u8> = (0..chance.below(400)).map(|_| chance.next() as u8 & 0x7f).collect();
        survive(&String::from_utf8_lossy(&bytes), seed);
        let signs: String =
            (0..chance.below(200)).filter_map(|_| char::from_u32(chance.next() as u32 % 0x3_0000)).collect();
        survive(&signs, seed);
    }
}

#[test]
fn random_words_are_survived() {
    for seed in seeds(200) {
        let mut chance = Chance(seed);
        let words: Vec<&str> = (0..chance.below(120)).map(|_| SOUP[chance.below(SOUP.len())]).collect();
        survive(&words.join(" "), seed);
    }
}

#[test]
fn mutated_samples_are_survived() {
    for seed in seeds(200) {
        let mut chance = Chance(seed);
        let (_, text) = SAMPLES[chance.below(SAMPLES.len())];
        survive(&mutate(text, &mut chance), seed);
    }
}

/// Blanks, tabs, blank lines and comments strewn where they change nothing.
fn strew(text: &str, chance: &mut Chance) -> (String, Vec<String>) {
    let mut strewn = String::new();
    let mut comments = Vec::new();
    let mut comment = |chance: &mut Chance| {
        comments.push(format!("// remark {}", chance.next()));
        comments.last().unwrap().clone()
    };
    for line in text.lines() {
        if chance.below(6) == 0 {
            strewn.push_str(&format!("  {}\n", comment(chance)));
        }
        if chance.below(6) == 0 {
            strewn.push_str(" \t\n\r\n");
        }
        strewn.push_str(&" ".repeat(chance.below(9)));
        let mut before: Option<usize> = None;
        for token in tokens(line) {
            let gap = before.map_or("", |end| &line[end..token.start]);
            strewn.push_str(if gap.is_empty() { "" } else { [" ", "   ", "\t"][chance.below(3)] });
            strewn.push_str(&line[token.clone()]);
            before = Some(token.end);
        }
        let rest = before.map_or(line, |end| &line[end..]).trim();
        match chance.below(8) {
            0 if rest.is_empty() && before.is_some() => strewn.push_str(&format!(" {}", comment(chance))),
            _ => strewn.push_str(rest),
        }
        strewn.push_str(["\n", "\r\n"][chance.below(2)]);
    }
    (strewn, comments)
}

/// The syntax without its places.
fn meaning(text: &str) -> String {
    let (module, problems) = parse(FileId(0), text);
    assert!(problems.is_empty(), "{problems:#?}\n{text}");
    let printed = format!("{module:?}");
    let mut plain = String::with_capacity(printed.len());
    for part in printed.split("0:") {
        let (figures, rest) = part.split_at(part.find(|sign: char| !sign.is_ascii_digit() && sign != '.').unwrap_or(0));
        if !figures.contains("..") {
            plain.push_str(figures);
        }
        plain.push_str(rest);
    }
    plain
}

/// New lines, and comments at their ends, strewn inside the lines of a text where a line may break: in brackets, behind
/// `=>`, before `then`, `else`, `and`, `or` and before a language of several.
fn strew_inside(text: &str, chance: &mut Chance) -> (String, Vec<String>) {
    let (mut strewn, mut comments) = (String::new(), Vec::new());
    for line in text.lines() {
        let found = tokens(line);
        let (mut depth, mut end) = (0, 0);
        for (index, token) in found.iter().enumerate() {
            let before = index.checked_sub(1).map_or("", |at| &line[found[at].clone()]);
            let word = &line[token.clone()];
            let opens_block = found.get(index + 1).is_some_and(|next| &line[next.clone()] == "{");
            let may_break = index > 0
                && (depth > 0 && !word.starts_with('.') && before != "."
                    || before == "=>" && word != "{"
                    || word == "then"
                    || word == "else" && before != "}" && !opens_block && !line[token.end..].starts_with(" =>"));
            strewn.push_str(&line[end..token.start]);
            if may_break && chance.below(4) == 0 {
                if chance.below(3) == 0 {
                    comments.push(format!("// inside {}", chance.next()));
                    strewn.push_str(&format!(" {}", comments.last().unwrap()));
                }
                strewn.push_str("\n  ");
                if chance.below(4) == 0 {
                    comments.push(format!("// between {}", chance.next()));
                    strewn.push_str(&format!("{}\n", comments.last().unwrap()));
                }
            }
            match word {
                "(" | "[" => depth += 1,
                ")" | "]" => depth -= 1,
                _ => {}
            }
            strewn.push_str(word);
            end = token.end;
        }
        strewn.push_str(&line[end..]);
        strewn.push('\n');
    }
    (strewn, comments)
}

/// The comments of a text, as they follow each other.
fn comments_of(text: &str) -> Vec<String> {
    let behind = |line: &str| line[tokens(line).last().map_or(0, |last| last.end)..].trim().to_owned();
    text.lines().map(behind).filter(|rest| rest.starts_with("//")).collect()
}

#[test]
fn form_keeps_comments_and_meaning() {
    for seed in seeds(60) {
        let mut chance = Chance(seed);
        let (name, text) = SAMPLES[chance.below(SAMPLES.len())];
        let (strewn, comments) = match seed % 2 {
            0 => strew(text, &mut chance),
            _ => strew_inside(text, &mut chance),
        };
        let formatted = format(&strewn);
        for comment in &comments {
            assert_eq!(formatted.matches(comment.as_str()).count(), 1, "seed {seed}: {comment} of {name}\n{formatted}");
        }
        assert_eq!(comments_of(&formatted), comments_of(&strewn), "seed {seed}: {name}\n{formatted}");
        assert_eq!(format(&formatted), formatted, "seed {seed}: {name}");
        assert_eq!(meaning(&formatted), meaning(&strewn), "seed {seed}: {name}");
        assert!(!formatted.contains(['\t', '\r']) && !formatted.contains("\n\n\n"), "seed {seed}: {name}");
    }
}

/// A list with one value a line, as the canon has it and as somebody may write it: blank lines, comments above, beside and
/// behind the values, commas early, late or one too many.
fn list(chance: &mut Chance, indent: usize, depth: usize) -> (String, String) {
    let (mut canon, mut written) = ("[".to_owned(), "[".to_owned());
    let pad = " ".repeat(indent + 4);
    let comment = |chance: &mut Chance| format!("// remark {}", chance.next());
    if chance.below(4) == 0 {
        let opens = comment(chance);
        canon.push_str(&format!("  {opens}"));
        written.push_str(&format!(" {opens}"));
    }
    canon.push('\n');
    written.push('\n');
    let mut is_first = true;
    let mut blank = |chance: &mut Chance, canon: &mut String, written: &mut String| {
        if chance.below(3) == 0 {
            canon.push_str(if is_first { "" } else { "\n" });
            written.push_str(["\n", " \t\n", "\r\n\n\n"][chance.below(3)]);
        }
        is_first = false;
        written.push_str(["", "\t", "      "][chance.below(3)]);
    };
    let count = 2 + chance.below(3);
    for at in 0..=count {
        for _ in 0..chance.below(6).saturating_sub(3) {
            blank(chance, &mut canon, &mut written);
            let above = comment(chance);
            canon.push_str(&format!("{pad}{above}\n"));
            written.push_str(&format!("{above}\n"));
        }
        if at == count {
            break;
        }
        blank(chance, &mut canon, &mut written);
        let (value, value_written) = match chance.below(5) {
            0 if depth > 0 => list(chance, indent + 4, depth - 1),
            0 | 1 => ("[1, 2]".to_owned(), "[ 1,2 ,]".to_owned()),
            2 => ("\"// no remark\"".to_owned(), "\"// no remark\"".to_owned()),
            _ => (at.to_string(), at.to_string()),
        };
        let is_last = at + 1 == count;
        let comma = if is_last { "" } else { "," };
        let comma_written = if is_last && chance.below(2) == 0 { "" } else { "," };
        canon.push_str(&format!("{pad}{value}{comma}"));
        written.push_str(&value_written);
        match chance.below(8) {
            0 | 1 => {
                let beside = comment(chance);
                canon.push_str(&format!("  {beside}"));
                written.push_str(&format!("{comma_written} {beside}"));
            }
            2 if !comma_written.is_empty() => {
                let beside = comment(chance);
                canon.push_str(&format!("  {beside}"));
                written.push_str(&format!(" {beside}\n{comma_written}"));
            }
            _ => written.push_str(comma_written),
        }
        canon.push('\n');
        written.push('\n');
    }
    written.push_str(["", "\n", " \n\n"][chance.below(3)]);
    canon.push_str(&format!("{}]", " ".repeat(indent)));
    written.push(']');
    (canon, written)
}

#[test]
fn lists_with_one_value_a_line_keep_what_stands_in_them() {
    for seed in seeds(200) {
        let mut chance = Chance(seed);
        let ((first, first_written), (second, second_written)) = (list(&mut chance, 0, 2), list(&mut chance, 4, 2));
        let canon = format!("const A: List<Int> = {first}\n\nflow f {{\n    note x = g({second})\n}}\n");
        let written = format!("const A: List<Int> = {first_written}\nflow f {{\nnote x = g({second_written})\n}}\n");
        let formatted = format(&written);
        assert_eq!(formatted, canon, "seed {seed}: STROWGER_SEED={seed} replays it\n{written}");
        assert_eq!(format(&canon), canon, "seed {seed}");
        assert_eq!(meaning(&formatted), meaning(&written), "seed {seed}");
    }
}

/// What a file says when the order of its lines does not count.
fn parts_of_meaning(text: &str) -> Vec<String> {
    let printed = meaning(text);
    let mut parts: Vec<String> =
        printed.split([',', '{', '}', '[', ']', '(', ')']).map(|part| part.trim().to_owned()).collect();
    parts.retain(|part| !part.is_empty());
    parts.sort_unstable();
    parts
}

#[test]
fn texts_that_were_changed_and_still_read_keep_comments_and_meaning() {
    let mut read = 0;
    for seed in seeds(120) {
        let mut chance = Chance(seed);
        let (name, text) = SAMPLES[chance.below(SAMPLES.len())];
        let (strewn, _) = strew(text, &mut chance);
        let mutated = mutate(&strewn, &mut chance);
        if !parse(FileId(0), &mutated).1.is_empty() {
            continue;
        }
        read += 1;
        let formatted = format(&mutated);
        let sorted = |text: &str| {
            let mut comments = comments_of(text);
            comments.sort_unstable();
            comments
        };
        assert_eq!(sorted(&formatted), sorted(&mutated), "seed {seed}: {name}\n{mutated}\n----\n{formatted}");
        assert_eq!(parts_of_meaning(&formatted), parts_of_meaning(&mutated), "seed {seed}: {name}");
    }
    assert!(read > 0 || std::env::var_os("STROWGER_SEED").is_some(), "no text was still read");
}

#[test]
fn depth_and_length_have_bounds() {
    let flow = |line: &str| format!("flow main {{\n    {line}\n    hang up\n}}\n");
    let codes =
        |text: &str| -> Vec<&str> { parse(FileId(0), text).1.iter().map(|problem| problem.code.number()).collect() };
    let brackets = |count: usize| flow(&format!("note n = {}1{}", "(".repeat(count), ")".repeat(count)));
    assert!(codes(&brackets(BRACKET_DEPTH_MAX)).is_empty());
    assert_eq!(codes(&brackets(BRACKET_DEPTH_MAX + 1)), ["F0011"]);
    assert_eq!(codes(&brackets(100_000)), ["F0011"]);
    let blocks = |count: usize| {
        format!("flow main {}hang up{}\n", "{ repeat 2 times ".repeat(count - 1) + "{ ", " }".repeat(count))
    };
    assert!(codes(&blocks(BLOCK_DEPTH_MAX)).is_empty());
    assert_eq!(codes(&blocks(BLOCK_DEPTH_MAX + 1)), ["F0011"]);
    assert_eq!(codes(&blocks(100_000)), ["F0011"]);
    // `note`, `n`, `=`, and then `1` and `+ 1`.
    let sum = |tokens: usize| flow(&format!("note n = 1{}", " + 1".repeat((tokens - 4) / 2)));
    assert!(codes(&sum(LINE_TOKENS_MAX)).is_empty());
    assert_eq!(codes(&sum(LINE_TOKENS_MAX + 2)), ["F0011"]);
    for long in ["{", "}", "(", "not ", "- ", "if x { } else ", "\"", "a.", "[", "then "] {
        survive(&flow(&long.repeat(20_000)), 0);
        survive(&long.repeat(20_000), 0);
    }
    let mistakes = |count: usize| codes(&"}\n".repeat(count)).len();
    assert_eq!(mistakes(PROBLEMS_MAX - 1), PROBLEMS_MAX - 1);
    assert!(mistakes(PROBLEMS_MAX * 3) <= PROBLEMS_MAX + 1);
    assert_eq!(codes(&" ".repeat(FILE_BYTES_MAX + 1)), ["F0011"]);
    assert!(codes(&" ".repeat(FILE_BYTES_MAX)).is_empty());
}
