//! Non-INVITE server transaction: RFC 3261 §17.2.2 figure 8.

use super::{Action::*, Event, Event::*, State, State::*, Step, Timer::*, to};

pub const START: Step = Step { next: State::Trying, actions: &[Tell] };

pub fn step(state: State, event: Event) -> Option<Step> {
    match (state, event) {
        (State::Trying | Proceeding, Provisional) => to(Proceeding, &[Send]),
        (State::Trying | Proceeding, Success | Failure) => to(Completed, &[Send, Arm(J)]),
        (Proceeding, Request) => to(Proceeding, &[Resend]),
        (Completed, Request) => to(Completed, &[Resend]),
        (Completed, Timer(J)) => to(Terminated, &[]),
        _ => None,
    }
}
