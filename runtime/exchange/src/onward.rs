//! A caller who goes on to somebody else: `connect to` places a second leg and bridges the two, `transfer to`
//! gives the first away. It knows neither trunks nor phones; decision 0024 says which end is which outcome.

use std::net::SocketAddr;

use runtime_contract::leg::{GoneCause, LegCommand, LegId, Target};
use runtime_contract::request;
use runtime_contract::request::Request;
use runtime_contract::value::Phone;
use runtime_contract::{FaultKind, Redacted};
use runtime_session::{Input as SessionInput, Onward as Ask, OnwardKind, QueueEvent, RequestId};

use crate::call::Call;
use crate::desk::{Desk, Held};
use crate::input::WriteNumber;
use crate::output::{MediaCommand, Output, TraceWhat};
use crate::queues::unreported;

/// Where a caller is on the way.
#[derive(Clone)]
pub(crate) struct Onward {
    pub request: RequestId,
    pub stage: Stage,
}

#[derive(Clone)]
pub(crate) enum Stage {
    /// That he is to go on is not durable yet.
    Held(Ask),
    Transferring,
    /// The second leg waits for its port.
    Opening {
        leg: LegId,
        dial: Dial,
    },
    Dialling {
        leg: LegId,
        heard: Heard,
    },
    Talking {
        leg: LegId,
    },
    /// Both talked when the process died, and the other one could not be found again.
    Lost,
}

#[derive(Clone)]
pub(crate) struct Dial {
    target: Target,
    from: Option<Redacted<String>>,
    ring_ms: u32,
}

/// What the caller hears of the one who is called.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    Nothing,
    /// Ours, because nothing else is to be heard.
    Ringback,
    /// What the far side sends.
    Early,
}

/// Outcomes of `connect`, as in the table of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Ended = 0,
    Busy = 1,
    Unanswered = 2,
    Declined = 3,
    Unreachable = 4,
}

/// `failed`, the only outcome of `transfer`.
const TRANSFER_FAILED: u32 = 0;

impl Call {
    pub fn go_onward(&mut self, desk: &mut Desk, number: WriteNumber, request: RequestId, ask: Ask) {
        if self.leg.is_none() {
            return;
        }
        match self.onward.take_if(|onward| onward.request == request) {
            // Taken up again: they talk already.
            Some(onward @ Onward { stage: Stage::Talking { .. }, .. }) => {
                self.onward = Some(onward);
                return;
            }
            Some(Onward { stage: Stage::Lost, .. }) => {
                let outcome = Outcome::Ended as u32;
                return desk.follow_up(self.id(), SessionInput::Reply { request, outcome, payload: None });
            }
            _ => {}
        }
        self.onward = Some(Onward { request, stage: Stage::Held(ask) });
        if let Some(held) = desk.hold(number, self.id(), Held::Onward(request)) {
            self.refuse_held(desk, held);
        }
    }

    /// He was with an agent when the process died: they talk on, and nobody rings for him. True when there is nothing to
    /// enter a queue for.
    pub fn talks_since_crash(&mut self, desk: &mut Desk, request: RequestId) -> bool {
        let Some(onward) = self.onward.as_ref().filter(|onward| onward.request == request) else { return false };
        let lost = matches!(onward.stage, Stage::Lost);
        let event = QueueEvent::Talking;
        desk.follow_up(self.id(), SessionInput::Queue { request, event });
        if lost {
            self.onward = None;
            desk.follow_up(self.id(), self.ended(request));
        }
        true
    }

    /// The reply when the one whom the caller talked with has left.
    fn ended(&self, request: RequestId) -> SessionInput {
        let meta = self.program().meta();
        let reports = match meta.request(self.session.site()) {
            Some(Request::Queue { queue }) => {
                meta.queues.get(*queue as usize).is_some_and(|queue| queue.wrap_up_as.is_some())
            }
            _ => false,
        };
        let payload = reports.then(unreported);
        SessionInput::Reply { request, outcome: Outcome::Ended as u32, payload }
    }

