//! The picture as one SVG file that needs nothing else: it follows the reader's light or dark taste, and prints.

use std::fmt::Write;

use lang_compiler::picture::{LineKind, Node, NodeKind, Picture};

use super::Seen;
use super::measure::width;
use super::place::{
    Box, HEAD, KEY_HEIGHT, LABEL_SIZE, PAD, Placed, ROW, Rect, TEXT_SIZE, TITLE_SIZE, TextRow, Way, key_width, place,
    row_start,
};

/// Above the picture, for its title; below it, for what its signs mean.
const TOP: f64 = 64.0;
const FOOT: f64 = 56.0;
/// The legend needs so much.
const WIDTH_MIN: f64 = 760.0;
/// A second row of the legend, of what was counted.
const ROW_COUNTED: f64 = 28.0;

/// Name, by day, by night. Many viewers and printers know no variables of CSS, so each stands in its rules as it is.
const COLOURS: [(&str, &str, &str); 25] = [
    ("paper", "#ffffff", "#12181f"),
    ("ink", "#1c2733", "#e6edf4"),
    ("soft", "#5b6b7b", "#9fb0c0"),
    ("line", "#7d8fa1", "#7f93a8"),
    ("box", "#f6f9fc", "#1a232d"),
    ("edge", "#b9c6d3", "#3a4a5a"),
    ("head", "#dbe8f5", "#24384d"),
    ("top", "#cfe6d6", "#1f4030"),
    ("group", "#fbfcfe", "#161d26"),
    ("end", "#fde8e8", "#3d1f1d"),
    ("end-ink", "#9c2a1d", "#ffb4a8"),
    ("end-line", "#d9756a", "#8d4038"),
    ("entry", "#2e7d4f", "#3f9d68"),
    ("entry-ink", "#ffffff", "#06150c"),
    ("key", "#1f5fa8", "#6aa9f0"),
    ("key-ink", "#ffffff", "#0a1624"),
    ("when", "#8a5a00", "#e0b25c"),
    ("runs", "#7a4fb3", "#b795ea"),
    ("handler", "#e9e2f3", "#33294a"),
    ("queue", "#fbe9cf", "#4a3a1c"),
    ("hit", "#2e7d4f", "#57b884"),
    ("hit-paper", "#d3ecda", "#1c4a31"),
    ("miss", "#c0392b", "#ff8d7e"),
    ("miss-paper", "#ffe1dd", "#4a1f1c"),
    ("miss-box", "#fff6f5", "#231a1d"),
];

const RULES: &str = "
  svg { background: var(--paper); }
  text { font-family: system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif; fill: var(--ink); }
  .paper { fill: var(--paper); }
  .h1 { font-size: 22px; font-weight: 650; } .sub { font-size: 12.5px; fill: var(--soft); }
  .box { fill: var(--box); stroke: var(--edge); stroke-width: 1.2; } .head { fill: var(--head); } .head.top { fill: var(--top); } .head.handler { fill: var(--handler); } .head.queue, .head.rule { fill: var(--queue); }
  .title { font-size: 14px; font-weight: 620; } .row { font-size: 12.5px; } .does, .asks { fill: var(--soft); }
  .sign { font-size: 11px; fill: var(--soft); } .when { font-size: 12px; fill: var(--when); font-weight: 560; }
  .group { fill: var(--group); stroke: var(--edge); stroke-dasharray: 5 4; } .groupname { font-size: 13px; fill: var(--soft); font-weight: 600; }
  .way { fill: none; stroke: var(--line); stroke-width: 1.5; } .way.runs { stroke: var(--runs); stroke-dasharray: 6 4; }
  .tip { fill: var(--line); } .tip.runs { fill: var(--runs); } .plate { fill: var(--paper); opacity: .94; }
  .label { font-size: 12px; } .label.runs { fill: var(--runs); }
  .key { fill: var(--key); } .keytext { font-size: 12px; font-weight: 650; fill: var(--key-ink); text-anchor: middle; }
  .end { fill: var(--end); stroke: var(--end-line); } .endtext { font-size: 12px; font-weight: 600; fill: var(--end-ink); text-anchor: middle; }
  .count { font-size: 12px; font-weight: 560; text-anchor: end; fill: var(--soft); }
  .box.reached { stroke: var(--hit); } .head.reached { fill: var(--hit-paper); } .count.reached, .sign.reached { fill: var(--hit); }
  .box.missed { fill: var(--miss-box); stroke: var(--miss); stroke-dasharray: 5 3; } .head.missed { fill: var(--miss-paper); }
  .count.missed, .sign.missed, .row.missed, .when.missed, .label.missed { fill: var(--miss); } .row.missed, .label.missed { text-decoration: underline; text-decoration-style: dotted; }
  .row.partly, .sign.partly { fill: var(--when); }
  .way.reached { stroke: var(--hit); } .tip.reached { fill: var(--hit); } .way.missed { stroke: var(--miss); stroke-dasharray: 3 4; } .tip.missed { fill: var(--miss); }
  .key.missed { fill: none; stroke: var(--miss); stroke-dasharray: 3 2; } .keytext.missed { fill: var(--miss); }
  .end.reached { fill: var(--hit-paper); stroke: var(--hit); } .endtext.reached { fill: var(--hit); } .end.missed { fill: var(--miss-box); stroke-dasharray: 4 3; }
  .entry { fill: var(--entry); } .entrytext { font-size: 14px; font-weight: 650; fill: var(--entry-ink); text-anchor: middle; }
