//! Transactions (RFC 3261 §17, RFC 6026): four tables that can be laid beside the RFCs' figures, and the store
//! that runs them. It knows neither dialogs nor legs: it tells its user what the figures tell the TU.

mod client;
mod client_invite;
mod server;
mod server_invite;
mod store;
#[cfg(test)]
mod tables;

pub use store::{FORKS_MAX, Opening, Owner, Told, Transactions, shrink};

/// Whose figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// RFC 6026 §7.2 figure 5 (after RFC 3261 figure 5).
    ClientInvite,
    /// RFC 3261 §17.1.2 figure 6.
    Client,
    /// RFC 6026 §7.1 figure 7.
    ServerInvite,
    /// RFC 3261 §17.2.2 figure 8.
    Server,
}

/// The circles of the figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Calling,
    Trying,
    Proceeding,
    Completed,
    Confirmed,
    Accepted,
    Terminated,
}

/// The labels above the lines. For a server the responses come from the TU, for a client from the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The request came again.
    Request,
    Ack,
    /// 1xx
    Provisional,
    /// 2xx
    Success,
    /// 300–699
    Failure,
    Timer(Timer),
    /// The request did not leave, or its connection is gone ("Transport Err.").
    TransportError,
}

impl Event {
    /// The event that a status code is.
    pub fn of_code(code: u16) -> Self {
        match code {
            ..200 => Event::Provisional,
            200..300 => Event::Success,
            _ => Event::Failure,
        }
    }
}

/// The labels below the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send the message that came with the event, and keep it.
    Send,
    /// Send the kept message again.
    Resend,
    /// Answer 100 if nothing was answered yet.
    Trying,
    /// Make and send the ACK of a non-2xx, and keep it.
    Ack,
    /// Pass the event to the TU.
    Tell,
    /// Tell the TU that the far side stayed silent, or cannot be reached.
    TimedOut,
    Arm(Timer),
}

/// Timers of RFC 3261 table 4 and RFC 6026, and the 200 ms of §17.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    A,
    B,
    D,
    E,
    F,
    G,
    H,
    I,
    J,
    K,
    L,
    M,
    /// The TU had 200 ms for its answer.
    Trying,
}

/// One line of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub next: State,
    pub actions: &'static [Action],
}

const fn to(next: State, actions: &'static [Action]) -> Option<Step> {
    Some(Step { next, actions })
}

impl Machine {
    /// Sends the request.
    pub fn is_client(self) -> bool {
        matches!(self, Machine::ClientInvite | Machine::Client)
    }

    /// Where it begins, and what it does first.
    pub fn start(self) -> Step {
        match self {
            Machine::ClientInvite => client_invite::START,
            Machine::Client => client::START,
            Machine::ServerInvite => server_invite::START,
            Machine::Server => server::START,
        }
    }

    /// The line out of `state` labelled `event`; `None` where the figure has none, and the event is ignored.
    pub fn step(self, state: State, event: Event) -> Option<Step> {
        match self {
            Machine::ClientInvite => client_invite::step(state, event),
            Machine::Client => client::step(state, event),
            Machine::ServerInvite => server_invite::step(state, event),
            Machine::Server => server::step(state, event),
        }
    }
}
