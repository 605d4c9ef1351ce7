//! Random flow texts that the checker takes: every name is assigned before it is read, every path ends, every cycle is
//! bounded, and the caller is on the line.

use std::fmt::Write;

use super::chance::Chance;
use super::expression::{FIGURES, Kind};

const HEAD: &str = r#"languages zh, en

enum Tier {
    standard  zh "普通" en "standard"
    gold      zh "金卡" en "gold"
    vip       zh "贵宾" en "VIP"
}

enum Pitch {
    won                          zh "成交" en "won"
    later(at: Int, why: Text)    zh "以后" en "later"
    paid(fee: Money, for: Tier)  zh "已付" en "paid"
}

type Home {
    city: Text
    floor: Int?
}

type Customer {
    name: Text
    tier: Tier
    home: Home
    balance: Money
}

service svc {
    number(of: Int) -> Int              within 1s
    maybe(of: Text) -> Int?             within 1s
    decimal() -> Decimal                within 1s
    money(of: Decimal) -> Money         within 1s
    text(of: Money) -> Text             within 1s
    tier(of: Bool) -> Tier              within 1s
    find(of: Tier) -> Customer?         within 1s
    pay(card: private Digits) -> Bool   within 1s
    pitch(of: Pitch) -> Pitch           within 1s
    numbers(of: List<Text>) -> List<Int>        within 1s
    writes people(of: List<Int>) -> List<Customer>      within 1s
    time(of: Duration) -> Time          within 1s
    date() -> Date                      within 1s
}

const LIMIT = 3

const DESK: Phone = "+86 400 810 0000"

const PRICE = 12.50 CNY

function share(tier: Tier) -> Decimal = match tier {
    vip => 0.5
    gold => 0.8
    standard => 1.0
}

function price(tier: Tier, months: Int) -> Money = PRICE * share(tier) * at_most(months, LIMIT)

function at_most(n: Int, most: Int) -> Int = match n > most {
    true => most
    false => n
}

function either(first: Int?, second: Int) -> Int = match first {
    some inside => inside
    none => second
}

hours office in "Asia/Shanghai" {
    mon..fri  09:00..18:00
}

inbound "+86 400 810 0000" => f0
"#;

const PLAIN: &[Kind] = &[
    Kind::Int,
    Kind::Bool,
    Kind::Decimal,
    Kind::Decimal,
    Kind::Decimal,
    Kind::Money,
    Kind::Money,
    Kind::Text,
    Kind::Tier,
    Kind::Pitch,
    Kind::Ints,
    Kind::Texts,
    Kind::Percent,
    Kind::Duration,
    Kind::Time,
    Kind::Date,
    Kind::Clock,
    Kind::Phone,
    Kind::Language,
];

pub fn flow_text(seed: u64) -> String {
    let mut writer = Writer {
        chance: Chance::new(seed),
        out: HEAD.to_owned(),
        names: Vec::new(),
        next_name: 0,
        indent: 0,
        room: 0,
        flow: 0,
        flows: 0,
        step: None,
        steps: 0,
        has_result: false,
        may_return: true,
        returns: false,
    };
    writer.flows = 1 + writer.chance.below(3);
    for flow in 0..writer.flows {
        writer.flow(flow);
    }
    if writer.out.contains(GOODBYE) {
        writer.goodbye();
    }
    match writer.chance.one_in(4) {
        true => to_an_extension(&writer.out),
        false => writer.out,
    }
}

/// Runs the flow that never comes back.
const GOODBYE: &str = "run goodbye(";

/// The same flows, answering an extension.
fn to_an_extension(text: &str) -> String {
    text.replace("inbound \"+86 400 810 0000\"", "inbound extension \"1x0\"")
        .replace("note called = called.number", "note called = called.extension")
        .replace("called.number", "DESK")
}

pub struct Writer {
    pub chance: Chance,
    out: String,
    /// Names that can be read here.
    names: Vec<(String, Kind)>,
    next_name: u32,
    indent: usize,
    /// Statements that this part may still hold.
    room: u32,
    flow: u64,
    flows: u64,
    /// Where `go` may lead: to later steps freely, to earlier ones with a bound. `None` in the top part and in handlers.
    step: Option<u64>,
    steps: u64,
    has_result: bool,
    may_return: bool,
    /// A `return` stands in this flow.
    returns: bool,
}

impl Writer {
    fn line(&mut self, text: &str) {
        writeln!(self.out, "{:indent$}{text}", "", indent = self.indent * 4).unwrap();
    }

