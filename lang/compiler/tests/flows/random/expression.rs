//! Random expressions of a type, in brackets where it could matter; some overflow, divide by zero or mix currencies.

use super::source::Writer;

/// Types of names; what an expression can be made of.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Kind {
    Int,
    Bool,
    Decimal,
    Money,
    Text,
    Tier,
    Percent,
    Duration,
    Time,
    Date,
    Clock,
    Phone,
    Language,
    MaybeInt,
    MaybeCustomer,
    Pitch,
    Ints,
    Texts,
    People,
    Digits,
    Card,
    Recording,
}

/// Kinds that have `.text`.
pub const FIGURES: &[Kind] = &[
    Kind::Int,
    Kind::Decimal,
    Kind::Money,
    Kind::Percent,
    Kind::Duration,
    Kind::Time,
    Kind::Date,
    Kind::Clock,
    Kind::Phone,
    Kind::Language,
    Kind::Tier,
    Kind::Pitch,
];

impl Writer {
    pub fn expr(&mut self, kind: Kind, depth: u32) -> String {
        if (depth == 0 || self.chance.one_in(3))
            && let Some(name) = self.known(kind)
        {
            return name;
        }
        if depth == 0 || self.chance.one_in(4) {
            return self.of_the_call(kind);
        }
        let depth = depth - 1;
        let choice = self.chance.below(7);
        match kind {
            Kind::Int => match choice {
                0 => format!("({}).length", self.expr(Kind::Text, depth)),
                1 if self.known(Kind::MaybeInt).is_some() => {
                    format!("({} else {})", self.known(Kind::MaybeInt).unwrap(), self.expr(Kind::Int, depth))
                }
                2 => format!("({} - {})", self.expr(kind, depth), self.expr(kind, depth)),
                4 => match self.chance.below(2) {
                    0 => format!("({}).length", self.expr(Kind::Ints, depth)),
                    // A sum, since a figure below 1 would be refused.
                    _ => format!("({})[{} + 1]", self.expr(Kind::Ints, depth), self.expr(kind, depth)),
                },
                5 => format!("at_most({}, {})", self.expr(kind, depth), self.expr(kind, depth)),
                6 => format!("either({}, {})", self.expr(Kind::MaybeInt, depth), self.expr(kind, depth)),
                3 => format!("({} * {})", self.expr(kind, depth), self.expr(kind, depth)),
                _ => format!("({} + {})", self.expr(kind, depth), self.expr(kind, depth)),
            },
            Kind::Bool => self.truth(choice, depth),
            Kind::Decimal => match choice {
                0 => format!("({} / {})", self.expr(Kind::Int, depth), self.expr(Kind::Int, depth)),
                1 => format!("({} * {})", self.expr(kind, depth), self.expr(kind, depth)),
                2 => format!("({} / {})", self.expr(kind, depth), self.expr(kind, depth)),
                3 => format!("Decimal({})", self.expr(Kind::Int, depth)),
                4 => format!("share({})", self.expr(Kind::Tier, depth)),
                _ => format!("({} + {})", self.expr(kind, depth), self.expr(kind, depth)),
            },
            Kind::Money => match choice {
                0 => format!("({} - {})", self.expr(kind, depth), self.expr(kind, depth)),
                3 => format!("price({}, {})", self.expr(Kind::Tier, depth), self.expr(Kind::Int, depth)),
                1 => format!("({} * {})", self.expr(kind, depth), self.expr(Kind::Int, depth)),
                2 => format!("({} * {})", self.expr(kind, depth), self.expr(Kind::Decimal, depth)),
                _ => format!("({} + {})", self.expr(kind, depth), self.expr(kind, depth)),
            },
            Kind::Percent => match choice {
                0..3 => format!("percent({}, {})", self.expr(Kind::Int, depth), self.expr(Kind::Int, depth)),
                _ => self.literal(kind).to_owned(),
            },
            Kind::Duration => match choice {
                0 => format!("({} - {})", self.expr(Kind::Time, depth), self.expr(Kind::Time, depth)),
                1 => format!("({} * {})", self.expr(kind, depth), self.expr(Kind::Int, depth)),
                _ => format!("({} + {})", self.expr(kind, depth), self.expr(kind, depth)),
            },
            Kind::Time => match choice {
                0 => format!("({} + {})", self.expr(kind, depth), self.expr(Kind::Duration, depth)),
                _ => {
                    let (date, clock) = (self.expr(Kind::Date, depth), self.expr(Kind::Clock, depth));
                    format!("({date}).at({clock}, {})", self.zone())
                }
            },
            Kind::Date => format!("({}).date({})", self.expr(Kind::Time, depth), self.zone()),
            Kind::Clock => format!("({}).clock({})", self.expr(Kind::Time, depth), self.zone()),
            Kind::Text => match choice {
                0 => {
                    let kind = *self.chance.of(FIGURES);
                    format!("({}).text", self.expr(kind, depth))
                }
                2 => {
                    let of = *self.chance.of(&[kind, Kind::Phone]);
                    format!("({}).digits.text", self.expr(of, depth))
                }
                1 => match self.known_figure() {
                    Some(name) => format!("\"no. {{{name}}}\""),
                    None => self.literal(kind).to_owned(),
                },
                _ => format!("({} + {})", self.expr(kind, depth), self.expr(kind, depth)),
            },
            Kind::MaybeInt if self.known(kind).is_some() => {
                format!("({} else {})", self.known(kind).unwrap(), self.expr(kind, depth))
            }
            Kind::Pitch => match choice {
                0 | 1 => {
                    format!("Pitch.later(why: {}, at: {})", self.expr(Kind::Text, depth), self.expr(Kind::Int, depth))
                }
                2 | 3 => {
                    format!("Pitch.paid(fee: {}, for: {})", self.expr(Kind::Money, depth), self.expr(Kind::Tier, depth))
                }
                _ => self.known(kind).unwrap_or_else(|| self.literal(kind).to_owned()),
            },
            Kind::Ints => format!("[{}, {}]", self.expr(Kind::Int, depth), self.expr(Kind::Int, depth)),
            Kind::Texts => format!("[{}, {}]", self.expr(Kind::Text, depth), self.expr(Kind::Text, depth)),
            Kind::Tier => match self.known(Kind::MaybeCustomer) {
                Some(customer) => format!("({customer}.tier else {})", self.expr(kind, depth)),
                None => self.literal(kind).to_owned(),
            },
            other => self.known(other).unwrap_or_else(|| self.literal(other).to_owned()),
        }
    }

