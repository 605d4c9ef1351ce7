//! The order of lines: `use` first and sorted, `fault` and `finally` last, the parts of a dialogue. All else stays.

use crate::grammar::{Context, Rule};
use crate::tree::Line;

/// What kind of line it is: the first rule below that of its block.
pub(crate) fn rule_of(line: &Line) -> Option<Rule> {
    let part = line.segments.first()?.part()?;
    let inner = part.inner().next().map(|inner| inner.rule());
    match part.rule() {
        Rule::file_line => {
            let inner = part.inner().next()?;
            if inner.rule() != Rule::item {
                return Some(inner.rule());
            }
            inner.inner().map(|part| part.rule()).find(|rule| *rule != Rule::kw_local)
        }
        Rule::flow_line | Rule::dialogue_line | Rule::queue_line | Rule::cadence_line | Rule::survey_line => inner,
        Rule::hours_line => inner,
        rule => Some(rule),
    }
}

/// The lines of a block in their canonical order.
pub(crate) fn in_order<'l, 't>(lines: &'l [Line<'t>], context: Context) -> Vec<&'l Line<'t>> {
    let mut ordered: Vec<(Place, &Line)> = lines.iter().map(|line| (place(line, context), line)).collect();
    if context == Context::File {
        gather_uses(&mut ordered);
    } else {
        ordered.sort_by(|a, b| a.0.cmp(&b.0));
    }
    ordered.into_iter().map(|(_, line)| line).collect()
}

/// The rank among the lines of its block; equal ranks keep their order. Only `use` lines have a name to sort by.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    rank: u8,
    module: Option<(bool, String)>,
}

fn place(line: &Line, context: Context) -> Place {
    let rule = rule_of(line);
    let rank = match (context, rule) {
        (Context::Flow, Some(Rule::step)) => 1,
        (Context::Flow, Some(Rule::fault)) => 2,
        (Context::Flow, Some(Rule::finally)) => 3,
        (Context::Dialogue, Some(Rule::setting)) => 1,
        (Context::Dialogue, Some(Rule::dialogue_arm)) => arm_rank(line),
        _ => 0,
    };
    let module = if rule == Some(Rule::use_line) { module_of(line) } else { None };
    Place { rank, module }
}

/// Choices, then outcomes, then `after`.
fn arm_rank(line: &Line) -> u8 {
    let part = line.segments.first().and_then(|segment| segment.part());
    let pattern = part.and_then(|part| part.all().find(|part| part.rule() == Rule::dialogue_pattern));
    match pattern.and_then(|pattern| pattern.inner().next()).map(|kind| kind.rule()) {
        Some(Rule::after_tries) => 4,
        Some(Rule::outcome) => 3,
        _ => 2,
    }
}

/// The module of a `use`, those outside `std` behind.
fn module_of(line: &Line) -> Option<(bool, String)> {
    let path = line.segments.first()?.part()?.all().find(|part| part.rule() == Rule::path)?;
    let name: String = path.text().split_whitespace().collect();
    Some((name != "std" && !name.starts_with("std."), name))
}

/// Brings all `use` lines to where the first one stands, sorted.
fn gather_uses(ordered: &mut Vec<(Place, &Line)>) {
    let Some(first) = ordered.iter().position(|(place, _)| place.module.is_some()) else { return };
    let lines = std::mem::take(ordered);
    let (mut uses, others): (Vec<_>, Vec<_>) = lines.into_iter().partition(|(place, _)| place.module.is_some());
    uses.sort_by(|a, b| a.0.cmp(&b.0));
    let mut others = others.into_iter();
    ordered.extend(others.by_ref().take(first));
    ordered.extend(uses);
    ordered.extend(others);
}
