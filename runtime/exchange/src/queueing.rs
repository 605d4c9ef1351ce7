//! A call's side of a queue: its caller is in no line before that he is to be is durable, and in none any more once his
//! session waits no longer. What becomes of him there is in `queues`.

use runtime_acd::LeaveWhy;
use runtime_contract::Redacted;
use runtime_contract::value::Phone;
use runtime_session::{QueueAsk, RequestId};

use crate::call::Call;
use crate::desk::{Desk, Entry, Held, QueueWish};
use crate::input::WriteNumber;

#[derive(Clone)]
pub(crate) struct Queued {
    request: RequestId,
    /// Until it is durable.
    held: Option<QueueAsk>,
}

impl Call {
    pub fn enter_queue(&mut self, desk: &mut Desk, number: WriteNumber, request: RequestId, ask: QueueAsk) {
        if self.leg.is_none() || self.talks_since_crash(desk, request) {
            return;
        }
        self.queued = Some(Queued { request, held: Some(ask) });
        if let Some(held) = desk.hold(number, self.id(), Held::Queue(request)) {
            self.refuse_held(desk, held);
        }
    }

    pub fn release_queue(&mut self, desk: &mut Desk, request: RequestId) {
        let Some(queued) = self.queued.as_mut().filter(|queued| queued.request == request) else { return };
        let (Some(ask), Some(leg)) = (queued.held.take(), self.leg) else { return };
        let called_as = self.program().meta().called(&self.record.called);
        desk.wishes.push_back(QueueWish::Enter(Box::new(Entry {
            call: self.id(),
            request,
            leg,
            program: self.program().clone(),
            ask,
            caller: self.record.caller.as_ref().and_then(|caller| Phone::parse(caller.reveal(), true)),
            called: Redacted::new(self.record.called.clone()),
            called_as,
            is_called_by_us: self.outgoing.is_some(),
        })));
    }

    /// Nobody waits any more for what becomes of this request, or of any.
    pub fn leave_queue(&mut self, desk: &mut Desk, of: Option<RequestId>, why: LeaveWhy) {
        if let Some(queued) = self.queued.as_mut().filter(|queued| of.is_none_or(|of| of == queued.request))
            && queued.held.take().is_none()
        {
            desk.wishes.push_back(QueueWish::Leave(self.id(), why));
        }
    }
}
