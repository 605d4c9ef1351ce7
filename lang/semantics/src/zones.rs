//! The zone of the called office: in which a Time is said. The hours that the flows behind a number ask tell it, else
//! those declared beside the flow that answers, else those of the project; they must agree.

use std::collections::BTreeSet;

use lang_diagnostics::{Code, Diagnostic};

use runtime_contract::channel::Channel;

use crate::check::CheckedFlow;
use crate::hir;
use crate::problems::Problems;
use crate::project::Project;

/// Gives every inbound its zone, where there is one; F0706 where a Time is said behind one that has none.
pub(crate) fn zones(
    project: &Project<'_>,
    flows: &[Option<CheckedFlow>],
    inbounds: &mut [hir::Inbound],
    problems: &mut Problems,
) {
    let mut told = BTreeSet::new();
    let mut one_office: Option<String> = None;
    for inbound in inbounds {
        let reached = reached(flows, inbound.address.flow);
        let zones = offices(project, &reached, inbound.address.flow);
        let mut found = zones.iter();
        if let (Some(only), None) = (found.next(), found.next()) {
            inbound.address.zone.clone_from(only);
            one_office.get_or_insert_with(|| only.clone());
            // A chat and an address have no number by which a call would find its office.
            let by_number = !matches!(inbound.address.channel, Channel::Chat | Channel::Email);
            if by_number || one_office.as_ref() == Some(only) {
                continue;
            }
        }
        // Hours without a zone were told of already.
        if project.hours.iter().any(|table| table.zone.is_empty()) {
            continue;
        }
        for span in reached.iter().flat_map(|flow| &flow.times_said) {
            if !told.insert((span.file, span.start)) {
                continue;
            }
            let called = inbound.address.example();
            let message = match zones.len() {
                1 => {
                    format!("the office behind `{called}` is not in the zone of the first that the project answers for")
                }
                0 => format!("nothing says in which zone the office behind `{called}` is"),
                _ => {
                    let zones: Vec<_> = zones.iter().map(|zone| format!("`{zone}`")).collect();
                    format!("the office behind `{called}` is in {}", zones.join(" and in "))
                }
            };
            let diagnostic = Diagnostic::new(Code::NotSpeakable, *span, message)
                .here("a time is said in the zone of the called office")
                .label(inbound.span, "called here");
            problems.give(match zones.first() {
                None => diagnostic.help("`hours office in \"Asia/Shanghai\" { mon..fri 09:00..18:00 }`"),
                Some(zone) => diagnostic
                    .help(format!("`let day = ….date(\"{zone}\")`, and say `{{day}}`"))
                    .note("`.clock` gives the time of day in the same way"),
            });
        }
    }
}

/// A flow and all that it runs.
pub(crate) fn reached(flows: &[Option<CheckedFlow>], flow: u32) -> Vec<&CheckedFlow> {
    let (mut open, mut seen) = (vec![flow], BTreeSet::new());
    let mut reached = Vec::new();
    while let Some(flow) = open.pop() {
        let Some(checked) = flows.get(flow as usize).and_then(Option::as_ref) else { continue };
        if seen.insert(flow) {
            reached.push(checked);
            open.extend(checked.runs.iter().map(|(callee, _)| *callee));
        }
    }
    reached
}

fn offices(project: &Project<'_>, reached: &[&CheckedFlow], answers: u32) -> BTreeSet<String> {
    let asked =
        reached.iter().flat_map(|flow| &flow.hours_asked).filter_map(|hours| project.hours.get(*hours as usize));
    let beside = || {
        let module = project.flow(answers).and_then(|info| project.modules.get(info.module));
        let own =
            move |name: &str| module.is_some_and(|module| name.rsplit_once('.').is_some_and(|n| n.0 == module.path));
        project.hours.iter().filter(move |table| own(&table.name)).map(|table| table.zone.clone()).collect()
    };
    let all = || project.hours.iter().map(|table| table.zone.clone()).collect();
    let asked: BTreeSet<String> = asked.map(|table| table.zone.clone()).collect();
    let choices: [&dyn Fn() -> BTreeSet<String>; 3] = [&|| asked.clone(), &beside, &all];
    choices.iter().map(|choice| choice()).find(|zones| !zones.is_empty()).unwrap_or_default()
}
