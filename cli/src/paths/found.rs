//! Explores a compiled project, and plays what was found: only calls that do the same as tests, on both engines, count.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use lang_compiler::{Compiled, Heard, Reached, ReachedKind};
use runtime_contract::cadence::Cadence;
use runtime_contract::limits::EXPLORE_BYTES_MAX;
use runtime_contract::program::{Inbound, ProgramMeta, SiteKind};
use runtime_contract::request::Request;
use runtime_contract::rule::When;
use runtime_contract::script::TestScript;
use runtime_simulator::{Bound, Explorer, Progress, play_test};

/// Between two looks at how far the work is.
const LOOK_EVERY: Duration = Duration::from_millis(200);

pub struct Found {
    pub scripts: Vec<TestScript>,
    /// Names of calls that do something else when they are played, and why that is known. None is our aim.
    pub left_out: Vec<(String, String)>,
    /// Steps and arms of the flows behind the numbers, with how often the scripts come by.
    pub reached: Vec<Reached>,
    pub states: usize,
    pub bound: Option<Bound>,
}

/// Calls that come in here, and runs of these cadences (indices in `ProgramMeta::cadences`).
pub struct Entries {
    pub inbounds: Vec<Inbound>,
    pub cadences: Vec<u32>,
}

impl Entries {
    pub fn all(meta: &ProgramMeta) -> Entries {
        Entries { inbounds: meta.inbounds.clone(), cadences: (0..meta.cadences.len() as u32).collect() }
    }
}

pub fn explore(compiled: &Compiled, entries: Entries, states_max: usize) -> Result<Found, String> {
    let meta = compiled.program.meta();
    let flows = flows_behind(meta, &entries);
    let (counting, own) = (compiled.counting()?, compiled.places_of(&flows));
    let passed = || counting.take_passed().into_iter().filter(|place| own.contains(place)).collect();
    let explorer = Explorer {
        program: &counting.watching(&compiled.program),
        compared: &compiled.compared()?,
        inbounds: entries.inbounds,
        cadences: entries.cadences,
        passed: &passed,
        marks: own.len(),
        states_max,
        bytes_max: EXPLORE_BYTES_MAX,
    };
    let explored = explorer.explore(&mut progress());
    let played = compiled.counting()?;
    let (mut scripts, mut left_out) = (Vec::new(), Vec::new());
    for script in explored.scripts {
        let result = play_test(&compiled.program, &script);
        if result.passed() && play_test(&played.program, &script) == result {
            scripts.push(script);
        } else {
            let why = result.failure.map_or_else(String::new, |failure| format!(": {}", failure.came));
            left_out.push((script.name, why));
        }
    }
    let mut reached = compiled.reached(&played, &Heard::new(), false);
    let flows: Vec<&str> = flows.iter().filter_map(|flow| Some(meta.flow(*flow)?.name.as_str())).collect();
    let is_goal = |reached: &Reached| {
        reached.kind != ReachedKind::Prompt && reached.flows.iter().any(|flow| flows.contains(&flow.as_str()))
    };
    reached.retain(is_goal);
    Ok(Found { scripts, left_out, reached, states: explored.states, bound: explored.bound })
}

/// Flows that these calls and cadences may run.
fn flows_behind(meta: &ProgramMeta, entries: &Entries) -> BTreeSet<u32> {
    let cadences = entries.cadences.iter().filter_map(|cadence| meta.cadences.get(*cadence as usize));
    let own = entries.inbounds.iter().map(|inbound| inbound.flow);
    let rules = meta.rules.iter().filter(|rule| match rule.when {
        When::Undelivered { cadence } => entries.cadences.contains(&cadence),
        _ => false,
    });
    let rules = rules.map(|rule| rule.flow);
    let mut flows: BTreeSet<u32> = own.chain(cadences.flat_map(Cadence::flows)).chain(rules).collect();
    loop {
        let runs = meta.sites.iter().filter(|site| flows.contains(&site.flow)).filter_map(|site| match site.kind {
            SiteKind::Run { flow } => Some(flow),
            // Where the agent writes up, nobody is asked before the conversation is over.
            SiteKind::Request(Request::Queue { queue }) => {
                meta.surveys.iter().find(|survey| survey.queue == queue).map(|survey| survey.flow)
            }
            SiteKind::Request(_) => None,
        });
        let more: Vec<u32> = runs.filter(|flow| !flows.contains(flow)).collect();
        if more.is_empty() {
            return flows;
        }
        flows.extend(more);
    }
}

/// Tells on a terminal, now and then, how far the work is.
fn progress() -> impl FnMut(Progress) {
    let (shown, is_terminal) = (Cell::new(Instant::now()), std::io::stderr().is_terminal());
    move |progress| {
        if is_terminal && shown.get().elapsed() > LOOK_EVERY {
            shown.set(Instant::now());
            let Progress { states, waiting, passed } = progress;
            eprint!("\r{states} states, {waiting} to go on from, {passed} steps and arms reached \r");
            let _ = std::io::stderr().flush();
        }
    }
}
