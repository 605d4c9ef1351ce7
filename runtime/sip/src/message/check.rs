//! Which messages may be acted upon: mandatory headers, once each, in their grammar (RFC 3261 §8.1.1, RFC 4475).
//! It knows no method's meaning and keeps nothing.

use super::address::{Address, parse_address};
use super::header::Header;
use super::scan::{is_token, parse_number, trim};
use super::uri::{Uri, parse_uri};
use super::via::{Via, parse_via};
use super::{Message, Method, Start};

/// Why a request is not served: status code, and for 400 what to say in the reason phrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: u16,
    pub why: &'static str,
}

/// What every request must have, checked.
#[derive(Clone, Copy)]
pub struct Essentials<'a> {
    pub method: Method,
    pub uri_bytes: &'a [u8],
    pub uri: Uri<'a>,
    pub via: Via<'a>,
    /// Whole header values.
    pub from: &'a [u8],
    pub to: &'a [u8],
    pub from_address: Address<'a>,
    /// Tags are empty where RFC 2543 peers have none, or a dialog does not exist yet.
    pub from_tag: &'a [u8],
    pub to_tag: &'a [u8],
    pub call_id: &'a [u8],
    pub cseq: u32,
    pub body: &'a [u8],
}

/// What is needed of a response, checked.
pub struct ResponseEssentials<'a> {
    pub code: u16,
    pub via: Via<'a>,
    pub to: &'a [u8],
    pub to_tag: &'a [u8],
    pub cseq: u32,
    pub cseq_method: Method,
    pub body: &'a [u8],
}

const fn bad(why: &'static str) -> Refusal {
    Refusal { code: 400, why }
}

/// Bytes of a request URI. Over it: 414.
pub const URI_BYTES_MAX: usize = 1_024;
/// Bytes of a Call-ID, a From, a To, and of all Contacts together: a call keeps them. Over it: 513.
/// RFC 4475 §3.1.1.6 has a valid From of 590.
pub const VALUE_BYTES_MAX: usize = 1_024;
/// Bytes of all Record-Route values together: a dialog keeps them. Over it: 513.
pub const ROUTES_BYTES_MAX: usize = 4 * 1_024;
/// Bytes of all header values together: what answers them is kept for a while. Over it: 513.
pub const HEADERS_BYTES_MAX: usize = 16 * 1_024;

/// Sequence numbers are below 2^31 (RFC 3261 §8.1.1.5).
const CSEQ_END: u32 = 1 << 31;