    fn open(&mut self, head: &str) {
        self.line(&format!("{head} {{"));
        self.indent += 1;
    }

    fn close(&mut self) {
        self.indent -= 1;
        self.line("}");
    }

    fn name(&mut self, kind: Kind) -> String {
        self.next_name += 1;
        let name = format!("n{}", self.next_name);
        self.names.push((name.clone(), kind));
        name
    }

    fn fresh(&mut self) -> String {
        self.next_name += 1;
        format!("n{}", self.next_name)
    }

    pub fn known(&mut self, kind: Kind) -> Option<String> {
        let fit: Vec<String> = self.names.iter().filter(|(_, k)| *k == kind).map(|(name, _)| name.clone()).collect();
        (!fit.is_empty()).then(|| self.chance.of(&fit).clone())
    }

    /// Every flow but the first takes an Int and gives a Tier.
    fn flow(&mut self, flow: u64) {
        (self.flow, self.steps, self.step) = (flow, self.chance.below(4), None);
        (self.has_result, self.returns) = (flow > 0, false);
        self.names.clear();
        self.out.push('\n');
        if self.has_result {
            let parameter = self.name(Kind::Int);
            self.open(&format!("flow f{flow}({parameter}: Int) -> Tier"));
        } else if self.chance.one_in(20) {
            self.open("flow f0");
            self.line("reject busy");
            self.close();
            self.flows = 1;
            return;
        } else {
            self.open(&format!("flow f{flow}"));
            self.line("answer");
        }
        self.room = 8;
        self.statements(3);
        let at_top = self.names.clone();
        match self.steps {
            0 => self.end_flow(),
            _ => self.line("go s0"),
        }
        for step in 0..self.steps {
            self.out.push('\n');
            self.names.clone_from(&at_top);
            self.step = Some(step);
            self.open(&format!("step s{step}"));
            self.room = 8;
            self.statements(3);
            match step + 1 < self.steps {
                true => self.line(&format!("go s{}", step + 1)),
                false => self.end_flow(),
            }
            self.close();
        }
        self.handlers(&at_top);
        self.close();
    }

    /// A flow that never comes back.
    fn goodbye(&mut self) {
        (self.flow, self.steps, self.step) = (self.flows, 0, None);
        (self.has_result, self.may_return) = (false, false);
        self.names.clear();
        self.out.push('\n');
        let parameter = self.name(Kind::Int);
        self.open(&format!("flow goodbye({parameter}: Int)"));
        self.room = 4;
        self.statements(2);
        self.line("hang up");
        self.close();
    }

    /// Every flow that gives a value may do so: what stands behind its `run` is reached.
    fn end_flow(&mut self) {
        match self.has_result && !self.returns {
            true => self.give_back(),
            false => self.end_path(),
        }
    }

    fn give_back(&mut self) {
        self.returns = true;
        let value = self.expr(Kind::Tier, 1);
        self.line(&format!("return {value}"));
    }

    fn handlers(&mut self, at_top: &[(String, Kind)]) {
        self.step = None;
        self.names.clear();
        if self.chance.one_in(2) {
            self.open("fault");
            // A store that stalls before the call is answered is a fault too.
            self.line("answer");
            self.line("say zh \"抱歉。\" en \"Sorry.\"");
            self.line("hang up");
            self.close();
        }
        if self.chance.one_in(2) {
            self.open("finally");
            let parameters = usize::from(self.has_result);
            for (name, _) in at_top.iter().take(parameters) {
                self.line(&format!("note parameter = {name}"));
            }
            for (name, kind) in at_top.iter().skip(parameters) {
                match kind {
                    Kind::Int => self.line(&format!("note last = {name} else 0")),
                    Kind::Text => self.line(&format!("note last = {name} else \"never\"")),
                    Kind::Money => self.line(&format!("if {name} is some x{name} {{ note last = x{name} }}")),
                    _ => {}
                }
            }
            self.line(&format!("note f{} = \"over\"", self.flow));
            self.close();
        }
    }

    fn end_path(&mut self) {
        match (self.has_result, self.chance.one_in(4)) {
            (true, false) => self.give_back(),
            (false, false) if self.may_return && self.chance.one_in(2) => self.line("return"),
            _ if self.may_return && self.chance.one_in(3) => {
                let line = format!("{GOODBYE}{})", self.expr(Kind::Int, 1));
                self.line(&line);
                // For safety.
                if self.chance.one_in(2) {
                    self.line("hang up");
                }
            }
            _ => self.line("hang up"),
        }
    }