    /// What was asked is durable.
    pub fn release_onward(&mut self, desk: &mut Desk, request: RequestId) {
        let (Some(leg), Some(Onward { stage: Stage::Held(ask), .. })) =
            (self.leg, self.onward.take_if(|onward| onward.request == request))
        else {
            return;
        };
        let target = target(&ask.to);
        self.trace(desk, || TraceWhat::Onward { to: ask.to.clone(), transfer: ask.how == OnwardKind::Transfer });
        let stage = match ask.how {
            OnwardKind::Transfer => {
                desk.put(Output::Leg(LegCommand::Transfer { leg, target }));
                Stage::Transferring
            }
            OnwardKind::Connect { from, ring_ms } => {
                let second = desk.open_leg(self.id());
                desk.put(Output::Media(MediaCommand::Open { leg: second, peer: None, beside: Some(leg) }));
                let from = self.shown(from, &target);
                Stage::Opening { leg: second, dial: Dial { target, from, ring_ms } }
            }
        };
        self.onward = Some(Onward { request, stage });
    }

    /// The store does not keep it: nobody is called.
    pub fn refuse_onward(&mut self, request: RequestId) -> Option<SessionInput> {
        let onward = self.onward.take_if(|onward| onward.request == request)?;
        Some(match onward.stage {
            Stage::Held(Ask { how: OnwardKind::Transfer, .. }) => {
                SessionInput::Reply { request, outcome: TRANSFER_FAILED, payload: None }
            }
            _ => SessionInput::Fault { request, kind: FaultKind::Store },
        })
    }

    /// The number that the one who is called is shown: the flow's choice; else inside the house the caller's, and
    /// outside it the one that he called, which is ours.
    fn shown(&self, from: Option<Phone>, target: &Target) -> Option<Redacted<String>> {
        match (from, target) {
            (Some(from), _) => Some(from.e164()),
            (None, Target::Extension(_)) => self.record.caller.clone(),
            (None, _) => Some(Redacted::new(self.record.called.clone())).filter(|called| !called.reveal().is_empty()),
        }
    }

    /// The second leg, while there is one.
    pub fn second_leg(&self) -> Option<LegId> {
        match self.onward.as_ref()?.stage {
            Stage::Opening { leg, .. } | Stage::Dialling { leg, .. } | Stage::Talking { leg } => Some(leg),
            Stage::Held(_) | Stage::Transferring | Stage::Lost => None,
        }
    }

    /// The other end of the bridge that this leg is in.
    pub fn talks_with(&self, leg: LegId) -> Option<LegId> {
        let (first, second) = (self.leg?, self.second_leg()?);
        let bridged = self.onward.as_ref().is_some_and(|onward| matches!(onward.stage, Stage::Talking { .. }));
        if !bridged {
            None
        } else if leg == first {
            Some(second)
        } else {
            Some(first)
        }
    }

    pub fn second_opened(&mut self, desk: &mut Desk, media: SocketAddr) {
        let Some(onward) = &mut self.onward else { return };
        let before = std::mem::replace(&mut onward.stage, Stage::Transferring);
        onward.stage = match before {
            Stage::Opening { leg, dial: Dial { target, from, ring_ms } } => {
                desk.put(Output::Leg(LegCommand::Dial { leg, target, from, ring_ms, media }));
                Stage::Dialling { leg, heard: Heard::Nothing }
            }
            other => other,
        };
    }

    /// No port could be had for the second leg, which was never placed.
    pub fn second_failed(&mut self, desk: &mut Desk) {
        if let Some(leg) = self.second_leg() {
            desk.legs.remove(&leg);
            self.second_gone(desk, GoneCause::Failed);
        }
    }

    pub fn second_rings(&mut self, desk: &mut Desk) {
        let first = self.leg;
        if let Some(Onward { stage: Stage::Dialling { heard: heard @ Heard::Nothing, .. }, .. }) = &mut self.onward
            && let Some(leg) = first
        {
            *heard = Heard::Ringback;
            desk.put(Output::Media(MediaCommand::Ringback { leg, on: true }));
        }
    }

    /// The far side may be heard, answered or not.
    pub fn second_media(&mut self, desk: &mut Desk) {
        let first = self.leg;
        if let Some(Onward { stage: Stage::Dialling { leg: with, heard }, .. }) = &mut self.onward
            && *heard != Heard::Early
            && let Some(leg) = first
        {
            if *heard == Heard::Ringback {
                desk.put(Output::Media(MediaCommand::Ringback { leg, on: false }));
            }
            *heard = Heard::Early;
            desk.put(Output::Media(MediaCommand::Bridge { leg, with: *with }));
        }
    }

    pub fn second_up(&mut self, desk: &mut Desk) {
        self.second_media(desk);
        if let Some(onward) = &mut self.onward
            && let Stage::Dialling { leg, .. } = onward.stage
        {
            onward.stage = Stage::Talking { leg };
            self.trace(desk, || TraceWhat::Connected);
        }
    }