impl<'a> Message<'a> {
    /// Verdict on a request. `Refusal` is to be answered, unless it is an ACK.
    pub fn check_request(&self) -> Result<Essentials<'a>, Refusal> {
        let Start::Request { method: method_name, uri: uri_bytes, version } = self.start else {
            return Err(bad("not a request"));
        };
        if !version.eq_ignore_ascii_case(b"SIP/2.0") {
            return Err(Refusal { code: 505, why: "" });
        }
        if let Some(fault) = self.fault() {
            return Err(bad(fault));
        }
        let via = self.values(Header::Via).next().ok_or(bad("no Via"))?;
        let via = parse_via(via).ok_or(bad("malformed Via"))?;
        let from = self.single(Header::From, bad("no From"), bad("more than one From"))?;
        let to = self.single(Header::To, bad("no To"), bad("more than one To"))?;
        let call_id = self.single(Header::CallId, bad("no Call-ID"), bad("more than one Call-ID"))?;
        let cseq = self.single(Header::CSeq, bad("no CSeq"), bad("more than one CSeq"))?;
        let (cseq, cseq_method) = parse_cseq(cseq).ok_or(bad("malformed CSeq"))?;
        if cseq_method != method_name {
            return Err(bad("CSeq names another method"));
        }
        if call_id.is_empty() || call_id.iter().any(u8::is_ascii_whitespace) {
            return Err(bad("malformed Call-ID"));
        }
        if uri_bytes.len() > URI_BYTES_MAX {
            return Err(Refusal { code: 414, why: "" });
        }
        self.check_lengths()?;
        let body = self.check_body()?;
        self.check_max_forwards()?;
        let method = Method::named(method_name);
        let uri = parse_uri(uri_bytes);
        if matches!(uri, Some(Uri::Other)) {
            return Err(Refusal { code: 416, why: "" });
        }
        let uri = uri.ok_or(bad("malformed request URI"))?;
        if matches!(uri, Uri::Sip(uri) if uri.has_headers) {
            return Err(bad("headers in request URI"));
        }
        let to_address = parse_address(to).ok_or(bad("malformed To"))?;
        if method == Method::Register && matches!(to_address.parsed(), Uri::Other) {
            return Err(Refusal { code: 416, why: "" });
        }
        let from_address = parse_address(from).ok_or(bad("malformed From"))?;
        self.check_contacts(method)?;
        let (from_tag, to_tag) = (from_address.tag().unwrap_or_default(), to_address.tag().unwrap_or_default());
        Ok(Essentials { method, uri_bytes, uri, via, from, to, from_address, from_tag, to_tag, call_id, cseq, body })
    }

    /// A response that breaks the grammar is discarded (RFC 3261 §18.1.2, §8.1.3).
    pub fn check_response(&self) -> Option<ResponseEssentials<'a>> {
        let Start::Response { code } = self.start else { return None };
        let fault = bad("");
        let (cseq, cseq_method) = parse_cseq(self.single(Header::CSeq, fault, fault).ok()?)?;
        let mut vias = self.values(Header::Via);
        let via = parse_via(vias.next()?)?;
        let to = self.single(Header::To, fault, fault).ok()?;
        let whole = self.fault().is_none()
            // A second Via belongs to somebody else (RFC 3261 §8.1.3.3).
            && vias.next().is_none()
            && self.single(Header::From, fault, fault).is_ok_and(|from| parse_address(from).is_some())
            && self.single(Header::CallId, fault, fault).is_ok()
            && self.check_lengths().is_ok();
        let to_tag = parse_address(to)?.tag().unwrap_or_default();
        let body = self.check_body().ok()?;
        let cseq_method = Method::named(cseq_method);
        whole.then_some(ResponseEssentials { code, via, to, to_tag, cseq, cseq_method, body })
    }

    fn single(&self, header: Header, none: Refusal, more: Refusal) -> Result<&'a [u8], Refusal> {
        let mut values = self.all(header);
        let value = values.next().ok_or(none)?;
        if values.next().is_some() { Err(more) } else { Ok(value) }
    }

    /// The body that Content-Length names; over UDP more bytes are cut off, fewer are an error (§18.3).
    fn check_body(&self) -> Result<&'a [u8], Refusal> {
        let mut lengths = self.all(Header::ContentLength);
        let Some(length) = lengths.next() else { return Ok(self.body) };
        if lengths.next().is_some() {
            return Err(bad("more than one Content-Length"));
        }
        let length = parse_number(length).and_then(|length| usize::try_from(length).ok());
        let length = length.ok_or(bad("malformed Content-Length"))?;
        self.body.get(..length).ok_or(bad("body shorter than Content-Length"))
    }

    /// What is kept must have a bound (RFC 3261 §21.5.7).
    fn check_lengths(&self) -> Result<(), Refusal> {
        let bytes = |header| self.all(header).map(<[u8]>::len).sum::<usize>();
        let long = [Header::CallId, Header::From, Header::To, Header::Contact]
            .into_iter()
            .any(|header| bytes(header) > VALUE_BYTES_MAX)
            || bytes(Header::RecordRoute) > ROUTES_BYTES_MAX
            || self.lines.iter().map(|line| line.value.len()).sum::<usize>() > HEADERS_BYTES_MAX;
        if long { Err(Refusal { code: 513, why: "" }) } else { Ok(()) }
    }

    fn check_max_forwards(&self) -> Result<(), Refusal> {
        let mut values = self.all(Header::MaxForwards);
        let Some(value) = values.next() else { return Ok(()) };
        let in_range = parse_number(value).is_some_and(|hops| hops <= 255);
        if in_range && values.next().is_none() { Ok(()) } else { Err(bad("malformed Max-Forwards")) }
    }

    fn check_contacts(&self, method: Method) -> Result<(), Refusal> {
        for value in self.values(Header::Contact) {
            let star = method == Method::Register && value == b"*";
            if !star && parse_address(value).is_none() {
                return Err(bad("malformed Contact"));
            }
        }
        Ok(())
    }
}

