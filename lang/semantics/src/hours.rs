//! `hours` to tables: weekly lines, dates of their own, holidays.

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast::{self, ExprKind, HoursLineKind, ItemKind};
use runtime_contract::calendar::{self, Closure, DateRule, HoursTable, WeeklySpan};

use crate::Surroundings;
use crate::problems::Problems;
use crate::project::{Def, Project};

/// Longest range of dates that one line may name.
const DAYS_MAX: i32 = 366;
/// So long before the end of a table's last year it is told that it ends.
const NOTICE_DAYS: i32 = 30;
const MINUTES_A_DAY: u16 = 24 * 60;

/// Fills in the tables that `collect` declared.
pub(crate) fn hours(project: &mut Project<'_>, surroundings: &dyn Surroundings, problems: &mut Problems) {
    let mut tables = Vec::new();
    for module in &project.modules {
        for item in &module.ast.items {
            let ItemKind::Hours(hours) = &item.kind else { continue };
            let id = module.items.get(hours.name.text.as_str()).map(|item| item.def);
            let mut reader =
                Reader { surroundings, problems, table: HoursTable::default(), seen: Vec::new(), years: Vec::new() };
            reader.read(hours);
            let table = HoursTable { name: format!("{}.{}", module.path, hours.name.text), ..reader.table };
            if let Some(Def::Hours(id)) = id {
                tables.push((id, table));
            }
        }
    }
    for (id, table) in tables {
        if let Some(place) = project.hours.get_mut(id as usize) {
            *place = table;
        }
    }
}

struct Reader<'r> {
    surroundings: &'r dyn Surroundings,
    problems: &'r mut Problems,
    table: HoursTable,
    /// Dates of lines of their own, and the place of each.
    seen: Vec<(i32, Span)>,
    /// Tables of holidays by name, with their first and last year, and the place of each.
    years: Vec<(String, i16, i16, Span)>,
}

