//! Random flow texts through the whole way: parse, check, lower, verify, then native code against the interpreter on
//! random answers. One seed makes one program and its calls; `STROWGER_SEED=n` replays it alone.

mod chance;
mod expression;
mod source;
mod values;

use std::collections::BTreeMap;

use self::chance::Chance;
use crate::harness::{self, Next};
use lang_compiler::Engine;
use runtime_contract::host::FaultKind;
use runtime_contract::program::{ProgramMeta, SiteId};
use runtime_contract::request::{Effect, TABLE};

const PROGRAMS: u64 = 80;
const CALLS: u64 = 25;
/// How often each kind of request must come up in all calls together.
const SEEN_MIN: u64 = 20;

/// Prints how to replay when a test stops in the middle.
struct Replay(u64);

impl Drop for Replay {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("replay: STROWGER_SEED={} cargo test -p lang-compiler --test flows random", self.0);
        }
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a replay is asked for from outside")]
fn random_flows_compile_and_both_engines_agree() {
    let only: Option<u64> = std::env::var("STROWGER_SEED").ok().map(|seed| seed.parse().unwrap());
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    for seed in only.map_or(1..=PROGRAMS, |seed| seed..=seed) {
        let _replay = Replay(seed);
        let text = source::flow_text(seed);
        if only.is_some() {
            println!("{text}");
        }
        let native = harness::compiled(&text, Engine::Native);
        let plain = lang_compiler::load(&native.graph, Engine::Interpreter).unwrap();
        assert_canonical(&text, native.program.meta());
        for call in 0..CALLS {
            let mut chance = Chance::new(seed * CALLS + call);
            let now = harness::monday_morning();
            let transcript =
                harness::play(&native.program, &plain, now, |meta, site| random_answer(&mut chance, meta, site));
            for line in transcript.lines() {
                let first = line.split(' ').next().unwrap().split(['(', '.']).next().unwrap();
                let word = if line.starts_with("fault") || line.starts_with("end") { line } else { first };
                *seen.entry(word.split(" at ").next().unwrap().to_owned()).or_default() += 1;
            }
        }
    }
    if only.is_none() {
        let count = |word: &str| seen.get(word).copied().unwrap_or(0);
        for word in
            ["answer", "say", "menu", "ask", "record", "recording", "wait", "note", "hang", "reject", "svc", "connect"]
        {
            assert!(count(word) >= SEEN_MIN, "{word} happened {} times of {seen:#?}", count(word));
        }
        for word in ["fault overflow", "fault two currencies", "fault division by zero", "fault store", "fault index"] {
            assert!(count(word) > 0, "{word} never happened: {seen:#?}");
        }
    }
}

/// The canonical form is a fixed point, and the same program but for its places.
fn assert_canonical(text: &str, meta: &ProgramMeta) {
    let canonical = lang_compiler::format(text);
    assert_eq!(lang_compiler::format(&canonical), canonical);
    let compiled = harness::compiled(&canonical, Engine::Interpreter);
    let keys = |meta: &ProgramMeta| meta.sites.iter().map(|site| site.key.clone()).collect::<Vec<_>>();
    assert_eq!(keys(compiled.program.meta()), keys(meta));
    assert_eq!(compiled.program.meta().segments, meta.segments);
}

/// Any outcome with a value of its type; now and then the caller leaves, or something fails.
fn random_answer(chance: &mut Chance, meta: &ProgramMeta, site: SiteId) -> Next {
    let request = meta.request(site).unwrap();
    let row = TABLE.iter().find(|row| row.kind == request.kind()).unwrap();
    if request.outcomes() == 0 || (row.effect == Effect::Line && chance.one_in(60)) {
        return Next::Gone;
    }
    if chance.one_in(150) {
        return Next::Fault(FaultKind::Store);
    }
    let outcome = chance.below(u64::from(request.outcomes())) as u32;
    let payload = &meta.site(site).unwrap().payloads[outcome as usize];
    Next::Result(outcome, payload.as_ref().map(|r#type| values::any(chance, meta, r#type)))
}
