//! Each proof of the checker on projects that are made of what it looks at, from 1 000 to 100 000 steps: whether its work
//! grows with them and no faster. Causes lie in files that the others use.

use std::fmt::Write as _;
use std::path::Path;

use plotters::prelude::*;

use super::centre::{cadences, queues};
use super::project::{Files, Shape, number};
use super::run::{self, cost};

const STEPS: [usize; 5] = [1_000, 3_000, 10_000, 30_000, 100_000];
const ROUNDS: usize = 3;
const FILE_STEPS: usize = 100;
/// Calendars and recordings are for so many steps each.
const SHARED_STEPS: usize = 20;

/// What is proved, on a project in which that is most of the work.
pub const PROOFS: [Shape; 8] = [
    ("ends", "every path ends, with the worst case: menus that ask again, rounds with bounds", ends),
    ("outcomes", "every outcome has its arm: results of flows and answers of services, of another file", outcomes),
    ("texts", "three languages, the same holes, recordings that play", texts),
    ("calendars", "one branch for each instant: hours with days of their own and holidays", calendars),
    ("consent", "calls out: consent, law, window, caps; a cadence for 20 steps", cadences),
    ("privacy", "private values through steps, flows and services of other files", privacy),
    ("routing", "somebody for each queue at each open hour; a queue and three agents for 50 steps", routing),
    ("choices", "no recursion, no key or phrase twice: flows that run flows, menus of 20 phrases", choices),
];

/// One proof at each size.
struct Line {
    name: &'static str,
    what: &'static str,
    cpu_ms: Vec<f64>,
}

impl Line {
    /// CPU grows as steps to this power, from 10 000 steps on: what one process costs anyway is small there.
    fn power(&self) -> Option<f64> {
        let at = |steps: usize| self.cpu_ms.get(STEPS.iter().position(|own| *own == steps)?).copied();
        Some((at(100_000)? / at(10_000)?).log10())
    }
}

/// The table, and the plot `docs/proofs.svg`.
pub fn measure(binary: &Path, folder: &Path, page: &Path, say: &mut impl FnMut(String)) -> Result<(), String> {
    let heads: String = STEPS.iter().map(|steps| format!(" {steps:>8}")).collect();
    say(format!(
        "{:>10}{heads} {:>6}  CPU in ms of a whole check of so many steps; power of growth above 10 000",
        "", ""
    ));
    let mut lines = Vec::new();
    for (name, what, make) in PROOFS {
        let mut line = Line { name, what, cpu_ms: Vec::new() };
        for steps in STEPS {
            let place = folder.join(format!("{name}-{steps}"));
            super::project::write(&make(steps), &place)?;
            if steps == STEPS[0] && !run::check(binary, &place).status().is_ok_and(|status| status.success()) {
                return Err(format!("the project of `{name}` has problems: `strowger check {}`", place.display()));
            }
            let rounds: Result<Vec<_>, _> = (0..ROUNDS).map(|_| cost(&mut run::report(binary, &place))).collect();
            let least = rounds?.iter().map(|cost| cost.cpu_ms).fold(f64::INFINITY, f64::min);
            line.cpu_ms.push(least);
            std::fs::remove_dir_all(&place).map_err(|cause| format!("{}: {cause}", place.display()))?;
        }
        let cells: String = line.cpu_ms.iter().map(|ms| format!(" {ms:>8.0}")).collect();
        let power = line.power().map_or_else(|| "–".to_owned(), |power| format!("{power:.2}"));
        say(format!("{name:>10}{cells} {power:>6}  {}", line.what));
        lines.push(line);
    }
    let drawn = plot(&lines).map_err(|cause| format!("the plot: {cause}"))?;
    std::fs::write(page, drawn).map_err(|cause| format!("{}: {cause}", page.display()))?;
    say(format!("drawn in {}", page.file_name().unwrap_or_default().display()));
    Ok(())
}

/// Steps to the right and milliseconds upward, each tenfold as wide as the next; straight and as steep as the grey line is
/// linear.
fn plot(lines: &[Line]) -> Result<String, Box<dyn std::error::Error>> {
    let (least, most) = (STEPS[0] as f64, STEPS[STEPS.len() - 1] as f64);
    let all = lines.iter().flat_map(|line| &line.cpu_ms);
    let top = all.clone().copied().fold(1.0, f64::max) * 1.5;
    let bottom = all.copied().fold(top, f64::min) / 1.5;
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, (900, 600)).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption("A whole check, by steps", ("sans-serif", 20))
            .margin(15)
            .x_label_area_size(45)
            .y_label_area_size(70)
            .build_cartesian_2d((least..most * 1.2).log_scale(), (bottom..top).log_scale())?;
        chart.configure_mesh().x_desc("steps").y_desc("CPU, ms").draw()?;
        let linear = STEPS.map(|steps| (steps as f64, bottom * steps as f64 / least));
        chart.draw_series(LineSeries::new(linear.into_iter().filter(|(_, ms)| *ms < top), BLACK.mix(0.3)))?;
        for (at, line) in lines.iter().enumerate() {
            let colour = Palette99::pick(at).to_rgba();
            let points = STEPS.iter().map(|steps| *steps as f64).zip(line.cpu_ms.iter().copied());
            chart
                .draw_series(LineSeries::new(points, colour.stroke_width(2)))?
                .label(line.name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], colour.stroke_width(2)));
        }
        chart.configure_series_labels().position(SeriesLabelPosition::UpperLeft).border_style(BLACK).draw()?;
        area.present()?;
    }
    Ok(text)
}