    /// The second leg is over, and with it the request.
    pub fn second_gone(&mut self, desk: &mut Desk, cause: GoneCause) {
        let Some(Onward { request, stage }) = self.onward.take() else { return };
        if let (Stage::Dialling { heard: Heard::Ringback, .. }, Some(leg)) = (&stage, self.leg) {
            desk.put(Output::Media(MediaCommand::Ringback { leg, on: false }));
        }
        let reply = match stage {
            Stage::Talking { .. } => self.ended(request),
            _ => SessionInput::Reply { request, outcome: outcome_of(cause) as u32, payload: None },
        };
        self.tell(desk, reply);
    }

    pub fn transfer_failed(&mut self, desk: &mut Desk) {
        if let Some(Onward { request, .. }) = self.onward.take_if(|onward| matches!(onward.stage, Stage::Transferring))
        {
            self.tell(desk, SessionInput::Reply { request, outcome: TRANSFER_FAILED, payload: None });
        }
    }

    /// Nobody is to go on any more, if it was for this request: whoever was called, or talks, is hung up on.
    pub fn cancel_onward(&mut self, desk: &mut Desk, of: Option<RequestId>) {
        let Some(onward) = self.onward.take_if(|onward| of.is_none_or(|of| of == onward.request)) else { return };
        match onward.stage {
            Stage::Opening { leg, .. } => {
                desk.legs.remove(&leg);
                desk.put(Output::Media(MediaCommand::Close { leg }));
            }
            Stage::Dialling { leg, heard } => {
                if let (Heard::Ringback, Some(first)) = (heard, self.leg) {
                    desk.put(Output::Media(MediaCommand::Ringback { leg: first, on: false }));
                }
                desk.put(Output::Leg(LegCommand::HangUp { leg }));
            }
            Stage::Talking { leg } => desk.put(Output::Leg(LegCommand::HangUp { leg })),
            Stage::Held(_) | Stage::Transferring | Stage::Lost => {}
        }
    }
}

/// E.164 begins with `+`; anything else is a phone of the site.
fn target(to: &Redacted<String>) -> Target {
    if to.reveal().starts_with('+') { Target::Number(to.clone()) } else { Target::Extension(to.clone()) }
}

/// The same as an outcome of `dial`, behind those with which somebody answered.
pub(crate) fn unanswered(cause: GoneCause) -> u32 {
    request::Dial::MACHINE + outcome_of(cause) as u32
}

/// Of a leg that was not answered. RFC 3398 §8.2.6.1 says which status a telephone network gives for what.
fn outcome_of(cause: GoneCause) -> Outcome {
    match cause {
        GoneCause::Refused(486 | 600) => Outcome::Busy,
        GoneCause::Refused(603 | 607 | 608) => Outcome::Declined,
        GoneCause::Refused(408 | 480 | 487) | GoneCause::NoAnswer | GoneCause::RemoteHungUp => Outcome::Unanswered,
        _ => Outcome::Unreachable,
    }
}

#[cfg(test)]
mod tests {
    use runtime_contract::request::Kind;

    use super::*;

    #[test]
    fn outcomes_are_those_of_the_table() {
        let names = Kind::Connect.row().outcomes;
        let ours = [Outcome::Ended, Outcome::Busy, Outcome::Unanswered, Outcome::Declined, Outcome::Unreachable];
        let ours: Vec<(usize, String)> =
            ours.iter().map(|one| (*one as usize, format!("{one:?}").to_lowercase())).collect();
        let table: Vec<(usize, String)> = names.iter().map(|name| (*name).to_owned()).enumerate().collect();
        assert_eq!(ours, table);
        let dial = Kind::Dial.row().outcomes;
        assert_eq!(dial[request::Dial::MACHINE as usize + 1..], names[1..]);
        assert_eq!(Kind::Transfer.row().outcomes[TRANSFER_FAILED as usize], "failed");
    }

    #[test]
    fn every_refusal_has_an_outcome() {
        for (status, outcome) in [
            (486, Outcome::Busy),
            (600, Outcome::Busy),
            (603, Outcome::Declined),
            (480, Outcome::Unanswered),
            (408, Outcome::Unanswered),
            (404, Outcome::Unreachable),
            (503, Outcome::Unreachable),
        ] {
            assert_eq!(outcome_of(GoneCause::Refused(status)), outcome, "{status}");
        }
    }
}
