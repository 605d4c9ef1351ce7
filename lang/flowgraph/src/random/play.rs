//! One random call, on two engines at once, compared at each stop. Slots outside of the live maps are
//! overwritten with noise on one side, so that whoever reads them is found.

use std::collections::BTreeMap;

use runtime_contract::arena::Arena;
use runtime_contract::drive::{Outcome, Stop, enter, frames};
use runtime_contract::host::{FaultKind, Host, Observation, Observe};
use runtime_contract::limits::REQUESTS_MAX;
use runtime_contract::program::{FlowProgram, ProgramMeta, SiteId};
use runtime_contract::reply::{arguments, reply};
use runtime_contract::stack::{RESULT_AT, Stack};
use runtime_contract::time::Time;
use runtime_contract::types::Type;
use runtime_contract::value::{Memory, Value};
use runtime_contract::vault::Vault;

use super::Random;
use super::values::value;

/// Stops after which a call is given up.
const STOPS_MAX: usize = 60;

/// What occurred, by name, so that a test can say what it has seen.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub requests: BTreeMap<String, u32>,
    /// Types of values in requests.
    pub arguments: BTreeMap<String, u32>,
    /// Types of values in replies.
    pub payloads: BTreeMap<String, u32>,
    /// Faults that a segment reported.
    pub faults: BTreeMap<String, u32>,
    /// Faults that the driver found: fuel, requests, a tag without an outcome.
    pub driver_faults: BTreeMap<String, u32>,
    pub stops: u32,
}

impl Tally {
    /// Both together.
    pub fn plus(mut self, other: Tally) -> Tally {
        let tables = [
            (&mut self.requests, other.requests),
            (&mut self.arguments, other.arguments),
            (&mut self.payloads, other.payloads),
            (&mut self.faults, other.faults),
            (&mut self.driver_faults, other.driver_faults),
        ];
        for (ours, theirs) in tables {
            theirs.into_iter().for_each(|(name, number)| *ours.entry(name).or_default() += number);
        }
        self.stops += other.stops;
        self
    }
}

fn count(table: &mut BTreeMap<String, u32>, name: String) {
    *table.entry(name).or_default() += 1;
}

/// `Record(0)` is `Record`.
fn kind_of(r#type: &Type) -> String {
    let name = format!("{type:?}");
    name.split('(').next().unwrap_or_default().to_owned()
}

/// One side: a program and a call's memory.
struct Side<'p> {
    program: &'p dyn FlowProgram,
    stack: Stack,
    arena: Arena,
    vault: Vault,
    observed: Vec<Observation>,
}

impl<'p> Side<'p> {
    fn new(program: &'p dyn FlowProgram) -> Self {
        let (stack, arena, vault) = (Stack::default(), Arena::default(), Vault::default());
        Side { program, stack, arena, vault, observed: Vec::new() }
    }

    fn memory<'s>(&'s mut self, meta: &'s ProgramMeta) -> Memory<'s> {
        Memory { meta, arena: &mut self.arena, vault: &mut self.vault }
    }

    fn resume(&mut self, outcome: Outcome, now: Time) -> Stop {
        let observe = Observe::Live(&mut self.observed);
        let meta = self.program.meta();
        let mut host = Host { meta, arena: &mut self.arena, vault: &mut self.vault, observe, now };
        self.program.resume(&mut self.stack, &mut host, outcome)
    }

    fn reply(&mut self, site: SiteId, outcome: u32, payload: Option<&Value>) -> Outcome {
        let meta = self.program.meta();
        let mut memory = Memory { meta, arena: &mut self.arena, vault: &mut self.vault };
        reply(&mut memory, &mut self.stack, site, outcome, payload)
    }

    /// Whatever must be equal on both sides.
    fn visible(&self) -> Visible<'_> {
        let meta = self.program.meta();
        let mut words = Vec::new();
        for (base, site) in frames(meta, &self.stack) {
            let word = |at: u32| self.stack.words.get((base + at) as usize).copied();
            words.extend((0..RESULT_AT).map(word));
            words.extend(site.live.iter().map(|live| word(live.slot)));
        }
        Visible { words, stack: &self.stack, arena: &self.arena, observed: &self.observed }
    }

    /// Overwrites what no live map names. Result slots are the driver's to read.
    fn add_noise(&mut self, random: &mut Random) {
        let meta = self.program.meta();
        for (base, site) in frames(meta, &self.stack) {
            let Some(flow) = meta.flow(site.flow) else { continue };
            let first = RESULT_AT + runtime_contract::drive::result_words(meta, site.flow) as u32;
            for slot in (first..flow.frame_words).filter(|slot| site.live.iter().all(|live| live.slot != *slot)) {
                if let Some(word) = self.stack.words.get_mut((base + slot) as usize) {
                    *word = random.word();
                }
            }
        }
    }
}

struct Visible<'s> {
    words: Vec<Option<u64>>,
    stack: &'s Stack,
    arena: &'s Arena,
    observed: &'s [Observation],
}

impl Visible<'_> {
    fn difference(&self, other: &Visible<'_>) -> Option<String> {
        if self.stack.header != other.stack.header {
            return Some(format!("header {:?}, {:?}", self.stack.header, other.stack.header));
        }
        if self.stack.faults != other.stack.faults {
            return Some(format!("faults {:?}, {:?}", self.stack.faults, other.stack.faults));
        }
        if self.words != other.words {
            return Some(format!("live slots {:?}, {:?}", self.words, other.words));
        }
        if self.observed != other.observed {
            return Some(format!("observations {:?}, {:?}", self.observed, other.observed));
        }
        (self.arena != other.arena).then(|| format!("texts {:?}, {:?}", self.arena, other.arena))
    }
}

