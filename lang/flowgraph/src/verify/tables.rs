//! The tables: constants, prompts, flows and the geometry of their frames, sites and their mailboxes.

use runtime_contract::drive::Exit;
use runtime_contract::limits::{FRAME_BYTES_MAX, MENU_ARMS_MAX};
use runtime_contract::program::{FlowMeta, Part, ProgramMeta, SiteInfo, SiteKind};
use runtime_contract::request::Request;
use runtime_contract::stack::RESULT_AT;
use runtime_contract::types::Class;

use super::Problems;
use super::types::classes;
use crate::frame::{first_variable, parameter_words, width};
use crate::graph::Graph;
use crate::hash::FxHashMap;
use crate::layout::too_large;
use crate::site::mailbox;

pub fn check(graph: &Graph, problems: &mut Problems) {
    let meta = &graph.meta;
    let sorted = meta.constants.is_sorted_by(|a, b| a < b);
    problems.expect(sorted, || "constants are not sorted, or one occurs twice".to_owned());
    let first = meta.constants.first().is_some_and(String::is_empty);
    problems.expect(first, || "constant 0 is not the empty text".to_owned());
    for (what, count) in [("sites", meta.sites.len()), ("fault places", meta.fault_places.len())] {
        problems.expect(count <= Exit::OPERAND_MAX as usize, || format!("{count} {what} do not fit an exit"));
    }
    for (id, prompt) in meta.prompts.iter().enumerate() {
        check_prompt(id, prompt, problems);
    }
    for (id, inbound) in meta.inbounds.iter().enumerate() {
        problems.expect(meta.flow(inbound.flow).is_some(), || format!("inbound {id}: no flow {}", inbound.flow));
    }
    for (id, flow) in meta.segments.iter().enumerate() {
        problems.expect(meta.flow(*flow).is_some(), || format!("segment {id}: no flow {flow}"));
    }
    for (id, flow) in meta.flows.iter().enumerate() {
        check_flow(meta, id as u32, flow, problems);
    }
    let mut classes_of: Vec<FxHashMap<u32, Class>> =
        (0..meta.flows.len()).map(|flow| fixed_classes(meta, flow as u32)).collect();
    for site in &meta.sites {
        match (meta.flow(site.flow), classes_of.get_mut(site.flow as usize)) {
            (Some(flow), Some(classes_of)) => {
                check_site(meta, site, flow, problems);
                check_live_map(site, flow, classes_of, problems);
            }
            _ => problems.add(format!("site {}: no flow {}", site.key, site.flow)),
        }
    }
}

fn check_prompt(id: usize, prompt: &runtime_contract::program::Prompt, problems: &mut Problems) {
    for part in prompt.texts.iter().flat_map(|text| &text.parts) {
        let argument = match part {
            Part::Literal(_) => continue,
            Part::Hole(argument) | Part::Plural { argument, .. } => *argument as usize,
        };
        problems.expect(argument < prompt.arguments.len(), || format!("prompt {id}: no argument {argument}"));
    }
}

fn check_flow(meta: &ProgramMeta, id: u32, flow: &FlowMeta, problems: &mut Problems) {
    let name = &flow.name;
    for segment in [Some(flow.entry_segment), flow.fault_segment, flow.finally_segment].into_iter().flatten() {
        let owner = meta.segments.get(segment as usize);
        problems.expect(owner == Some(&id), || format!("flow {name}: segment {segment} is not one of it"));
    }
    let words_max = (FRAME_BYTES_MAX / 8) as u32;
    problems.expect(flow.frame_words <= words_max, || too_large(name, flow.frame_words));
    let values = runtime_contract::drive::result_words(meta, id) + parameter_words(meta, id);
    let ordered = values <= words_max as usize
        && first_variable(meta, id) <= flow.mailbox_at
        && flow.mailbox_at <= flow.frame_words;
    problems.expect(ordered, || format!("flow {name}: result, parameters and mailbox do not fit the frame"));
}

fn check_site(meta: &ProgramMeta, site: &SiteInfo, flow: &FlowMeta, problems: &mut Problems) {
    let key = &site.key;
    let owner = meta.segments.get(site.resume as usize);
    problems.expect(owner == Some(&site.flow), || format!("site {key}: resumes in {}, not of its flow", site.resume));
    match mailbox(meta, &meta.prompts, flow.is_attempt, &site.kind) {
        None => problems.add(format!("site {key}: its request names something that is not there")),
        Some(wanted) => {
            problems.expect(wanted.arguments == site.arguments, || format!("site {key}: arguments of other types"));
            problems.expect(wanted.payloads == site.payloads, || format!("site {key}: outcomes of other types"));
        }
    }
    let room = flow.frame_words.saturating_sub(flow.mailbox_at) as usize;
    let payloads = site.payloads.iter().flatten().map(|payload| meta.types.width(payload));
    let need = payloads.chain([width(meta, &site.arguments)]).max().unwrap_or(0);
    problems.expect(need <= room, || format!("site {key}: {need} words in a mailbox of {room}"));
    let outcomes = site.payloads.len();
    problems.expect(outcomes <= Exit::OPERAND_MAX as usize, || format!("site {key}: {outcomes} outcomes"));
    if let SiteKind::Request(Request::Menu(menu)) = &site.kind {
        let choices = menu.choices.len();
        problems.expect(choices <= MENU_ARMS_MAX, || format!("site {key}: {choices} choices, at most {MENU_ARMS_MAX}"));
        let of_others = !menu.phrases.is_empty() && menu.phrases.len() != choices;
        problems.expect(!of_others, || format!("site {key}: phrases of {} choices", menu.phrases.len()));
        let languages = menu.phrases.iter().map(Vec::len).max().unwrap_or(0);
        problems.expect(languages <= meta.languages.len(), || format!("site {key}: phrases in {languages} languages"));
    }
}

/// By flow: classes of result, parameters, and of every slot that some wait keeps.
pub fn slot_classes(meta: &ProgramMeta) -> Vec<FxHashMap<u32, Class>> {
    let mut classes: Vec<_> = (0..meta.flows.len()).map(|flow| fixed_classes(meta, flow as u32)).collect();
    for site in &meta.sites {
        if let Some(classes) = classes.get_mut(site.flow as usize) {
            classes.extend(site.live.iter().map(|live| (live.slot, live.class)));
        }
    }
    classes
}

/// Classes of result and parameters.
fn fixed_classes(meta: &ProgramMeta, flow: u32) -> FxHashMap<u32, Class> {
    let Some(flow) = meta.flow(flow) else { return FxHashMap::default() };
    let types = flow.result.iter().chain(flow.parameters.iter().map(|parameter| &parameter.r#type));
    (RESULT_AT..).zip(classes(&meta.types, types)).collect()
}

fn check_live_map(site: &SiteInfo, flow: &FlowMeta, classes: &mut FxHashMap<u32, Class>, problems: &mut Problems) {
    let key = &site.key;
    problems.expect(site.live.is_sorted_by(|a, b| a.slot < b.slot), || format!("site {key}: live map not in order"));
    for live in &site.live {
        let slot = live.slot;
        let inside = (RESULT_AT..flow.mailbox_at).contains(&slot);
        problems.expect(inside, || format!("site {key}: live slot {slot} is not one for variables"));
        let class = classes.entry(slot).or_insert(live.class);
        problems.expect(*class == live.class, || format!("site {key}: slot {slot} is {class:?} elsewhere"));
    }
}
