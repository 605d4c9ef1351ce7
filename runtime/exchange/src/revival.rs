//! Calls that a process left open when it died and whose line was up: their dialogs are taken up again, and the
//! flow makes its outstanding request once more. Who cannot be had within `REVIVE_MS_MAX` is taken as gone.

use std::net::SocketAddr;

use runtime_contract::leg::{LegCommand, LegId};
use runtime_contract::{Redacted, Tick};
use runtime_session::{Input as SessionInput, RequestId, StopReason};

use crate::call::Call;
use crate::desk::Desk;
use crate::onward::{Onward, Stage};
use crate::output::{Event, MediaCommand, Output};

/// How long the far sides have to answer.
pub const REVIVE_MS_MAX: u64 = 10_000;

/// A dialog of which the far side is to be found.
#[derive(Clone)]
pub(crate) struct Dialog {
    pub leg: LegId,
    pub bytes: Redacted<Vec<u8>>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The port is not open yet.
    Opening,
    Asked,
    Up,
    Lost,
}

#[derive(Clone)]
pub(crate) struct Revival {
    pub until: Tick,
    first: Dialog,
    /// Whoever the caller talked with.
    second: Option<Dialog>,
}

impl Dialog {
    pub fn new(leg: LegId, bytes: Vec<u8>) -> Dialog {
        Dialog { leg, bytes: Redacted::new(bytes), state: State::Opening }
    }
}

impl Revival {
    fn dialog(&mut self, leg: LegId) -> Option<&mut Dialog> {
        [Some(&mut self.first), self.second.as_mut()].into_iter().flatten().find(|dialog| dialog.leg == leg)
    }
}

impl Call {
    /// Looks for the far sides of a call that was rebuilt.
    pub fn begin_revival(&mut self, desk: &mut Desk, first: Dialog, second: Option<Dialog>) {
        self.leg = Some(first.leg);
        desk.put(Output::Media(MediaCommand::Open { leg: first.leg, peer: None, beside: None }));
        if let Some(second) = &second {
            desk.put(Output::Media(MediaCommand::Open { leg: second.leg, peer: None, beside: Some(first.leg) }));
        }
        let until = desk.now.tick.plus_ms(REVIVE_MS_MAX);
        self.revival = Some(Box::new(Revival { until, first, second }));
    }

    pub fn revival_opened(&mut self, desk: &mut Desk, leg: LegId, media: SocketAddr) {
        if self.leg == Some(leg) {
            desk.voiced.insert(leg, self.id());
        }
        let Some(dialog) = self.revival.as_mut().and_then(|revival| revival.dialog(leg)) else { return };
        dialog.state = State::Asked;
        desk.put(Output::Leg(LegCommand::Revive { leg, dialog: dialog.bytes.clone(), media }));
    }

    /// No port for this one: its far side is told that it is over.
    pub fn revival_failed(&mut self, desk: &mut Desk, leg: LegId) {
        let Some(dialog) = self.revival.as_mut().and_then(|revival| revival.dialog(leg)) else { return };
        desk.put(Output::EndDialog { dialog: dialog.bytes.clone() });
        desk.legs.remove(&leg);
        self.revival_gone(desk, leg);
    }

    pub fn revival_up(&mut self, desk: &mut Desk, leg: LegId) {
        if let Some(dialog) = self.revival.as_mut().and_then(|revival| revival.dialog(leg)) {
            dialog.state = State::Up;
            self.settle_revival(desk);
        }
    }

    pub fn revival_gone(&mut self, desk: &mut Desk, leg: LegId) {
        let Some(revival) = &mut self.revival else { return };
        if revival.first.leg == leg {
            self.leg = None;
            return self.give_up_revival(desk);
        }
        if let Some(dialog) = revival.dialog(leg) {
            dialog.state = State::Lost;
            self.settle_revival(desk);
        }
    }

    /// The time is over: whoever has not answered is not there.
    pub fn end_revival(&mut self, desk: &mut Desk) {
        let Some(revival) = &mut self.revival else { return };
        if revival.first.state != State::Up {
            return self.give_up_revival(desk);
        }
        if let Some(second) = revival.second.as_mut().filter(|second| second.state != State::Up) {
            leave(desk, second);
            second.state = State::Lost;
        }
        self.settle_revival(desk);
    }

    /// The call goes on once all that can be known is known.
    fn settle_revival(&mut self, desk: &mut Desk) {
        let waits = |dialog: &Dialog| matches!(dialog.state, State::Opening | State::Asked);
        let Some(revival) =
            self.revival.take_if(|revival| !waits(&revival.first) && !revival.second.as_ref().is_some_and(waits))
        else {
            return;
        };
        let request = RequestId(self.session.requests());
        if let Some(second) = &revival.second {
            let stage = match second.state {
                State::Up => {
                    let (leg, with) = (revival.first.leg, second.leg);
                    desk.put(Output::Media(MediaCommand::Bridge { leg, with }));
                    Stage::Talking { leg: with }
                }
                _ => Stage::Lost,
            };
            self.onward = Some(Onward { request, stage });
        }
        desk.event(Event::Revived { call: self.id() });
        let began = self.record.started;
        self.tell(desk, SessionInput::Revived { began });
    }

    /// Nobody is there: the call ends as those that nobody looked for.
    pub fn give_up_revival(&mut self, desk: &mut Desk) {
        self.abandon_revival(desk);
        self.tell(desk, SessionInput::Stop(StopReason::Crash));
    }

    /// The call ends otherwise: nobody is looked for any more.
    pub fn abandon_revival(&mut self, desk: &mut Desk) {
        let Some(revival) = self.revival.take() else { return };
        if self.leg.take().is_some() {
            leave(desk, &revival.first);
        }
        if let Some(second) = &revival.second {
            leave(desk, second);
        }
    }
}

/// Hangs up on a far side, found or not.
fn leave(desk: &mut Desk, dialog: &Dialog) {
    match dialog.state {
        State::Opening => {
            desk.legs.remove(&dialog.leg);
            desk.put(Output::Media(MediaCommand::Close { leg: dialog.leg }));
            desk.put(Output::EndDialog { dialog: dialog.bytes.clone() });
        }
        State::Asked | State::Up => desk.put(Output::Leg(LegCommand::HangUp { leg: dialog.leg })),
        State::Lost => {}
    }
}
