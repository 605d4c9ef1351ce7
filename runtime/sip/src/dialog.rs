//! Dialogs (RFC 3261 §12): who speaks with whom, over which route, and what was the last number. It does not
//! know what is said in them. No `Debug`: it is full of people's numbers.

use std::net::SocketAddr;

use crate::entropy::{Digest, Entropy};
use crate::message::address::parse_address;
use crate::message::uri::{SipUri, Uri, parse_uri};
use crate::message::write::Writer;
use crate::message::{Essentials, Header, Message, ResponseEssentials};
use crate::transport::{Hop, Transport};

pub struct Dialog {
    pub call_id: Box<[u8]>,
    /// From of what we send, with our tag.
    pub local_party: Box<[u8]>,
    /// To of what we send, with the far side's tag once there is one.
    pub remote_party: Box<[u8]>,
    pub local_tag: Box<[u8]>,
    pub remote_tag: Box<[u8]>,
    /// Remote target: a URI.
    pub target: Box<[u8]>,
    /// Route values, in the order in which our requests carry them.
    pub routes: Vec<Box<[u8]>>,
    pub local_cseq: u32,
    pub remote_cseq: u32,
    /// Where the far side was seen: the next hop when route and target are names.
    pub peer: Hop,
    /// Our own address towards it: Contact and Via.
    pub local: SocketAddr,
}

impl Dialog {
    /// Our side of an INVITE that came in (§12.1.1).
    pub fn of_request(
        message: &Message<'_>,
        request: &Essentials<'_>,
        local_tag: &[u8],
        peer: Hop,
        local: SocketAddr,
    ) -> Self {
        Self {
            call_id: request.call_id.into(),
            local_party: [unfolded(request.to).as_slice(), b";tag=", local_tag].concat().into(),
            remote_party: unfolded(request.from).into(),
            local_tag: local_tag.into(),
            remote_tag: request.from_tag.into(),
            // RFC 2543 peers send no Contact: they are where they call from.
            target: contact(message).unwrap_or(request.from_address.uri).into(),
            routes: message.values(Header::RecordRoute).map(|route| unfolded(route).into()).collect(),
            local_cseq: 0,
            remote_cseq: request.cseq,
            peer: peer.reached(contact(message)),
            local,
        }
    }

    /// Our side of an INVITE that we sent, by one of its responses (§12.1.2). `target` is where the INVITE went.
    pub fn of_response(
        message: &Message<'_>,
        response: &ResponseEssentials<'_>,
        target: &[u8],
        peer: Hop,
        local: SocketAddr,
    ) -> Option<Self> {
        let from = message.first(Header::From)?;
        let mut routes: Vec<Box<[u8]>> =
            message.values(Header::RecordRoute).map(|route| unfolded(route).into()).collect();
        routes.reverse();
        Some(Self {
            call_id: message.first(Header::CallId)?.into(),
            local_party: unfolded(from).into(),
            remote_party: unfolded(response.to).into(),
            local_tag: parse_address(from)?.tag()?.into(),
            remote_tag: response.to_tag.into(),
            target: contact(message).unwrap_or(target).into(),
            routes,
            local_cseq: response.cseq,
            remote_cseq: 0,
            peer: peer.reached(contact(message)),
            local,
        })
    }

    /// Number of our next request within the dialog (§12.2.1.1).
    pub fn next_cseq(&mut self) -> u32 {
        self.local_cseq = self.local_cseq.saturating_add(1);
        self.local_cseq
    }

    /// What finds this dialog for a request of the far side.
    pub fn digest(&self, entropy: &Entropy) -> Digest {
        dialog_digest(entropy, &self.call_id, &self.local_tag, &self.remote_tag)
    }

    /// §12.2.1.1 and §8.1.2: first route, loose or strict, else the target. What a host said over
    /// a connection is answered there, also when its URI names no transport (RFC 5923 §4).
    pub fn next_hop(&self) -> Hop {
        if self.peer.pinned && self.routes.is_empty() {
            return self.peer;
        }
        let first = match self.routes.first() {
            Some(route) => parse_address(route).map(|address| address.uri),
            None => Some(&*self.target),
        };
        let Some(uri) = first.and_then(sip_uri) else { return self.peer };
        let Some(address) = uri.socket() else { return self.peer };
        let asked = uri.transport();
        if address.ip() == self.peer.ip() && asked.is_none_or(|asked| asked == self.peer.transport()) {
            return Hop { address, ..self.peer };
        }
        Hop::new(address, asked.unwrap_or(Transport::Udp))
    }