";

/// The rules by day, and those by night for readers who want it dark.
fn style() -> String {
    let (mut day, mut night) = (RULES.to_owned(), RULES.to_owned());
    for (name, by_day, by_night) in COLOURS {
        let variable = format!("var(--{name})");
        day = day.replace(&variable, by_day);
        night = night.replace(&variable, by_night);
    }
    format!("\n  svg {{ color-scheme: light dark; }}{day}  @media (prefers-color-scheme: dark) {{{night}  }}\n")
}

/// What `seen` counted is in colour, and marked for those who see none.
pub fn svg(picture: &Picture, title: &str, seen: &Seen) -> String {
    let placed = place(picture, seen.is_counted());
    let foot = FOOT + if seen.is_counted() { ROW_COUNTED } else { 0.0 };
    let (wide, high) = (placed.width.max(WIDTH_MIN), placed.height + TOP + foot);
    let mut out = String::new();
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{wide:.0}\" height=\"{high:.0}\" \
         viewBox=\"0 0 {wide:.0} {high:.0}\" role=\"img\">\n<title>{}</title>\n<style>{}</style>\n<defs>",
        escaped(title),
        style()
    );
    for class in ["", " runs", " reached", " missed"] {
        let _ = write!(
            out,
            "<marker id=\"tip{}\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"8\" markerHeight=\"8\" \
             orient=\"auto-start-reverse\"><path class=\"tip{class}\" d=\"M0 0.5L10 5L0 9.5z\"/></marker>",
            class.trim()
        );
    }
    out.push_str("</defs>\n<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n");
    heading(&mut out, picture, title);
    let left = (wide - placed.width) / 2.0;
    let _ = writeln!(out, "<g transform=\"translate({left:.1} {TOP:.1})\">");
    body(&mut out, picture, &placed, seen);
    out.push_str("</g>\n");
    legend(&mut out, high - foot + FOOT / 2.0);
    if seen.is_counted() {
        legend_counted(&mut out, high - FOOT / 2.0);
    }
    out.push_str("</svg>\n");
    out
}

fn heading(out: &mut String, picture: &Picture, title: &str) {
    let count = |kind: NodeKind| picture.nodes.iter().filter(|node| node.kind == kind).count();
    let plural = crate::show::plural;
    let facts = [
        Some(plural(count(NodeKind::Entry), "number")),
        Some(plural(count(NodeKind::Top), "flow")),
        Some(count(NodeKind::Step))
            .filter(|steps| *steps > 0 || !picture.groups.is_empty())
            .map(|steps| plural(steps, "step")),
        Some(count(NodeKind::Queue)).filter(|queues| *queues > 0).map(|queues| plural(queues, "queue")),
        Some(count(NodeKind::Rule)).filter(|rules| *rules > 0).map(|rules| plural(rules, "rule")),
    ];
    let facts: Vec<String> = facts.into_iter().flatten().collect();
    let _ = writeln!(out, "<text class=\"h1\" x=\"24\" y=\"36\">{}</text>", escaped(title));
    let _ = writeln!(out, "<text class=\"sub\" x=\"24\" y=\"56\">{}</text>", facts.join(" · "));
}

