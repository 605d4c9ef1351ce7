//! How each kind of line is written, by its first word: the help of a line that does not read.

use crate::grammar::Context;

/// One way to write a line; the word by which it is known, and a text that reads.
pub(crate) type Form = (&'static str, &'static str);

impl Context {
    /// The lines that may stand in such a block.
    pub fn forms(self) -> &'static [Form] {
        match self {
            Context::File => FILE,
            Context::Enum => &[],
            Context::Type => &[],
            Context::Service => &[("writes", "writes charge(card: private Digits) -> Money within 5s")],
            Context::Hours => HOURS,
            Context::Prompt => &[],
            Context::Flow | Context::Statements | Context::Arms => STATEMENTS,
            Context::ValueArms => &[],
            Context::Dialogue => DIALOGUE,
            Context::Queue => QUEUE,
            Context::Cadence => CADENCE,
            Context::Survey => SURVEY,
            Context::Test => TEST,
        }
    }

    /// A line that begins with these words.
    pub fn example_of(self, words: &str) -> Option<&'static str> {
        let verb = words.split(' ').next().unwrap_or(words);
        self.forms().iter().find(|(known, _)| *known == verb).map(|(_, example)| *example)
    }

    /// A line of such a block, for when nothing is known of the one that was meant.
    pub fn example(self) -> &'static str {
        match self {
            Context::File => "flow hotline {",
            Context::Enum => "gold zh \"金卡\" en \"gold\"",
            Context::Type => "name: Text",
            Context::Service => "find(phone: Phone) -> Customer? within 800ms",
            Context::Hours => "mon..fri 09:00..18:00",
            Context::Prompt => "en \"Welcome.\"",
            Context::Flow | Context::Statements => "say \"Welcome.\"",
            Context::Arms => "failed => go person",
            Context::ValueArms => "vip => 20",
            Context::Dialogue => "silence => again",
            Context::Queue => "timeout 3m",
            Context::Cadence => "attempts 3",
            Context::Survey => "open case complaint priority high",
            Context::Test => "press 1",
        }
    }

    /// What one of its lines is called.
    pub fn line_name(self) -> &'static str {
        match self {
            Context::File => "item",
            Context::Enum => "variant",
            Context::Type => "field",
            Context::Service => "operation",
            Context::Hours => "line of hours",
            Context::Prompt => "language of a prompt",
            Context::Flow | Context::Statements => "statement",
            Context::Arms | Context::ValueArms => "arm",
            Context::Dialogue => "line of a dialogue",
            Context::Queue => "clause of a queue",
            Context::Cadence => "clause of a cadence",
            Context::Survey => "line of a survey",
            Context::Test => "line of a test",
        }
    }
}

const FILE: &[Form] = &[
    ("use", "use routing: support"),
    ("languages", "languages zh, en"),
    ("enum", "enum Tier { standard, gold }"),
    ("type", "type Customer { name: Text }"),
    ("const", "const tries = 3"),
    ("function", "function double(n: Int) -> Int = n * 2"),
    ("service", "service crm {"),
    ("hours", "hours office in \"Asia/Shanghai\" {"),
    ("prompt", "prompt welcome {"),
    ("inbound", "inbound \"+86 400 810 0000\" => hotline"),
    ("flow", "flow hotline {"),
    ("skill", "skill technical 1..5"),
    ("queue", "queue support(tier: Tier) {"),
    ("when", "when missed in support as contact => start call_back(contact)"),
    ("cadence", "cadence follow_up(lead: Lead) {"),
    ("survey", "survey csat after support {"),
    ("test", "test \"the menu leads to a person\" {"),
    ("local", "local flow hotline {"),
];

const STATEMENTS: &[Form] = &[
    ("answer", "answer"),
    ("reject", "reject busy"),
    ("say", "say \"Welcome.\""),
    ("play", "play welcome"),
    ("wait", "wait 2s"),
    ("menu", "menu {"),
    ("let", "let customer = crm.find(caller.number) else none"),
    ("ask", "let card = ask private digits 16..19 {"),
    ("record", "let message = record up to 2m {"),
    ("recording", "recording on"),
    ("queue", "queue support(standard) else go closed"),
    ("connect", "connect to \"+86 400 810 0000\" ring 20s else go closed"),
    ("transfer", "transfer to \"+86 400 810 0000\" else go closed"),
    ("hang", "hang up"),
    ("run", "run order_status(customer)"),
    ("send", "send sms \"Thank you.\""),
    ("notify", "notify \"ops\" \"The queue is long.\""),
    ("open", "open case complaint priority high"),
    ("note", "note outcome = \"served\""),
    ("set", "set caller.language = en"),
    ("start", "start call_back(contact)"),
    ("go", "go main up to 3 times else go person"),
    ("return", "return done"),
    ("again", "again"),
    ("continue", "queue support(standard) else continue"),
    ("if", "if customer is some c {"),
    ("unless", "unless office is open {"),
    ("on", "on voice {"),
    ("match", "match customer {"),
    ("repeat", "repeat 3 times {"),
    ("for", "for each order in orders {"),
    ("stop", "stop done"),
    ("retry", "retry in 15m"),
    ("offer", "offer callback on 1"),
    ("step", "step main {"),
    ("fault", "fault {"),
    ("finally", "finally {"),
];

