//! The picture of a project with what its tests reach.

use lang_compiler::picture::{LineKind, NodeKind, Picture};
use lang_compiler::{Reached, ReachedKind, Span};

use crate::graph::{Seen, State};

pub fn seen(picture: &Picture, reached: &[Reached]) -> Seen {
    let mut seen = Seen::nothing(picture);
    for (node, (drawn, state)) in picture.nodes.iter().zip(&mut seen.nodes).enumerate() {
        let part = reached.iter().find(|place| place.kind == ReachedKind::Part && begins(place, drawn.span));
        if let Some(part) = part.filter(|_| !matches!(drawn.kind, NodeKind::Entry | NodeKind::End)) {
            *state = of_count(part.count);
            if let Some(count) = seen.counts.get_mut(node) {
                *count = Some(part.count);
            }
        }
    }
    for (node, states) in picture.nodes.iter().zip(&mut seen.lines) {
        for (line, state) in node.lines.iter().zip(states) {
            let heard = if line.kind == LineKind::Hears { heard(reached, line.span) } else { State::Unknown };
            *state = if heard == State::Unknown { at(reached, line.span) } else { heard };
        }
    }
    for ((edge, state), labels) in picture.edges.iter().zip(&mut seen.edges).zip(&mut seen.labels) {
        *state = State::any(edge.spans.iter().map(|span| at(reached, *span)));
        for (label, state) in edge.labels.iter().zip(labels) {
            *state = State::any(label.spans.iter().map(|span| at(reached, *span)));
        }
    }
    // A number is dialled, and an end come to, when the line there is gone.
    for (edge, state) in picture.edges.iter().zip(&mut seen.edges) {
        let kind = |node: usize| picture.nodes.get(node).map(|node| node.kind);
        if kind(edge.from) == Some(NodeKind::Entry) {
            *state = State::Unknown;
        } else if kind(edge.to) == Some(NodeKind::End)
            && let Some(end) = seen.nodes.get_mut(edge.to)
        {
            *end = *state;
        }
    }
    seen
}

/// Parts are counted where their name or first statement begins.
fn begins(part: &Reached, drawn: Span) -> bool {
    (part.span.file, part.span.start) == (drawn.file, drawn.start)
}

fn of_count(count: u64) -> State {
    if count > 0 { State::Reached } else { State::Missed }
}

/// A text in its languages.
fn heard(reached: &[Reached], text: Span) -> State {
    let inside = |place: &&Reached| place.kind == ReachedKind::Prompt && text.holds(place.span);
    let counts: Vec<u64> = reached.iter().filter(inside).map(|place| place.count).collect();
    match (counts.iter().filter(|count| **count > 0).count(), counts.len()) {
        (_, 0) => State::Unknown,
        (0, _) => State::Missed,
        (some, all) if some < all => State::Partly,
        _ => State::Reached,
    }
}

/// The smallest part or arm in which a statement stands.
fn at(reached: &[Reached], statement: Span) -> State {
    let place = Span::new(statement.file, statement.start, statement.start);
    let holds = |one: &&Reached| one.kind != ReachedKind::Prompt && one.body.holds(place);
    // Of two arms at one place, one of which was reached, the statement was.
    let smallest = reached.iter().filter(holds).min_by_key(|one| (one.body.len(), one.count == 0));
    smallest.map_or(State::Unknown, |one| of_count(one.count))
}