/// What every file uses, then files of so many steps each.
fn files(shared: &str, steps: usize, mut file: impl FnMut(&mut String, std::ops::Range<usize>)) -> Files {
    let mut all = vec![("shared.flow".to_owned(), shared.to_owned())];
    for from in (0..steps).step_by(FILE_STEPS) {
        let mut text = String::new();
        file(&mut text, from..steps.min(from + FILE_STEPS));
        all.push((format!("line_{:04}.flow", from / FILE_STEPS), text));
    }
    all
}

/// A flow whose steps follow one another; `body` writes what a step does before it leads on.
fn chain(text: &mut String, name: &str, steps: std::ops::Range<usize>, body: impl Fn(&mut String, usize)) {
    let _ = write!(text, "\nflow {name} {{\n    answer\n    go step_{}\n", steps.start);
    for step in steps.clone() {
        let next = if step + 1 == steps.end { "bye".to_owned() } else { format!("step_{}", step + 1) };
        let _ = write!(text, "\n    step step_{step} {{\n");
        body(text, step);
        let _ = write!(text, "        go {next}\n    }}\n");
    }
    text.push_str("\n    step bye {\n        hang up\n    }\n}\n");
}

fn inbound(text: &mut String, flow: usize, name: &str) {
    let _ = write!(text, "\ninbound \"{}\" => {name}\n", number(flow));
}

/// Bounds are constants of another file; of a hundred steps each, one runs a flow there that ends some paths.
fn ends(steps: usize) -> Files {
    let shared = "languages en\n\nconst twice = 2\n\nflow ask_again -> Bool {\n    menu {\n        say \"Again?\"\n        \
                  1 => return true\n        2 => return false\n        silence, other => again\n        after twice \
                  tries => hang up\n    }\n}\n";
    files(shared, steps, |text, own| {
        text.push_str("use shared: ask_again, twice\n\nlanguages en\n");
        inbound(text, own.start, "line");
        let first = own.start;
        chain(text, "line", own, |text, step| {
            let back = match (step - first) % 25 {
                20 => format!("go step_{} up to twice times else hang up", step - 10),
                _ => "hang up".to_owned(),
            };
            if step == first {
                text.push_str("        let more = run ask_again()\n        if not more { hang up }\n");
            }
            let _ = write!(
                text,
                "        menu {{\n            say \"Part {step}.\"\n            1 => continue\n            2 => {back}\n            silence, other => again\n            after 3 tries => hang \
                 up\n        }}\n"
            );
        });
    })
}

fn routing(steps: usize) -> Files {
    queues(steps / 5)
}

fn outcomes(steps: usize) -> Files {
    let shared = "languages en\n\nenum Kind { first, second, third(n: Int), last }\n\nservice crm {\n    find(n: Int) -> \
                  Int? within 800ms\n}\n\nflow pick -> Kind {\n    match crm.find(1) {\n        ok found => match found \
                  {\n            some n => return third(n: n)\n            none => return first\n        }\n        failed => \
                  return second\n    }\n}\n";
    files(shared, steps, |text, own| {
        text.push_str("use shared: crm, pick\n\nlanguages en\n");
        inbound(text, own.start, "line");
        chain(text, "line", own, |text, step| match step % 2 {
            0 => text.push_str(
                "        match run pick() {\n            first, last => hang up\n            second => note second = \
                 true\n            third(n) => note third = n\n        }\n",
            ),
            _ => {
                let _ = write!(
                    text,
                    "        match crm.find({step}) {{\n            ok found => match found {{\n                some n \
                     => note found = n\n                none => continue\n            \
                     }}\n            failed => hang up\n        }}\n"
                );
            }
        });
    })
}

/// A recording for twenty steps; it is the same sound under many names.
fn texts(steps: usize) -> Files {
    let mut shared = "languages zh, en, fr\n\nfunction price(of: Int) -> Money = 1.50 EUR * of\n".to_owned();
    for prompt in 0..steps.div_ceil(SHARED_STEPS) {
        let _ = write!(
            shared,
            "\nprompt greeting_{prompt} {{\n    zh \"第{prompt}号。\"\n    en audio \"{prompt}.wav\" \"Number {prompt}.\"\n    \
             fr \"Numéro {prompt}.\"\n}}\n"
        );
    }
    let mut all = files(&shared, steps, |text, own| {
        text.push_str("use shared\n\nlanguages zh, en, fr\n");
        inbound(text, own.start, "line");
        chain(text, "line", own, |text, step| {
            let _ = write!(
                text,
                "        play shared.greeting_{}\n        say zh \"{step}号，{{shared.price({step})}}。\"\n            en \"{step} \
                 is {{shared.price({step})}}.\"\n            fr \"{step} coûte {{shared.price({step})}}.\"\n",
                step / SHARED_STEPS
            );
        });
    });
    all.extend((0..steps.div_ceil(SHARED_STEPS)).map(|prompt| (format!("prompts/{prompt}.wav"), recording())));
    all
}

