//! Dialogs that another process left behind: taken up again by a re-INVITE, or ended (contract §6).

use std::net::SocketAddr;

use runtime_contract::leg::{GoneCause, LegEvent, LegId};

use super::Endpoint;
use super::legs::{Leg, Phase};
use super::snapshot::{self, Restored};
use crate::context::{Alarm, LegTimer};

impl Endpoint {
    pub(super) fn revive(&mut self, id: LegId, snapshot: &[u8], media: SocketAddr) {
        if self.legs.by_id(id).is_some() {
            // The id names a leg that lives: a fault of the caller, and nothing may be said of either.
            return;
        }
        let Some(restored) = snapshot::restore(snapshot) else {
            return self.ctx.say(LegEvent::Gone { leg: id, cause: GoneCause::Failed });
        };
        let digest = restored.dialog.digest(&self.ctx.entropy);
        if self.legs.len() >= self.ctx.config.legs_max || self.legs.by_dialog(digest).is_some() {
            return self.ctx.say(LegEvent::Gone { leg: id, cause: GoneCause::Failed });
        }
        let Restored { dialog, placed, origin, settled, far, session } = restored;
        let mut leg = Leg::new(id, Phase::Reviving, dialog, digest, origin);
        (leg.placed, leg.settled, leg.far, leg.session) = (placed, settled, far, session);
        leg.local_media = Some(media);
        leg.wants.offer = true;
        let leg = self.legs.insert(leg);
        self.ctx.alarm_in(self.ctx.config.revive_ms_max, Alarm::Leg(leg, LegTimer::ReviveEnd));
        // Should this process die too, its successor must leap from here.
        self.legs.say_dialog(&mut self.ctx, leg);
        self.ask_next(leg);
    }

    pub(super) fn end_restored(&mut self, snapshot: &[u8]) {
        if let Some(mut restored) = snapshot::restore(snapshot) {
            self.send_bye(&mut restored.dialog, None);
        }
    }
}
