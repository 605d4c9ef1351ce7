//! URIs as written: `sip:`, `tel:` and those of schemes that we do not serve (RFC 3261 §19.1, RFC 3966).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::scan::{Params, parse_number};
use crate::transport::Transport;

/// A readable URI; parts are as written, escapes included.
#[derive(Clone, Copy)]
pub enum Uri<'a> {
    /// `sip:user@host:port;params?headers`
    Sip(SipUri<'a>),
    /// `tel:number;params`: the number.
    Tel(&'a [u8]),
    /// `sips` is here too: UDP cannot give what it promises.
    Other,
}

#[derive(Clone, Copy)]
pub struct SipUri<'a> {
    pub user: Option<&'a [u8]>,
    pub host: &'a [u8],
    pub port: Option<u16>,
    params: &'a [u8],
    pub has_headers: bool,
}

impl<'a> SipUri<'a> {
    pub fn param(&self, name: &[u8]) -> Option<&'a [u8]> {
        Params::new(self.params).get(name)
    }

    /// Loose router (RFC 3261 §19.1.1 `lr`).
    pub fn is_loose(&self) -> bool {
        self.param(b"lr").is_some()
    }

    /// The `transport` parameter, where it is one that we have.
    pub fn transport(&self) -> Option<Transport> {
        let name = self.param(b"transport")?;
        [Transport::Udp, Transport::Tcp].into_iter().find(|known| name.eq_ignore_ascii_case(known.name().as_bytes()))
    }

    /// Where to send, if the host is an address and not a name. There is no resolver in here.
    pub fn socket(&self) -> Option<SocketAddr> {
        let host = self.param(b"maddr").filter(|host| !host.is_empty()).unwrap_or(self.host);
        Some(SocketAddr::new(parse_ip(host)?, self.port.unwrap_or(5060)))
    }
}

/// `None` when the bytes are no URI.
pub fn parse_uri(bytes: &[u8]) -> Option<Uri<'_>> {
    let colon = bytes.iter().position(|byte| *byte == b':')?;
    let (scheme, rest) = bytes.split_at_checked(colon)?;
    let rest = rest.get(1..)?;
    let first = scheme.first()?;
    let scheme_ok = scheme.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte));
    // Printable ASCII without the delimiters of RFC 2396 §2.4.3; the rest must be escaped.
    let clean = rest.iter().all(|byte| byte.is_ascii_graphic() && !b"<>\"".contains(byte));
    if !first.is_ascii_alphabetic() || !scheme_ok || !clean || rest.is_empty() {
        return None;
    }
    if scheme.eq_ignore_ascii_case(b"sip") {
        parse_sip(rest).map(Uri::Sip)
    } else if scheme.eq_ignore_ascii_case(b"tel") {
        rest.split(|byte| *byte == b';').next().map(Uri::Tel)
    } else if scheme.eq_ignore_ascii_case(b"sips") {
        parse_sip(rest).map(|_| Uri::Other)
    } else {
        Some(Uri::Other)
    }
}

fn parse_sip(bytes: &[u8]) -> Option<SipUri<'_>> {
    // A user part may hold `;` and `?` unescaped, so `@` is looked for first.
    let (userinfo, rest) = match bytes.iter().position(|byte| *byte == b'@') {
        Some(at) => (Some(bytes.get(..at)?), bytes.get(at + 1..)?),
        None => (None, bytes),
    };
    let user = match userinfo {
        Some(userinfo) => Some(userinfo.split(|byte| *byte == b':').next().filter(|user| !user.is_empty())?),
        None => None,
    };
    let headers = rest.iter().position(|byte| *byte == b'?').unwrap_or(rest.len());
    let (rest, headers) = rest.split_at_checked(headers)?;
    let params = rest.iter().position(|byte| *byte == b';').unwrap_or(rest.len());
    let (hostport, params) = rest.split_at_checked(params)?;
    let (host, port) = parse_host_port(hostport)?;
    // RFC 3261 lets parameters hold `/` and `&` too: only emptiness is refused.
    let params_ok = params.is_empty() || params.split(|byte| *byte == b';').skip(1).all(|param| !param.is_empty());
    params_ok.then_some(SipUri { user, host, port, params, has_headers: !headers.is_empty() })
}

/// `host`, `host:port`, `[v6]`, `[v6]:port`.
pub fn parse_host_port(bytes: &[u8]) -> Option<(&[u8], Option<u16>)> {
    let host_end = match bytes.first()? {
        b'[' => bytes.iter().position(|byte| *byte == b']')? + 1,
        _ => bytes.iter().position(|byte| *byte == b':').unwrap_or(bytes.len()),
    };
    let (host, rest) = bytes.split_at_checked(host_end)?;
    let port = match rest {
        [] => None,
        [b':', digits @ ..] => Some(u16::try_from(parse_number(digits)?).ok()?),
        _ => return None,
    };
    let host_ok = match host.first()? {
        b'[' => parse_ip(host).is_some(),
        _ => host.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(byte)),
    };
    host_ok.then_some((host, port))
}

/// An IPv4 address, or an IPv6 one with or without brackets (RFC 5118 §4.5 has it without in `received`).
pub fn parse_ip(host: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(host).ok()?;
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    match inner {
        Some(inner) => inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => text.parse::<Ipv4Addr>().map(IpAddr::V4).or_else(|_| text.parse::<Ipv6Addr>().map(IpAddr::V6)).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, user: Option<&str>, host: &str, port: Option<u16>) {
        let Some(Uri::Sip(uri)) = parse_uri(text.as_bytes()) else { panic!("{text} is not read") };
        assert_eq!(uri.user, user.map(str::as_bytes), "{text}");
        assert_eq!((uri.host, uri.port), (host.as_bytes(), port), "{text}");
    }

    #[test]
    fn sip_uris() {
        check("sip:1001@127.0.0.1:5060", Some("1001"), "127.0.0.1", Some(5060));
        check("SIP:example.com", None, "example.com", None);
        check("sip:a:secret@[2001:db8::10]:5070;lr?x=y", Some("a"), "[2001:db8::10]", Some(5070));
        check("sip:user;par=u%40example.net@example.com", Some("user;par=u%40example.net"), "example.com", None);
        check("sip:[2001:db8::192.0.2.1]", None, "[2001:db8::192.0.2.1]", None);
    }

    #[test]
    fn what_is_no_uri() {
        for text in [
            "",
            "sip",
            "sip:",
            ":x",
            "sip:2001:db8::10",
            "sip:u@[2001:db8:::192.0.2.1]",
            "sip:a b@c",
            "sip:@x",
            "sip:a@b:65536",
            "sip:a@b;;lr",
            "<sip:a@b>",
            "sip:a@b:",
            "sip:\u{e9}@b",
        ] {
            assert!(parse_uri(text.as_bytes()).is_none(), "{text}");
        }
    }

    #[test]
    fn tel_and_unknown_schemes() {
        assert!(matches!(parse_uri(b"tel:+1212;phone-context=x"), Some(Uri::Tel(b"+1212"))));
        assert!(matches!(parse_uri(b"soap.beep://192.0.2.103:3002"), Some(Uri::Other)));
        assert!(matches!(parse_uri(b"sips:a@b"), Some(Uri::Other)));
    }
}
