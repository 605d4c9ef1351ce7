//! The flow that every engine runs: 100 menus that lead to each other, with sums, bounds and retries.

use lang_flowgraph::graph::{Arithmetic, Condition, SegmentId};
use lang_flowgraph::{GraphBuilder, Verified, builder};
use runtime_contract::program::{Place, ProgramMeta, SiteKind};
use runtime_contract::request::{Menu, Prompts, Request};
use runtime_contract::types::Class;

pub const STATES: usize = 100;
/// Two choices, a third, `other`, `silence`.
pub const OUTCOMES: u64 = 5;
pub const A_MAX: i64 = 1_000;
pub const B_MAX: i64 = 100_000;
pub const TRIES_MAX: i64 = 3;

/// Where a state leads by each outcome.
pub const fn next(state: usize, outcome: usize) -> usize {
    (state * 7 + outcome * 13 + 1) % STATES
}

/// Calls that take turns.
pub const CALLS: usize = 1_000;

/// One step: whose turn it is, and what its request came to.
#[derive(Clone, Copy)]
pub struct Turn {
    pub call: u16,
    pub outcome: u8,
}

/// The same turns for every engine, over and over: calls far from each other in memory, outcomes by the minimal
/// standard generator (Park, Miller 1988). Made before the clock runs.
pub fn turns() -> Vec<Turn> {
    let mut seed = 42u64;
    let turn = |step: usize| {
        seed = seed * 16_807 % 2_147_483_647;
        Turn { call: (step * 617 % CALLS) as u16, outcome: (seed % OUTCOMES) as u8 }
    };
    (0..64_000).map(turn).collect()
}

/// The state that a site's key names.
pub fn state_of(key: &str) -> Option<u64> {
    key.strip_prefix("bench.main.s")?.strip_suffix("/menu#1")?.parse().ok()
}

pub fn graph() -> Verified {
    let mut builder = GraphBuilder::new(ProgramMeta { languages: vec!["en".into()], ..ProgramMeta::default() });
    let flow = builder.flow("bench.main", Vec::new(), None);
    let a = builder.variable(flow, Class::Word, "a");
    let b = builder.variable(flow, Class::Word, "b");
    let tries = builder.variable(flow, Class::Word, "tries");
    let place = builder.fault_place(Place::default());
    let arrive: Vec<SegmentId> = (0..STATES).map(|_| builder.segment(flow)).collect();
    let asks: Vec<SegmentId> = (0..STATES).map(|_| builder.segment(flow)).collect();
    let resumes: Vec<SegmentId> = (0..STATES).map(|_| builder.segment(flow)).collect();
    builder.set_entry(flow, arrive[0]);
    for state in 0..STATES {
        let site = builder.site(builder::Site {
            key: format!("bench.main.s{state}/menu#1"),
            place: Place::default(),
            flow,
            step: format!("s{state}"),
            kind: SiteKind::Request(Request::Menu(Menu {
                prompts: Prompts::default(),
                choices: vec!["1".into(), "2".into(), "3".into()],
                phrases: Vec::new(),
                listen_ms: 5_000,
                between_keys_ms: 3_000,
            })),
            resume: resumes[state],
        });
        builder.go_to(builder.entry(arrive[state]));
        let zero = builder.integer(0);
        builder.store(tries, zero);
        builder.continue_in(asks[state]);
        builder.go_to(builder.entry(asks[state]));
        builder.wait(site, &[]);

        builder.go_to(builder.entry(resumes[state]));
        let outcome = builder.outcome();
        let arms: Vec<_> = (0..OUTCOMES).map(|_| builder.block()).collect();
        builder.switch(outcome, &arms[..4], arms[4]);
        builder.go_to(arms[0]);
        add(&mut builder, a, state as i64 + 1, A_MAX + state as i64, place);
        builder.continue_in(arrive[next(state, 0)]);
        builder.go_to(arms[1]);
        let (left, right) = (builder.load(b), builder.load(a));
        let sum = builder.arithmetic(Arithmetic::Add, left, right, place);
        store_bounded(&mut builder, b, sum, B_MAX);
        builder.continue_in(arrive[next(state, 1)]);
        builder.go_to(arms[2]);
        builder.continue_in(arrive[next(state, 2)]);
        for outcome in [3, 4] {
            builder.go_to(arms[outcome]);
            let (tried, one, most) = (builder.load(tries), builder.integer(1), builder.integer(TRIES_MAX));
            let count = builder.arithmetic(Arithmetic::Add, tried, one, place);
            builder.store(tries, count);
            let more = builder.compare(Condition::Less, count, most);
            let (again, enough) = (builder.block(), builder.block());
            builder.branch(more, again, enough);
            builder.go_to(again);
            builder.continue_in(asks[state]);
            builder.go_to(enough);
            builder.continue_in(arrive[next(state, outcome)]);
        }
    }
    builder.finish().expect("a right graph")
}

fn add(builder: &mut GraphBuilder, to: builder::Variable, amount: i64, bound: i64, place: u32) {
    let (value, amount) = (builder.load(to), builder.integer(amount));
    let sum = builder.arithmetic(Arithmetic::Add, value, amount, place);
    store_bounded(builder, to, sum, bound);
}

/// Zero once the bound is passed.
fn store_bounded(builder: &mut GraphBuilder, to: builder::Variable, sum: lang_flowgraph::graph::Word, bound: i64) {
    let (bound, zero) = (builder.integer(bound), builder.integer(0));
    let over = builder.compare(Condition::Greater, sum, bound);
    let kept = builder.select(over, zero, sum);
    builder.store(to, kept);
}
