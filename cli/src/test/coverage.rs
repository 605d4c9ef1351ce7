//! How much of a project its tests reach: sums for each flow, and the list of what no test reaches, line by line.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use lang_compiler::{Compiled, Heard, Reached, ReachedKind};
use runtime_contract::program::Report;
use serde_json::{Value, json};

use super::play::PlayedTest;

/// What the interpreter counted, and where.
pub struct Coverage {
    pub reached: Vec<Reached>,
    /// `hotline.flow:12` and the line, trimmed; by place of `reached`.
    places: Vec<(String, String)>,
    /// Tests that were played.
    pub tests: usize,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Share {
    pub reached: usize,
    pub all: usize,
}

impl Share {
    fn add(&mut self, is_reached: bool) {
        self.all += 1;
        self.reached += usize::from(is_reached);
    }

    /// Nothing to reach is all reached.
    pub fn percent(self) -> f64 {
        if self.all == 0 { 100.0 } else { 100.0 * self.reached as f64 / self.all as f64 }
    }

    /// Never rounded up: 100 % is all.
    pub fn percent_text(self) -> String {
        format!("{:.0} %", self.percent().floor())
    }
}

/// Sums of one flow.
#[derive(Default)]
pub struct Sums([Share; 3]);

impl Sums {
    fn add(&mut self, reached: &Reached) {
        let [steps, arms, prompts] = &mut self.0;
        match reached.kind {
            ReachedKind::Part => steps.add(reached.count > 0),
            ReachedKind::Arm => arms.add(reached.count > 0),
            ReachedKind::Prompt => prompts.add(reached.count > 0),
        }
    }

