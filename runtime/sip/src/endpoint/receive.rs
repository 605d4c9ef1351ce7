//! What a datagram is: a request or response of a transaction that exists, something for a dialog, something
//! new, or something to be refused. It decides nothing about legs.

use std::net::SocketAddr;
use std::sync::Arc;

use super::Endpoint;
use super::legs::Found;
use crate::dialog::dialog_digest;
use crate::entropy::Digest;
use crate::message::check::{Essentials, Refusal};
use crate::message::via::parse_via;
use crate::message::write::{self, Writer};
use crate::message::{Header, Message, Method, Start};
use crate::transaction::{Event, Owner, State};
use crate::transport::Hop;

/// How a datagram came.
pub struct Arrival {
    pub source: Hop,
    pub local: SocketAddr,
    pub trusted: bool,
    /// The phone that proved to have sent it.
    pub phone: Option<String>,
}

/// A checked request with everything needed to answer it.
pub struct Request<'a, 'm> {
    pub arrival: &'a Arrival,
    pub message: &'m Message<'m>,
    pub essentials: Essentials<'m>,
    pub key: Digest,
}

impl Endpoint {
    pub(super) fn receive(&mut self, arrival: &Arrival, bytes: &[u8]) {
        // Neither SIP nor a keep-alive of blank lines deserves an answer.
        let Ok(message) = Message::frame(bytes) else { return };
        match message.start {
            Start::Response { .. } => {
                if let Some(essentials) = message.check_response() {
                    self.receive_response(arrival, &message, &essentials);
                }
            }
            Start::Request { method, .. } => match message.check_request() {
                Ok(essentials) if self.is_silenced(arrival) && !self.is_heard_still(arrival, &message, &essentials) => {
                }
                Err(_) if self.is_silenced(arrival) => {}
                Ok(essentials) => {
                    let key = self.server_key(essentials.method, method, &essentials, &message);
                    self.receive_request(&Request { arrival, message: &message, essentials, key });
                }
                Err(_) if method == b"ACK" => {}
                Err(refusal) => self.refuse_broken(arrival, &message, refusal),
            },
        }
    }

    /// What is looked at though its host is silenced.
    fn is_heard_still(&mut self, arrival: &Arrival, message: &Message<'_>, essentials: &Essentials<'_>) -> bool {
        if essentials.method != Method::Register {
            return self.find_dialog(essentials).is_some();
        }
        let (host, values) = (arrival.source.ip(), message.all(Header::Authorization));
        self.guard.hears_register(&self.ctx.entropy, self.ctx.now, host, values)
    }

    /// RFC 3261 §17.2.3. ACK is matched with its INVITE; without a branch the rules of RFC 2543 hold, where
    /// the To tag is left out, because the first INVITE has none and its ACK does.
    fn server_key(&self, method: Method, name: &[u8], request: &Essentials<'_>, message: &Message<'_>) -> Digest {
        let name = if method == Method::Ack { b"INVITE" } else { name };
        let entropy = &self.ctx.entropy;
        match request.via.branch() {
            Some(branch) => entropy.digest(&[b"server", branch, request.via.sent_by, name]),
            None => {
                let via = message.values(Header::Via).next().unwrap_or_default();
                let cseq = request.cseq.to_be_bytes();
                let parts = [b"2543", request.uri_bytes, request.from_tag, request.call_id, &cseq, via, name];
                entropy.digest(&parts)
            }
        }
    }

    fn receive_request(&mut self, request: &Request<'_, '_>) {
        let (essentials, key) = (&request.essentials, request.key);
        let transaction = self.transactions.find(key);
        if essentials.method == Method::Ack {
            return self.receive_ack(request, transaction);
        }
        if let Some(transaction) = transaction {
            if let Some(told) = self.transactions.run(&mut self.ctx, transaction, Event::Request, None) {
                self.settle(transaction, told);
            }
            return;
        }
        if essentials.body.len() > self.ctx.config.body_bytes_max {
            return self.refuse(request, 413);
        }
        match essentials.method {
            Method::Unknown => self.refuse(request, 501),
            Method::Cancel => self.receive_cancel(request),
            _ if !essentials.to_tag.is_empty() => match self.find_dialog(essentials) {
                Some(Found::Leg(leg)) => self.receive_in_dialog(request, leg),
                Some(Found::Closing) if essentials.method == Method::Bye => self.answer_once(request, 200),
                _ => self.refuse(request, 481),
            },
            Method::Bye => self.refuse(request, 481),
            Method::Invite | Method::Options if self.has_unsupported(request) => self.refuse(request, 420),
            Method::Invite => self.admit_invite(request),
            Method::Register => self.receive_register(request),
            Method::Options if self.draining => self.refuse(request, 503),
            Method::Options => self.refuse(request, 200),
            _ => self.refuse(request, 405),
        }
    }

    /// The dialog of a request; it may be an early one, or a request that is ahead of the 2xx.
    fn find_dialog(&self, essentials: &Essentials<'_>) -> Option<Found> {
        let digest = |tag| dialog_digest(&self.ctx.entropy, essentials.call_id, essentials.to_tag, tag);
        let found = self.legs.by_dialog(digest(essentials.from_tag));
        found.or_else(|| self.legs.by_dialog(digest(b"")))
    }

    /// Asks for an option that we do not know (§8.2.2.3).
    pub(super) fn has_unsupported(&self, request: &Request<'_, '_>) -> bool {
        unsupported(request.message).next().is_some()
    }

