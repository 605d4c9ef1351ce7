//! Figures: numbers, money, shares, durations, clocks, dates.

use lang_diagnostics::{Code, Diagnostic, Span};

use super::AstBuilder;
use crate::ast::{Expr, ExprKind};
use crate::grammar::Rule;
use crate::node::Node;

const MINUTES_OF_DAY: u16 = 24 * 60;

impl<'t> AstBuilder<'t, '_> {
    pub(super) fn literal(&mut self, node: &Node<'t, '_>) -> Expr {
        let span = node.span();
        let Some(inner) = node.first() else { return Expr { kind: ExprKind::Missing, span } };
        let kind = match inner.rule() {
            Rule::string => ExprKind::Text(self.string(&inner)),
            Rule::date => self.date(&inner),
            Rule::clock => self.clock_value(&inner),
            Rule::percent => {
                self.micros(inner.text().trim_end_matches('%'), span, |micros| ExprKind::Percent { micros })
            }
            Rule::duration => self.duration(inner.text(), span),
            Rule::money => self.money(&inner),
            Rule::decimal => self.micros(inner.text(), span, |micros| ExprKind::Decimal { micros }),
            Rule::int => self.int(inner.text(), span),
            Rule::kw_true => ExprKind::Bool(true),
            Rule::kw_false => ExprKind::Bool(false),
            _ => ExprKind::Missing,
        };
        Expr { kind, span }
    }

    pub(super) fn int(&mut self, text: &str, span: Span) -> ExprKind {
        match text.replace('_', "").parse() {
            Ok(value) => ExprKind::Int(value),
            Err(_) => self.too_big(span),
        }
    }

    fn too_big(&mut self, span: Span) -> ExprKind {
        let problem = Diagnostic::new(Code::BadLiteral, span, "this figure is too large");
        self.report(problem.help(format!("the largest whole number is {}", i64::MAX)));
        ExprKind::Missing
    }

    /// A number with at most six places, in millionths.
    fn micros(&mut self, text: &str, span: Span, kind: impl Fn(i64) -> ExprKind) -> ExprKind {
        let text = text.replace('_', "");
        let (whole, places) = text.split_once('.').unwrap_or((&text, ""));
        if places.len() > 6 {
            let short = places.get(..6).unwrap_or(places);
            let problem = Diagnostic::new(Code::BadLiteral, span, "this figure has more than six places");
            self.report(problem.help(format!("`{whole}.{short}`")));
            return ExprKind::Missing;
        }
        let whole: Option<i64> = whole.parse().ok();
        let places: Option<i64> = format!("{places:0<6}").parse().ok();
        let micros = whole.zip(places).and_then(|(whole, places)| whole.checked_mul(1_000_000)?.checked_add(places));
        match micros {
            Some(micros) => kind(micros),
            None => self.too_big(span),
        }
    }

    fn money(&mut self, node: &Node<'t, '_>) -> ExprKind {
        let currency = node.child(Rule::currency).map(|currency| self.name(&currency));
        let amount = node.first().map_or("", |amount| amount.text());
        let Some(currency) = currency else { return ExprKind::Missing };
        self.micros(amount, node.span(), |micros| ExprKind::Money { micros, currency: currency.clone() })
    }

    /// `1h30m`: units from large to small, each once.
    fn duration(&mut self, text: &str, span: Span) -> ExprKind {
        let mut total: Option<i64> = Some(0);
        let mut rest = text;
        let mut last_ms = i64::MAX;
        while !rest.is_empty() {
            let figures = rest.find(|sign: char| sign.is_ascii_alphabetic()).unwrap_or(rest.len());
            let (figure, behind) = rest.split_at_checked(figures).unwrap_or((rest, ""));
            let letters = behind.find(|sign: char| sign.is_ascii_digit()).unwrap_or(behind.len());
            let (unit, next) = behind.split_at_checked(letters).unwrap_or((behind, ""));
            let unit_ms = match unit {
                "ms" => 1,
                "s" => 1000,
                "m" => 60_000,
                "h" => 3_600_000,
                _ => 86_400_000,
            };
            if unit_ms >= last_ms {
                let problem = Diagnostic::new(Code::BadUnit, span, "units go from large to small, each once");
                self.report(problem.help("`1d2h30m15s`"));
                return ExprKind::Missing;
            }
            last_ms = unit_ms;
            let figure: Option<i64> = figure.replace('_', "").parse().ok();
            total = figure.and_then(|figure| figure.checked_mul(unit_ms)).and_then(|ms| total?.checked_add(ms));
            rest = next;
        }
        match total {
            Some(ms) => ExprKind::Duration { ms },
            None => self.too_big(span),
        }
    }

    pub(super) fn clock_value(&mut self, node: &Node<'t, '_>) -> ExprKind {
        self.clock(node).map_or(ExprKind::Missing, |minutes| ExprKind::Clock { minutes })
    }

    /// Minutes from midnight; 24:00 is the end of a day.
    pub(super) fn clock(&mut self, node: &Node<'t, '_>) -> Option<u16> {
        let (hours, minutes) = node.text().split_once(':').unwrap_or(("", ""));
        let (hours, minutes) = (hours.parse::<u16>().unwrap_or(99), minutes.parse::<u16>().unwrap_or(99));
        let total = hours * 60 + minutes;
        if minutes > 59 || total > MINUTES_OF_DAY {
            let problem = Diagnostic::new(Code::BadLiteral, node.span(), format!("no clock shows `{}`", node.text()));
            self.report(problem.help("`09:30`"));
            return None;
        }
        Some(total)
    }

    pub(super) fn date(&mut self, node: &Node<'t, '_>) -> ExprKind {
        let mut figures = node.text().split('-').map(|figure| figure.parse::<u16>().unwrap_or(0));
        let (year, month, day) =
            (figures.next().unwrap_or(0), figures.next().unwrap_or(0), figures.next().unwrap_or(0));
        if year == 0 || day == 0 || day > days_of_month(year, month) {
            let problem =
                Diagnostic::new(Code::BadLiteral, node.span(), format!("no calendar has the day `{}`", node.text()));
            self.report(problem.help("`2026-03-02`"));
            return ExprKind::Missing;
        }
        ExprKind::Date { year, month: month as u8, day: day as u8 }
    }
}

fn days_of_month(year: u16, month: u16) -> u16 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    }
}
