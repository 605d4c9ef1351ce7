//! INVITE client transaction: RFC 3261 §17.1.1.2 figure 5 as corrected by RFC 6026 §8.4.

use super::Event::{Failure, Provisional, Success, Timer, TransportError};
use super::State::{Accepted, Calling, Completed, Proceeding, Terminated};
use super::Timer::{A, B, D, M};
use super::{Action::*, Event, State, Step, to};

pub const START: Step = Step { next: Calling, actions: &[Send, Arm(A), Arm(B)] };

pub fn step(state: State, event: Event) -> Option<Step> {
    match (state, event) {
        (Calling, Timer(A)) => to(Calling, &[Resend, Arm(A)]),
        (Calling, Timer(B) | TransportError) => to(Terminated, &[TimedOut]),
        (Completed, TransportError) => to(Terminated, &[]),
        (Calling | Proceeding, Provisional) => to(Proceeding, &[Tell]),
        (Calling | Proceeding, Success) => to(Accepted, &[Tell, Arm(M)]),
        (Calling | Proceeding, Failure) => to(Completed, &[Ack, Tell, Arm(D)]),
        (Completed, Failure) => to(Completed, &[Resend]),
        (Completed, Timer(D)) => to(Terminated, &[]),
        (Accepted, Success) => to(Accepted, &[Tell]),
        (Accepted, Timer(M)) => to(Terminated, &[]),
        _ => None,
    }
}