fn body(out: &mut String, picture: &Picture, placed: &Placed, seen: &Seen) {
    for (rect, group) in placed.groups.iter().zip(&picture.groups) {
        let _ = writeln!(out, "<rect class=\"group\" {} rx=\"14\"/>", sides(*rect));
        let _ = writeln!(
            out,
            "<text class=\"groupname\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            rect.x + 12.0,
            rect.y + 18.0,
            escaped(&group.name)
        );
    }
    for (index, (edge, way)) in picture.edges.iter().zip(&placed.ways).enumerate() {
        let state = seen.edges.get(index).map_or("", |state| state.class());
        let runs = if edge.runs { " runs" } else { "" };
        let tip = if state.is_empty() { runs } else { state }.trim();
        let path = curve(&way.points);
        let _ = writeln!(out, "<path class=\"way{runs}{state}\" marker-end=\"url(#tip{tip})\" d=\"{path}\"/>");
    }
    for (index, (node, one)) in picture.nodes.iter().zip(&placed.boxes).enumerate() {
        let state = seen.nodes.get(index).map_or("", |state| state.class());
        match node.kind {
            NodeKind::Entry => pill(out, one.rect, "entry", state, &format!("☎ {}", node.title)),
            NodeKind::End => pill(out, one.rect, "end", state, &node.title),
            NodeKind::Top | NodeKind::Step | NodeKind::Handler | NodeKind::Queue | NodeKind::Rule => {
                step(out, node, one, state);
                if let Some(count) = seen.counts.get(index).copied().flatten() {
                    counted(out, one, state, count);
                }
                for (at, row) in one.rows.iter().enumerate() {
                    let state = row.line.map_or("", |line| seen.line(index, line).class());
                    let y = one.rect.y + HEAD + 6.0 + (at as f64 + 0.5) * ROW + TEXT_SIZE * 0.36;
                    text_row(out, row, state, (one.rect.x + PAD, y));
                }
            }
        }
    }
    for (index, (edge, way)) in picture.edges.iter().zip(&placed.ways).enumerate() {
        labels(out, way, edge.runs, |label| seen.label(index, label).class());
    }
}

fn pill(out: &mut String, rect: Rect, class: &str, state: &str, text: &str) {
    let _ = writeln!(out, "<rect class=\"{class}{state}\" {} rx=\"{:.1}\"/>", sides(rect), rect.height / 2.0);
    let (x, y) = (rect.x + rect.width / 2.0, rect.y + rect.height / 2.0 + 4.5);
    let _ = writeln!(out, "<text class=\"{class}text{state}\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escaped(text));
}

/// How often calls came by, at the right of the head.
fn counted(out: &mut String, one: &Box, state: &str, count: u64) {
    let (x, y) = (one.rect.x + one.rect.width - PAD, one.rect.y + HEAD / 2.0 + LABEL_SIZE * 0.36);
    let count = if count == 0 { "✗ never".to_owned() } else { format!("✓ {count}×") };
    let _ = writeln!(out, "<text class=\"count{state}\" x=\"{x:.1}\" y=\"{y:.1}\">{count}</text>");
}

fn step(out: &mut String, node: &Node, one: &Box, state: &str) {
    let Rect { x, y, width: wide, height } = one.rect;
    let kind = match node.kind {
        NodeKind::Top => " top",
        NodeKind::Handler => " handler",
        NodeKind::Queue => " queue",
        NodeKind::Rule => " rule",
        _ => "",
    };
    let _ = writeln!(out, "<rect class=\"box{state}\" {} rx=\"9\"/>", sides(one.rect));
    let (inner, bottom) = (wide - 1.2, if one.rows.is_empty() { height - 0.6 } else { HEAD });
    // The head has round corners above, and below too where it is the whole box.
    let corner = if one.rows.is_empty() { 8.4 } else { 0.0 };
    let _ = writeln!(
        out,
        "<path class=\"head{kind}{state}\" d=\"M{:.1} {:.1}v{:.1}q0 {corner} {corner} {corner}h{:.1}q{corner} 0 {corner} -{corner}v-{:.1}\
         q0 -8.4 -8.4 -8.4h-{:.1}q-8.4 0 -8.4 8.4z\"/>",
        x + 0.6,
        y + 9.0,
        bottom - 9.0 - corner,
        inner - 2.0 * corner,
        bottom - 9.0 - corner,
        inner - 16.8,
    );
    let _ = writeln!(
        out,
        "<text class=\"title\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
        x + PAD,
        y + HEAD / 2.0 + TITLE_SIZE * 0.36,
        escaped(&node.title)
    );
}

fn text_row(out: &mut String, row: &TextRow, state: &str, (x, y): (f64, f64)) {
    let (class, sign) = match row.kind {
        LineKind::Hears => ("hears", "♪"),
        LineKind::Asks => ("asks", "?"),
        LineKind::Does => ("does", "›"),
    };
    if row.is_first {
        let _ = write!(out, "<text class=\"sign{state}\" x=\"{:.1}\" y=\"{y:.1}\">{sign}</text>", x + 2.0);
    }
    if !row.when.is_empty() {
        let (x, when) = (x + 18.0, escaped(&row.when));
        let _ = write!(out, "<text class=\"when{state}\" x=\"{x:.1}\" y=\"{y:.1}\">{when}:</text>");
    }
    let at = x + row_start(row);
    let _ =
        writeln!(out, "<text class=\"row {class}{state}\" x=\"{at:.1}\" y=\"{y:.1}\">{}</text>", escaped(&row.text));
}

fn labels<'s>(out: &mut String, way: &Way, runs: bool, state: impl Fn(usize) -> &'s str) {
    if way.labels.is_empty() {
        return;
    }
    let _ = writeln!(out, "<rect class=\"plate\" {} rx=\"4\"/>", sides(way.label));
    let class = if runs { " runs" } else { "" };
    for (index, label) in way.labels.iter().enumerate() {
        let y = way.label.y + 3.0 + index as f64 * (KEY_HEIGHT + 3.0);
        let mut x = way.label.x + 4.0;
        if let Some(key) = &label.key {
            let wide = key_width(key);
            key_cap(out, key, state(index), x, y);
            x += wide + 4.0;
        }
        let _ = writeln!(
            out,
            "<text class=\"label{class}{}\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
            state(index),
            y + KEY_HEIGHT / 2.0 + LABEL_SIZE * 0.36,
            escaped(&label.text)
        );
    }
}

