//! What an INVITE of ours is made of, before there is a dialog: whom for, by which way, and as whom.

use std::fmt::Display;
use std::net::SocketAddr;

use runtime_contract::leg::LegId;

use crate::message::write::Writer;
use crate::site::Trunk;
use crate::transport::Hop;

/// A leg to be placed.
pub struct Placing<'a> {
    pub leg: LegId,
    /// Request URI.
    pub target: &'a str,
    pub peer: Hop,
    pub caller: Caller,
    pub ring_ms: u32,
    /// Our RTP address.
    pub media: SocketAddr,
}

/// As whom we call.
pub struct Caller {
    /// From, without its tag.
    pub party: Vec<u8>,
    /// Header lines that say more of the caller, each with its CRLF.
    pub headers: Vec<u8>,
}

impl Caller {
    /// `user` of this host; without one, nobody may know (RFC 3323 §4.1.1.3).
    pub fn new(user: Option<&str>, host: impl Display) -> Self {
        Self::named(None, user, host)
    }

    /// The same with a name to be shown, which has no quotes in it.
    pub fn named(name: Option<&str>, user: Option<&str>, host: impl Display) -> Self {
        let mut party = Writer::with_capacity(96);
        match user {
            Some(user) => {
                if let Some(name) = name {
                    party.put(b"\"").put(name.as_bytes()).put(b"\" ");
                }
                party.put(b"<sip:");
                put_escaped(&mut party, user);
                party.put(b"@").put_display(host).put(b">");
            }
            None => _ = party.put(b"\"Anonymous\" <sip:anonymous@anonymous.invalid>"),
        }
        Self { party: party.into_bytes(), headers: Vec::new() }
    }

    /// As a trunk shows us. One that is trusted is told who calls even when nobody else may know (RFC 3325 §9.1, §9.3).
    pub fn for_trunk(trunk: &Trunk, from: Option<&str>) -> Self {
        let number = trunk.from.as_deref().or(from);
        let mut caller = Self::new(from.and(number), &trunk.host);
        if let Some(number) = number.filter(|_| trunk.identity) {
            let mut headers = Writer::with_capacity(96);
            headers.put(b"P-Asserted-Identity: <sip:");
            put_escaped(&mut headers, number);
            headers.put(b"@").put(trunk.host.as_bytes()).put(b">\r\n");
            if from.is_none() {
                headers.put(b"Privacy: id\r\n");
            }
            caller.headers = headers.into_bytes();
        }
        caller
    }
}

/// User part of a URI: everything but unreserved characters and `+` is escaped (RFC 3261 §25.1).
pub fn put_escaped(writer: &mut Writer, user: &str) {
    for byte in user.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()+".contains(&byte) {
            writer.put(&[byte]);
        } else {
            writer.put_display(format_args!("%{byte:02X}"));
        }
    }
}
