//! Non-INVITE client transaction: RFC 3261 §17.1.2.2 figure 6.

use super::{Action::*, Event, Event::*, State, State::*, Step, Timer::*, to};

pub const START: Step = Step { next: State::Trying, actions: &[Send, Arm(E), Arm(F)] };

pub fn step(state: State, event: Event) -> Option<Step> {
    match (state, event) {
        (State::Trying, Timer(E)) => to(State::Trying, &[Resend, Arm(E)]),
        (Proceeding, Timer(E)) => to(Proceeding, &[Resend, Arm(E)]),
        (State::Trying | Proceeding, Timer(F) | TransportError) => to(Terminated, &[TimedOut]),
        (State::Trying | Proceeding, Provisional) => to(Proceeding, &[Tell]),
        (State::Trying | Proceeding, Success | Failure) => to(Completed, &[Tell, Arm(K)]),
        (Completed, Timer(K)) => to(Terminated, &[]),
        _ => None,
    }
}