    /// Steps, arms, prompts.
    pub fn shares(&self) -> [Share; 3] {
        self.0
    }
}

/// Prompts that tests heard.
pub fn heard(tests: &[PlayedTest<'_>]) -> Heard {
    let mut heard = Heard::new();
    for (prompt, count) in tests.iter().flat_map(|test| &test.result.prompts) {
        *heard.entry(*prompt).or_default() += count;
    }
    heard
}

impl Coverage {
    pub fn new(compiled: &Compiled, reached: Vec<Reached>, tests: usize) -> Coverage {
        let sources = &compiled.analysis.sources;
        let place = |reached: &Reached| {
            let line = sources.get(reached.span.file).and_then(|source| source.line(reached.place.line));
            (
                format!("{}:{}", sources.path(reached.span.file), reached.place.line),
                line.unwrap_or("").trim().to_owned(),
            )
        };
        Coverage { places: reached.iter().map(place).collect(), reached, tests }
    }

    pub fn total(&self) -> Share {
        self.sums().shares().into_iter().fold(Share::default(), |total, share| Share {
            reached: total.reached + share.reached,
            all: total.all + share.all,
        })
    }

    /// Each place once.
    pub fn sums(&self) -> Sums {
        let mut sums = Sums::default();
        self.reached.iter().for_each(|reached| sums.add(reached));
        sums
    }

    /// By flow; a prompt that several flows play counts in each.
    pub fn flows(&self) -> BTreeMap<&str, Sums> {
        let mut flows: BTreeMap<&str, Sums> = BTreeMap::new();
        for reached in &self.reached {
            for flow in &reached.flows {
                flows.entry(flow).or_default().add(reached);
            }
        }
        flows
    }

    pub fn report(&self) -> Report {
        let mut text = self.table();
        for (title, kinds) in [
            ("No test reaches", &[ReachedKind::Part, ReachedKind::Arm][..]),
            ("No test hears", &[ReachedKind::Prompt][..]),
        ] {
            text.push_str(&self.missing(title, kinds, |_| None));
        }
        if self.missed().next().is_none() {
            text.push_str("\nthe tests reach every step and arm and hear every prompt\n");
        }
        text.push_str("\ncounted by the interpreter on the graph that serves; native code went the same ways\n");
        Report { text, json: format!("{}\n", self.to_json()) }
    }

    fn table(&self) -> String {
        let flows = self.flows();
        let title = format!("coverage of {} test{}", self.tests, if self.tests == 1 { "" } else { "s" });
        let width = flows.keys().map(|flow| flow.chars().count()).chain([title.chars().count()]).max().unwrap_or(0);
        let mut text = format!("{title:width$}  {:>16}  {:>16}  {:>16}\n", "steps", "arms", "prompts");
        let (flows, all) = (flows.iter().map(|(flow, sums)| (*flow, sums)), self.sums());
        for (name, sums) in flows.chain([("all", &all)]) {
            let shares = sums.shares().map(|share| match share.all {
                0 => "–".to_owned(),
                _ => format!("{}/{} {:>6}", share.reached, share.all, share.percent_text()),
            });
            let [steps, arms, prompts] = shares;
            let _ = writeln!(text, "{name:width$}  {steps:>16}  {arms:>16}  {prompts:>16}");
        }
        text
    }

    fn missed(&self) -> impl Iterator<Item = (&Reached, &(String, String))> {
        self.reached.iter().zip(&self.places).filter(|(reached, _)| reached.count == 0)
    }

    /// `why`: what is known of the reason, by the place and what stands there.
    pub fn missing(&self, title: &str, kinds: &[ReachedKind], why: impl Fn(&Reached) -> Option<&str>) -> String {
        let missed: Vec<_> = self.missed().filter(|(reached, _)| kinds.contains(&reached.kind)).collect();
        if missed.is_empty() {
            return String::new();
        }
        let width = missed.iter().map(|(_, (place, _))| place.chars().count()).max().unwrap_or(0);
        let mut text = format!("\n{title}\n");
        let mut shown = BTreeSet::new();
        for (reached, (place, line)) in missed {
            let why = why(reached).map_or_else(String::new, |why| format!("  – {why}"));
            let label = format!("{}{why}", label(reached, line));
            // One line of the file may hold two arms that look alike.
            if shown.insert((place, label.clone())) {
                let _ = writeln!(text, "  {place:width$}  {line}{label}");
            }
        }
        text
    }

    /// All that is not reached.
    pub fn missed_to_json(&self, why: impl Fn(&Reached) -> Option<&str>) -> Vec<Value> {
        let told = |(reached, place)| {
            let mut told = place_to_json((reached, place));
            if let Some(told) = told.as_object_mut() {
                told.insert("why".to_owned(), why(reached).into());
            }
            told
        };
        self.missed().map(told).collect()
    }

    fn to_json(&self) -> Value {
        let share = |share: Share| json!({ "reached": share.reached, "all": share.all });
        let sums = |sums: &Sums| {
            let [steps, arms, prompts] = sums.shares().map(share);
            json!({ "steps": steps, "arms": arms, "prompts": prompts })
        };
        let places: Vec<Value> = self.reached.iter().zip(&self.places).map(place_to_json).collect();
        let flows: BTreeMap<&str, Value> = self.flows().iter().map(|(flow, s)| (*flow, sums(s))).collect();
        json!({
            "coverage": {
                "percent": self.total().percent(),
                "all": sums(&self.sums()),
                "flows": flows,
                "places": places,
                "counted_by": "interpreter",
            }
        })
    }
}

fn place_to_json((reached, (place, line)): (&Reached, &(String, String))) -> Value {
    json!({
        "kind": kind(reached.kind),
        "place": place,
        "column": reached.place.column,
        "flows": reached.flows,
        "step": reached.part,
        "label": reached.label,
        "line": line,
        "count": reached.count,
    })
}

/// `  (otherwise)`, where the line does not begin with what leads there.
fn label(reached: &Reached, line: &str) -> String {
    match reached.label.as_str() {
        label if line.starts_with(label) => String::new(),
        label => format!("  ({label})"),
    }
}

fn kind(kind: ReachedKind) -> &'static str {
    match kind {
        ReachedKind::Part => "step",
        ReachedKind::Arm => "arm",
        ReachedKind::Prompt => "prompt",
    }
}
