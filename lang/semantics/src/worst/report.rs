//! How it is said that a flow passes a limit: at the number that makes it do so, else at the statement that does.

use lang_diagnostics::{Code, Diagnostic, Severity, Span};

use super::certain::{Certain, passing};
use super::cost::Measure;
use super::walk::Way;
use super::{Program, Run, limit};
use crate::check::CheckedFlow;

/// A number in the text that says how often something is done.
struct Times {
    span: Span,
    times: u32,
    /// Of the measure in question, each time.
    each: i64,
    /// What to write, with `{}` for a number.
    form: String,
}

impl Times {
    fn all(&self) -> i64 {
        self.each.saturating_mul(self.times.into())
    }

    /// The largest number that fits the limit, when `beside` is used on the way to it and from it.
    fn fitting(&self, beside: i64, limit: i64) -> i64 {
        let fitting = limit.saturating_sub(beside) / self.each.max(1);
        fitting.clamp(1, i64::from(self.times).max(1))
    }
}

/// A flow that passes these limits on a way that is there. Of the numbers that do it alone the one is told that must
/// become smallest, so that what is offered fits all limits.
pub(super) fn passed(
    flow: &CheckedFlow,
    program: &Program<'_>,
    runs: &dyn Fn(u32) -> Option<Run>,
    found: &Certain,
    measures: &[Measure],
) -> Option<Diagnostic> {
    let alone = measures.iter().flat_map(|measure| {
        let (beside, limit) = (found.run.straight.most.get(*measure), limit(*measure));
        let numbers = numbers(flow, found, *measure).into_iter();
        let alone = numbers.filter(move |number| number.times > 1 && beside.saturating_add(number.all()) > limit);
        alone.map(move |number| (number.fitting(beside, limit), *measure, number))
    });
    if let Some((fitting, measure, number)) = alone.min_by_key(|(fitting, _, number)| (*fitting, -number.all())) {
        let most = found.run.straight.most.get(measure).saturating_add(number.all());
        let diagnostic = Diagnostic::new(Code::WorstCaseTooLong, number.span, message(measure, most))
            .here("so often")
            .help(number.form.replace("{}", &fitting.to_string()))
            .edit(format!("write `{fitting}`"), number.span, fitting.to_string());
        return Some(diagnostic);
    }
    let straight = measures.iter().find(|measure| found.run.straight.most.get(**measure) > limit(**measure));
    match (straight.or(measures.first())?, straight) {
        (measure @ (Measure::Moves | Measure::FinallyMs), None) => {
            Some(together(flow, program, runs, found, *measure).severity(Severity::Error))
        }
        (measure, None) => {
            let note = "a call that comes so far is ended by a fault that names the limit";
            Some(together(flow, program, runs, found, *measure).severity(Severity::Warning).note(note))
        }
        (measure, Some(_)) => Some(straight_way(flow, program, runs, found, *measure)),
    }
}

/// Rounds and tries pass a limit together: told at the number that makes most of it, or at the loop.
fn together(
    flow: &CheckedFlow,
    program: &Program<'_>,
    runs: &dyn Fn(u32) -> Option<Run>,
    found: &Certain,
    measure: Measure,
) -> Diagnostic {
    let numbers = numbers(flow, found, measure).into_iter().filter(|number| number.times > 1 && number.each > 0);
    let message = message(measure, found.run.amount(measure));
    match numbers.max_by_key(Times::all) {
        Some(number) => {
            let half = (number.times / 2).max(1).to_string();
            let diagnostic = Diagnostic::new(Code::WorstCaseTooLong, number.span, message);
            diagnostic.here("with others like this").help(number.form.replace("{}", &half))
        }
        None => {
            let passing = passing(flow, program, runs, Way::Whole, (measure, limit(measure)));
            let span = passing.map_or(flow.hir.span, |passing| passing.span);
            Diagnostic::new(Code::WorstCaseTooLong, span, message).help(less(measure))
        }
    }
}

fn less(measure: Measure) -> &'static str {
    match measure {
        Measure::Messages => "one message that says all",
        Measure::WaitedMs => "fewer rounds, or shorter waits",
        _ => "flows that do less in one call",
    }
}

