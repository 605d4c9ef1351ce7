//! The core: one input comes in, timers that are due first, and whoever can be matched is matched.

use std::collections::VecDeque;

use crate::FxHashMap;
use runtime_contract::calendar;
use runtime_contract::{GraphId, Now, Tick, Time};

use crate::agents::{AgentId, Changed, Member, Roster};
use crate::chance::Chance;
use crate::classes::ClassId;
use crate::faults::Faults;
use crate::input::{Input, TicketId};
use crate::log::{Log, Span};
use crate::matching::Firsts;
use crate::output::{Output, Outputs};
use crate::programs::Programs;
use crate::questions::{Asked, Questions};
use crate::queues::Queues;
use crate::staffing::Staffing;
use crate::ticket::Ticket;
use crate::timers::{Timer, Timers};

/// All queues and agents of a node.
#[derive(Clone)]
pub struct Acd {
    pub(crate) now: Now,
    pub(crate) outputs: VecDeque<Output>,
    pub(crate) timers: Timers,
    pub(crate) roster: Roster,
    pub(crate) queues: Queues,
    pub(crate) tickets: FxHashMap<TicketId, Box<Ticket>>,
    pub(crate) programs: Programs,
    pub(crate) questions: Questions,
    pub(crate) staffing: Staffing,
    pub(crate) log: Log,
    pub(crate) faults: Faults,
    pub(crate) chance: Chance,
    /// How often an agent changed.
    pub(crate) agent_changes: u64,
    /// Zone by which a day ends.
    zone: String,
    day_ends: Time,
    /// Tickets and classes of agents that may find each other now.
    pub(crate) dirty_tickets: Vec<TicketId>,
    pub(crate) dirty_classes: Vec<ClassId>,
    /// Room to find the next one in.
    pub(crate) firsts: Firsts,
}

impl Acd {
    /// `seed`: for `agent random` and `agent weighted random`.
    pub fn new(seed: u64) -> Acd {
        Acd {
            now: Now::default(),
            outputs: VecDeque::new(),
            timers: Timers::default(),
            roster: Roster::default(),
            queues: Queues::default(),
            tickets: FxHashMap::default(),
            programs: Programs::default(),
            questions: Questions::default(),
            staffing: Staffing::default(),
            log: Log::default(),
            faults: Faults::default(),
            chance: Chance::new(seed),
            agent_changes: 0,
            zone: "UTC".to_owned(),
            day_ends: Time(i64::MIN),
            dirty_tickets: Vec::new(),
            dirty_classes: Vec::new(),
            firsts: Firsts::default(),
        }
    }

    /// Time that goes back counts as standing still.
    pub fn handle(&mut self, now: Now, input: Input) -> Outputs<'_> {
        self.now = Now { tick: now.tick.max(self.now.tick), time: now.time.max(self.now.time) };
        self.turn_the_day();
        while let Some(timer) = self.timers.take_due(self.now.tick) {
            self.fire(timer);
            self.match_all();
        }
        self.take(input);
        self.match_all();
        for (graph, flow) in self.faults.fresh.drain(..) {
            self.outputs.push_back(Output::ClauseFault { graph, flow });
        }
        Outputs { queue: &mut self.outputs }
    }

    /// When [`Input::Tick`] is to come.
    pub fn next_deadline(&self) -> Option<Tick> {
        self.timers.next()
    }

    /// Some ticket is of this version.
    pub fn uses(&self, graph: GraphId) -> bool {
        self.programs.has(graph)
    }

    fn take(&mut self, input: Input) {
        match input {
            Input::Version(program) => {
                self.zone = program.meta().zone().to_owned();
                self.day_ends = self.day_ends.min(self.midnight());
                self.new_rules(program.meta());
            }
            Input::Agent(agent) => self.set_agent(agent),
            Input::AgentRemoved(name) => self.remove_agent(&name),
            Input::AgentState { agent, state } => self.agent_says(&agent, state),
            Input::Enter(enter) => self.enter(enter),
            Input::Leave { ticket, why } => self.leave(ticket, why),
            Input::ToCallback { ticket } => self.promise_call(ticket),
            Input::OfferAnswered { ticket, agent, n } => self.offer_answered(ticket, &agent, n),
            Input::OfferFailed { ticket, agent, n, why } => self.offer_failed(ticket, &agent, n, why),
            Input::Ended { ticket } => self.ended(ticket),
            Input::WrapUpDone { agent, result } => self.wrap_up_done(&agent, result),
            Input::Full(queue) => {
                let line = self.queues.id(&queue).and_then(|queue| self.queues.get_mut(queue));
                line.into_iter().for_each(|line| line.is_full = true);
            }
            Input::Tick => {}
        }
    }

    fn fire(&mut self, timer: Timer) {
        match timer {
            Timer::Ring(agent) => self.ring_over(agent),
            Timer::Rest(agent) => self.rested(agent),
            Timer::WrapUp(agent) => self.wrapped_up(agent, None),
            Timer::Relax(ticket) => self.relax(ticket),
            Timer::Overflow(ticket) => self.overflow(ticket),
            Timer::Timeout(ticket) => self.timed_out(ticket),
            Timer::Comfort(ticket) => self.comfort(ticket),
            Timer::Unstaffed(ticket) => self.unstaffed(ticket),
            Timer::CallbackAge(ticket) => self.callback_too_old(ticket),
            Timer::Clock => {}
        }
    }

    pub(crate) fn put(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    /// What questions are asked with, beside themselves.
    pub(crate) fn asking(&mut self) -> (&mut Questions, Asked<'_>) {
        let asked = Asked {
            classes: &mut self.roster.classes,
            programs: &self.programs,
            faults: &mut self.faults,
            now: self.now.time,
        };
        (&mut self.questions, asked)
    }

    /// The only way in which an agent changes: his classes, his day, the staff and the log follow.
    pub(crate) fn change_agent(&mut self, id: AgentId, change: impl FnOnce(&mut Member)) {
        self.agent_changes += 1;
        let Changed { is_free, staff, ended } = self.roster.change(id, self.now.time, change);
        if let Some((activity, from)) = ended {
            self.log.span(Span { agent: self.roster.name(id), activity, from, to: self.now.time });
        }
        if is_free && let Some(member) = self.roster.get(id) {
            self.dirty_classes.push(member.class);
        }
        if let Some(class) = staff {
            self.staff_changed(Some(class));
        }
    }

    fn turn_the_day(&mut self) {
        if self.now.time >= self.day_ends {
            let began = if self.day_ends == Time(i64::MIN) { self.now.time } else { self.day_ends };
            self.roster.new_day(began);
            self.day_ends = self.midnight();
        }
    }

    /// The next one; 24 hours on where no calendar has one.
    fn midnight(&self) -> Time {
        let in_a_day = Time(self.now.time.0.saturating_add(calendar::DAY_MS));
        let today = calendar::local_date(self.now.time, &self.zone).and_then(|day| i32::try_from(day).ok());
        let next = today.and_then(|day| calendar::instant(day + 1, 0, &self.zone));
        next.filter(|next| *next > self.now.time).unwrap_or(in_a_day)
    }
}
