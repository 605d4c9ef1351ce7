//! Methods and status codes. rsip has the words; it is handed nothing that comes from the wire, because its
//! parser takes methods without case and names without spaces.

/// Methods that the RFCs know. The order is that of `rsip::Method`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    Ack,
    Bye,
    Cancel,
    Info,
    Invite,
    Message,
    Notify,
    Options,
    Prack,
    Publish,
    Refer,
    Register,
    Subscribe,
    Update,
    /// Not known to any RFC that we know: 501.
    Unknown,
}

impl Method {
    /// As it stands in a message; nothing for one that nobody knows.
    pub fn name(self) -> &'static [u8] {
        match self {
            Method::Ack => b"ACK",
            Method::Bye => b"BYE",
            Method::Cancel => b"CANCEL",
            Method::Info => b"INFO",
            Method::Invite => b"INVITE",
            Method::Message => b"MESSAGE",
            Method::Notify => b"NOTIFY",
            Method::Options => b"OPTIONS",
            Method::Prack => b"PRACK",
            Method::Publish => b"PUBLISH",
            Method::Refer => b"REFER",
            Method::Register => b"REGISTER",
            Method::Subscribe => b"SUBSCRIBE",
            Method::Update => b"UPDATE",
            Method::Unknown => b"",
        }
    }

    /// Methods are case-sensitive (RFC 3261 §7.1).
    pub fn named(name: &[u8]) -> Self {
        match name {
            b"INVITE" => Method::Invite,
            b"ACK" => Method::Ack,
            b"BYE" => Method::Bye,
            b"CANCEL" => Method::Cancel,
            b"OPTIONS" => Method::Options,
            b"INFO" => Method::Info,
            b"MESSAGE" => Method::Message,
            b"NOTIFY" => Method::Notify,
            b"PRACK" => Method::Prack,
            b"PUBLISH" => Method::Publish,
            b"REFER" => Method::Refer,
            b"REGISTER" => Method::Register,
            b"SUBSCRIBE" => Method::Subscribe,
            b"UPDATE" => Method::Update,
            _ => Method::Unknown,
        }
    }
}

/// Status line without CRLF: `SIP/2.0 486 Busy Here`.
pub fn status_line(code: u16) -> std::borrow::Cow<'static, [u8]> {
    match code {
        100 => (&b"SIP/2.0 100 Trying"[..]).into(),
        180 => (&b"SIP/2.0 180 Ringing"[..]).into(),
        200 => (&b"SIP/2.0 200 OK"[..]).into(),
        481 => (&b"SIP/2.0 481 Call/Transaction Does Not Exist"[..]).into(),
        487 => (&b"SIP/2.0 487 Request Terminated"[..]).into(),
        // Not in rsip.
        422 => (&b"SIP/2.0 422 Session Interval Too Small"[..]).into(),
        469 => (&b"SIP/2.0 469 Bad Info Package"[..]).into(),
        489 => (&b"SIP/2.0 489 Bad Event"[..]).into(),
        // RFC 3261's words; rsip has those of RFC 2543.
        504 => (&b"SIP/2.0 504 Server Time-out"[..]).into(),
        414 => (&b"SIP/2.0 414 Request-URI Too Long"[..]).into(),
        code => {
            let mut line = b"SIP/2.0 ".to_vec();
            // rsip prints `486 BusyHere`.
            for byte in rsip::StatusCode::from(code).to_string().bytes() {
                if byte.is_ascii_uppercase() && line.last().is_some_and(|last| *last != b' ') {
                    line.push(b' ');
                }
                line.push(byte);
            }
            line.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_words() {
        for (code, line) in [
            (200, "SIP/2.0 200 OK"),
            (400, "SIP/2.0 400 Bad Request"),
            (415, "SIP/2.0 415 Unsupported Media Type"),
            (486, "SIP/2.0 486 Busy Here"),
            (491, "SIP/2.0 491 Request Pending"),
            (503, "SIP/2.0 503 Service Unavailable"),
        ] {
            assert_eq!(status_line(code), line.as_bytes());
        }
    }

    #[test]
    fn every_method_of_rsip_is_known() {
        for method in rsip::Method::all() {
            let name = method.to_string();
            assert_eq!(Method::named(name.as_bytes()).name(), name.as_bytes());
            assert_eq!(Method::named(name.to_lowercase().as_bytes()), Method::Unknown);
        }
    }
}
