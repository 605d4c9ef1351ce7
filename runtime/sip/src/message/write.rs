//! Writes messages, once, front to back. It does not know why.

use std::net::SocketAddr;
use std::sync::Arc;

use super::header::Header;
use super::reason::Reason;
use super::scan::is_space;
use super::via::{Via, parse_via};
use super::vocabulary::status_line;
use super::{Essentials, Message};
use crate::transport::{Hop, Transport};

/// Methods that this endpoint serves (RFC 3261 §20.5).
pub const ALLOW: &[u8] = b"Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, NOTIFY, PRACK, UPDATE\r\n";
/// Option tags that it knows (RFC 3262, RFC 4028).
pub const SUPPORTED: &[u8] = b"Supported: 100rel, timer\r\n";
/// Bodies of INFO that are understood.
pub const ACCEPT_INFO: &[u8] = b"Accept: application/dtmf-relay, application/dtmf\r\n";
pub const ACCEPT: &[u8] = b"Accept: application/sdp\r\n";

/// A message that is being written.
#[derive(Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes) }
    }

    pub fn put(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    pub fn put_display(&mut self, value: impl std::fmt::Display) -> &mut Self {
        // Writing to a Vec cannot fail.
        let _ = std::io::Write::write_fmt(&mut self.bytes, format_args!("{value}"));
        self
    }

    pub fn put_number(&mut self, value: impl Into<u64>) -> &mut Self {
        let mut value = value.into();
        let start = self.bytes.len();
        loop {
            self.bytes.push(b'0' + (value % 10) as u8);
            value /= 10;
            if value == 0 {
                break;
            }
        }
        if let Some(digits) = self.bytes.get_mut(start..) {
            digits.reverse();
        }
        self
    }

    /// A value from the wire: folds become single spaces.
    pub fn put_unfolded(&mut self, value: &[u8]) -> &mut Self {
        if !value.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
            return self.put(value);
        }
        let mut after_space = false;
        for byte in value {
            let space = is_space(*byte);
            if !(space && after_space) {
                self.bytes.push(if space { b' ' } else { *byte });
            }
            after_space = space;
        }
        self
    }

    pub fn header(&mut self, name: &[u8], value: &[u8]) -> &mut Self {
        self.put(name).put(b": ").put_unfolded(value).put(b"\r\n")
    }

    pub fn status(&mut self, code: u16, why: &str) -> &mut Self {
        self.put(&status_line(code));
        if !why.is_empty() {
            self.put(b" (").put(why.as_bytes()).put(b")");
        }
        self.put(b"\r\n")
    }

    /// Content-Length, the empty line, and the body.
    pub fn body(&mut self, body: &[u8]) -> &mut Self {
        if !body.is_empty() {
            self.put(b"Content-Type: application/sdp\r\n");
        }
        self.put(b"Content-Length: ").put_number(body.len() as u64).put(b"\r\n\r\n").put(body)
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Via, From, To (with `to_tag`, when the request has none), Call-ID and CSeq of every response to one request,
/// and its Record-Route when a dialog may come of it (RFC 3261 §8.2.6, §12.1.1).
pub fn response_head(
    message: &Message<'_>,
    essentials: &Essentials<'_>,
    source: Hop,
    to_tag: &[u8],
    record: bool,
) -> Vec<u8> {
    let mut writer = Writer::with_capacity(512);
    put_vias(&mut writer, message, Some(&essentials.via), source);
    if record {
        for route in message.all(Header::RecordRoute) {
            writer.header(b"Record-Route", route);
        }
    }
    writer.header(b"From", essentials.from).put(b"To: ").put_unfolded(essentials.to);
    if essentials.to_tag.is_empty() {
        writer.put(b";tag=").put(to_tag);
    }
    writer.put(b"\r\n").header(b"Call-ID", essentials.call_id);
    if let Some(cseq) = message.first(Header::CSeq) {
        writer.header(b"CSeq", cseq);
    }
    writer.into_bytes()
}

/// The same for a request that failed its check: whatever it has is given back.
pub fn broken_response_head(message: &Message<'_>, source: Hop, to_tag: &[u8]) -> Vec<u8> {
    let mut writer = Writer::with_capacity(512);
    let via = message.values(Header::Via).next().and_then(parse_via);
    put_vias(&mut writer, message, via.as_ref(), source);
    for (name, header) in [(&b"From"[..], Header::From), (b"Call-ID", Header::CallId), (b"CSeq", Header::CSeq)] {
        if let Some(value) = message.first(header) {
            writer.header(name, value);
        }
    }
    if let Some(to) = message.first(Header::To) {
        writer.put(b"To: ").put_unfolded(to);
        if !super::scan::trim(to).windows(4).any(|part| part.eq_ignore_ascii_case(b"tag=")) {
            writer.put(b";tag=").put(to_tag);
        }
        writer.put(b"\r\n");
    }
    writer.into_bytes()
}

/// `top` is the first Via, where it could be read.
fn put_vias(writer: &mut Writer, message: &Message<'_>, top: Option<&Via<'_>>, source: Hop) {
    let mut top = top;
    for value in message.values(Header::Via) {
        match top.take() {
            Some(via) => put_top_via(writer, via, value, source),
            None => _ = writer.header(b"Via", value),
        }
    }
}

/// RFC 3261 §18.2.1 and RFC 3581 §4: `received` where sent-by is not where it came from, or rport is asked for.
fn put_top_via(writer: &mut Writer, via: &Via<'_>, value: &[u8], source: Hop) {
    let rport = via.has_rport();
    if !rport && super::uri::parse_ip(via.host) == Some(source.ip()) {
        _ = writer.header(b"Via", value);
        return;
    }
    let head_end = super::scan::find_outside(value, b';').unwrap_or(value.len());
    writer.put(b"Via: ").put_unfolded(value.get(..head_end).unwrap_or_default().trim_ascii_end());
    for (name, param) in via.foreign_params() {
        writer.put(b";").put(name);
        if !param.is_empty() {
            writer.put(b"=").put(param);
        }
    }
    writer.put(b";received=").put_display(source.ip());
    if rport {
        writer.put(b";rport=").put_number(source.port());
    }
    writer.put(b"\r\n");
}

/// Where a response goes (RFC 3261 §18.2.2, RFC 3581 §4). A sent-by that is not the source's address says that
/// its port cannot be trusted either (a NAT, or a name that nobody in here can resolve): then the source's port.
/// Over TCP that address is for the case that the connection is gone: a peer's ports of connections are not listened
/// on, so it is always sent-by's port.
pub fn response_destination(via: Option<&Via<'_>>, source: Hop) -> Hop {
    match via {
        Some(via)
            if source.is_reliable() || !via.has_rport() && super::uri::parse_ip(via.host) == Some(source.ip()) =>
        {
            Hop { address: SocketAddr::new(source.ip(), via.port.unwrap_or(5060)), ..source }
        }
        _ => source,
    }
}

/// ACK of a refusal (RFC 3261 §17.1.1.3) or CANCEL (§9.1) to a request of ours: the same request URI, top Via,
/// From, Call-ID, CSeq number and Route; To as given, else that of the request.
pub fn companion(request: &[u8], method: &[u8], to: Option<&[u8]>, why: Option<Reason>) -> Option<Vec<u8>> {
    let message = Message::frame(request).ok()?;
    let essentials = message.check_request().ok()?;
    let mut writer = Writer::with_capacity(512);
    writer.put(method).put(b" ").put(essentials.uri_bytes).put(b" SIP/2.0\r\n");
    writer.header(b"Via", message.first(Header::Via)?).put(b"Max-Forwards: 70\r\n");
    for route in message.all(Header::Route) {
        writer.header(b"Route", route);
    }
    writer.header(b"From", essentials.from).header(b"To", to.unwrap_or(essentials.to));
    writer.header(b"Call-ID", essentials.call_id);
    writer.put(b"CSeq: ").put_number(essentials.cseq).put(b" ").put(method).put(b"\r\n");
    if let Some(why) = why {
        why.put(&mut writer);
    }
    writer.body(b"");
    Some(writer.into_bytes())
}

/// A request of ours with another transport in its top Via, which is its first header. The length stays.
pub fn with_transport(request: &[u8], transport: Transport) -> Option<Arc<[u8]>> {
    const PROTOCOL: &[u8] = b"Via: SIP/2.0/";
    let line = request.iter().position(|byte| *byte == b'\n')? + 1;
    let name = line + PROTOCOL.len();
    let mut bytes = Arc::<[u8]>::from(request);
    if !request.get(line..)?.starts_with(PROTOCOL) {
        return None;
    }
    Arc::get_mut(&mut bytes)?.get_mut(name..name + 3)?.copy_from_slice(transport.name().as_bytes());
    Some(bytes)
}

/// Branch of a request of ours.
pub fn own_branch(request: &[u8]) -> Option<Vec<u8>> {
    let message = Message::frame(request).ok()?;
    Some(parse_via(message.first(Header::Via)?)?.branch()?.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn top_via(via: &str, source: &str) -> (String, Hop) {
        let source: Hop = source.parse().unwrap();
        let parsed = parse_via(via.as_bytes()).unwrap();
        let mut writer = Writer::default();
        put_top_via(&mut writer, &parsed, via.as_bytes(), source);
        (String::from_utf8(writer.into_bytes()).unwrap(), response_destination(Some(&parsed), source))
    }

    #[test]
    fn answers_find_their_way() {
        let (via, to) = top_via("SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1", "192.0.2.1:9");
        assert_eq!((via.as_str(), to.port()), ("Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1\r\n", 5070));
        let (via, to) = top_via("SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bK1", "192.0.2.1:9");
        assert_eq!(via, "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;received=192.0.2.1;rport=9\r\n");
        assert_eq!(to.port(), 9);
        let (via, to) = top_via("SIP/2.0/UDP host;branch=z9hG4bK1", "192.0.2.1:9");
        assert_eq!((via.as_str(), to.port()), ("Via: SIP/2.0/UDP host;branch=z9hG4bK1;received=192.0.2.1\r\n", 9));
    }
}
