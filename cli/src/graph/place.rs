//! Where boxes, lines and labels go: sizes from the texts, places from a layered layout.

use dagre::graph::{Graph, GraphOptions};
use dagre::layout::types::LabelPos;
use dagre::{EdgeLabel, LayoutOptions, NodeLabel, layout};
use lang_compiler::picture::{Edge, Label, Line, LineKind, Node, NodeKind, Picture};

use super::measure::{rows, width};

pub const TITLE_SIZE: f64 = 14.0;
pub const TEXT_SIZE: f64 = 12.5;
pub const LABEL_SIZE: f64 = 12.0;
pub const ROW: f64 = 18.0;
pub const HEAD: f64 = 30.0;
pub const PAD: f64 = 12.0;
/// The badge of a key, and of a `when` before a line.
pub const KEY_HEIGHT: f64 = 18.0;
/// `never`, or a count.
const COUNT_WIDTH: f64 = 58.0;
const TEXT_WIDTH_MAX: f64 = 250.0;
const TEXT_ROWS_MAX: usize = 4;
const LABEL_WIDTH_MAX: f64 = 170.0;
/// A `when` is bold, and wider by so much.
const WHEN_WIDTH: f64 = 1.14;
/// What a reader finds one after the other in a box.
const LINES_MAX: usize = 14;

#[derive(Clone, Copy, Default)]
pub struct Rect {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// One row of a box.
pub struct TextRow {
    pub kind: LineKind,
    /// Index in the lines of the node; none of a row that says how many more there are.
    pub line: Option<usize>,
    /// Only before the first row of a line.
    pub when: String,
    pub is_first: bool,
    pub text: String,
}

pub struct Box {
    pub rect: Rect,
    pub rows: Vec<TextRow>,
}

pub struct Way {
    pub points: Vec<(f64, f64)>,
    pub label: Rect,
    pub labels: Vec<Label>,
}

pub struct Placed {
    pub width: f64,
    pub height: f64,
    pub boxes: Vec<Box>,
    pub ways: Vec<Way>,
    /// By group.
    pub groups: Vec<Rect>,
}

/// `counted`: each box has room for a count beside its title.
pub fn place(picture: &Picture, counted: bool) -> Placed {
    let options = GraphOptions { directed: true, multigraph: true, compound: true };
    let mut graph: Graph<NodeLabel, EdgeLabel> = Graph::with_options(options);
    let mut boxes: Vec<Box> = picture.nodes.iter().map(|node| sized(node, counted)).collect();
    let several = picture.groups.len() > 1;
    for (index, _) in picture.groups.iter().enumerate().filter(|_| several) {
        graph.set_node(format!("g{index}"), Some(NodeLabel::default()));
    }
    for (id, (node, sized)) in picture.nodes.iter().zip(&boxes).enumerate() {
        let label = NodeLabel { width: sized.rect.width, height: sized.rect.height, ..NodeLabel::default() };
        graph.set_node(format!("n{id}"), Some(label));
        if let Some(group) = node.group.filter(|_| several) {
            graph.set_parent(&format!("n{id}"), Some(&format!("g{group}")));
        }
    }
    let shown: Vec<Vec<Label>> = picture.edges.iter().map(|edge| shown_labels(picture, edge)).collect();
    for (edge, labels) in picture.edges.iter().zip(&shown) {
        let (wide, high) = label_size(labels);
        let ends = picture.nodes.get(edge.to).is_some_and(|node| node.kind == NodeKind::End);
        let label = EdgeLabel {
            width: wide,
            height: high,
            labelpos: LabelPos::Center,
            weight: if ends || edge.runs { 1 } else { 2 },
            ..EdgeLabel::default()
        };
        graph.set_edge(format!("n{}", edge.from), format!("n{}", edge.to), Some(label), Some(name(edge)));
    }
    let options = LayoutOptions {
        nodesep: 36.0,
        edgesep: 18.0,
        ranksep: 34.0,
        marginx: 24.0,
        marginy: 24.0,
        ..LayoutOptions::default()
    };
    layout(&mut graph, Some(options));
    for (id, sized) in boxes.iter_mut().enumerate() {
        if let Some(label) = graph.node(&format!("n{id}")) {
            sized.rect = around(label, sized.rect.width, sized.rect.height);
        }
    }
    let ways = picture.edges.iter().zip(shown).map(|(edge, labels)| {
        let (from, to) = (format!("n{}", edge.from), format!("n{}", edge.to));
        let found = graph.edge(&from, &to, Some(name(edge)));
        let points = found.map_or_else(Vec::new, |label| label.points.iter().map(|at| (at.x, at.y)).collect());
        let (wide, high) = label_size(&labels);
        let at = found.and_then(|label| Some((label.x?, label.y?))).unwrap_or_default();
        Way { points, label: Rect { x: at.0 - wide / 2.0, y: at.1 - high / 2.0, width: wide, height: high }, labels }
    });
    let ways: Vec<Way> = ways.collect();
    let groups: Vec<Rect> = (0..picture.groups.len())
        .filter(|_| several)
        .map(|index| {
            let label = graph.node(&format!("g{index}"));
            label.map_or_else(Rect::default, |label| around(label, label.width, label.height))
        })
        .collect();
    let rects =
        || boxes.iter().map(|one| one.rect).chain(ways.iter().map(|way| way.label)).chain(groups.iter().copied());
    let bends = || ways.iter().flat_map(|way| &way.points);
    let right = rects().map(|rect| rect.x + rect.width).chain(bends().map(|at| at.0)).fold(0.0, f64::max);
    let bottom = rects().map(|rect| rect.y + rect.height).chain(bends().map(|at| at.1)).fold(0.0, f64::max);
    Placed { width: right + 24.0, height: bottom + 24.0, boxes, ways, groups }
}

fn name(edge: &Edge) -> &'static str {
    if edge.runs { "runs" } else { "goes" }
}