    fn zone(&mut self) -> &'static str {
        self.chance.of::<&str>(&["\"Asia/Shanghai\"", "\"America/New_York\"", "\"UTC\""])
    }

    /// A name whose value is written in figures.
    fn known_figure(&mut self) -> Option<String> {
        let kind = *self.chance.of(FIGURES);
        self.known(kind)
    }

    fn truth(&mut self, choice: u64, depth: u32) -> String {
        let compared = *self.chance.of(&["==", "!=", "<", "<=", ">", ">="]);
        match choice {
            0 => format!("({} and {})", self.expr(Kind::Bool, depth), self.expr(Kind::Bool, depth)),
            1 => format!("({} or {})", self.expr(Kind::Bool, depth), self.expr(Kind::Bool, depth)),
            2 => format!("(not {})", self.expr(Kind::Bool, depth)),
            3 => {
                let kind = *self.chance.of(&[Kind::Int, Kind::Decimal, Kind::Money]);
                format!("({} {compared} {})", self.expr(kind, depth), self.expr(kind, depth))
            }
            _ => match (self.known(Kind::Card), self.known(Kind::MaybeInt), self.chance.below(5)) {
                (Some(card), _, 0) => format!("({card}.is_valid_card)"),
                (Some(card), _, 1) => format!("({card}.last(4) == \"1111\")"),
                (_, _, 1) => format!("(({}).digits.is_valid_card)", self.expr(Kind::Text, depth)),
                (_, Some(optional), 2) => format!("({optional} is some)"),
                (_, _, 3) if self.chance.one_in(3) => {
                    format!("({} == {})", self.expr(Kind::Pitch, depth), self.expr(Kind::Pitch, depth))
                }
                (_, _, 3) if self.chance.one_in(3) => format!("({} is later)", self.expr(Kind::Pitch, depth)),
                (_, _, 3) => format!("({} is gold)", self.expr(Kind::Tier, depth)),
                (_, _, 4) => "(office is open)".to_owned(),
                _ => format!("({} == {})", self.expr(Kind::Text, depth), self.expr(Kind::Text, depth)),
            },
        }
    }

    /// A figure that hangs on the call, since what can only fault is refused before it.
    fn of_the_call(&mut self, kind: Kind) -> String {
        let literal = self.literal(kind);
        let zero = "0 * called.number.digits.length";
        match kind {
            Kind::Int => format!("({literal} + {zero})"),
            Kind::Decimal => format!("({literal} + Decimal({zero}))"),
            Kind::Money => format!("({literal} * (1 + {zero}))"),
            _ => literal.to_owned(),
        }
    }

    fn literal(&mut self, kind: Kind) -> &'static str {
        let words: &[&'static str] = match kind {
            Kind::Int => &["0", "1", "2", "7", "20", "0", "5", "LIMIT", "4000000000000000000"],
            Kind::Bool => &["true", "false"],
            Kind::Decimal => &["0.5", "3.0", "0.000001", "123456.789"],
            Kind::Money => &["1 CNY", "12.50 CNY", "0 CNY", "PRICE", "3 USD"],
            Kind::Text => &["\"a\"", "\"li\"", "\"\"", "\"上海\""],
            Kind::Tier => &["Tier.standard", "Tier.gold", "Tier.vip"],
            Kind::Pitch => &["Pitch.won"],
            Kind::Ints => &["[1, 2, 3]", "[7]"],
            Kind::Texts => &["[\"a\", \"li\"]", "[\"\"]"],
            Kind::Percent => &["80%", "0%", "12.5%", "0.0001%"],
            Kind::Duration => &["0s", "90s", "1h30m", "1d", "800ms"],
            Kind::Time => &["(2026-03-08).at(02:30, \"America/New_York\")", "(2026-12-31).at(23:59, \"UTC\")"],
            Kind::Date => &["2026-03-02", "2024-02-29"],
            Kind::Clock => &["00:00", "09:30", "12:00", "23:59"],
            Kind::Phone => &["called.number"],
            Kind::Language => &["caller.language"],
            Kind::MaybeInt | Kind::MaybeCustomer => &["none"],
            Kind::Digits | Kind::Card | Kind::Recording | Kind::People => &["\"0\""],
        };
        self.chance.of::<&'static str>(words)
    }
}
