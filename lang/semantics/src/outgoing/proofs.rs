//! What is proved of a whole cadence: its window and its attempts keep to every law, and nothing is written that never
//! happens.

use lang_diagnostics::{Code, Diagnostic};
use runtime_contract::cadence::{Again, Cap, Clock, Counted, Law, Pace, Per, Violation, WindowTimes, worst};

use super::Reader;

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/// Instants of a counter-example that are written out.
const INSTANTS_MAX: usize = 8;
const MS_A_DAY: u64 = 86_400_000;
const MS_AN_HOUR: u64 = 3_600_000;
const MS_A_MINUTE: u64 = 60_000;

impl Reader<'_, '_> {
    pub(super) fn prove(&mut self) {
        let mut told = Vec::new();
        self.outside_law(&mut told);
        self.rung_too_short(&mut told);
        self.ahead_of_agents(&mut told);
        self.above_law(&mut told);
        self.retries_never_used(&mut told);
        self.beyond_last(&mut told);
        told.into_iter().for_each(|diagnostic| self.problems.give(diagnostic));
    }

    /// F1002
    fn outside_law(&self, told: &mut Vec<Diagnostic>) {
        for (law, place) in self.table.laws.iter().zip(&self.places.laws) {
            let lines = self.table.window.iter().zip(&self.places.window);
            for (line, span) in lines.filter(|(line, _)| law.outside(std::slice::from_ref(*line)).is_some()) {
                let message =
                    format!("the window is open {}, when `{}` lets nobody be called", outside(line, law), law.name);
                let hours = (line.from_minute.max(law.from_minute), line.until_minute.min(law.until_minute));
                let diagnostic = Diagnostic::new(Code::WindowOutsideLaw, *span, message)
                    .label(*place, format!("from {} to {}", clock(law.from_minute), clock(law.until_minute)));
                told.push(match hours.0 < hours.1 {
                    true => diagnostic.help(format!("`{}..{}`", clock(hours.0), clock(hours.1))),
                    false => diagnostic.help(format!("`{}..{}`", clock(law.from_minute), clock(law.until_minute))),
                });
            }
        }
    }

    fn rung_too_short(&self, told: &mut Vec<Diagnostic>) {
        let (Some(dial), Some(span)) = (&self.table.dial, self.places.ring) else { return };
        for law in &self.table.laws {
            let Some(least) = law.ring_ms_min.filter(|least| dial.ring_ms < u64::from(*least)) else { continue };
            let message = format!("`{}` wants it to ring at least {}", law.name, length(u64::from(least)));
            let diagnostic = Diagnostic::new(Code::BadLiteral, span, message);
            told.push(diagnostic.help(format!("`ring {}`", length(u64::from(least)))));
        }
    }

    fn ahead_of_agents(&self, told: &mut Vec<Diagnostic>) {
        let (Some(Pace::Predictive { .. }), Some(span)) = (self.table.pace, self.places.pace) else { return };
        if let Some(law) = self.table.laws.iter().find(|law| !law.predictive_allowed) {
            let message = format!("`{}` lets nobody call more people than agents are free", law.name);
            told.push(Diagnostic::new(Code::BadLiteral, span, message).help("`pace progressive`"));
        }
    }

    /// F1003, with a schedule that breaks the law.
    fn above_law(&self, told: &mut Vec<Diagnostic>) {
        let Some(span) = self.places.attempts.filter(|_| self.table.attempts_max > 0) else { return };
        let (arms, names): (Vec<Again>, Vec<&str>) = self.said.again.iter().copied().unzip();
        let Some(violation) = worst(&self.table, &arms, &self.clock) else { return };
        let law = self.table.laws.get(violation.law);
        let (Some(law), Some(place)) = (law, self.places.laws.get(violation.law)) else { return };
        let allowed = written(violation.cap);
        let (count, law) = (violation.instants.len(), &law.name);
        let help = format!("`{}`", self.within_law(&arms));
        let (message, label) = match (violation.of, violation.cap.per) {
            (Counted::Quiet, Per::Rolling { ms }) => (
                format!(
                    "a person may be called {} a conversation, and `{law}` allows it {} after",
                    soon(&violation),
                    length(ms)
                ),
                format!("nobody calls for {} after a conversation", length(ms)),
            ),
            (Counted::Calls, _) => {
                (format!("a person may be called {count} times where `{law}` allows {allowed}"), allowed)
            }
            (_, _) => (
                format!("a person may take {count} calls where `{law}` allows {allowed}"),
                format!("{allowed} that the person takes"),
            ),
        };
        let mut diagnostic = Diagnostic::new(Code::AttemptsAboveLaw, span, message).label(*place, label).help(help);
        for note in schedule(&violation, &names) {
            diagnostic = diagnostic.note(note);
        }
        told.push(diagnostic);
    }

    /// The clause with its own limits and those of the laws that it exceeds.
    fn within_law(&self, arms: &[Again]) -> String {
        let mut table = self.table.clone();
        // Each law has caps on calls, caps on conversations, and the quiet after one.
        for _ in 0..self.table.laws.iter().map(|law| law.caps.len() + law.conversation_caps.len() + 1).sum() {
            let Some(violation) = worst(&table, arms, &self.clock) else { break };
            // What the law says beside it already.
            let stretch = |cap: &Cap| match cap.per {
                Per::Day => MS_A_DAY,
                Per::Rolling { ms } => ms,
            };
            // Days of the window are those of the person only where the window says no zone.
            let law = match violation.cap {
                Cap { count, per: Per::Day } if self.clock != Clock::Place => {
                    Cap { count, per: Per::Rolling { ms: MS_A_DAY } }
                }
                cap => cap,
            };
            table.caps.retain(|cap| cap.per != law.per && (cap.count < law.count || stretch(cap) > stretch(&law)));
            table.caps.push(law);
        }
        let caps = table.caps.into_iter().map(|cap| format!(", {}", written(cap)));
        format!("attempts {}{}", table.attempts_max, caps.collect::<String>())
    }