    /// A request within the dialog (§12.2.1.1) or the INVITE that may make one, up to Content-Length.
    pub fn request(&self, method: &[u8], cseq: u32, branch: &[u8]) -> Writer {
        let strict = self
            .routes
            .first()
            .and_then(|route| parse_address(route))
            .filter(|address| !sip_uri(address.uri).is_some_and(|uri| uri.is_loose()));
        let mut writer = Writer::with_capacity(768);
        writer.put(method).put(b" ").put(strict.map_or(&*self.target, |address| address.uri)).put(b" SIP/2.0\r\n");
        let transport = self.next_hop().transport().name();
        writer
            .put(b"Via: SIP/2.0/")
            .put(transport.as_bytes())
            .put(b" ")
            .put_display(self.local)
            .put(b";branch=")
            .put(branch)
            .put(b";rport\r\n");
        writer.put(b"Max-Forwards: 70\r\n");
        for route in self.routes.iter().skip(usize::from(strict.is_some())) {
            writer.header(b"Route", route);
        }
        if strict.is_some() {
            writer.put(b"Route: <").put(&self.target).put(b">\r\n");
        }
        writer.header(b"From", &self.local_party).header(b"To", &self.remote_party).header(b"Call-ID", &self.call_id);
        writer.put(b"CSeq: ").put_number(cseq).put(b" ").put(method).put(b"\r\n");
        writer
    }
}

pub fn dialog_digest(entropy: &Entropy, call_id: &[u8], local_tag: &[u8], remote_tag: &[u8]) -> Digest {
    entropy.digest(&[b"dialog", call_id, local_tag, remote_tag])
}

/// URI of the first Contact.
pub fn contact<'a>(message: &Message<'a>) -> Option<&'a [u8]> {
    let address = message.values(Header::Contact).next().and_then(parse_address)?;
    let Uri::Sip(_) = address.parsed() else { return None };
    // Headers may not stand in a request URI (§19.1.1 table 1).
    let host = address.uri.iter().position(|byte| *byte == b'@').unwrap_or(0);
    let headers = address.uri.iter().skip(host).position(|byte| *byte == b'?');
    let end = headers.map_or(address.uri.len(), |headers| host + headers);
    address.uri.get(..end)
}

/// A URI that is `sip:`.
pub fn sip_uri(uri: &[u8]) -> Option<SipUri<'_>> {
    match parse_uri(uri)? {
        Uri::Sip(uri) => Some(uri),
        _ => None,
    }
}

fn unfolded(value: &[u8]) -> Vec<u8> {
    let mut writer = Writer::with_capacity(value.len());
    writer.put_unfolded(value);
    writer.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialog(routes: &[&str]) -> Dialog {
        Dialog {
            call_id: (*b"c1").into(),
            local_party: (*b"<sip:a@x>;tag=l").into(),
            remote_party: (*b"<sip:b@y>;tag=r").into(),
            local_tag: (*b"l").into(),
            remote_tag: (*b"r").into(),
            target: (*b"sip:b@192.0.2.9:5070").into(),
            routes: routes.iter().map(|route| route.as_bytes().into()).collect(),
            local_cseq: 7,
            remote_cseq: 0,
            peer: Hop::udp("192.0.2.1:5060".parse().unwrap()),
            local: "192.0.2.2:5060".parse().unwrap(),
        }
    }

    fn check(routes: &[&str], hop: &str, lines: &[&str]) {
        let dialog = dialog(routes);
        let text = String::from_utf8(dialog.request(b"BYE", 8, b"z9hG4bK1").into_bytes()).unwrap();
        let found: Vec<_> = text.lines().filter(|line| line.starts_with("BYE") || line.starts_with("Route")).collect();
        assert_eq!((dialog.next_hop().to_string().as_str(), found.as_slice()), (hop, lines));
    }

    #[test]
    fn routes_loose_and_strict() {
        check(&[], "192.0.2.9:5070", &["BYE sip:b@192.0.2.9:5070 SIP/2.0"]);
        check(
            &["<sip:192.0.2.3;lr>", "<sip:p2;lr>"],
            "192.0.2.3:5060",
            &["BYE sip:b@192.0.2.9:5070 SIP/2.0", "Route: <sip:192.0.2.3;lr>", "Route: <sip:p2;lr>"],
        );
        check(
            &["<sip:192.0.2.3:9>", "<sip:p2;lr>"],
            "192.0.2.3:9",
            &["BYE sip:192.0.2.3:9 SIP/2.0", "Route: <sip:p2;lr>", "Route: <sip:b@192.0.2.9:5070>"],
        );
        check(&["<sip:name;lr>"], "192.0.2.1:5060", &["BYE sip:b@192.0.2.9:5070 SIP/2.0", "Route: <sip:name;lr>"]);
    }
}
