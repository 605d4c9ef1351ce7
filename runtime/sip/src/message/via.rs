//! One Via value (RFC 3261 §20.42, RFC 3581).

use super::scan::{Params, find_outside, is_space, is_token, trim};
use super::uri::parse_host_port;

#[derive(Clone, Copy)]
pub struct Via<'a> {
    /// `host[:port]` as written.
    pub sent_by: &'a [u8],
    pub host: &'a [u8],
    pub port: Option<u16>,
    params: &'a [u8],
    branch: Option<&'a [u8]>,
    rport: bool,
}

/// Branches of RFC 3261 begin so (§8.1.1.7).
pub const MAGIC_COOKIE: &[u8] = b"z9hG4bK";

impl<'a> Via<'a> {
    /// A branch that names its transaction; RFC 2543 peers have none, or one without the cookie, and an
    /// empty remainder names nothing (RFC 4475 §3.2.1).
    pub fn branch(&self) -> Option<&'a [u8]> {
        let branch = self.branch?;
        let cookie = branch.get(..MAGIC_COOKIE.len())?;
        (cookie.eq_ignore_ascii_case(MAGIC_COOKIE) && branch.len() > cookie.len()).then_some(branch)
    }

    /// The peer wants answers at the port that it sent from (RFC 3581 §4).
    pub fn has_rport(&self) -> bool {
        self.rport
    }

    /// All parameters but `received` and `rport`, which the receiver writes anew.
    pub fn foreign_params(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        Params::new(self.params)
            .flatten()
            .filter(|(name, _)| !name.eq_ignore_ascii_case(b"received") && !name.eq_ignore_ascii_case(b"rport"))
    }
}

/// `value` is already cut at commas.
pub fn parse_via(value: &[u8]) -> Option<Via<'_>> {
    let end = find_outside(value, b';').unwrap_or(value.len());
    let (head, params) = value.split_at_checked(end)?;
    let mut parts = head.splitn(3, |byte| *byte == b'/');
    let (protocol, version) = (trim(parts.next()?), trim(parts.next()?));
    let rest = trim(parts.next()?);
    let transport_end = rest.iter().position(|byte| is_space(*byte))?;
    let (transport, sent_by) = rest.split_at_checked(transport_end)?;
    let sent_by = trim(sent_by);
    let known = protocol.eq_ignore_ascii_case(b"SIP") && is_token(version) && is_token(transport);
    let (host, port) = parse_sent_by(sent_by)?;
    let mut via = Via { sent_by, host, port, params, branch: None, rport: false };
    for param in Params::new(params) {
        let (name, value) = param?;
        if name.eq_ignore_ascii_case(b"branch") {
            via.branch = via.branch.or(Some(value));
        }
        via.rport |= name.eq_ignore_ascii_case(b"rport");
    }
    known.then_some(via)
}

/// White space may stand around the colon.
fn parse_sent_by(bytes: &[u8]) -> Option<(&[u8], Option<u16>)> {
    if !bytes.iter().any(|byte| is_space(*byte)) {
        return parse_host_port(bytes);
    }
    let colon = bytes.iter().rposition(|byte| *byte == b':')?;
    let (host, _) = parse_host_port(trim(bytes.get(..colon)?))?;
    let port = super::scan::parse_number(trim(bytes.get(colon + 1..)?))?;
    Some((host, Some(u16::try_from(port).ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vias() {
        let via = parse_via(b"SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw").unwrap();
        assert_eq!((via.host, via.port, via.branch()), (&b"192.0.2.2"[..], None, None));
        let via = parse_via(b"SIP/2.0/TLS [2001:db8::9:1]:6050;rport;branch=z9hG4bKas3-111").unwrap();
        assert_eq!((via.host, via.port, via.has_rport()), (&b"[2001:db8::9:1]"[..], Some(6050), true));
        assert_eq!(via.branch(), Some(&b"z9hG4bKas3-111"[..]));
        let via = parse_via(b"SIP/2.0/UDP h : 5070 ;received=2001:db8::9:255;branch=z9hG4bK").unwrap();
        assert_eq!((via.host, via.port, via.branch()), (&b"h"[..], Some(5070), None));
        assert_eq!(via.foreign_params().count(), 1);
    }

    #[test]
    fn broken_vias() {
        for text in ["", "SIP/2.0/UDP", "SIP/2.0/UDP 192.0.2.15;;", "HTTP/2.0/UDP a", "SIP/2.0/UDP a b", "SIP/2.0 a"] {
            assert!(parse_via(text.as_bytes()).is_none(), "{text}");
        }
    }
}