impl Reader<'_> {
    fn read(&mut self, hours: &ast::Hours) {
        let told = self.problems.list.len();
        match &hours.zone {
            None => self.problems.not_yet(hours.name.span, "hours without `in \"ZONE\"`"),
            Some(zone) => self.zone(zone),
        }
        let mut weekly: Vec<(WeeklySpan, Span)> = Vec::new();
        for line in &hours.lines {
            match &line.kind {
                HoursLineKind::Weekly { days, times } => self.weekly(days, times, &mut weekly),
                HoursLineKind::Open { dates, times, .. } => self.open(dates, times),
                HoursLineKind::Closed { dates, times, .. } => self.closed(dates, times),
                HoursLineKind::ClosedHolidays { table, .. } => self.holidays(table),
            }
        }
        self.table.weekly = weekly.into_iter().map(|(span, _)| span).collect();
        self.table.dates.sort_by_key(|rule| rule.date);
        self.table.holidays.sort_unstable();
        self.table.holidays.dedup();
        self.table.worked.sort_unstable();
        self.table.worked.dedup();
        self.run_out();
        let (mut ever, mut later) = (!self.table.weekly.is_empty(), !self.table.weekly.is_empty());
        for rule in self.table.dates.iter().filter(|rule| rule.span.is_some()) {
            ever = true;
            later |= self.surroundings.today().is_none_or(|today| rule.date >= today);
        }
        if !later {
            let more = if ever { " any more" } else { "" };
            // That its lines are over is said by this.
            let mut at = 0;
            self.problems.list.retain(|problem| {
                at += 1;
                at <= told || problem.code != Code::DatePast
            });
            self.problems.give(
                Diagnostic::new(Code::NeverOpen, hours.name.span, format!("`{}` is never open{more}", hours.name.text))
                    .help("`mon..fri 09:00..18:00`"),
            );
        }
    }

    fn zone(&mut self, zone: &ast::Expr) {
        let name = match &zone.kind {
            ExprKind::Text(string) => string.plain().unwrap_or_default(),
            ExprKind::Missing => return,
            _ => return self.problems.not_yet(zone.span, "a zone that is not written out"),
        };
        check_zone(&name, zone.span, self.problems);
        self.table.zone = name;
    }

    fn weekly(&mut self, days: &ast::Days, times: &[ast::ClockRange], weekly: &mut Vec<(WeeklySpan, Span)>) {
        let bits = days.ranges.iter().fold(0, |bits, range| bits | days_of(range.first, range.last));
        for time in times {
            let new = WeeklySpan { days: bits, span: span_of(time) };
            if let Some((_, other)) = weekly.iter().find(|(other, _)| weekly_overlap(other, &new)) {
                self.problems.give(
                    Diagnostic::new(Code::Overlap, time.span, "this time is already open by another line")
                        .label(*other, "it is open here")
                        .help("keep one of the two"),
                );
                continue;
            }
            weekly.push((new, time.span));
        }
    }

    fn open(&mut self, dates: &ast::DateRange, times: &[ast::ClockRange]) {
        let whole = calendar::Span { from_minute: 0, to_minute: MINUTES_A_DAY };
        let mut spans = self.spans(times, "open");
        if times.is_empty() {
            spans.push(whole);
        }
        for date in self.dates(dates) {
            self.table.dates.extend(spans.iter().map(|span| DateRule { date, span: Some(*span) }));
            for (time, span) in times.iter().zip(&spans) {
                if self.is_skipped(date, *span) {
                    let message = "the clocks skip this time on that day, so this is never open";
                    let later = format!("the hour that the clocks go to, as `{}`", clocks(*span, 60));
                    self.problems.give(Diagnostic::new(Code::NeverOpen, time.span, message).help(later));
                }
            }
        }
    }

    /// The whole span lies where the clocks go forward.
    fn is_skipped(&self, date: i32, span: calendar::Span) -> bool {
        let is_shown = |minute: u16| {
            let ms = i64::from(minute) * 60_000;
            let at = calendar::instant(date, ms, &self.table.zone);
            at.is_none_or(|at| calendar::local_clock(at, &self.table.zone) == Some(ms))
        };
        // A gap is one piece, and none reaches over midnight into the next day's.
        span.from_minute < span.to_minute && !is_shown(span.from_minute) && !is_shown(span.to_minute - 1)
    }

    /// A whole day has a rule of its own; of a part the rest of the day is as it would be.
    fn closed(&mut self, dates: &ast::DateRange, times: &[ast::ClockRange]) {
        let spans = self.spans(times, "closed");
        for date in self.dates(dates) {
            match times.is_empty() {
                true => self.table.dates.push(DateRule { date, span: None }),
                false => self.table.closures.extend(spans.iter().map(|span| Closure { date, span: *span })),
            }
        }
    }

    /// Times of one line, which do not meet.
    fn spans(&mut self, times: &[ast::ClockRange], what: &str) -> Vec<calendar::Span> {
        let mut spans: Vec<calendar::Span> = Vec::new();
        for time in times {
            let new = span_of(time);
            if spans.iter().any(|span| overlap(*span, new)) {
                self.problems.give(
                    Diagnostic::new(Code::Overlap, time.span, format!("this time is already {what} on this line"))
                        .help("keep one of the two"),
                );
                continue;
            }
            spans.push(new);
        }
        spans
    }

    /// The dates of a line, when no other line has them.
    fn dates(&mut self, range: &ast::DateRange) -> Vec<i32> {
        let (Some(first), Some(last)) = (date(&range.first), date(&range.last)) else { return Vec::new() };
        if last < first || last - first > DAYS_MAX {
            let message =
                if last < first { "these dates end before they begin" } else { "more than a year on one line" };
            self.problems.give(Diagnostic::new(Code::BadLiteral, range.span, message).help("`2026-12-24..2026-12-26`"));
            return Vec::new();
        }
        if self.surroundings.today().is_some_and(|today| last < today) {
            self.problems
                .give(Diagnostic::new(Code::DatePast, range.span, "this date is over").help("remove the line"));
        }
        if let Some((_, other)) = self.seen.iter().find(|(date, _)| (first..=last).contains(date)) {
            self.problems.give(
                Diagnostic::new(Code::Overlap, range.span, "another line speaks of this date too")
                    .label(*other, "here")
                    .help("one line for each date, as `09:00..12:00, 13:00..18:00`"),
            );
            return Vec::new();
        }
        self.seen.extend((first..=last).map(|date| (date, range.span)));
        (first..=last).collect()
    }

    fn holidays(&mut self, table: &ast::TextString) {
        let name = table.plain().unwrap_or_default();
        match self.surroundings.holidays(&name) {
            Some(days) => {
                self.table.holidays.extend(days.closed);
                self.table.worked.extend(days.worked);
                self.years.push((name, days.first_year, days.last_year, table.span));
            }
            None => self.problems.give(unknown_holidays(&name, table.span, "closed holidays", self.surroundings)),
        }
    }
}

