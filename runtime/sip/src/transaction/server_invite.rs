//! INVITE server transaction: RFC 3261 §17.2.1 figure 7 as corrected by RFC 6026 §8.5. The 2xx is sent again by
//! the TU (§13.3.1.4), so Accepted only swallows the request.

use super::{Action, Action::*, Event, Event::*, State, State::*, Step, Timer, Timer::*, to};

pub const START: Step = Step { next: Proceeding, actions: &[Tell, Arm(Timer::Trying)] };

pub fn step(state: State, event: Event) -> Option<Step> {
    match (state, event) {
        (Proceeding, Request) => to(Proceeding, &[Resend, Action::Trying]),
        (Proceeding, Event::Timer(Timer::Trying)) => to(Proceeding, &[Action::Trying]),
        (Proceeding, Provisional) => to(Proceeding, &[Send]),
        (Proceeding, Success) => to(Accepted, &[Send, Arm(L)]),
        (Proceeding, Failure) => to(Completed, &[Send, Arm(G), Arm(H)]),
        (Accepted, Request) => to(Accepted, &[]),
        (Accepted, Event::Ack) => to(Accepted, &[Tell]),
        (Accepted, Success) => to(Accepted, &[Send]),
        (Accepted, Event::Timer(L)) => to(Terminated, &[]),
        (Completed, Request) => to(Completed, &[Resend]),
        (Completed, Event::Timer(G)) => to(Completed, &[Resend, Arm(G)]),
        (Completed, Event::Timer(H)) => to(Terminated, &[TimedOut]),
        (Completed, Event::Ack) => to(Confirmed, &[Arm(I)]),
        (Confirmed, Event::Timer(I)) => to(Terminated, &[]),
        _ => None,
    }
}
