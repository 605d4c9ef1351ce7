//! A list, its checker, and a clock that goes where it is told.

use runtime_contract::Time;
use runtime_contract::cadence::{AfterAttempt, AttemptEnd, Cadence, Cap, Law, Per, Permission, WindowTimes};
use runtime_contract::calendar::{days_since_epoch, instant, local_text};
use runtime_contract::program::Place;
use runtime_contract::value::Phone;

use crate::checker::Checker;
use crate::{Facts, Input, ItemId, Limits, Outbound, Outcome, Output, Start, Stop};

pub const YORK: &str = "America/New_York";
/// When the runs by hand begin.
pub const MONDAY: (i16, i8, i8) = (2026, 3, 2);
pub const HOUR: u64 = 3_600_000;

pub struct Bench {
    pub outbound: Outbound,
    checker: Checker,
    pub now: Time,
}

impl Bench {
    pub fn new(now: Time, limits: Limits, cadences: Vec<Cadence>) -> Bench {
        let mut bench = Bench { outbound: Outbound::new(limits), checker: Checker::default(), now };
        assert_eq!(bench.give(Input::Cadences(cadences)), []);
        bench
    }

    pub fn give(&mut self, input: Input) -> Vec<Output> {
        self.checker.input(self.now, &input);
        self.outbound.handle(self.now, input);
        let outputs: Vec<_> = std::iter::from_fn(|| self.outbound.poll()).collect();
        for output in &outputs {
            let verdict = self.checker.output(self.now, output);
            assert_eq!(verdict, Ok(()), "{output:?} at {}", local_text(self.now, YORK));
        }
        assert!(self.outbound.timers() <= self.outbound.len());
        outputs
    }

    pub fn start(&mut self, item: u64, cadence: &str, facts: Facts) -> Vec<Output> {
        let start = Start { item: ItemId(item), cadence: cadence.into(), record: vec![], facts };
        self.give(Input::Start(Box::new(start)))
    }

    /// Goes to the next deadline.
    pub fn wait(&mut self) -> Vec<Output> {
        self.now = self.now.max(self.outbound.next_deadline().expect("something is due"));
        self.give(Input::Tick)
    }

    pub fn ends(&mut self, item: u64, outcome: Outcome, end: AttemptEnd) -> Vec<Output> {
        self.now = Time(self.now.0 + 30_000);
        self.give(Input::Attempted { item: ItemId(item), outcome, end: Some(end) })
    }

    /// When the item is planned for, as clocks in New York show it.
    pub fn planned(&self, item: u64) -> String {
        match self.outbound.item(ItemId(item)).expect("it waits").state {
            crate::State::Waiting { next_at } => local_text(next_at, YORK),
            other => format!("{other:?}"),
        }
    }
}

pub fn at(zone: &str, date: (i16, i8, i8), hour: i64, minute: i64) -> Time {
    instant(days_since_epoch(date.0, date.1, date.2).unwrap(), (hour * 60 + minute) * 60_000, zone).unwrap()
}

pub fn number(text: &str) -> Phone {
    Phone::parse(text, true).unwrap()
}

pub fn facts(phone: &str, zone: Option<&str>) -> Facts {
    let permission =
        Permission { purpose: "sales".into(), number: None, from: Time(0), until: None, evidence: "form 7".into() };
    Facts { number: number(phone), permission, zone: zone.map(str::to_owned), begin: Some(at(YORK, MONDAY, 10, 0)) }
}

pub fn law(hours: (u16, u16), caps: Vec<Cap>) -> Law {
    Law {
        name: "test".into(),
        source: "none".into(),
        as_of: 0,
        from_minute: hours.0 * 60,
        until_minute: hours.1 * 60,
        ring_ms_min: None,
        caps,
        conversation_caps: vec![],
        quiet_after_conversation_ms: None,
        predictive_allowed: true,
        join_ms_max: None,
        abandoned_max: None,
        abandoned_over_ms: None,
        refusal_is_final: false,
        revocation_days_max: None,
        records_ms_min: 0,
    }
}

pub fn rolling(count: u32, hours: u64) -> Cap {
    Cap { count, per: Per::Rolling { ms: hours * HOUR } }
}

/// The contract's own: Monday to Saturday, two a day, `busy` again in 15 minutes, `unanswered` in 4 hours, 1 and 3 days.
pub fn follow_up() -> Cadence {
    let days = [true, true, true, true, true, true, false];
    let names = ["won", "lost", "declined", "bad_number", "opted_out"];
    Cadence {
        name: "outbound.follow_up".into(),
        parameters: vec![],
        purpose: "sales".into(),
        permission: 0,
        number: Some(1),
        laws: vec![law((8, 21), vec![])],
        window: vec![WindowTimes { days, from_minute: 9 * 60, until_minute: 20 * 60 }],
        zone: Some(2),
        except: vec![days_since_epoch(2026, 7, 3).unwrap(), days_since_epoch(2026, 7, 4).unwrap()],
        begin: None,
        attempts_max: 8,
        caps: vec![Cap { count: 2, per: Per::Day }],
        pace: None,
        dial: None,
        message: None,
        retries: vec![vec![HOUR / 4], vec![4 * HOUR, 24 * HOUR, 72 * HOUR]],
        dispositions: names.map(str::to_owned).to_vec(),
        after: vec![AfterAttempt { attempt: 3, flow: 9 }],
        exhausted: None,
        place: Place::default(),
    }
}

pub const BUSY: AttemptEnd = AttemptEnd::Retry { ladder: 0 };
pub const UNANSWERED: AttemptEnd = AttemptEnd::Retry { ladder: 1 };

pub fn stop(disposition: u32) -> AttemptEnd {
    AttemptEnd::Stop { disposition }
}

pub fn stops(outputs: &[Output]) -> Vec<(u64, Stop)> {
    let stopped = outputs.iter().filter_map(|output| match output {
        Output::Stopped { item, stop, .. } => Some((item.0, *stop)),
        _ => None,
    });
    stopped.collect()
}