const DIALOGUE: &[Form] = &[
    ("say", "say \"Press 1 for orders.\""),
    ("play", "play welcome"),
    ("reprompt", "reprompt \"Press 1 for orders.\""),
    ("listen", "listen 5s"),
    ("between", "between keys 3s"),
    ("barge", "barge in off"),
    ("ends", "ends on #"),
    ("confirm", "confirm \"You said {it}. Press 1 if that is right.\""),
    ("silence", "silence => again"),
    ("other", "other => again"),
    ("invalid", "invalid => again"),
    ("rejected", "rejected => again"),
    ("refused", "refused => go closed"),
    ("after", "after 3 tries => go person"),
];

const HOURS: &[Form] =
    &[("daily", "daily 09:00..18:00"), ("closed", "closed holidays \"cn\""), ("open", "open 2026-02-14 09:00..18:00")];

const QUEUE: &[Form] = &[
    ("needs", "needs technical >= 2"),
    ("prefers", "prefers same agent within 7d"),
    ("priority", "priority 10"),
    ("order", "order priority, waiting"),
    ("agent", "agent longest idle"),
    ("relax", "relax after 30s to nothing"),
    ("ring", "ring 15s each"),
    ("wrap", "wrap up 20s"),
    ("target", "target 80% within 20s, abandons missed"),
    ("limit", "limit 100 waiting"),
    ("timeout", "timeout 3m"),
    ("music", "music \"hold.wav\""),
    ("whisper", "whisper \"A new customer.\""),
    ("open", "open office"),
    ("overflow", "overflow after 60s to second"),
    ("every", "every 45s {"),
];

const CADENCE: &[Form] = &[
    ("consent", "consent lead.permission for sales"),
    ("law", "law us_tsr"),
    ("window", "window mon..sat 09:00..20:00 in lead.zone"),
    ("begin", "begin at lead.agreed_at"),
    ("attempts", "attempts 8, at most 2 a day"),
    ("pace", "pace predictive up to 3.0 lines an agent"),
    ("dial", "dial lead.phone from \"+1 212 555 0100\" ring 25s {"),
    ("message", "message lead.phone by sms {"),
    ("after", "after attempt 3 => notify \"ops\" \"Nobody answers.\""),
    ("exhausted", "exhausted => stop exhausted"),
];

const SURVEY: &[Form] = &[
    ("by", "by voice, sms"),
    ("question", "question score 1..5 \"From 1 to 5, how was it?\""),
    ("if", "if score <= 2 {"),
    ("thank", "thank \"Thank you.\""),
    ("open", "open case complaint priority high"),
    ("notify", "notify \"ops\" \"A caller was not content.\""),
    ("send", "send sms \"Thank you.\""),
    ("note", "note score = score"),
    ("start", "start call_back(contact)"),
];

const TEST: &[Form] = &[
    ("at", "at 2026-03-02 10:00 in \"Asia/Shanghai\""),
    ("given", "given crm.find => none"),
    ("agent", "agent \"wang\" idle with technical 4"),
    ("call", "call from \"+86 138 0000 0000\" to \"+86 400 810 0000\""),
    ("chat", "chat from \"visitor\" to \"web\""),
    ("sms", "sms from \"+86 138 0000 0000\" to \"+86 400 810 0000\""),
    ("email", "email from \"ann@example.com\" to \"desk@example.com\""),
    ("hears", "hears \"Welcome\""),
    ("press", "press 1"),
    ("says", "says \"orders\""),
    ("wait", "wait 5s"),
    ("hang", "hang up"),
    ("start", "start follow_up(lead)"),
    ("dial", "dial gives busy, person"),
    ("message", "message gives undelivered, delivered"),
    ("send", "send gives undelivered, delivered"),
    ("expect", "expect note outcome = \"served\""),
];