    /// A block of some statements whose names are forgotten behind it. When it may end its path, it sometimes does.
    fn block(&mut self, head: &str, depth: u32, may_end: bool) {
        self.open(head);
        let names = self.names.clone();
        self.statements(depth);
        let n = self.chance.below(9);
        self.line(&format!("note b = {n}"));
        if may_end && self.chance.one_in(4) {
            self.leave();
        }
        self.names = names;
        self.close();
    }

    fn leave(&mut self) {
        match self.step {
            Some(step) if self.chance.one_in(2) => {
                let target = self.chance.below(self.steps);
                match target > step {
                    true => self.line(&format!("go s{target}")),
                    false => {
                        let times = 1 + self.chance.below(3);
                        self.line(&format!("go s{target} up to {times} times else hang up"));
                    }
                }
            }
            _ => self.end_path(),
        }
    }

    fn statements(&mut self, depth: u32) {
        for _ in 0..1 + self.chance.below(4) {
            if self.room == 0 {
                return;
            }
            self.room -= 1;
            self.statement(depth);
        }
    }

    fn statement(&mut self, depth: u32) {
        match self.chance.below(if depth == 0 { 12 } else { 21 }) {
            0..=2 => self.say(),
            3 => {
                let kind = *self.chance.of(PLAIN);
                let value = self.expr(kind, 3);
                self.line(&format!("note v = {value}"));
            }
            4..=5 => {
                let kind = *self.chance.of(PLAIN);
                let value = self.expr(kind, 3);
                let name = self.name(kind);
                self.line(&format!("let {name} = {value}"));
            }
            6..=7 => self.service(),
            8 => self.ask(),
            9 => self.small(),
            10 if self.flow + 1 < self.flows => self.run(),
            10 | 11 => self.record(),
            12 if self.chance.one_in(2) => self.onward(depth - 1),
            13 if self.chance.one_in(4) => {
                self.block("on voice", depth - 1, true);
                // `} else {` stays on one line.
                self.out.pop();
                self.open(" else");
                self.say();
                self.close();
            }
            12..=13 => self.choose(depth - 1),
            14..=15 => self.match_value(depth - 1),
            18 => self.repeat(depth - 1),
            19 => self.for_each(depth - 1),
            20 => self.match_pitch(depth - 1),
            _ => self.menu(depth - 1),
        }
    }

    fn say(&mut self) {
        let (mut holes, mut zh, mut en) = (String::new(), String::new(), String::new());
        for kind in FIGURES.iter().copied().chain([Kind::Text, Kind::Digits]) {
            if self.chance.one_in(3)
                && let Some(name) = self.known(kind)
            {
                write!(holes, " {{{name}}}").unwrap();
                if kind == Kind::Int && self.chance.one_in(2) {
                    (zh, en) = (format!("{{{name}|位}}"), format!("{{{name}|caller|callers}}"));
                }
            }
        }
        self.line(&format!("say zh \"说{holes}{zh}。\" en \"Say{holes} {en}.\""));
    }

    fn small(&mut self) {
        let line = match self.chance.below(9) {
            7 => (*self.chance.of(&[
                "send sms zh \"再见。\" en \"Goodbye.\"",
                "notify \"ops\" zh \"请看。\" en \"Please look at it.\"",
                "open case complaint priority high",
            ]))
            .to_owned(),
            0 => "set caller.language = zh".to_owned(),
            1 => "set caller.language = en".to_owned(),
            2 if self.chance.one_in(3) => return self.consent(),
            2 => "note language = caller.language".to_owned(),
            3 => "note called = called.number".to_owned(),
            4 => "recording on".to_owned(),
            5 => "recording off".to_owned(),
            _ => format!("wait {}s", 1 + self.chance.below(4)),
        };
        self.line(&line);
    }

    fn consent(&mut self) {
        let name = self.fresh();
        self.open(&format!("let {name} = ask consent for sales"));
        self.say();
        self.line("silence, invalid, refused => none");
        self.close();
        self.line(&format!("note agreed = {name}.purpose else \"no\""));
    }

    /// To somebody else: the caller comes back, or does not.
    fn onward(&mut self, depth: u32) {
        let to = *self.chance.of(&["\"+86 138 0000 0000\"", "extension \"107\""]);
        match self.chance.below(3) {
            0 => self.line(&format!("connect to {to} ring 25s else continue")),
            1 => {
                self.open(&format!("connect to {to} from \"+86 400 810 0000\""));
                self.block("ended =>", depth, false);
                self.block("busy, unanswered =>", depth, true);
                self.line("declined => continue");
                self.line("unreachable => hang up");
                self.close();
            }
            _ => self.line(&format!("transfer to {to} else continue")),
        }
    }