fn parse_cseq(value: &[u8]) -> Option<(u32, &[u8])> {
    let space = value.iter().position(|byte| super::scan::is_space(*byte))?;
    let (number, method) = value.split_at_checked(space)?;
    let number = parse_number(number).filter(|number| *number < CSEQ_END)?;
    let method = trim(method);
    is_token(method).then_some((number, method))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: impl Fn(String) -> String) -> Result<(), Refusal> {
        let text = "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:c@d>;tag=1\r\n\
            To: <sip:a@b>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n";
        let text = change(text.to_owned());
        Message::frame(text.as_bytes()).unwrap().check_request().map(drop)
    }

    #[test]
    fn each_mandatory_header_exactly_once() {
        assert_eq!(check(|text| text), Ok(()));
        for header in ["Via", "From", "To", "Call-ID", "CSeq"] {
            let without = |text: String| {
                text.split_inclusive("\r\n").filter(|line| !line.starts_with(&format!("{header}:"))).collect::<String>()
            };
            assert_eq!(check(without).unwrap_err().code, 400, "{header}");
        }
        for header in ["From", "To", "Call-ID", "CSeq", "Content-Length", "Max-Forwards"] {
            let twice = |text: String| {
                let line = text.split_inclusive("\r\n").find(|line| line.starts_with(&format!("{header}:"))).unwrap();
                text.replace(line, &line.repeat(2))
            };
            assert_eq!(check(twice).unwrap_err().code, 400, "{header}");
        }
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let uri =
            |bytes: usize| check(|text| text.replace("sip:a@b SIP", &format!("sip:{}@b SIP", "a".repeat(bytes - 6))));
        assert_eq!(uri(URI_BYTES_MAX), Ok(()));
        assert_eq!(uri(URI_BYTES_MAX + 1).unwrap_err().code, 414);
        let call_id = |bytes: usize| check(|text| text.replace(": x\r", &format!(": {}\r", "x".repeat(bytes))));
        assert_eq!(call_id(VALUE_BYTES_MAX), Ok(()));
        assert_eq!(call_id(VALUE_BYTES_MAX + 1).unwrap_err().code, 513);
        let more = |line: &str| check(|text| text.replace("To:", &format!("{line}\r\nTo:")));
        for (header, bound) in [("Contact", VALUE_BYTES_MAX), ("Record-Route", ROUTES_BYTES_MAX)] {
            let line = |bytes: usize| format!("{header}: <sip:h;{}>", "x".repeat(bytes - "<sip:h;>".len()));
            assert_eq!(more(&line(bound)), Ok(()), "{header}");
            assert_eq!(more(&line(bound + 1)).unwrap_err().code, 513, "{header}");
        }
        for header in ["From", "To"] {
            let named = |bytes: usize| {
                let name = "n".repeat(bytes);
                check(|text| text.replace(&format!("{header}: "), &format!("{header}: {name} ")))
            };
            assert_eq!(named(VALUE_BYTES_MAX - 20), Ok(()), "{header}");
            assert_eq!(named(VALUE_BYTES_MAX).unwrap_err().code, 513, "{header}");
        }
        // The values of the message above are 65 bytes.
        let others = |bytes: usize| more(&format!("X: {}", "x".repeat(bytes)));
        assert_eq!(others(HEADERS_BYTES_MAX - 65), Ok(()));
        assert_eq!(others(HEADERS_BYTES_MAX - 64).unwrap_err().code, 513);
    }

    #[test]
    fn bounds_of_numbers() {
        assert_eq!(check(|text| text.replace("1 INVITE", "2147483647 INVITE")), Ok(()));
        assert_eq!(check(|text| text.replace("1 INVITE", "2147483648 INVITE")).unwrap_err().code, 400);
        assert_eq!(check(|text| text.replace(": 70", ": 255")), Ok(()));
        assert_eq!(check(|text| text.replace(": 70", ": 256")).unwrap_err().code, 400);
        assert_eq!(check(|text| text.replace("Length: 0", "Length: 1")).unwrap_err().code, 400);
    }
}