impl Reader<'_> {
    /// F0806 where a table's last year is over or ends within [`NOTICE_DAYS`], unless a line `closed` speaks of a day of
    /// the first year that is wanted and not there, or of a later one.
    fn run_out(&mut self) {
        let Some(today) = self.surroundings.today() else { return };
        for (name, first, last, span) in std::mem::take(&mut self.years) {
            let Some(over) = run_out(&name, (first, last), span, today) else { continue };
            let begin = calendar::days_since_epoch(over.wanted, 1, 1).unwrap_or(today);
            if self.table.dates.iter().any(|rule| rule.date >= begin && rule.span.is_none()) {
                continue;
            }
            // A line that is over would be told of.
            let day = if begin >= today { "01-01" } else { "12-31" };
            let wanted = over.wanted;
            self.problems.give(
                over.problem
                    .here(format!("behind {last} this closes on no day"))
                    .help(format!("the days of {wanted} as lines of your own, like `closed {wanted}-{day}`"))
                    .note(NEWER_TABLES),
            );
        }
    }
}

pub(crate) const NEWER_TABLES: &str = "a newer strowger has newer tables";

/// A table of holidays ends, or has ended.
pub(crate) struct RunOut {
    /// The first year that is wanted and not there.
    pub wanted: i16,
    pub problem: Diagnostic,
}

/// F0806 where the last year of a table is over, or ends within [`NOTICE_DAYS`].
pub(crate) fn run_out(name: &str, (first, last): (i16, i16), span: Span, today: i32) -> Option<RunOut> {
    let end = calendar::days_since_epoch(last, 12, 31)?;
    if today.saturating_add(NOTICE_DAYS) <= end {
        return None;
    }
    let wanted = calendar::year_of(today).unwrap_or(last).max(last.saturating_add(1));
    let message = match today > end {
        true => format!("the holidays of `{name}` are known from {first} to {last}, and those years are over"),
        false => format!("the holidays of `{name}` are known from {first} to {last}, and {last} is soon over"),
    };
    Some(RunOut { wanted, problem: Diagnostic::new(Code::HolidaysRunOut, span, message) })
}

/// F0804; `clause` stands before the name of the table.
pub(crate) fn unknown_holidays(name: &str, span: Span, clause: &str, surroundings: &dyn Surroundings) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::UnknownHolidays, span, format!("there is no table of holidays `{name}`"));
    let tables = surroundings.holiday_tables();
    let known = tables.iter().map(String::as_str);
    let kingdom = (name.eq_ignore_ascii_case("uk")).then(|| "gb".to_owned());
    match kingdom.or_else(|| crate::problems::nearest(name, known.clone())) {
        Some(meant) => diagnostic.help(format!("`{clause} \"{meant}\"`")).edit(
            format!("write `{meant}`"),
            span,
            format!("\"{meant}\""),
        ),
        None => diagnostic.help(format!("there are tables for {}", known.collect::<Vec<_>>().join(", "))),
    }
}

