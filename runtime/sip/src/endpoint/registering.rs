//! REGISTER of our phones, and who may call (RFC 3261 §10.3, §22.1): what is asked of whoever is no trunk.

use std::sync::Arc;

use super::Endpoint;
use super::receive::{Arrival, Request};
use crate::Output;
use crate::auth::{Asker, CHALLENGED, REFUSED, Verdict, put_challenges};
use crate::context::Alarm;
use crate::dialog::sip_uri;
use crate::message::address::parse_address;
use crate::message::scan::{Params, find_outside, parse_number};
use crate::message::uri::Uri;
use crate::message::write::{self, Writer};
use crate::message::{Header, Method};
use crate::registrar::{EXPIRES_S, EXPIRES_S_MAX, EXPIRES_S_MIN, Order, Q, Wish};
use crate::transaction::{Event, Machine, Owner};
use crate::transport::Hop;

/// What the Contacts of a REGISTER ask for.
enum Wishes<'a> {
    /// Nothing: tell what there is.
    Query,
    RemoveAll,
    These(Vec<Wish<'a>>),
}

impl Endpoint {
    /// A host that only tried things until now hears no more, but of calls that it has, and what its phones need to
    /// register.
    pub(super) fn is_silenced(&self, arrival: &Arrival) -> bool {
        let host = arrival.source.ip();
        !arrival.trusted && self.guard.is_silent(self.ctx.now, host) && !self.registrar.has_host(host)
    }

    /// An INVITE from somebody new: of a trunk, or of a phone that proves who it is. Others are not told how near they
    /// came.
    pub(super) fn admit_invite(&mut self, request: &Request<'_, '_>) {
        let Arrival { source, local, trusted, .. } = *request.arrival;
        if trusted {
            return self.receive_invite(request);
        }
        if self.ctx.site.phones.is_empty() || !self.registrar.has_host(source.ip()) {
            self.guard.refuse(self.ctx.now, source.ip(), REFUSED);
            return self.refuse(request, 403);
        }
        let Some(phone) = self.identify(request) else { return };
        let source = Hop { pinned: true, ..source };
        let arrival = Arrival { source, local, trusted: true, phone: Some(phone) };
        let (message, essentials, key) = (request.message, request.essentials, request.key);
        self.receive_invite(&Request { arrival: &arrival, message, essentials, key });
    }

    /// The phone that sent a request; `None` when it was asked to prove it, or to wait.
    fn identify(&mut self, request: &Request<'_, '_>) -> Option<String> {
        let (now, host) = (self.ctx.now, request.arrival.source.ip());
        let site = Arc::clone(&self.ctx.site);
        let method = request.essentials.method.name();
        let values = request.message.all(Header::Authorization);
        let asker = Asker { host, registered: self.registrar.has_host(host) };
        let verdict = self.guard.judge(&self.ctx.entropy, now, &site, asker, method, values);
        let mut extra = Writer::with_capacity(512);
        match verdict {
            Verdict::Known(phone) => return Some(phone),
            Verdict::Challenge { stale } => {
                self.guard.refuse(now, host, CHALLENGED);
                put_challenges(&mut extra, &mut self.ctx.entropy, now, &site, host, stale);
                self.respond_with(request, 401, &extra.into_bytes());
            }
            Verdict::Wait { seconds } => {
                self.guard.refuse(now, host, REFUSED);
                extra.put(b"Retry-After: ").put_number(seconds).put(b"\r\n");
                self.respond_with(request, 403, &extra.into_bytes());
            }
        }
        None
    }

    pub(super) fn receive_register(&mut self, request: &Request<'_, '_>) {
        if self.ctx.site.phones.is_empty() {
            return self.refuse(request, 405);
        }
        if self.draining {
            return self.refuse(request, 503);
        }
        if self.has_unsupported(request) {
            return self.refuse(request, 420);
        }
        let Some(phone) = self.identify(request) else { return };
        let essentials = &request.essentials;
        let order = Order { call_id: essentials.call_id, cseq: essentials.cseq };
        // A phone registers itself and nobody else (§10.3 step 4).
        let asked = parse_address(essentials.to).map(|address| address.parsed());
        let itself = matches!(asked, Some(Uri::Sip(uri)) if uri.user == Some(phone.as_bytes()));
        let done = if itself { self.wishes(request) } else { Err(403) };
        let done = done.and_then(|wishes| match wishes {
            Wishes::Query => Ok(false),
            Wishes::RemoveAll => self.registrar.remove_all(&phone, order).map(|()| true),
            Wishes::These(wishes) => self.registrar.register(self.ctx.now, &phone, order, &wishes).map(|()| true),
        });
        match done {
            Ok(changed) => {
                let extra = self.contact_lines(&phone);
                self.answer_with(request, 200, &extra);
                if changed {
                    self.bindings_changed(phone);
                }
            }
            Err(423) => {
                let mut extra = Writer::default();
                extra.put(b"Min-Expires: ").put_number(EXPIRES_S_MIN).put(b"\r\n");
                self.answer_with(request, 423, &extra.into_bytes());
            }
            Err(code) => self.answer_with(request, code, b""),
        }
    }

