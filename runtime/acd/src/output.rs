//! What the queues want done. Outputs lend themselves from the core, so that no input fits in between.

use std::collections::VecDeque;
use std::sync::Arc;

use runtime_contract::{GraphId, Tick};

use crate::input::{AgentName, OfferNumber, TicketId};

#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Ring this agent for the caller. Answered by `OfferAnswered`, `OfferFailed` or nothing: it is withdrawn after
    /// `ring_ms`.
    Offer(Offer),
    /// The same for a caller who was promised a call: ring the agent, then call.
    CallbackDue(Offer),
    /// Stop ringing, or hang up if it was answered meanwhile. Also said of an answer to an offer that is no longer
    /// open.
    Withdraw { ticket: TicketId, agent: AgentName, n: OfferNumber },
    /// Join the two. No offer of this ticket is open any more.
    Join {
        ticket: TicketId,
        agent: AgentName,
        /// Index in the queues of the ticket's program: where he was answered.
        queue: u32,
        /// Since he entered.
        waited_ms: u64,
    },
    /// Time for the `every` block of the queue that he entered. Not while an agent is rung for him.
    Comfort {
        ticket: TicketId,
        /// Those before him in that queue.
        ahead: u32,
        expected_wait_ms: u64,
    },
    /// The ticket is over, and nobody answered it.
    Over { ticket: TicketId, why: Over },
    /// The conversation is over, and he writes it up; free at that tick, or when he says so.
    WrapUp { agent: AgentName, ticket: TicketId, until: Tick },
    /// His wrap-up is over: what he said of the conversation, if he did.
    WrappedUp { agent: AgentName, ticket: TicketId, result: Option<u32> },
    /// He did not answer so often that he counts as away until he is said to be idle.
    SetAway { agent: AgentName },
    /// For `when missed in Q`: a caller who queued and was not served.
    Missed { ticket: TicketId, queue: Arc<str>, why: Missed },
    /// For `when served in Q`, at the end of the conversation.
    Served { ticket: TicketId, queue: Arc<str>, agent: AgentName },
    /// A clause of a queue faulted: nobody was eligible by it, or the priority was 0. Said once an hour
    /// for each flow of a version.
    ClauseFault {
        graph: GraphId,
        /// Index in `ProgramMeta::flows`.
        flow: u32,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub ticket: TicketId,
    pub agent: AgentName,
    pub n: OfferNumber,
    /// Index in the queues of the ticket's program: of the one for which he is asked.
    pub queue: u32,
    pub ring_ms: u64,
}

/// Outcomes of `queue` without an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Over {
    Timeout,
    /// As many wait as may; he did not enter.
    Full,
    /// The queue's hours say no; he did not enter.
    Closed,
    /// Nobody is logged in who could take him, whatever is relaxed, for [`crate::UNSTAFFED_MS`].
    Unstaffed,
    /// He was promised a call, and nobody came to it for [`crate::CALLBACK_AGE_MS_MAX`].
    CallbackTooOld,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Missed {
    Abandoned,
    Timeout,
    Unstaffed,
    CallbackTooOld,
}

/// What one input led to, in order. Drain it, then give the next input.
#[must_use = "outputs must be drained before the next input"]
#[derive(Debug)]
pub struct Outputs<'a> {
    pub(crate) queue: &'a mut VecDeque<Output>,
}

impl Iterator for Outputs<'_> {
    type Item = Output;

    fn next(&mut self) -> Option<Output> {
        self.queue.pop_front()
    }
}