    /// F1005: of `attempts 2` there is one retry, whatever the arms say.
    fn retries_never_used(&self, told: &mut Vec<Diagnostic>) {
        let attempts = self.table.attempts_max;
        if attempts == 0 {
            return;
        }
        for (_, delays) in &self.said.ladders {
            let Some((_, span)) = delays.get(attempts as usize - 1) else { continue };
            let message = match attempts {
                1 => "there is one attempt, so nobody is called again".to_owned(),
                _ => format!("there are {attempts} attempts, so this delay is never reached"),
            };
            let mut diagnostic = Diagnostic::new(Code::RetryNeverUsed, *span, message);
            if let Some(place) = self.places.attempts {
                diagnostic = diagnostic.label(place, "said here");
            }
            let needed = delays.len() + 1;
            told.push(diagnostic.help(format!("`attempts {needed}`, or leave the delay out")));
        }
    }

    /// F1006
    fn beyond_last(&self, told: &mut Vec<Diagnostic>) {
        let attempts = self.table.attempts_max;
        if attempts == 0 {
            return;
        }
        for (number, span) in self.places.after.iter().filter(|(number, _)| *number > attempts) {
            let message = format!("there is no attempt {number}: {attempts} is the last");
            let mut diagnostic = Diagnostic::new(Code::AfterAttemptBeyondLast, *span, message);
            if let Some(place) = self.places.attempts {
                diagnostic = diagnostic.label(place, "said here");
            }
            told.push(diagnostic.help(format!("`after attempt {attempts}`")));
        }
    }
}

fn written(cap: Cap) -> String {
    match cap.per {
        Per::Day => format!("at most {} a day", cap.count),
        Per::Rolling { ms } => format!("at most {} in {}", cap.count, length(ms)),
    }
}

/// The attempts of a schedule, each with what comes of it, and their instants where the person is.
fn schedule(violation: &Violation, names: &[&str]) -> Vec<String> {
    let outcomes = violation.arms.iter().map(|arm| names.get(*arm).copied()).chain(std::iter::once(None));
    let first_week = |day: i64| day.div_euclid(7) * 7;
    let listed = |instants: Vec<String>| {
        let more = if instants.len() > INSTANTS_MAX { " and so on" } else { "" };
        format!("{}{more}", instants.into_iter().take(INSTANTS_MAX).collect::<Vec<_>>().join(", "))
    };
    let own = violation.clocks().zip(outcomes).map(|(((day, minute), _), outcome)| match outcome {
        Some(outcome) => format!("{} (`{outcome}`)", instant(day, minute)),
        None => instant(day, minute),
    });
    let mut notes = vec![format!("attempts may fall on {}", listed(own.collect()))];
    if violation.ahead != 0 {
        let week = violation.clocks().next().map_or(0, |(_, (day, _))| first_week(day));
        let theirs = violation.clocks().map(|(_, (day, minute))| instant(day - week, minute)).collect();
        let side = if violation.ahead > 0 { "ahead of" } else { "behind" };
        let (hours, minutes) = (violation.ahead.unsigned_abs() / 60, violation.ahead.unsigned_abs() % 60);
        let by = if minutes == 0 { format!("{hours}h") } else { format!("{hours}h {minutes}m") };
        notes.push(format!("where the person's clock is {by} {side} the window's, that is {}", listed(theirs)));
    }
    notes
}

/// How long after a conversation the next call is.
fn soon(violation: &Violation) -> String {
    let gap =
        violation.instants.last().zip(violation.instants.first()).map_or(0, |(last, first)| last.abs_diff(*first));
    if gap == 0 { "at once after".to_owned() } else { format!("{} after", length(gap)) }
}

/// The part of a line of the window that a law leaves out.
fn outside(line: &WindowTimes, law: &Law) -> String {
    let before =
        (line.from_minute < law.from_minute).then(|| (line.from_minute, line.until_minute.min(law.from_minute)));
    let behind =
        (line.until_minute > law.until_minute).then(|| (line.from_minute.max(law.until_minute), line.until_minute));
    let parts =
        before.into_iter().chain(behind).map(|(from, until)| format!("from {} to {}", clock(from), clock(until)));
    parts.collect::<Vec<_>>().join(" and ")
}

fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// `Mon 09:00`; in later weeks `Mon 09:00 a week later`.
fn instant(day: i64, minute: i64) -> String {
    let name = usize::try_from(day.rem_euclid(7)).ok().and_then(|day| DAYS.get(day)).copied().unwrap_or("");
    let clock = format!("{name} {:02}:{:02}", minute / 60, minute % 60);
    match day.div_euclid(7) {
        0 => clock,
        1 => format!("{clock} a week later"),
        weeks => format!("{clock} {weeks} weeks later"),
    }
}

fn length(ms: u64) -> String {
    let units = [(MS_A_DAY, "d"), (MS_AN_HOUR, "h"), (MS_A_MINUTE, "m"), (1_000, "s")];
    let unit = units.into_iter().find(|(unit, _)| ms.is_multiple_of(*unit));
    unit.map_or_else(|| format!("{ms}ms"), |(unit, name)| format!("{}{name}", ms / unit))
}