    fn service(&mut self) {
        let (call, kind, fallback) = match self.chance.below(13) {
            10 => (format!("time({})", self.expr(Kind::Duration, 1)), Kind::Time, "(2026-03-02).at(10:00, \"UTC\")"),
            11 => ("date()".to_owned(), Kind::Date, "2026-03-02"),
            0 => (format!("number({})", self.expr(Kind::Int, 1)), Kind::Int, "0"),
            1 => (format!("maybe({})", self.expr(Kind::Text, 1)), Kind::MaybeInt, "none"),
            2 => ("decimal()".to_owned(), Kind::Decimal, "0.5"),
            3 => (format!("money({})", self.expr(Kind::Decimal, 1)), Kind::Money, "1 CNY"),
            4 => (format!("text({})", self.expr(Kind::Money, 1)), Kind::Text, "\"li\""),
            5 => (format!("tier({})", self.expr(Kind::Bool, 1)), Kind::Tier, "Tier.gold"),
            6 => (format!("find({})", self.expr(Kind::Tier, 1)), Kind::MaybeCustomer, "none"),
            7 => (format!("pitch({})", self.expr(Kind::Pitch, 2)), Kind::Pitch, "Pitch.won"),
            8 => (format!("numbers({})", self.expr(Kind::Texts, 2)), Kind::Ints, "[1, 2]"),
            9 => (format!("people({})", self.expr(Kind::Ints, 2)), Kind::People, "hang up"),
            _ => match self.known(Kind::Card) {
                Some(card) => (format!("pay({card})"), Kind::Bool, "false"),
                None => ("decimal()".to_owned(), Kind::Decimal, "1.0"),
            },
        };
        let name = self.name(kind);
        self.line(&format!("let {name} = svc.{call} else {fallback}"));
    }

    fn ask(&mut self) {
        let kinds = [
            ("private digits 12..19", Some(Kind::Card)),
            ("private digits 12..19", Some(Kind::Card)),
            ("digits 1..8", Some(Kind::Digits)),
            ("1..12", Some(Kind::Int)),
            ("number", Some(Kind::Decimal)),
            ("amount in CNY", Some(Kind::Money)),
            ("yes or no", Some(Kind::Bool)),
            ("date", None),
            ("time", None),
            ("phone", None),
        ];
        let (what, kind) = *self.chance.of(&kinds);
        let name = self.fresh();
        self.open(&format!("let {name} = ask {what}"));
        self.line("say zh \"几号？\" en \"Which?\"");
        self.reprompt();
        let says_it = matches!(kind, Some(Kind::Digits | Kind::Int | Kind::Money));
        let confirms = says_it && self.chance.one_in(3);
        if confirms {
            self.line("confirm zh \"{it}，对吗？\" en \"{it}, is that right?\"");
        }
        self.tries_of_input(if confirms { ", rejected" } else { "" });
        self.close();
        match kind {
            Some(kind) => self.names.push((name, kind)),
            None => self.line(&format!("note v = {name}")),
        }
    }

    fn reprompt(&mut self) {
        if self.chance.one_in(3) {
            let hole = self.known(Kind::Int).map_or(String::new(), |name| format!(" {{{name}}}"));
            self.line(&format!("reprompt zh \"再说{hole}。\" en \"Once more{hole}.\""));
        }
    }

    fn record(&mut self) {
        match self.known(Kind::Recording) {
            Some(recording) => self.line(&format!("play {recording}")),
            None => {
                let name = self.fresh();
                self.open(&format!("let {name} = record up to 30s"));
                self.line("say zh \"请说。\" en \"Speak.\"");
                self.line("silence => again");
                let tries = 1 + self.chance.below(3);
                self.line(&format!("after {tries} tries => hang up"));
                self.close();
                self.names.push((name, Kind::Recording));
            }
        }
    }

    /// `rejected`: what follows another outcome when there is a confirmation.
    fn tries_of_input(&mut self, rejected: &str) {
        if self.chance.one_in(2) {
            self.line(&format!("silence, invalid{rejected} => again"));
        } else {
            self.line("silence => hang up");
            self.line(&format!("invalid{rejected} => note wrong = true then again"));
        }
        let tries = 1 + self.chance.below(3);
        self.line(&format!("after {tries} tries => hang up"));
    }

    fn run(&mut self) {
        let flow = self.flow + 1;
        let argument = self.expr(Kind::Int, 2);
        let name = self.name(Kind::Tier);
        self.line(&format!("let {name} = run f{flow}({argument})"));
    }

