//! What happens to queues: callers come and go, agents change their state, offers are answered or not.

use std::fmt;
use std::sync::Arc;

use runtime_contract::Time;
use runtime_contract::program::FlowProgram;
use runtime_contract::pure::Facts;

/// One wait of one caller, drawn by whoever keeps its row; never given twice. Of equal callers the lower comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TicketId(pub u64);

/// As `strowger.yaml` calls an agent.
pub type AgentName = Arc<str>;

/// An attempt to give a ticket to an agent, counted from 1 for each ticket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OfferNumber(pub u32);

#[derive(Clone)]
pub enum Input {
    /// The stable version: from now on queues follow the rules that it has for them by name (order, choice of agents,
    /// ring, wrap-up, limit, hours, target). A queue that it does not have keeps those it had until it is empty.
    Version(Arc<dyn FlowProgram>),
    /// An agent is new, or other than he was. He begins [`AgentState::Gone`].
    Agent(Agent),
    /// The site has this agent no more: gone, and forgotten once he has nothing to do here.
    AgentRemoved(AgentName),
    /// What an agent, or his phone, says of himself. What was said while he talks, or ends a conversation, holds when
    /// that is over.
    AgentState {
        agent: AgentName,
        state: AgentState,
    },
    /// Somebody queues. Answered in the end by one of the outputs that name the end of a ticket, unless
    /// [`Input::Leave`] comes first.
    Enter(Enter),
    /// A caller goes without having been answered. Of one who talks it is the end of the conversation.
    Leave {
        ticket: TicketId,
        why: LeaveWhy,
    },
    /// The caller hangs up and wants to be called: his ticket keeps its place.
    ToCallback {
        ticket: TicketId,
    },
    /// The agent took the call (or the planned one back).
    OfferAnswered {
        ticket: TicketId,
        agent: AgentName,
        n: OfferNumber,
    },
    OfferFailed {
        ticket: TicketId,
        agent: AgentName,
        n: OfferNumber,
        why: OfferFailure,
    },
    /// The conversation is over.
    Ended {
        ticket: TicketId,
    },
    /// The agent ends his wrap-up before its time.
    WrapUpDone {
        agent: AgentName,
        /// Variant of the queue's `wrap up … as`.
        result: Option<u32>,
    },
    /// From now on this queue takes nobody else, as if so many waited as its `limit` allows: in a test one caller
    /// stands for all, and others must have filled it.
    Full(String),
    /// The tick of `next_deadline` has come.
    Tick,
}

/// What is known of an agent that does not change by the minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    pub name: AgentName,
    /// By name (`technical`, or `routing.technical` where two modules have one), and level; 1 of one without levels.
    pub skills: Vec<(String, i64)>,
    /// For `agent top down`: the lower is asked first.
    pub place: u32,
    /// For `agent weighted random`: how often he is drawn, next to others. 0 of all of them counts as 1.
    pub weight: u32,
}

/// All but `Gone` are logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AgentState {
    /// Ready for a caller.
    Idle,
    /// In a call that is none of a queue.
    Busy,
    /// On a break.
    Away,
    Gone,
}

#[derive(Clone)]
pub struct Enter {
    pub ticket: TicketId,
    /// The caller's own version: whom he needs and prefers, his priority, and how long he waits, are read there.
    pub program: Arc<dyn FlowProgram>,
    /// Index in its `ProgramMeta::queues`.
    pub queue: u32,
    pub facts: Facts,
    /// Who served him last, and when that ended; for `prefers same agent`.
    pub last_agent: Option<(AgentName, Time)>,
    /// He has his place from before, since then: a ticket of a process that died. It is refused by no limit and no
    /// hours.
    pub entered: Option<Time>,
    /// Its caller was promised a call at this time.
    pub callback: Option<Time>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LeaveWhy {
    /// The caller hung up, or his line was lost.
    Abandoned,
    /// He pressed a key that leads out of the queue, or the call was taken out of it by us.
    Left,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OfferFailure {
    NoAnswer,
    Busy,
    Declined,
    /// His phone is not there, or refuses.
    Unreachable,
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Input::Version(program) => write!(f, "Version({})", program.meta().graph_id.short()),
            Input::Agent(agent) => write!(f, "{agent:?}"),
            Input::AgentRemoved(agent) => write!(f, "AgentRemoved({agent})"),
            Input::AgentState { agent, state } => write!(f, "AgentState({agent}, {state:?})"),
            Input::Enter(enter) => write!(f, "Enter({}, queue {})", enter.ticket.0, enter.queue),
            Input::Leave { ticket, why } => write!(f, "Leave({}, {why:?})", ticket.0),
            Input::ToCallback { ticket } => write!(f, "ToCallback({})", ticket.0),
            Input::OfferAnswered { ticket, agent, n } => write!(f, "OfferAnswered({}, {agent}, {})", ticket.0, n.0),
            Input::OfferFailed { ticket, agent, n, why } => {
                write!(f, "OfferFailed({}, {agent}, {}, {why:?})", ticket.0, n.0)
            }
            Input::Ended { ticket } => write!(f, "Ended({})", ticket.0),
            Input::WrapUpDone { agent, result } => write!(f, "WrapUpDone({agent}, {result:?})"),
            Input::Full(queue) => write!(f, "Full({queue})"),
            Input::Tick => f.write_str("Tick"),
        }
    }
}
