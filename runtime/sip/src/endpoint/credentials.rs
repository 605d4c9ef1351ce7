//! Challenges to requests of ours: the request goes out once more with credentials, for whoever owns it as if nothing
//! had happened (RFC 3261 §22.2, §22.3).

use std::sync::Arc;

use super::Endpoint;
use super::legs::Phase;
use crate::auth::{Fresh, answer, best_challenge};
use crate::message::{Header, Message};
use crate::slab::Key;
use crate::transaction::Owner;
use crate::trunks::TrunkState;

impl Endpoint {
    /// Answers a 401 or 407 to `request`. False when there is nothing to answer with, or it was answered before: then
    /// the refusal counts.
    pub(super) fn answer_challenge(
        &mut self,
        key: Key,
        request: &[u8],
        message: &Message<'_>,
        code: u16,
        owner: Owner,
    ) -> bool {
        let proxy = code == 407;
        let header = if proxy { Header::ProxyAuthenticate } else { Header::WwwAuthenticate };
        let Some(challenge) = best_challenge(message.all(header)) else { return false };
        let Some(transaction) = self.transactions.get(key) else { return false };
        let again = match transaction.challenged() {
            0 => true,
            // The password was right, and the nonce older than it may be.
            1 => challenge.stale,
            _ => false,
        };
        let destination = transaction.destination().0.address;
        let Ok(asked) = Message::frame(request) else { return false };
        let Some(own) = again.then_some(asked).and_then(|asked| asked.check_request().ok()) else { return false };
        // An INVITE may have been sent on to anybody by a 3xx, who gets none of our digests.
        let dialog_peer = match owner {
            Owner::Session(leg) => self.legs.get(leg).map(|state| state.dialog.peer.ip()),
            Owner::Closing(_, peer) => Some(peer),
            _ => None,
        };
        let site = Arc::clone(&self.ctx.site);
        let account = site.account(destination, dialog_peer).or_else(|| {
            let trunk = site.trunk(self.trunks.formerly_at(dialog_peer?)?)?;
            Some((trunk, trunk.account.as_ref()?))
        });
        let Some((trunk, account)) = account else { return false };
        let Some(cseq) = self.next_cseq_of(owner, own.cseq) else { return false };
        let branch = self.next_branch();
        let cnonce = self.ctx.entropy.next_token();
        let nonce_count = self.trunks.count_nonce(&trunk.name, &challenge.nonce);
        let fresh = Fresh { branch: &branch, cseq, cnonce: cnonce.as_bytes(), nonce_count };
        let Some(bytes) = answer(request, &challenge, proxy, account, &fresh) else { return false };
        let digest = self.ctx.entropy.digest(&[b"client", &branch, own.method.name()]);
        self.transactions.restart(&mut self.ctx, key, digest, bytes.into())
    }

    /// CSeq of the repeated request. `None` when nobody wants it any more.
    fn next_cseq_of(&mut self, owner: Owner, cseq: u32) -> Option<u32> {
        match owner {
            Owner::Leg(leg) => {
                let state = self.legs.get_mut(leg)?;
                matches!(state.phase, Phase::Calling { .. }).then(|| state.dialog.next_cseq())
            }
            Owner::Session(leg) => Some(self.legs.get_mut(leg)?.dialog.next_cseq()),
            Owner::Register(trunk, _) | Owner::Probe(trunk, _) => {
                Some(self.trunks.get_mut(trunk).map_or(cseq.saturating_add(1), TrunkState::next_cseq))
            }
            _ => Some(cseq.saturating_add(1)),
        }
    }
}
