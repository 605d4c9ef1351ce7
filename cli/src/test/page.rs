//! The coverage as one page: sums, the picture of the calls, and the text of each file with what was reached and what was
//! not, and how often.
//! It needs nothing from elsewhere, and is read in a light and in a dark room.

use std::fmt::Write;

use lang_compiler::picture::Picture;
use lang_compiler::{Compiled, Reached, ReachedKind};

use super::coverage::{Coverage, Share};
use super::drawn;
use crate::graph;

const STYLE: &str = include_str!("page.css");

pub fn page(compiled: &Compiled, coverage: &Coverage, picture: Option<&Picture>) -> String {
    let mut html = String::new();
    let total = coverage.total();
    let _ = write!(
        html,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Coverage {}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <h1>What the tests reach</h1>\n<p class=\"total\">{}</p>\n\
         <p>{} of {} steps, arms and prompts, by {} of version <code>{}</code>. Counted by the interpreter on the \
         graph that serves; native code went the same ways.</p>\n",
        total.percent_text(),
        total.percent_text(),
        total.reached,
        total.all,
        tests(coverage.tests),
        compiled.program.meta().graph_id.short(),
    );
    flows(coverage, &mut html);
    if let Some(picture) = picture {
        let seen = drawn::seen(picture, &coverage.reached);
        // Within a page no name space is wanted.
        let svg = graph::svg(picture, "The calls", &seen).replacen(" xmlns=\"http://www.w3.org/2000/svg\"", "", 1);
        let _ = writeln!(html, "<figure>\n{svg}</figure>");
    }
    html.push_str(
        "<p class=\"legend\"><span class=\"hit\">reached</span> <span class=\"miss\">not reached</span> \
         <span class=\"unheard\">not heard</span> A number says how often calls came by.</p>\n",
    );
    let sources = &compiled.analysis.sources;
    for (file, source) in sources.files() {
        let mine: Vec<&Reached> = coverage.reached.iter().filter(|reached| reached.span.file == file).collect();
        if !mine.is_empty() {
            file_text(source.path(), source.text(), &mine, &mut html);
        }
    }
    html.push_str("</body>\n</html>\n");
    html
}

fn tests(count: usize) -> String {
    format!("{count} test{}", if count == 1 { "" } else { "s" })
}

fn flows(coverage: &Coverage, html: &mut String) {
    html.push_str(
        "<table>\n<thead><tr><th>flow</th><th>steps</th><th>arms</th><th>prompts</th></tr></thead>\n<tbody>\n",
    );
    let (flows, all) = (coverage.flows(), coverage.sums());
    for (name, sums) in flows.iter().map(|(flow, sums)| (*flow, sums)).chain([("all", &all)]) {
        let shares = sums.shares().map(share);
        let _ = writeln!(html, "<tr><th>{}</th>{}</tr>", escaped(name), shares.concat());
    }
    html.push_str("</tbody>\n</table>\n");
}

fn share(share: Share) -> String {
    if share.all == 0 {
        return "<td>–</td>".to_owned();
    }
    let percent = share.percent();
    let whole = if share.reached == share.all { "whole" } else { "part" };
    format!(
        "<td><span class=\"bar {whole}\"><i style=\"width:{percent:.1}%\"></i></span>{}/{}</td>",
        share.reached, share.all
    )
}

/// Each line with the counts of what begins there, and its text in the colour of what it belongs to.
fn file_text(path: &str, text: &str, reached: &[&Reached], html: &mut String) {
    let states = states(text.len(), reached);
    let _ = writeln!(html, "<h2>{}</h2>\n<pre>", escaped(path));
    let mut from = 0;
    for (at, line) in text.split_inclusive('\n').enumerate() {
        let here: Vec<&Reached> =
            reached.iter().copied().filter(|reached| reached.place.line as usize == at + 1).collect();
        let own = states.get(from..from + line.len()).unwrap_or_default();
        let _ = write!(html, "<span class=\"n\">{:>5}</span>", at + 1);
        let _ = write!(html, "<span class=\"c\">{}</span>", first_count(&here));
        coloured(line.trim_end(), own, html);
        chips(&here, html);
        html.push('\n');
        from += line.len();
    }
    html.push_str("</pre>\n");
}

/// What each byte of a file belongs to: the smallest place that holds it.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Outside,
    Reached,
    Missed,
    Unheard,
}

fn states(length: usize, reached: &[&Reached]) -> Vec<State> {
    let mut states = vec![State::Outside; length];
    let mut places = reached.to_vec();
    // Of two arms at one place, one of which was reached, the text was.
    places.sort_by_key(|place| (std::cmp::Reverse(place.body.len()), place.count > 0));
    for place in places {
        let state = match (place.kind, place.count) {
            (ReachedKind::Prompt, 0) => State::Unheard,
            (_, 0) => State::Missed,
            _ => State::Reached,
        };
        let bytes = states.get_mut(place.body.range()).unwrap_or_default();
        // A prompt that nobody reaches is not told twice.
        bytes
            .iter_mut()
            .filter(|byte| state != State::Unheard || **byte != State::Missed)
            .for_each(|byte| *byte = state);
    }
    states
}

fn coloured(line: &str, states: &[State], html: &mut String) {
    let mut open = State::Outside;
    let indent = line.len() - line.trim_start().len();
    for (at, sign) in line.char_indices() {
        let state = states.get(at).copied().filter(|_| at >= indent).unwrap_or_default();
        if state != open {
            html.push_str(if open == State::Outside { "" } else { "</span>" });
            html.push_str(match state {
                State::Outside => "",
                State::Reached => "<span class=\"hit\">",
                State::Missed => "<span class=\"miss\">",
                State::Unheard => "<span class=\"unheard\">",
            });
            open = state;
        }
        push_escaped(sign, html);
    }
    html.push_str(if open == State::Outside { "" } else { "</span>" });
}

/// The count of the only thing that begins on a line.
fn first_count(here: &[&Reached]) -> String {
    let mut plain = here.iter().filter(|reached| reached.label.is_empty() && reached.kind != ReachedKind::Prompt);
    match (plain.next(), plain.next()) {
        (Some(only), None) => format!("{:>5}×", only.count),
        _ => " ".repeat(6),
    }
}

/// What begins on a line and has a word of its own, and arms that share a line.
fn chips(here: &[&Reached], html: &mut String) {
    let shared = here.iter().filter(|reached| reached.label.is_empty() && reached.kind == ReachedKind::Arm).count() > 1;
    for reached in here {
        let word = match (reached.label.as_str(), reached.kind) {
            ("", ReachedKind::Arm) if shared => "arm",
            ("", ReachedKind::Prompt) => "heard",
            ("", _) => continue,
            (label, _) => label,
        };
        let class = match (reached.count, reached.kind) {
            (0, ReachedKind::Prompt) => "unheard",
            (0, _) => "miss",
            _ => "hit",
        };
        let _ = write!(html, " <span class=\"chip {class}\">{} {}×</span>", escaped(word), reached.count);
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    text.chars().for_each(|sign| push_escaped(sign, &mut escaped));
    escaped
}

fn push_escaped(sign: char, html: &mut String) {
    match sign {
        '<' => html.push_str("&lt;"),
        '>' => html.push_str("&gt;"),
        '&' => html.push_str("&amp;"),
        '"' => html.push_str("&quot;"),
        sign => html.push(sign),
    }
}