    fn receive_cancel(&mut self, request: &Request<'_, '_>) {
        let essentials = &request.essentials;
        let invite = self.server_key(Method::Invite, b"INVITE", essentials, request.message);
        let Some(key) = self.transactions.find(invite) else { return self.refuse(request, 481) };
        let Some((state, owner)) = self.transactions.get(key).map(|invite| (invite.state(), invite.owner())) else {
            return;
        };
        // Its To tag should be that of the INVITE's responses (§9.2), as long as that is known.
        let tag = match owner {
            Owner::Leg(leg) => self.legs.get(leg).map(|leg| leg.dialog.local_tag.clone()),
            _ => None,
        };
        let tag = tag.unwrap_or_else(|| self.stateless_tag(request.message).as_bytes().into());
        let bytes = self.tagged_response(request, 200, &tag);
        self.respond_once(request, &bytes);
        if state == State::Proceeding {
            self.cancelled(key);
        }
    }

    /// Tag of an answer that keeps no state: the same request gets the same one (§8.2.7).
    pub(super) fn stateless_tag(&self, message: &Message<'_>) -> crate::entropy::Token {
        let part = |header| message.first(header).unwrap_or_default();
        self.ctx.entropy.token_of(&[part(Header::CallId), part(Header::From), part(Header::Via)])
    }

    /// Answers without a transaction: a repeated request is simply answered again.
    pub(super) fn refuse(&mut self, request: &Request<'_, '_>, code: u16) {
        let bytes = self.plain_response(request, code);
        self.respond_once(request, &bytes);
    }

    pub(super) fn respond_once(&mut self, request: &Request<'_, '_>, bytes: &Arc<[u8]>) {
        let destination = write::response_destination(Some(&request.essentials.via), request.arrival.source);
        self.ctx.send(destination, request.arrival.local, bytes);
    }

    /// A response with the headers that its code asks for, and no body.
    pub(super) fn plain_response(&self, request: &Request<'_, '_>, code: u16) -> Arc<[u8]> {
        self.tagged_response(request, code, self.stateless_tag(request.message).as_bytes())
    }

    fn tagged_response(&self, request: &Request<'_, '_>, code: u16, tag: &[u8]) -> Arc<[u8]> {
        let Request { arrival, message, essentials, .. } = request;
        let mut writer = Writer::with_capacity(512);
        writer.status(code, "");
        writer.put(&write::response_head(message, essentials, arrival.source, tag, false));
        self.put_code_headers(&mut writer, message, code);
        if code == 200 && essentials.method == Method::Options {
            writer.put(write::ALLOW).put(write::ACCEPT).put(b"Accept-Encoding: identity\r\n").put(write::SUPPORTED);
        }
        writer.body(b"");
        writer.into_bytes().into()
    }

    pub(super) fn refuse_broken(&mut self, arrival: &Arrival, message: &Message<'_>, refusal: Refusal) {
        let tag = self.stateless_tag(message);
        let via = message.values(Header::Via).next();
        // Without any Via, no response can find its transaction.
        let Some(via) = via else { return };
        let mut writer = Writer::with_capacity(512);
        writer.status(refusal.code, refusal.why);
        writer.put(&write::broken_response_head(message, arrival.source, tag.as_bytes()));
        self.put_code_headers(&mut writer, message, refusal.code);
        writer.body(b"");
        let destination = write::response_destination(parse_via(via).as_ref(), arrival.source);
        self.ctx.send(destination, arrival.local, &writer.into_bytes().into());
    }

    fn put_code_headers(&self, writer: &mut Writer, message: &Message<'_>, code: u16) {
        match code {
            405 | 501 => _ = writer.put(write::ALLOW),
            415 if matches!(message.start, Start::Request { method: b"INFO", .. }) => {
                _ = writer.put(write::ACCEPT_INFO)
            }
            415 => _ = writer.put(write::ACCEPT).put(b"Accept-Encoding: identity\r\n"),
            // Of packages for INFO and for events there is none (RFC 6086 §4.2.2), and `refer` (RFC 6665 §8.2.2).
            469 => _ = writer.put(b"Recv-Info:\r\n"),
            489 => _ = writer.put(b"Allow-Events: refer\r\n"),
            420 => {
                for tag in unsupported(message) {
                    writer.header(b"Unsupported", tag);
                }
            }
            422 => self.put_min_se(writer),
            // By chance between 0 and 10 s (§14.2), the same for a repeated request.
            500 => {
                let [chance, ..] = *self.stateless_tag(message).as_bytes() else { return };
                writer.put(b"Retry-After: ").put_number(u64::from(chance) % 11).put(b"\r\n");
            }
            503 => self.put_retry_after(writer),
            _ => {}
        }
    }

    pub(super) fn put_retry_after(&self, writer: &mut Writer) {
        writer.put(b"Retry-After: ").put_number(self.ctx.config.retry_after_s).put(b"\r\n");
    }
}

/// Option tags that a request cannot do without and we do not know.
fn unsupported<'a>(message: &'a Message<'_>) -> impl Iterator<Item = &'a [u8]> {
    let known = |tag: &[u8]| [&b"100rel"[..], b"timer"].into_iter().any(|known| tag.eq_ignore_ascii_case(known));
    message.values(Header::Require).filter(move |tag| !tag.is_empty() && !known(tag))
}
