//! `strowger check` of generated projects: the whole process from cold, and `check --watch` after a line of one file
//! changed; whether its work grows with the project and no faster. The reference is `rustc --emit metadata` on as many
//! lines of Rust that do the like: parse, resolve, check types and that matches are whole.

mod centre;
mod project;
mod proofs;
mod reference;
mod run;

use std::path::Path;

use project::{FILE_STEPS, SHAPES, lines};
use proofs::PROOFS;
use run::{Cost, Watched, cost, instructions};

use super::page::root;
use super::served::{Folder, build};
use super::usage::spread;

const ROUNDS: usize = 5;
const EDITS: usize = 21;
/// Steps of the project that the marks speak of.
const MARK_STEPS: usize = 1_000;
const GROWTH: [usize; 3] = [1_000, 10_000, 100_000];

/// Words: nothing for all of it, `growth`, `centre`, `shapes` or `proofs` for one table, `write SHAPE STEPS FOLDER` for the files alone.
pub fn measure(words: &[&str]) -> Result<String, String> {
    if let ["write", shape, steps, folder] = words {
        let steps = steps.parse().map_err(|_| format!("`{steps}` is no number of steps"))?;
        let (.., make) = SHAPES.iter().chain(&PROOFS).find(|(name, ..)| name == shape).ok_or("no such shape")?;
        let files = make(steps);
        project::write(&files, Path::new(folder))?;
        let said = format!("{} lines in {folder}", lines(&files));
        println!("{said}");
        return Ok(said);
    }
    let binary = build()?;
    let folder = Folder::new("check")?;
    let mut said = Vec::new();
    let mut say = |line: String| {
        println!("{line}");
        said.push(line);
    };
    let all = words.is_empty();
    if all || words.contains(&"growth") {
        marks(&binary, &folder.0, &mut say)?;
        growth(&binary, &folder.0, &mut say)?;
    }
    if all || words.contains(&"centre") {
        large(&binary, &folder.0, &mut say)?;
    }
    if all || words.contains(&"shapes") {
        shapes(&binary, &folder.0, &mut say)?;
    }
    if words.contains(&"proofs") {
        proofs::measure(&binary, &folder.0, &root().join("docs/proofs.svg"), &mut say)?;
    }
    Ok(said.join("\n"))
}

/// Cold and after an edit, in turns with the reference.
fn marks(binary: &Path, folder: &Path, say: &mut impl FnMut(String)) -> Result<(), String> {
    let (ours, theirs) = (folder.join("marks"), folder.join("rust"));
    let files = project::usual(MARK_STEPS);
    project::write(&files, &ours)?;
    reference::write(lines(&files), &theirs)?;
    let (mut cold, mut cpu, mut rust) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let Cost { wall_ms, cpu_ms, .. } = cost(&mut run::check(binary, &ours))?;
        cold.push(wall_ms);
        cpu.push(cpu_ms);
        rust.push(cost(&mut reference::rustc(&theirs))?.cpu_ms);
    }
    let count = instructions(&mut run::check(binary, &ours), folder);
    let (name, text) = files.get(files.len() / 2).ok_or("no file")?;
    let mut watched = Watched::start(binary, &ours)?;
    let mut edited = Vec::new();
    for edit in 0..EDITS {
        let note = format!("note edit = \"{edit}\"\n        hang up\n");
        let changed = text.replacen("hang up\n", &note, 1);
        std::fs::write(ours.join(name), changed).map_err(|cause| format!("{name}: {cause}"))?;
        edited.push(watched.next_ms()?);
    }
    let (low, middle, high) = spread(&cold);
    let cpu = spread(&cpu).1;
    say(format!("{} lines, {MARK_STEPS} steps in {} files", lines(&files), files.len()));
    let count = count.map_or_else(|| "–".to_owned(), |count| format!("{:.0} M instructions", count / 1e6));
    say(format!("cold, whole process:   {middle:.0} ms ({low:.0}–{high:.0}), {cpu:.0} ms CPU, {count}"));
    let rust = spread(&rust).1;
    say(format!("rustc --emit metadata: {rust:.0} ms CPU on as many lines; ours is {:.2} of it", cpu / rust));
    let (low, middle, high) = spread(&edited);
    say(format!("after one line, a file of {FILE_STEPS} steps: {middle:.1} ms ({low:.1}–{high:.1}), {EDITS} edits\n"));
    Ok(())
}

fn growth(binary: &Path, folder: &Path, say: &mut impl FnMut(String)) -> Result<(), String> {
    say(format!("{:>8} {:>9} {:>9} {:>10} {:>12} {:>9}", "steps", "lines", "wall, ms", "CPU, ms", "µs CPU/step", "MB"));
    for steps in GROWTH {
        let files = project::usual(steps);
        let place = folder.join(format!("usual-{steps}"));
        project::write(&files, &place)?;
        let Cost { wall_ms, cpu_ms, peak_mb } = cost(&mut run::check(binary, &place))?;
        let each = cpu_ms * 1e3 / steps as f64;
        say(format!("{steps:>8} {:>9} {wall_ms:>9.0} {cpu_ms:>10.0} {each:>12.1} {peak_mb:>9.0}", lines(&files)));
    }
    say(String::new());
    Ok(())
}

/// A whole contact centre.
fn large(binary: &Path, folder: &Path, say: &mut impl FnMut(String)) -> Result<(), String> {
    let files = centre::large();
    let place = folder.join("centre");
    project::write(&files, &place)?;
    let rounds: Result<Vec<_>, _> = (0..ROUNDS).map(|_| cost(&mut run::check(binary, &place))).collect();
    let rounds = rounds?;
    let (low, middle, high) = spread(&rounds.iter().map(|cost| cost.wall_ms).collect::<Vec<_>>());
    let cpu = spread(&rounds.iter().map(|cost| cost.cpu_ms).collect::<Vec<_>>()).1;
    say(format!(
        "{} lines, {} queues, {} cadences: {middle:.0} ms ({low:.0}–{high:.0}), {cpu:.0} ms CPU\n",
        lines(&files),
        centre::QUEUES,
        centre::CADENCES
    ));
    Ok(())
}

/// Each shape at two sizes: CPU of ten times as much, over ten times that of the small one. Near one is linear.
fn shapes(binary: &Path, folder: &Path, say: &mut impl FnMut(String)) -> Result<(), String> {
    say(format!("{:>10} {:>10} {:>10} {:>7}  {}", "shape", "small, ms", "large, ms", "growth", "what it is"));
    for (name, what, make) in SHAPES {
        let mut cpu = Vec::new();
        for steps in [300, 3_000] {
            let place = folder.join(format!("{name}-{steps}"));
            project::write(&make(steps), &place)?;
            let rounds: Result<Vec<_>, _> = (0..ROUNDS).map(|_| cost(&mut run::check(binary, &place))).collect();
            cpu.push(spread(&rounds?.iter().map(|cost| cost.cpu_ms).collect::<Vec<_>>()).0);
        }
        let (small, large) = (cpu.first().copied().unwrap_or(0.0), cpu.last().copied().unwrap_or(0.0));
        say(format!("{name:>10} {small:>10.0} {large:>10.0} {:>7.2}  {what}", large / small / 10.0));
    }
    Ok(())
}