/// The straight way alone passes a limit.
fn straight_way(
    flow: &CheckedFlow,
    program: &Program<'_>,
    runs: &dyn Fn(u32) -> Option<Run>,
    found: &Certain,
    measure: Measure,
) -> Diagnostic {
    let limit = limit(measure);
    let passing = passing(flow, program, runs, Way::Straight, (measure, limit));
    let span = passing.map_or(flow.hir.span, |passing| passing.span);
    let diagnostic =
        Diagnostic::new(Code::WorstCaseTooLong, span, message(measure, found.run.straight.most.get(measure)));
    let help = match (measure, passing) {
        (Measure::PrivateValues, _) => {
            "ask once, and hand the value to a step that takes a `private Digits`".to_owned()
        }
        (Measure::FinallyMs, Some(passing)) => match limit - passing.before {
            left if left >= 1_000 && !passing.time_word.is_empty() => {
                format!("`{} {}`", passing.time_word, duration_text(left))
            }
            _ => "leave it out".to_owned(),
        },
        _ => less(measure).to_owned(),
    };
    diagnostic.here("here the limit is passed").help(help)
}

/// A flow of which it is not known whether it can pass a limit, but neither that it cannot.
pub(super) fn unsure(flow: &CheckedFlow, measure: Measure, most: i64) -> Diagnostic {
    Diagnostic::new(Code::WorstCaseTooLong, flow.hir.span, format!("{}, counted generously", message(measure, most)))
        .severity(Severity::Advice)
        .help("smaller numbers behind `up to`, `after` and `repeat`")
        .note("a call that comes to the limit is ended by a fault that names it")
}

fn numbers(flow: &CheckedFlow, found: &Certain, measure: Measure) -> Vec<Times> {
    let rounds = found.rounds.iter().map(|round| {
        let name = flow.hir.steps.get(round.to as usize).map_or("", |step| step.name.as_str());
        Times {
            span: round.bound.span,
            times: round.bound.times,
            each: round.cost.get(measure),
            form: format!("`go {name} up to {{}} times else hang up`"),
        }
    });
    let laps = found.laps.iter().filter_map(|lap| {
        let each = lap.cost?.get(measure);
        Some(Times { span: lap.span, times: lap.tries, each, form: "`after {} tries => hang up`".to_owned() })
    });
    rounds.chain(laps).collect()
}

fn message(measure: Measure, most: i64) -> String {
    let max = limit(measure);
    match measure {
        Measure::Requests => format!("a call could make {most} requests here, and {max} is the most"),
        Measure::JournalBytes => {
            format!(
                "the journal of a call could grow to {} KiB here, and {} KiB is the most",
                most / 1024,
                max / 1024 + 1
            )
        }
        Measure::PrivateValues => format!("a call could take {most} private values here, and {max} is the most"),
        Measure::Messages => {
            format!("a call could hand over {most} messages and cases here, and {max} is the most")
        }
        Measure::Moves => format!("a call could move on {most} times here without a wait, and {max} is the most"),
        Measure::WaitedMs => {
            format!("a call could last {} here, and {} is the most", duration_text(most), duration_text(max))
        }
        Measure::FinallyMs => format!(
            "`finally` could take {} here, and all of a call have {} together",
            duration_text(most),
            duration_text(max)
        ),
    }
}

/// As it is written in a flow: `9m29s`.
pub(crate) fn duration_text(ms: i64) -> String {
    let parts = [(ms / 3_600_000, "h"), (ms / 60_000 % 60, "m"), (ms / 1_000 % 60, "s"), (ms % 1_000, "ms")];
    let text: String = parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_they_are_written() {
        for (ms, text) in [(0, "0s"), (569_000, "9m29s"), (30_000, "30s"), (3_600_500, "1h500ms")] {
            assert_eq!(duration_text(ms), text);
        }
    }

    #[test]
    fn the_number_offered_is_the_largest_that_fits() {
        let number = |times, each| Times { span: Span::default(), times, each, form: String::new() };
        assert_eq!(number(40, 1).fitting(1, 16), 15);
        assert_eq!(number(4_000_000_000, 3).fitting(5, 10_000), 3_331);
        assert_eq!(number(100, i64::MAX).fitting(i64::MAX, 16), 1);
    }
}
