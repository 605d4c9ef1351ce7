//! A broken line does not hide its neighbours: random deletions of tokens are found on the lines where they are.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may stop at the first surprise")]

mod support;

use std::collections::BTreeSet;

use lang_diagnostics::{FileId, Sources};
use support::{Chance, SAMPLES, seeds, tokens};

const DELETIONS: usize = 10;
const SEEDS: u64 = 200;
/// Of the single deletions every so manyth is tried; set it to 1 for all.
const STRIDE: usize = 5;

/// The lines, from 1, on which problems lie, and those on which a value stands where `whole` has none: `main` for
/// `go main` is read, and the checker says what was meant, as it knows what the value names (F0209).
fn lines_with_problems(text: &str, whole: &str) -> BTreeSet<usize> {
    let mut sources = Sources::new();
    let file = sources.add("sample.flow", text);
    let (_, problems) = lang_syntax::parse(FileId(0), text);
    let told = problems.iter().map(|problem| sources.position(file, problem.span().start).line as usize);
    let lone = lines_of_values(text);
    told.chain(lone.difference(&lines_of_values(whole)).copied()).collect()
}

/// The lines, from 1, of statements that are values.
fn lines_of_values(text: &str) -> BTreeSet<usize> {
    let tree = format!("{:?}", lang_syntax::parse(FileId(0), text).0);
    let starts = tree.split("kind: Value(").skip(1).filter_map(|value| {
        let place = value.split("span: 0:").nth(1)?;
        place.split("..").next()?.parse::<usize>().ok()
    });
    starts.map(|start| text[..start].matches('\n').count() + 1).collect()
}

/// The line without one token; the tokens beside it stay two.
fn without(line: &str, token: &std::ops::Range<usize>) -> String {
    let (before, behind) = (&line[..token.start], &line[token.end..]);
    let is_word = |sign: Option<char>| sign.is_some_and(|sign| sign.is_alphanumeric() || sign == '_');
    let apart = is_word(before.chars().next_back()) && is_word(behind.chars().next());
    format!("{before}{}{behind}", if apart { " " } else { "" })
}

/// Deletes one token on each of `count` lines. The lines, from 1, what was deleted, and the text.
fn delete_tokens(text: &str, count: usize, chance: &mut Chance) -> (Vec<(usize, String)>, String) {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut candidates: Vec<usize> = (0..lines.len()).filter(|at| !tokens(&lines[*at]).is_empty()).collect();
    let mut deleted = Vec::new();
    for _ in 0..count {
        let at = candidates.swap_remove(chance.below(candidates.len()));
        let found = tokens(&lines[at]);
        let token = found[chance.below(found.len())].clone();
        deleted.push((at + 1, lines[at][token.clone()].to_owned()));
        lines[at] = without(&lines[at], &token);
    }
    (deleted, lines.join("\n") + "\n")
}

/// How many deletions are found on their line, less the lines that are blamed for nothing.
fn found(seed: u64, count: usize, misses: &mut Vec<String>) -> usize {
    let (name, text) = SAMPLES[seed as usize % SAMPLES.len()];
    let (deleted, broken) = delete_tokens(text, count, &mut Chance(seed));
    let blamed = lines_with_problems(&broken, text);
    if std::env::var_os("STROWGER_SEED").is_some() {
        println!("{broken}\n{:#?}", lang_syntax::parse(FileId(0), &broken).1);
    }
    let lines: BTreeSet<usize> = deleted.iter().map(|(line, _)| *line).collect();
    for (line, token) in deleted.iter().filter(|(line, _)| !blamed.contains(line)) {
        misses.push(format!("seed {seed}: {name}:{line} without `{token}` is not blamed"));
    }
    for line in blamed.difference(&lines) {
        misses.push(format!("seed {seed}: {name}:{line} is blamed for nothing"));
    }
    lines.intersection(&blamed).count().saturating_sub(blamed.difference(&lines).count())
}

#[test]
fn ten_deletions_are_found_on_their_ten_lines() {
    let mut misses = Vec::new();
    let seeds = seeds(SEEDS);
    let tried = seeds.clone().count() * DELETIONS;
    let found: usize = seeds.map(|seed| found(seed, DELETIONS, &mut misses)).sum();
    let rate = found as f64 * 100.0 / tried as f64;
    println!("{}", misses.join("\n"));
    println!("{found} of {tried} deletions are found on exactly their lines: {rate:.1} %");
    println!("replay one: STROWGER_SEED=7 cargo test -p lang-syntax --test recovery -- --nocapture");
    assert!(rate >= 90.0, "{rate:.1} %");
}

#[test]
fn a_single_deletion_is_found_on_its_line() {
    let (mut found, mut tried) = (0, 0);
    for (name, text) in SAMPLES {
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            for token in tokens(line).into_iter().skip(at % STRIDE).step_by(STRIDE) {
                let mut broken = lines.clone();
                let rest = without(line, &token);
                broken[at] = &rest;
                let blamed = lines_with_problems(&(broken.join("\n") + "\n"), text);
                tried += 1;
                if blamed == BTreeSet::from([at + 1]) {
                    found += 1;
                } else {
                    println!("{name}:{} without `{}`: {blamed:?}", at + 1, &line[token]);
                }
            }
        }
    }
    let rate = f64::from(found) * 100.0 / f64::from(tried);
    println!("{found} of {tried} single deletions are found on exactly their lines: {rate:.1} %");
    assert!(rate >= 90.0, "{rate:.1} %");
}
