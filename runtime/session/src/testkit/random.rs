//! Programs drawn from a seed: every kind of request, faults, and loops that only the bounds end.

use std::sync::Arc;

use runtime_contract::host::HostCall;
use runtime_contract::program::FlowProgram;
use runtime_contract::queue::Comfort;
use runtime_contract::request::{
    Case, CasePriority, Channel, Destination, Menu, Message, PromptUse, Prompts, Request, ServiceCall,
};
use runtime_contract::{FaultKind, Type};

use super::{Kit, Label, Op, Source, Variable, ask_digits, connect, menu, payloads, prompts, record};

/// Repeatable chance: SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Chance {
        Chance(seed)
    }

    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 to `bound` - 1.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.draw() % bound.max(1) as u64) as usize
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// A program of up to three flows with every kind of request, faults, and loops that only the bounds end. All
/// its asks are private. It answers every number that begins with 1.
pub fn random_program(chance: &mut Chance) -> Arc<dyn FlowProgram> {
    let mut kit = Kit::new(&["gold", "note"]);
    let hello = kit.prompt("您好", "hello", &[]);
    let price = kit.prompt("价格", "price", &[Type::Int]);
    let private = Type::Private(Box::new(Type::Digits));
    kit.service("crm", &[Type::Text], Some(Type::Text), chance.one_in(2));
    kit.service("bank", &[private], None, chance.one_in(2));
    let word = kit.variants("kit.Word", &["sold", "lost"]);
    let reports = chance.one_in(2).then_some(word);
    let flows = 1 + chance.below(3) as u32;
    for flow in 0..flows {
        let draw = Draw { hello, price, callee: (flow + 1 < flows).then_some(flow + 1), reports: reports.clone() };
        let first = kit.here();
        let count = 3 + chance.below(9) as u32;
        if flow == 0 && !chance.one_in(8) {
            kit.request("", Request::Answer, &[], vec![None], vec![first + 1], None);
        }
        while kit.here() < first + count {
            draw.operation(&mut kit, chance, (first, first + count), true);
        }
        let fault = chance.one_in(2).then(|| draw.block(&mut kit, chance, true));
        let finally = chance.one_in(2).then(|| draw.block(&mut kit, chance, false));
        kit.flow(&format!("kit.flow{flow}"), first, fault, finally);
    }
    random_queue(&mut kit, chance, price, reports.is_some());
    kit.inbound("1xxx", 0);
    kit.build()
}

/// Its comfort says how many are ahead, and may fault before it offers a callback.
fn random_queue(kit: &mut Kit, chance: &mut Chance, price: u32, reports: bool) {
    let say = Request::Play(Prompts {
        items: vec![PromptUse::Prompt { prompt: price, arguments_at: 0 }],
        barge_in: chance.one_in(2),
    });
    let body = kit.here();
    let ahead = [(Type::Int, Source::Variable(Variable::Word(1)))];
    kit.request("", say, &ahead, vec![None], vec![body + 1], None);
    match chance.one_in(4) {
        true => kit.push(Op::Fault { kind: FaultKind::Divide, place: 0 }),
        false => kit.request("", Request::OfferCallback { key: '1' }, &[], vec![None], vec![body + 2], None),
    };
    kit.push(Op::Return);
    let flow = kit.flow_of("kit.q every", &[Type::Int, Type::Int, Type::Duration], body);
    let whisper = kit.here();
    kit.request("", Request::Play(prompts(&[0], true)), &[], vec![None], vec![whisper + 1], None);
    kit.push(Op::Return);
    let whisper = kit.flow_of("kit.q whisper", &[Type::Int], whisper);
    kit.queue("kit.q", &[Type::Int], |queue| {
        queue.comfort = (!chance.one_in(3)).then_some(Comfort { every_ms: 5_000, flow });
        queue.whisper = chance.one_in(2).then_some(whisper);
        queue.wrap_up_as = reports.then_some(0);
        queue.wrap_up_ms = 2_000;
        queue.timeout_ms = chance.one_in(2).then_some(20_000);
        queue.limit = chance.one_in(4).then_some(2);
        queue.music = chance.one_in(2).then(|| ("hold.wav".to_owned(), [0; 32]));
        queue.offers_callback = true;
    });
}

struct Draw {
    /// What an agent says of a conversation.
    reports: Option<Type>,
    hello: u32,
    price: u32,
    callee: Option<u32>,
}

impl Draw {
    /// A few operations in a row and an end.
    fn block(&self, kit: &mut Kit, chance: &mut Chance, line: bool) -> Label {
        let first = kit.here();
        for _ in 0..chance.below(4) {
            let next = kit.here() + 1;
            self.operation(kit, chance, (next, next + 1), line);
        }
        kit.push(Op::End);
        first
    }