fn key_cap(out: &mut String, key: &str, state: &str, x: f64, y: f64) {
    let wide = key_width(key);
    let rect = Rect { x, y, width: wide, height: KEY_HEIGHT };
    let _ = write!(out, "<rect class=\"key{state}\" {} rx=\"5\"/>", sides(rect));
    let (x, y) = (x + wide / 2.0, y + KEY_HEIGHT / 2.0 + LABEL_SIZE * 0.36);
    let _ = writeln!(out, "<text class=\"keytext{state}\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escaped(key));
}

fn legend(out: &mut String, y: f64) {
    let mut x = 24.0;
    let base = y + 4.5;
    let word = |out: &mut String, x: &mut f64, text: &str| {
        let _ = writeln!(out, "<text class=\"sub\" x=\"{:.1}\" y=\"{base:.1}\">{text}</text>", *x);
        *x += width(text, TEXT_SIZE) + 26.0;
    };
    pill(out, Rect { x, y: y - 10.0, width: 28.0, height: 20.0 }, "entry", "", "☎");
    x += 34.0;
    word(out, &mut x, "a number that callers dial");
    key_cap(out, "1", "", x, y - KEY_HEIGHT / 2.0);
    x += KEY_HEIGHT + 6.0;
    word(out, &mut x, "a key");
    for (sign, text) in [("♪", "the caller hears"), ("?", "is asked"), ("›", "happens")] {
        let _ = write!(out, "<text class=\"sign\" x=\"{x:.1}\" y=\"{base:.1}\">{sign}</text>");
        x += 14.0;
        word(out, &mut x, text);
    }
    let _ = writeln!(out, "<path class=\"way runs\" d=\"M{x:.1} {y:.1}h30\"/>");
    x += 38.0;
    word(out, &mut x, "runs and comes back");
    pill(out, Rect { x, y: y - 10.0, width: 44.0, height: 20.0 }, "end", "", "end");
}

fn legend_counted(out: &mut String, y: f64) {
    let (mut x, base) = (24.0, y + 4.5);
    for (state, text) in [("reached", "reached by a test"), ("missed", "reached by none")] {
        let _ = writeln!(out, "<path class=\"way {state}\" d=\"M{x:.1} {y:.1}h30\"/>");
        let _ = writeln!(out, "<text class=\"sub\" x=\"{:.1}\" y=\"{base:.1}\">{text}</text>", x + 38.0);
        x += 38.0 + width(text, TEXT_SIZE) + 26.0;
    }
    let _ = write!(out, "<text class=\"sign partly\" x=\"{x:.1}\" y=\"{base:.1}\">♪</text>");
    let text = "heard, but not in each of its languages";
    let _ = writeln!(out, "<text class=\"sub\" x=\"{:.1}\" y=\"{base:.1}\">{text}</text>", x + 14.0);
}

fn sides(rect: Rect) -> String {
    format!("x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\"", rect.x, rect.y, rect.width, rect.height)
}

/// A line through the points with round bends: each corner is cut halfway to its neighbours.
fn curve(points: &[(f64, f64)]) -> String {
    let Some(((x, y), rest)) = points.split_first() else { return String::new() };
    let mut path = format!("M{x:.1} {y:.1}");
    for pair in rest.windows(2) {
        let [(x, y), (next_x, next_y)] = pair else { continue };
        let _ = write!(path, "Q{x:.1} {y:.1} {:.1} {:.1}", (x + next_x) / 2.0, (y + next_y) / 2.0);
    }
    if let Some((x, y)) = rest.last() {
        let _ = write!(path, "L{x:.1} {y:.1}");
    }
    path
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            sign if sign.is_control() => safe.push(' '),
            _ => safe.push(sign),
        }
    }
    safe
}
