//! Who is next, with 10 000 agents, 1 000 queues and 10 000 callers who wait: how long a decision takes, and how many a
//! core makes, beside a plain scan of all who wait in the same run. No socket: `cargo bench -p runtime-acd`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock and may stop at the first surprise"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use runtime_acd::testkit::{self, Kit};
use runtime_acd::{Acd, Agent, AgentName, AgentState, Enter, Input, OfferNumber, Output, TicketId};
use runtime_contract::program::FlowProgram;
use runtime_contract::pure::Facts;
use runtime_contract::queue::Queue;
use runtime_contract::value::Value;
use runtime_contract::{Now, Tick, Time, Type};

const AGENTS: usize = 10_000;
const QUEUES: usize = 1_000;
const WAITING: usize = 10_000;
const SKILLS: usize = 100;
const DECISIONS: usize = 200_000;
/// The scan is too slow for as many.
const SCANS: usize = 2_000;
const ROUNDS: usize = 3;

/// xorshift64*
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % end
    }
}

/// Each queue needs one skill of a level by its table, and of the caller's own level by its clause.
fn kit() -> Kit {
    let mut kit = Kit::new(1);
    let skills: Vec<u32> = (0..SKILLS).map(|at| kit.skill(&format!("s{at}"))).collect();
    let priority = kit.flow(Type::Int, |_, words| Some(words[1] as i64));
    for at in 0..QUEUES {
        let skill = skills[at % SKILLS];
        let mut needs = kit.predicate(&[skill], 1, |_, words| Some((words[2] >= words[0]).into()));
        (needs.reads_language, needs.reads_number) = (false, false);
        let mut queue: Queue = testkit::queue(&format!("q{at}"), 2);
        queue.stages =
            vec![testkit::stage(0, &[(skill, 1)], Some(needs)), testkit::stage(3_600_000, &[(skill, 1)], None)];
        queue.priority = Some(priority);
        kit.queue(queue);
    }
    kit
}

/// A caller as the scan sees him.
#[derive(Clone, Copy)]
struct Caller {
    ticket: u64,
    queue: usize,
    level: i64,
    priority: i64,
}

struct Bench {
    acd: Acd,
    program: std::sync::Arc<dyn FlowProgram>,
    chance: Chance,
    names: Vec<AgentName>,
    levels: Vec<Vec<i64>>,
    /// Those who wait, as long as the scan is asked too; after that, their number.
    callers: Vec<Caller>,
    waiting: usize,
    /// Ticket and agent of each conversation.
    talks: Vec<(u64, usize)>,
    tickets: u64,
    ns: u64,
}

impl Bench {
    fn new() -> Bench {
        let program = kit().build();
        let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
        let mut acd = Acd::new(1);
        acd.handle(Now::default(), Input::Version(program.clone())).for_each(drop);
        let names: Vec<AgentName> = (0..AGENTS).map(|at| AgentName::from(format!("agent{at:05}"))).collect();
        let mut levels = vec![vec![0; SKILLS]; AGENTS];
        for (name, levels) in names.iter().zip(&mut levels) {
            (0..4).for_each(|_| levels[chance.below(SKILLS)] = 1 + chance.below(5) as i64);
            let skills = levels.iter().zip(0..).filter(|(level, _)| **level > 0);
            let skills = skills.map(|(level, at)| (format!("s{at}"), *level)).collect();
            let agent = Agent { name: name.clone(), skills, place: 0, weight: 0 };
            acd.handle(Now::default(), Input::Agent(agent)).for_each(drop);
        }
        let (callers, talks) = (Vec::new(), Vec::new());
        Bench { acd, program, chance, names, levels, callers, waiting: 0, talks, tickets: 0, ns: 0 }
    }

    fn now(&self) -> Now {
        Now { tick: Tick(self.ns), time: Time((self.ns / 1_000_000) as i64) }
    }

    /// One new caller; those offers that come of it.
    fn enter(&mut self) -> (Caller, Duration, Vec<Output>) {
        self.tickets += 1;
        let (queue, level, priority) =
            (self.chance.below(QUEUES), self.chance.below(5) as i64, self.chance.below(3) as i64);
        let caller = Caller { ticket: self.tickets, queue, level, priority };
        let values = [Value::Int(level), Value::Int(priority)];
        let facts = Facts::new(self.program.meta(), std::iter::repeat(&Type::Int).zip(&values)).unwrap();
        let (ticket, program, queue) = (TicketId(self.tickets), self.program.clone(), queue as u32);
        let enter = Enter { ticket, program, queue, facts, last_agent: None, entered: None, callback: None };
        let (spent, outputs) = self.give(Input::Enter(enter));
        (caller, spent, outputs)
    }

