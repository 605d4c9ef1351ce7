//! Header names that this core reads, long and compact (RFC 3261 §7.3.3, §20). Others are [`Header::Other`].

/// A header, known by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    Accept,
    Allow,
    Authorization,
    CSeq,
    CallId,
    Contact,
    ContentEncoding,
    ContentLength,
    ContentType,
    Event,
    Expires,
    From,
    InfoPackage,
    MaxForwards,
    MinExpires,
    MinSe,
    PAssertedIdentity,
    Privacy,
    ProxyAuthenticate,
    RAck,
    RSeq,
    RecordRoute,
    ReferSub,
    RetryAfter,
    Require,
    Route,
    SessionExpires,
    SubscriptionState,
    Supported,
    To,
    Via,
    WwwAuthenticate,
    Other,
}

impl Header {
    /// Names are compared without case.
    pub fn named(name: &[u8]) -> Self {
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        match (name.len(), name.first().map(u8::to_ascii_lowercase)) {
            (1, Some(b'v')) => Header::Via,
            (1, Some(b'f')) => Header::From,
            (1, Some(b't')) => Header::To,
            (1, Some(b'i')) => Header::CallId,
            (1, Some(b'm')) => Header::Contact,
            (1, Some(b'l')) => Header::ContentLength,
            (1, Some(b'c')) => Header::ContentType,
            (1, Some(b'e')) => Header::ContentEncoding,
            (2, _) if is(b"To") => Header::To,
            (3, _) if is(b"Via") => Header::Via,
            (1, Some(b'o')) => Header::Event,
            (5, _) if is(b"Event") => Header::Event,
            (9, _) if is(b"Refer-Sub") => Header::ReferSub,
            (12, _) if is(b"Info-Package") => Header::InfoPackage,
            (18, _) if is(b"Subscription-State") => Header::SubscriptionState,
            (1, Some(b'x')) => Header::SessionExpires,
            (4, _) if is(b"RAck") => Header::RAck,
            (4, _) if is(b"RSeq") => Header::RSeq,
            (6, _) if is(b"Min-SE") => Header::MinSe,
            (15, _) if is(b"Session-Expires") => Header::SessionExpires,
            (4, _) if is(b"From") => Header::From,
            (4, _) if is(b"CSeq") => Header::CSeq,
            (5, _) if is(b"Allow") => Header::Allow,
            (5, _) if is(b"Route") => Header::Route,
            (6, _) if is(b"Accept") => Header::Accept,
            (7, _) if is(b"Call-ID") => Header::CallId,
            (7, _) if is(b"Contact") => Header::Contact,
            (7, _) if is(b"Privacy") => Header::Privacy,
            (19, _) if is(b"P-Asserted-Identity") => Header::PAssertedIdentity,
            (7, _) if is(b"Require") => Header::Require,
            (1, Some(b'k')) => Header::Supported,
            (9, _) if is(b"Supported") => Header::Supported,
            (11, _) if is(b"Retry-After") => Header::RetryAfter,
            (7, _) if is(b"Expires") => Header::Expires,
            (11, _) if is(b"Min-Expires") => Header::MinExpires,
            (13, _) if is(b"Authorization") => Header::Authorization,
            (16, _) if is(b"WWW-Authenticate") => Header::WwwAuthenticate,
            (18, _) if is(b"Proxy-Authenticate") => Header::ProxyAuthenticate,
            (12, _) if is(b"Max-Forwards") => Header::MaxForwards,
            (12, _) if is(b"Content-Type") => Header::ContentType,
            (12, _) if is(b"Record-Route") => Header::RecordRoute,
            (14, _) if is(b"Content-Length") => Header::ContentLength,
            (16, _) if is(b"Content-Encoding") => Header::ContentEncoding,
            _ => Header::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_and_long_names_are_one() {
        for (long, compact, header) in [
            ("VIA", "V", Header::Via),
            ("From", "f", Header::From),
            ("to", "T", Header::To),
            ("call-id", "i", Header::CallId),
            ("Contact", "m", Header::Contact),
            ("Content-Length", "L", Header::ContentLength),
            ("Content-Type", "c", Header::ContentType),
            ("Content-Encoding", "e", Header::ContentEncoding),
        ] {
            assert_eq!(Header::named(long.as_bytes()), header);
            assert_eq!(Header::named(compact.as_bytes()), header);
        }
        assert_eq!(Header::named(b"C%6Fntact"), Header::Other);
    }
}