    /// One operation that goes on somewhere in this range of labels.
    fn operation(&self, kit: &mut Kit, chance: &mut Chance, range: (Label, Label), line: bool) {
        let mut go = {
            let mut chance = Chance::new(chance.draw());
            move || range.0 + chance.below((range.1 - range.0) as usize) as u32
        };
        let request = match chance.below(if line { 20 } else { 7 }) {
            0 if chance.one_in(3) => {
                let text = prompts(&[self.hello], false);
                let (channel, to) = if chance.one_in(2) { (Channel::Sms, false) } else { (Channel::Email, true) };
                Request::Send(Message { channel, to, text })
            }
            1 if chance.one_in(3) => Request::OpenCase(Case { kind: "k".into(), priority: CasePriority::Low }),
            0 | 1 => Request::Note { key: "n".to_owned(), r#type: Type::Text },
            2 | 3 => Request::Service(ServiceCall { service: 0, operation: 0 }),
            4 => Request::Wait,
            5 => {
                kit.push(Op::Call {
                    call: HostCall::IntToText,
                    arguments: vec![Source::Word(chance.draw())],
                    keep: Variable::Text(1),
                    next: go(),
                });
                return;
            }
            6 => Request::Service(ServiceCall { service: 1, operation: 0 }),
            7 => Request::Play(prompts(&[self.hello], chance.one_in(2))),
            8 => match menu(self.hello, &["1", "12", "9"]) {
                Request::Menu(menu) if chance.one_in(2) => {
                    let phrases = vec![vec![], vec![vec!["hello".to_owned()]], vec![]];
                    Request::Menu(Menu { phrases, ..menu })
                }
                menu => menu,
            },
            9 | 10 => ask_digits(self.hello, 6, 16, true),
            11 => record(self.hello, 10_000),
            15 => connect(25_000),
            16 => Request::Transfer { to: Destination::Number },
            17 => Request::Recording { on: chance.one_in(2) },
            18 => Request::Queue { queue: 0 },
            12 if chance.one_in(3) => Request::HangUp,
            12 => Request::Play(Prompts {
                items: vec![PromptUse::Prompt { prompt: self.price, arguments_at: 0 }],
                barge_in: true,
            }),
            13 => {
                let arguments = vec![Source::Variable(Variable::Vault(0)), Source::Word(4)];
                let (keep, next) = (Variable::Text(0), go());
                kit.push(Op::Call { call: HostCall::VaultLast, arguments, keep, next });
                return;
            }
            _ => return self.control(kit, chance, go),
        };
        let (arguments, keep) = arguments(&request);
        let result = match &request {
            Request::Service(call) if call.service == 0 => Some(Type::Text),
            Request::Queue { .. } => self.reports.clone(),
            _ => None,
        };
        // A note goes on below, so that few programs only note until a bound ends them.
        let below = if kit.here() + 1 < range.1 { kit.here() + 1 } else { go() };
        let is_note = matches!(request, Request::Note { .. } | Request::Send(_) | Request::OpenCase(_));
        let next = (0..request.outcomes()).map(|_| if is_note { below } else { go() }).collect();
        let payloads = payloads(&request, result);
        kit.request(&format!("s{}", range.0), request, &arguments, payloads, next, keep);
    }

    fn control(&self, kit: &mut Kit, chance: &mut Chance, mut go: impl FnMut() -> Label) {
        match (chance.below(5), self.callee) {
            (0, _) => kit.push(Op::Fault { kind: FaultKind::Divide, place: 0 }),
            (1, _) => kit.push(Op::Return),
            (2, _) => kit.push(Op::SetLanguage { language: 1, next: go() }),
            (3, Some(callee)) => {
                let next = go();
                kit.run("", callee, next)
            }
            _ => kit.push(Op::Branch { on: Variable::Text(0), zero: go(), other: go() }),
        };
    }
}

/// What a request of a random program is given, and where its value goes.
fn arguments(request: &Request) -> (Vec<(Type, Source)>, Option<Variable>) {
    let private = Type::Private(Box::new(Type::Digits));
    match request {
        Request::Note { r#type, .. } => (vec![(r#type.clone(), Source::Variable(Variable::Text(0)))], None),
        Request::Send(message) if message.to => (vec![(Type::Text, Source::Variable(Variable::Text(0)))], None),
        Request::Service(call) if call.service == 0 => {
            (vec![(Type::Text, Source::Variable(Variable::Text(0)))], Some(Variable::Text(0)))
        }
        Request::Service(_) => (vec![(private, Source::Variable(Variable::Vault(0)))], None),
        Request::Queue { .. } => (vec![(Type::Int, Source::Word(20))], Some(Variable::Word(1))),
        Request::Wait => (vec![(Type::Duration, Source::Word(2_000))], None),
        Request::Connect(_) | Request::Transfer { .. } => (vec![(Type::Phone, Source::Word(8_613_800_000_000))], None),
        Request::Ask(_) => (Vec::new(), Some(Variable::Vault(0))),
        Request::Record(_) => (Vec::new(), Some(Variable::Word(0))),
        Request::Play(play) if matches!(play.items.first(), Some(PromptUse::Prompt { prompt: 1, .. })) => {
            (vec![(Type::Int, Source::Word(12))], None)
        }
        _ => (Vec::new(), None),
    }
}