    fn give(&mut self, input: Input) -> (Duration, Vec<Output>) {
        // A decision each 5 µs.
        self.ns += 2_500;
        let now = self.now();
        let begin = Instant::now();
        let outputs = self.acd.handle(now, input).collect();
        (begin.elapsed(), outputs)
    }

    fn answer(&mut self, outputs: &[Output]) {
        let Some(Output::Offer(offer)) = outputs.iter().find(|output| matches!(output, Output::Offer(_))) else {
            return;
        };
        let (ticket, agent, n) = (offer.ticket, offer.agent.clone(), OfferNumber(offer.n.0));
        let at: usize = agent.trim_start_matches("agent").parse().unwrap();
        self.talks.push((ticket.0, at));
        self.waiting -= 1;
        self.callers.retain(|caller| caller.ticket != ticket.0);
        self.give(Input::OfferAnswered { ticket, agent, n });
    }

    /// In the place of those who were served.
    fn fill(&mut self, keep: bool, times: &mut Vec<Duration>) {
        while self.waiting < WAITING {
            let (caller, entered, outputs) = self.enter();
            self.waiting += 1;
            if keep {
                self.callers.push(caller);
            }
            times.push(entered);
            self.answer(&outputs);
        }
    }

    /// The one who is next for this agent, by looking at everybody.
    fn scan(&self, agent: usize) -> Option<u64> {
        let fits = |caller: &&Caller| {
            let level = self.levels[agent][caller.queue % SKILLS];
            level >= 1 && level >= caller.level
        };
        let next = self.callers.iter().filter(fits).min_by_key(|caller| (-caller.priority, caller.ticket));
        next.map(|caller| caller.ticket)
    }

    /// An agent ends his call and is offered the next; `compare`: the scan finds the same one.
    fn freed(&mut self, times: &mut Vec<Duration>, compare: bool) {
        let at = self.chance.below(self.talks.len());
        let (ticket, agent) = self.talks.swap_remove(at);
        let wanted = if compare { self.scan(agent) } else { None };
        let (ended, outputs) = self.give(Input::Ended { ticket: TicketId(ticket) });
        let offered = outputs.iter().find_map(|output| match output {
            Output::Offer(offer) => Some(offer.ticket.0),
            _ => None,
        });
        assert!(!compare || offered == wanted, "{offered:?} was offered, {wanted:?} is next");
        times.push(ended);
        self.answer(&outputs);
        self.fill(compare, times);
    }
}

/// What this thread has had of a core: others who want it too do not count.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap())
}

fn cpu_of(work: impl FnOnce()) -> f64 {
    let begin = cpu();
    work();
    (cpu() - begin).as_secs_f64()
}

fn percentile(times: &mut [Duration], share: f64) -> f64 {
    times.sort_unstable();
    times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e6
}

fn main() {
    let mut bench = Bench::new();
    for at in 0..AGENTS {
        let agent = bench.names[at].clone();
        bench.give(Input::AgentState { agent, state: AgentState::Idle });
    }
    let mut times = Vec::new();
    bench.fill(true, &mut times);
    times.truncate(AGENTS);
    println!(
        "with {AGENTS} idle agents at first: a caller who enters takes {:.1} µs in the middle, {:.1} at p99 by the clock",
        percentile(&mut times, 0.5),
        percentile(&mut times, 0.99),
    );
    println!("{AGENTS} agents, {} of them talking, {QUEUES} queues, {WAITING} callers who wait", bench.talks.len());
    for _ in 0..SCANS {
        bench.freed(&mut Vec::new(), true);
    }
    println!("the scan of all who wait finds the same {SCANS} callers");
    let scan_s = cpu_of(|| (0..SCANS).for_each(|at| assert!(black_box(bench.scan(at)) != Some(0)))) / SCANS as f64;
    bench.callers = Vec::new();
    for _ in 0..ROUNDS {
        let mut times = Vec::new();
        let decision_s = cpu_of(|| (0..DECISIONS).for_each(|_| bench.freed(&mut times, false))) / DECISIONS as f64;
        println!(
            "{:.0} decisions per second of CPU (end of a call, offer, answer, the next caller enters), {:.2} µs each; an input takes {:.1} µs in the middle, {:.1} at p99 by the clock; the scan {:.1} µs, {:.1} times as much",
            1.0 / decision_s,
            decision_s * 1e6,
            percentile(&mut times, 0.5),
            percentile(&mut times, 0.99),
            scan_s * 1e6,
            scan_s / decision_s,
        );
    }
}