    /// §10.3 steps 6 and 7. The error is a status code.
    fn wishes<'m>(&self, request: &Request<'_, 'm>) -> Result<Wishes<'m>, u16> {
        let header = request.message.first(Header::Expires).and_then(parse_number);
        let contacts: Vec<&[u8]> = request.message.values(Header::Contact).collect();
        match contacts.as_slice() {
            [] => return Ok(Wishes::Query),
            [b"*"] => return if header == Some(0) { Ok(Wishes::RemoveAll) } else { Err(400) },
            _ => {}
        }
        let source = Hop { pinned: true, ..request.arrival.source };
        let mut wishes = Vec::new();
        for contact in contacts {
            let address = parse_address(contact).ok_or(400_u16)?;
            let uri = sip_uri(address.uri).filter(|uri| !uri.has_headers).ok_or(400_u16)?;
            let params = find_outside(contact, b';').and_then(|at| contact.get(at..)).unwrap_or_default();
            let params = Params::new(params);
            let expires_s = params.get(b"expires").map_or(header, parse_number).unwrap_or(EXPIRES_S);
            if (1..EXPIRES_S_MIN).contains(&expires_s) {
                return Err(423);
            }
            // Behind a NAT it is reached where it was seen; else where it says that it listens.
            let seen = uri.socket().filter(|socket| socket.ip() == source.ip());
            let hop = Hop { address: seen.unwrap_or(source.address), ..source };
            let q = params.get(b"q").map_or(Ok(Q), |q| thousandths(q).ok_or(400_u16))?;
            wishes.push(Wish { uri: address.uri, hop, q, expires_s: expires_s.min(EXPIRES_S_MAX) });
        }
        Ok(Wishes::These(wishes))
    }

    fn contact_lines(&self, phone: &str) -> Vec<u8> {
        let mut writer = Writer::with_capacity(256);
        for binding in self.registrar.bindings(phone) {
            let left_s = binding.expires.saturating_since(self.ctx.now).as_secs();
            writer.put(b"Contact: <").put(&binding.uri).put(b">;expires=").put_number(left_s);
            if binding.q < Q {
                writer.put_display(format_args!(";q=0.{:03}", binding.q));
            }
            writer.put(b"\r\n");
        }
        writer.into_bytes()
    }

    /// Whoever keeps bindings for the next process is told of a phone's.
    pub(super) fn bindings_changed(&mut self, phone: String) {
        let bindings = self.registrar.snapshot(self.ctx.now, &phone);
        self.ctx.outputs.push_back(Output::Bindings { phone, bindings });
        self.watch_bindings();
    }

    pub(super) fn watch_bindings(&mut self) {
        let Some(end) = self.registrar.next_end() else { return };
        if self.bindings_alarm.is_none_or(|set| set <= self.ctx.now || end < set) {
            self.bindings_alarm = Some(end);
            self.ctx.alarms.set(self.ctx.now, end, Alarm::Bindings);
        }
    }

    /// Bindings that have ended, or whose phone is no more, go.
    pub(super) fn expire_bindings(&mut self) {
        let site = Arc::clone(&self.ctx.site);
        for phone in self.registrar.expire(self.ctx.now, |phone| site.phone(phone).is_some()) {
            self.bindings_changed(phone);
        }
        self.watch_bindings();
    }

    pub(super) fn restore_bindings(&mut self, phone: &str, bindings: &[u8], age_ms: u64) {
        self.registrar.restore(self.ctx.now, phone, bindings, age_ms);
        self.expire_bindings();
    }

    /// An answer with more header lines; a repeated request is answered again.
    fn respond_with(&mut self, request: &Request<'_, '_>, code: u16, extra: &[u8]) {
        let bytes = self.response_with(request, code, extra);
        self.respond_once(request, &bytes);
    }

    /// The same by a transaction: a repeated request gets the same answer.
    fn answer_with(&mut self, request: &Request<'_, '_>, code: u16, extra: &[u8]) {
        let bytes = self.response_with(request, code, extra);
        match self.open_server(request, Machine::Server, Owner::Nobody) {
            Some(key) => _ = self.transactions.run(&mut self.ctx, key, Event::of_code(code), Some(bytes)),
            None => self.refuse(request, 503),
        }
    }

    fn response_with(&self, request: &Request<'_, '_>, code: u16, extra: &[u8]) -> Arc<[u8]> {
        let tag = self.stateless_tag(request.message);
        let mut writer = Writer::with_capacity(512 + extra.len());
        writer.status(code, "");
        let source = request.arrival.source;
        writer.put(&write::response_head(request.message, &request.essentials, source, tag.as_bytes(), false));
        if request.essentials.method == Method::Register && code == 500 {
            writer.put(b"Retry-After: 1\r\n");
        }
        writer.put(extra).body(b"");
        writer.into_bytes().into()
    }
}

/// `qvalue` of RFC 3261 §25.1: at most three digits behind the point.
fn thousandths(text: &[u8]) -> Option<u16> {
    let (whole, digits) = match text.iter().position(|byte| *byte == b'.') {
        Some(point) => (text.get(..point)?, text.get(point + 1..)?),
        None => (text, &b""[..]),
    };
    if digits.len() > 3 || digits.iter().any(|digit| !digit.is_ascii_digit()) {
        return None;
    }
    let digits = digits.iter().chain(b"000").take(3).fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    match whole {
        b"0" => Some(digits),
        b"1" if digits == 0 => Some(Q),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preferences() {
        let cases: [(&[u8], Option<u16>); 8] = [
            (b"1", Some(1_000)),
            (b"1.000", Some(1_000)),
            (b"0", Some(0)),
            (b"0.5", Some(500)),
            (b"0.", Some(0)),
            (b"0.1234", None),
            (b"1.5", None),
            (b"x", None),
        ];
        for (text, wanted) in cases {
            assert_eq!(thousandths(text), wanted, "{}", text.escape_ascii());
        }
    }
}