/// F0803 unless there is a zone of this name.
pub(crate) fn check_zone(name: &str, span: Span, problems: &mut Problems) -> bool {
    let known = calendar::is_zone(name);
    if !known {
        problems.give(
            Diagnostic::new(Code::UnknownZone, span, format!("there is no time zone `{name}`"))
                .here("area and city are wanted")
                .help("`\"Asia/Shanghai\"`"),
        );
    }
    known
}

/// Days since 1970 of a date that is written out.
pub(crate) fn date(expr: &ast::Expr) -> Option<i32> {
    match expr.kind {
        ExprKind::Date { year, month, day } => {
            calendar::days_since_epoch(i16::try_from(year).ok()?, month as i8, day as i8)
        }
        _ => None,
    }
}

/// As a line says it, so many minutes later.
fn clocks(span: calendar::Span, later: u16) -> String {
    let clock = |minute: u16| {
        let minute = (minute + later) % MINUTES_A_DAY;
        format!("{:02}:{:02}", minute / 60, minute % 60)
    };
    format!("{}..{}", clock(span.from_minute), clock(span.to_minute))
}

fn span_of(time: &ast::ClockRange) -> calendar::Span {
    calendar::Span { from_minute: time.from_minutes, to_minute: time.to_minutes }
}

/// Bits of the days from `first` to `last`, over the end of the week where needed.
pub(crate) fn days_of(first: u8, last: u8) -> u8 {
    let length = (last + 7 - first) % 7;
    (0..=length).fold(0, |bits, step| bits | 1 << ((first + step) % 7))
}

/// Parts of a span on its own day, and on the next when it runs over midnight.
fn parts(span: calendar::Span) -> (std::ops::Range<u16>, std::ops::Range<u16>) {
    match span.to_minute <= span.from_minute {
        true => (span.from_minute..MINUTES_A_DAY, 0..span.to_minute),
        false => (span.from_minute..span.to_minute, 0..0),
    }
}

fn meet(a: &std::ops::Range<u16>, b: &std::ops::Range<u16>) -> bool {
    a.start.max(b.start) < a.end.min(b.end)
}

fn overlap(a: calendar::Span, b: calendar::Span) -> bool {
    let ((a, a_next), (b, b_next)) = (parts(a), parts(b));
    meet(&a, &b) || meet(&a_next, &b_next)
}

fn weekly_overlap(a: &WeeklySpan, b: &WeeklySpan) -> bool {
    let next = |days: u8| (days << 1 | days >> 6) & 0x7f;
    let ((a_own, a_next), (b_own, b_next)) = (parts(a.span), parts(b.span));
    (a.days & b.days != 0 && (meet(&a_own, &b_own) || meet(&a_next, &b_next)))
        || (next(a.days) & b.days != 0 && meet(&a_next, &b_own))
        || (a.days & next(b.days) != 0 && meet(&a_own, &b_next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_run_over_the_end_of_the_week() {
        assert_eq!(days_of(0, 4), 0b001_1111);
        assert_eq!(days_of(5, 0), 0b110_0001);
        assert_eq!(days_of(0, 6), 0b111_1111);
    }

    #[test]
    fn spans_over_midnight_meet_the_next_day() {
        let weekly = |days, from: u16, to: u16| WeeklySpan {
            days,
            span: calendar::Span { from_minute: from * 60, to_minute: to * 60 },
        };
        assert!(weekly_overlap(&weekly(1, 22, 2), &weekly(2, 1, 5)));
        assert!(!weekly_overlap(&weekly(1, 22, 2), &weekly(2, 2, 5)));
        assert!(weekly_overlap(&weekly(64, 22, 2), &weekly(1, 0, 1)), "from Sunday into Monday");
        assert!(!weekly_overlap(&weekly(1, 9, 12), &weekly(1, 12, 18)));
    }
}