    fn choose(&mut self, depth: u32) {
        let names = self.names.clone();
        let condition = match self.chance.below(3) {
            0 if self.known(Kind::MaybeInt).is_some() => {
                let optional = self.known(Kind::MaybeInt).unwrap();
                let inside = self.name(Kind::Int);
                format!("{optional} is some {inside}")
            }
            1 if self.known(Kind::MaybeCustomer).is_some() => {
                let optional = self.known(Kind::MaybeCustomer).unwrap();
                let inside = self.fresh();
                let fields = [("name", Kind::Text), ("tier", Kind::Tier), ("home.floor", Kind::MaybeInt)];
                self.names.extend(fields.map(|(field, kind)| (format!("{inside}.{field}"), kind)));
                format!("{optional} is some {inside}")
            }
            _ => self.expr(Kind::Bool, 3),
        };
        self.block(&format!("if {condition}"), depth, true);
        self.names = names;
        if self.chance.one_in(2) {
            // `} else {` stays on one line.
            self.out.pop();
            self.block(" else", depth, false);
        }
    }

    fn match_value(&mut self, depth: u32) {
        match self.chance.below(3) {
            0 => {
                // A sum, since the checker knows the bounds of a figure and would find arms that are never reached.
                let subject = (self.expr(Kind::Int, 1), self.expr(Kind::Int, 1));
                self.open(&format!("match {} + {}", subject.0, subject.1));
                self.block("0 =>", depth, true);
                self.block("1..9, 20 =>", depth, false);
                self.block("else =>", depth, true);
            }
            1 => {
                let subject = self.expr(Kind::Tier, 1);
                self.open(&format!("match {subject}"));
                self.block("gold, vip =>", depth, true);
                self.block("standard =>", depth, false);
            }
            _ => {
                let subject = self.expr(Kind::Text, 2);
                self.open(&format!("match {subject}"));
                self.block("\"li\", \"a\" =>", depth, true);
                self.block("else =>", depth, false);
            }
        }
        self.close();
    }

    fn repeat(&mut self, depth: u32) {
        let times = *self.chance.of(&["LIMIT", "1", "2"]);
        self.block(&format!("repeat {times} times"), depth, false);
    }

    fn for_each(&mut self, depth: u32) {
        let names = self.names.clone();
        // A list that is written out has a first round for certain, so what leaves there leaves nothing behind.
        let mut may_end = true;
        let head = match self.known(Kind::People).filter(|_| self.chance.one_in(2)) {
            Some(people) => {
                let person = self.fresh();
                let fields = [("name", Kind::Text), ("balance", Kind::Money), ("home.floor", Kind::MaybeInt)];
                self.names.extend(fields.map(|(field, kind)| (format!("{person}.{field}"), kind)));
                format!("for each {person} in {people}")
            }
            None => {
                let kind = *self.chance.of(&[(Kind::Ints, Kind::Int), (Kind::Texts, Kind::Text)]);
                let list = self.expr(kind.0, 2);
                let row = self.name(kind.1);
                may_end = !list.starts_with('[');
                format!("for each {row} in {list}")
            }
        };
        self.block(&head, depth, may_end);
        self.names = names;
    }

    fn match_pitch(&mut self, depth: u32) {
        let subject = self.expr(Kind::Pitch, 2);
        self.open(&format!("match {subject}"));
        self.block("won =>", depth, true);
        let names = self.names.clone();
        let (at, why) = (self.name(Kind::Int), self.name(Kind::Text));
        self.block(&format!("later({at}, {why}) =>"), depth, false);
        self.names = names.clone();
        let (fee, tier) = (self.name(Kind::Money), self.name(Kind::Tier));
        self.block(&format!("paid({fee}, {tier}) =>"), depth, true);
        self.names = names;
        self.close();
    }

    fn menu(&mut self, depth: u32) {
        self.open("menu");
        self.say();
        self.reprompt();
        self.block("1 =>", depth, false);
        self.block("2, 3 =>", depth, true);
        if self.chance.one_in(3) {
            let (names, name) = (self.names.clone(), self.name(Kind::Digits));
            self.block(&format!("40..49 as {name} =>"), depth, true);
            self.names = names;
        }
        self.line("silence => again");
        if self.chance.one_in(2) {
            self.line("other => say zh \"没有。\" en \"No.\" then again");
        } else {
            self.line("other => continue");
        }
        let tries = 1 + self.chance.below(3);
        self.block(&format!("after {tries} tries =>"), depth, true);
        self.close();
    }
}
