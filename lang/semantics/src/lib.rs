//! What every name means; what type, outcome and effect every construct has.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "tests may stop at the first surprise"
    )
)]

pub mod agreement;
mod called;
mod channels;
mod check;
mod collect;
mod declare;
pub mod figures;
mod heard;
pub mod hir;
mod hours;
mod line;
mod lower;
mod outgoing;
mod paths;
mod problems;
mod project;
mod returning;
mod routing;
mod rules;
mod runs;
mod script;
mod surveys;
mod ty;
mod unused;
mod way;
mod width;
mod worst;
mod zones;

use lang_diagnostics::Diagnostic;
use lang_syntax::ast;
use runtime_contract::channel::Channel;
use runtime_contract::program::SiteNames;

/// One parsed file.
pub struct ParsedModule<'a> {
    /// `routing`, `billing.cards`: its path below the project's folder without the ending; `std.voicemail` for the
    /// library.
    pub path: String,
    pub ast: &'a ast::Module,
}

/// A table of public holidays. Days are counted from 1970.
pub struct Holidays {
    pub closed: Vec<i32>,
    /// Days of a weekend that are worked in exchange.
    pub worked: Vec<i32>,
    pub first_year: i16,
    /// Nothing is known of the days behind it.
    pub last_year: i16,
}

/// What stands beside the flow files.
pub trait Surroundings {
    /// BLAKE3 of an audio file below `prompts/`; `None` when it is not there.
    fn audio(&self, file: &str) -> Option<[u8; 32]>;
    /// How long an audio file lasts; `None` when that is not known.
    fn audio_ms(&self, file: &str) -> Option<u64>;
    /// Why a file that is there cannot be played, and behind `; ` the remedy.
    fn unplayable(&self, file: &str) -> Option<&str>;
    /// `None` when there is no table of this name.
    fn holidays(&self, table: &str) -> Option<Holidays>;
    /// Names of all holiday tables.
    fn holiday_tables(&self) -> Vec<String>;
    /// Names of all profiles of the law.
    fn laws(&self) -> Vec<String>;
    /// Today (days since 1970), for dates that are over; `None` leaves that out.
    fn today(&self) -> Option<i32>;
}

/// The meaning of all files together, when nothing is wrong with them, and all that was found in order of place.
/// `modules` holds every file that a `use` names, those of the library too. Of files about which the parser gave an
/// error the program lacks what was not understood: drop it then.
pub fn analyze(
    modules: &[ParsedModule<'_>],
    surroundings: &dyn Surroundings,
    names: &SiteNames,
) -> (Option<hir::Program>, Vec<Diagnostic>) {
    let mut problems = problems::Problems::default();
    let mut project = collect::collect(modules, &mut problems);
    project.site = names.clone();
    declare::declare(&mut project, names, &mut problems);
    hours::hours(&mut project, surroundings, &mut problems);
    check::enum_texts(&mut project, &mut problems);
    check::prompt_items(&mut project, surroundings, &mut problems);
    check::check_items(&project, &mut problems);
    let mut inbounds = declare::inbounds(&project, &mut problems);
    let (mut flows, mut order) = returning::check_flows(&project, &mut problems);
    let written = flows.len() as u32;
    let surveys = surveys::surveys(&project, &mut flows, &mut problems);
    let queues = routing::queues(&project, surroundings, &mut flows, &mut problems);
    routing::prove(&project, &queues, &flows, surroundings, &mut problems);
    let cadences = outgoing::cadences(&project, surroundings, &mut flows, &mut problems);
    let rules = rules::rules(&project, &cadences, &mut flows, &mut problems);
    // Whoever queues may run a survey, and no survey runs anything.
    let asked = written + surveys.len() as u32;
    order.splice(0..0, written..asked);
    order.extend(asked..flows.len() as u32);
    let (types, services) = (lower::types(&project), lower::services(&project));
    for flow in flows.iter().flatten() {
        paths::check_paths(flow, &services, &mut problems);
    }
    check::settle_claims(&mut flows, &mut problems);
    runs::check_runs(&flows, &mut problems);
    outgoing::check_starts((&cadences, &rules, &queues), &flows, &mut problems);
    outgoing::check_finals(&cadences, &flows, &mut problems);
    zones::zones(&project, &flows, &mut inbounds, &mut problems);
    called::check_called(&flows, &inbounds, &mut problems);
    channels::check_channels(&project, &flows, &inbounds, &cadences, &surveys, &mut problems);
    let entries: Vec<(u32, bool)> = inbounds
        .iter()
        .map(|inbound| (inbound.address.flow, inbound.address.channel == Channel::Voice))
        .chain(cadences.iter().filter_map(|cadence| Some((cadence.table.dial.as_ref()?.flow, true))))
        .chain(cadences.iter().filter_map(|cadence| Some((cadence.table.message.as_ref()?.flow, false))))
        .collect();
    let tables = worst::Program { types: &types, services: &services, queues: &queues, entries: &entries };
    worst::check_worst(&flows, &order, &tables, &mut problems);
    let answers: Vec<u32> = inbounds.iter().map(|inbound| inbound.address.flow).collect();
    let mut without_line: Vec<(u32, &str)> =
        outgoing::without_line(&cadences).into_iter().map(|flow| (flow, line::LEAVE_OUT)).collect();
    without_line.extend(rules.iter().map(|rule| (rule.rule.flow, rules::without_line(&rule.rule.when))));
    line::check_lines(&flows, &answers, &without_line, &project.languages, &mut problems);
    let entries = answers.iter().copied().chain(outgoing::attempts(&cadences));
    heard::check_heard(&project, &flows, &queues, entries, &rules, &mut problems);
    way::add_ways(&mut problems.list, &flows, &services, &answers);
    let tests = script::tests(&project, &flows, &inbounds, (&cadences, &surveys), &mut problems);
    if !problems.any_error() {
        unused::unused(&project, &flows, &mut problems);
        rules::check_idle(&project, &flows, &queues, &rules, &mut problems);
    }
    let program = (!problems.any_error()).then(|| {
        let rest = lower::lower(project, flows, inbounds, (queues, cadences, surveys), tests, surroundings);
        hir::Program { rules, ..rest }
    });
    let mut list = problems.list;
    list.sort_by_key(|diagnostic| (diagnostic.span().file, diagnostic.span().start, diagnostic.code));
    list.dedup();
    (program, list)
}