/// A second of a square wave in a WAV file of 8 bits a sample, all of whose bytes are ASCII.
fn recording() -> String {
    const SAMPLES: usize = 0x1f00;
    let word = |value: usize| value.to_le_bytes().map(char::from)[..4].iter().collect::<String>();
    let head = "\x01\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0";
    let sound = "\x40\x40\x40\x40\x7f\x7f\x7f\x7f".repeat(SAMPLES / 8);
    let (format, data) = (word(head.len()), word(SAMPLES));
    format!("RIFF{}WAVEfmt {format}{head}data{data}{sound}", word(4 + 8 + head.len() + 8 + SAMPLES))
}

fn calendars(steps: usize) -> Files {
    let mut shared = "languages en\n".to_owned();
    for hours in 0..steps.div_ceil(SHARED_STEPS) {
        let zone = ["Europe/London", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe"][hours % 4];
        let _ = write!(
            shared,
            "\nhours desk_{hours} in \"{zone}\" {{\n    mon..thu  09:{:02}..12:30, 13:30..17:30\n    fri       \
             22:00..02:00\n    sat       10:00..12:00\n    closed    holidays \"us\"\n    closed    \
             2047-12-24..2048-01-01\n    open      2047-12-18 09:00..12:00\n}}\n",
            hours % 60
        );
    }
    files(&shared, steps, |text, own| {
        text.push_str("use shared\n\nlanguages en\n");
        inbound(text, own.start, "line");
        chain(text, "line", own, |text, step| {
            let hours = step / SHARED_STEPS;
            let _ =
                writeln!(text, "        if shared.desk_{hours} is open {{ say \"Open.\" }} else {{ say \"Closed.\" }}");
        });
    })
}

fn privacy(steps: usize) -> Files {
    let shared = "languages en\n\nservice bank {\n    check(pin: private Digits, desk: Int) -> Bool within \
                  2s\n}\n\nfunction part(of: private Digits) -> Int = of.length\n\nflow prove(pin: private Digits, desk: Int) \
                  {\n    let good = bank.check(pin, desk) else false\n    note good = good\n    return\n}\n";
    files(shared, steps, |text, own| {
        text.push_str("use shared: bank, prove\n\nlanguages en\n");
        inbound(text, own.start, "line");
        text.push_str(
            "\nflow line {\n    answer\n    let pin = ask private digits 4 {\n        say \"Your code.\"\n        silence, \
             invalid => hang up\n    }\n    run hold(pin)\n    hang up\n}\n\nflow hold(pin: private Digits) {\n",
        );
        let _ = writeln!(text, "    go step_{}(pin)", own.start);
        for step in own.clone() {
            let _ = write!(text, "\n    step step_{step}(code: private Digits) {{\n        let same = code\n");
            match step % 2 {
                0 => text.push_str("        run prove(same, 1)\n"),
                _ => text.push_str("        let good = bank.check(same, 2) else false\n        note good = good\n"),
            }
            match step + 1 == own.end {
                true => text.push_str("        return\n    }\n"),
                false => {
                    let _ = write!(text, "        go step_{}(same)\n    }}\n", step + 1);
                }
            }
        }
        text.push_str("}\n");
    })
}

/// Menus of 20 phrases in two languages, five steps each; a chain of flows as long as one may be.
fn choices(steps: usize) -> Files {
    const DEPTH: usize = 15;
    const FLOW_STEPS: usize = 5;
    let shared = "languages zh, en\n\nprompt which {\n    zh \"请选择。\"\n    en \"Which?\"\n}\n";
    files(shared, steps, |text, own| {
        text.push_str("use shared: which\n\nlanguages zh, en\n");
        inbound(text, own.start, "line_0");
        let flows = own.len().div_ceil(FLOW_STEPS);
        for flow in 0..flows {
            if flow > 0 && flow % DEPTH == 0 {
                inbound(text, own.start + flow, &format!("line_{flow}"));
            }
            let answer = if flow % DEPTH == 0 { "    answer\n" } else { "" };
            let _ = write!(text, "\nflow line_{flow} {{\n{answer}    menu {{\n        play which\n");
            for phrase in 0..20 {
                let _ = writeln!(
                    text,
                    "        {} or zh \"第{phrase}个选择\" en \"choice {phrase}\" => continue",
                    phrase + 10
                );
            }
            text.push_str("        silence, other => again\n        after 2 tries => continue\n    }\n");
            if (flow + 1) % DEPTH != 0 && flow + 1 < flows {
                let _ = writeln!(text, "    run line_{}()", flow + 1);
            }
            text.push_str("    return\n}\n");
        }
    })
}