/// Plays the call of this seed. The first difference is the error.
pub fn play(seed: u64, first: &dyn FlowProgram, second: &dyn FlowProgram, tally: &mut Tally) -> Result<(), String> {
    let mut random = Random::new(seed);
    let (mut first, mut second) = (Side::new(first), Side::new(second));
    begin(&mut random, &mut first);
    begin(&mut Random::new(seed), &mut second);
    let mut outcome = (Outcome::Start, Outcome::Start);
    for stop_number in 0..STOPS_MAX {
        let now = Time(1_770_000_000_000 + random.below(1_000_000_000) as i64);
        let stops = (first.resume(outcome.0, now), second.resume(outcome.1, now));
        let differs = |what: String| format!("stop {stop_number}, after {:?}: {what}", outcome.0);
        if stops.0 != stops.1 {
            return Err(differs(format!("stop {:?}, {:?}", stops.0, stops.1)));
        }
        if let Some(difference) = first.visible().difference(&second.visible()) {
            return Err(differs(difference));
        }
        tally.stops += 1;
        for faulted in first.stack.faults.drain(..) {
            let table = if faulted.place.is_some() { &mut tally.faults } else { &mut tally.driver_faults };
            count(table, faulted.kind.name().to_owned());
        }
        second.stack.faults.clear();
        let site = match stops.0 {
            Stop::Wait(site) => site,
            Stop::Done(_) => return results_differ(&first, &second).map_or(Ok(()), |what| Err(differs(what))),
        };
        let meta = first.program.meta();
        let (asked, asked_too) = (values_of(&mut first, site), values_of(&mut second, site));
        if asked != asked_too {
            return Err(differs(format!("arguments {asked:?}, {asked_too:?}")));
        }
        if let (Some(request), Some(info)) = (meta.request(site), meta.site(site)) {
            count(&mut tally.requests, request.kind().row().name.to_owned());
            info.arguments.iter().for_each(|r#type| count(&mut tally.arguments, kind_of(r#type)));
        }
        second.add_noise(&mut random);
        outcome = answer(&mut random, &mut first, &mut second, site, tally);
    }
    Ok(())
}

fn begin(random: &mut Random, side: &mut Side<'_>) {
    let meta = side.program.meta();
    let mut words = Vec::new();
    for parameter in meta.flow(0).map_or(&[][..], |flow| &flow.parameters) {
        let value = value(random, meta, &parameter.r#type);
        let width = meta.types.width(&parameter.r#type);
        words.extend(side.memory(meta).words(&value, &parameter.r#type).unwrap_or_else(|_| vec![0; width]));
    }
    let header = &mut side.stack.header;
    header.language = random.below(2) as u64;
    header.caller_number = [1, 8_613_800_000_000 + random.below(1_000) as u64];
    header.called = [random.below(2) as u64, 864_008_100_000];
    if random.chance(7) {
        header.requests = REQUESTS_MAX - random.below(4) as u32;
    }
    enter(meta, &mut side.stack, 0, &words);
}

fn values_of(side: &mut Side<'_>, site: SiteId) -> Option<Vec<Value>> {
    let meta = side.program.meta();
    let memory = Memory { meta, arena: &mut side.arena, vault: &mut side.vault };
    Some(arguments(&memory, &side.stack, site)?.into_iter().map(|(_, value)| value).collect())
}

fn answer(
    random: &mut Random,
    first: &mut Side<'_>,
    second: &mut Side<'_>,
    site: SiteId,
    tally: &mut Tally,
) -> (Outcome, Outcome) {
    let meta = first.program.meta();
    let payloads = meta.site(site).map_or(&[][..], |info| &info.payloads);
    let same = |outcome| (outcome, outcome);
    if payloads.is_empty() {
        return same(Outcome::Gone);
    }
    match random.below(100) {
        0..3 => return same(Outcome::Gone),
        3..7 => {
            return same(Outcome::Fault(random.pick(&FaultKind::of_programs()).copied().unwrap_or(FaultKind::Store)));
        }
        _ => {}
    }
    // The good outcome, which carries the value, is as likely as all others.
    let index = if random.chance(75) { 0 } else { random.below(payloads.len()) };
    let payload = payloads.get(index).cloned().flatten();
    let value = payload.as_ref().map(|r#type| value(random, meta, r#type));
    payload.iter().for_each(|r#type| count(&mut tally.payloads, kind_of(r#type)));
    // Now and then a value that the site does not take.
    let value = if random.chance(2) { Some(Value::Record(Vec::new())) } else { value };
    let index = index as u32;
    (first.reply(site, index, value.as_ref()), second.reply(site, index, value.as_ref()))
}

fn results_differ(first: &Side<'_>, second: &Side<'_>) -> Option<String> {
    let words = |side: &Side<'_>| -> Vec<u64> {
        let width = runtime_contract::drive::result_words(side.program.meta(), 0) as u32;
        (RESULT_AT..RESULT_AT + width).map(|slot| side.stack.slot(slot)).collect()
    };
    (words(first) != words(second)).then(|| format!("result {:?}, {:?}", words(first), words(second)))
}