fn around(label: &NodeLabel, width: f64, height: f64) -> Rect {
    let (x, y) = (label.x.unwrap_or_default(), label.y.unwrap_or_default());
    Rect { x: x - width / 2.0, y: y - height / 2.0, width, height }
}

fn sized(node: &Node, counted: bool) -> Box {
    let title = width(&node.title, TITLE_SIZE) * 1.06 + if counted { COUNT_WIDTH } else { 0.0 };
    match node.kind {
        NodeKind::Entry => {
            Box { rect: Rect { width: title + 56.0, height: 36.0, ..Rect::default() }, rows: Vec::new() }
        }
        NodeKind::End => {
            let rect = Rect { width: width(&node.title, LABEL_SIZE) + 34.0, height: 26.0, ..Rect::default() };
            Box { rect, rows: Vec::new() }
        }
        NodeKind::Top | NodeKind::Step | NodeKind::Handler | NodeKind::Queue | NodeKind::Rule => {
            let rows = text_rows(&node.lines);
            let widest = rows.iter().map(|row| row_start(row) + width(&row.text, TEXT_SIZE)).fold(title, f64::max);
            let below = if rows.is_empty() { 0.0 } else { rows.len() as f64 * ROW + PAD };
            Box { rect: Rect { width: widest + 2.0 * PAD, height: HEAD + below, ..Rect::default() }, rows }
        }
    }
}

/// Where the text of a row begins: behind its sign, and behind its `when`.
pub fn row_start(row: &TextRow) -> f64 {
    let when = if row.when.is_empty() { 0.0 } else { width(&row.when, LABEL_SIZE) * WHEN_WIDTH + 14.0 };
    18.0 + when
}

fn text_rows(lines: &[Line]) -> Vec<TextRow> {
    let mut all = Vec::new();
    for (at, line) in lines.iter().enumerate().take(LINES_MAX) {
        let text = if line.kind == LineKind::Hears { format!("“{}”", line.text) } else { line.text.clone() };
        let when = rows(&line.when, LABEL_SIZE, LABEL_WIDTH_MAX, 1).into_iter().next().unwrap_or_default();
        for (index, text) in rows(&text, TEXT_SIZE, TEXT_WIDTH_MAX, TEXT_ROWS_MAX).into_iter().enumerate() {
            let when = if index == 0 { when.clone() } else { String::new() };
            all.push(TextRow { kind: line.kind, line: Some(at), when, is_first: index == 0, text });
        }
    }
    if lines.len() > LINES_MAX {
        let text = format!("… and {} more", lines.len() - LINES_MAX);
        all.push(TextRow { kind: LineKind::Does, line: None, when: String::new(), is_first: false, text });
    }
    all
}

fn shown_labels(picture: &Picture, edge: &Edge) -> Vec<Label> {
    if edge.runs && edge.labels.is_empty() {
        return vec![Label { key: None, text: picture.comes_back_by(edge).to_owned(), spans: Vec::new() }];
    }
    let mut labels = edge.labels.clone();
    for label in &mut labels {
        label.text = rows(&label.text, LABEL_SIZE, LABEL_WIDTH_MAX, 1).into_iter().next().unwrap_or_default();
    }
    labels
}

pub fn key_width(key: &str) -> f64 {
    (width(key, LABEL_SIZE) + 10.0).max(KEY_HEIGHT)
}

fn label_size(labels: &[Label]) -> (f64, f64) {
    let one = |label: &Label| {
        let key = label.key.as_ref().map_or(0.0, |key| key_width(key) + 4.0);
        key + width(&label.text, LABEL_SIZE) + 8.0
    };
    match labels.is_empty() {
        true => (0.0, 0.0),
        false => (labels.iter().map(one).fold(0.0, f64::max), labels.len() as f64 * (KEY_HEIGHT + 3.0) + 3.0),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, clippy::panic, reason = "tests may stop at the first surprise")]
    use lang_compiler::picture::picture;
    use lang_compiler::{Colours, Project};

    use super::*;

    fn meet(a: Rect, b: Rect) -> bool {
        let apart = 0.5;
        a.x + apart < b.x + b.width
            && b.x + apart < a.x + a.width
            && a.y + apart < b.y + b.height
            && b.y + apart < a.y + a.height
    }

    /// Boxes lie apart, labels beside them, and all of it on the paper.
    fn check(name: &str, text: &str) {
        let mut project = Project::default();
        project.add_flow(format!("{name}.flow"), text);
        let drawn = picture(&project, None, Colours::Off, 100).unwrap_or_else(|report| panic!("{}", report.text));
        let placed = place(&drawn, true);
        let rects: Vec<Rect> = placed.boxes.iter().map(|one| one.rect).collect();
        for (at, rect) in rects.iter().enumerate() {
            assert!(rect.x >= 0.0 && rect.y >= 0.0 && rect.x + rect.width <= placed.width, "{name} {at}");
            assert!(!rects[..at].iter().any(|other| meet(*rect, *other)), "{name}: box {at} lies on another");
            let labels = placed.ways.iter().filter(|way| !way.labels.is_empty()).map(|way| way.label);
            assert!(!labels.into_iter().any(|label| meet(*rect, label)), "{name}: a label lies on box {at}");
        }
        assert!(placed.ways.iter().all(|way| way.points.len() > 1), "{name}");
    }

    #[test]
    fn boxes_and_labels_lie_apart() {
        check("hello", include_str!("../../templates/hello.flow"));
        check("menu", include_str!("../../templates/menu.flow"));
        check("first", include_str!("../../../examples/01-first-call/first_call.flow"));
        check("hotline", include_str!("../../../lang/syntax/tests/samples/hotline.flow"));
    }

    #[test]
    fn any_steps_in_any_order_are_placed() {
        for seed in 0..40_u64 {
            let mut state = seed;
            let mut below = |bound: u64| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) % bound
            };
            let count = 1 + below(9);
            let mut text = String::from("flow main {\n    go s0\n");
            for step in 0..count {
                text.push_str(&format!("    step s{step} {{\n        menu {{\n            say \"Step {step}.\"\n"));
                for key in 1..=below(5) + 1 {
                    text.push_str(&format!("            {key} => go s{}\n", below(count)));
                }
                text.push_str("            silence, other => hang up\n        }\n    }\n");
            }
            check(&format!("seed {seed}"), &format!("{text}}}\n"));
        }
    }
}
