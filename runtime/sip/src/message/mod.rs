//! Messages as they lie in a datagram: framing and lazily sliced headers. Nothing is copied, nothing is
//! decoded before somebody asks, and any byte may occur. It does not know transactions or what a value is for.
//!
//! Verb families: `parse_` reads one value and may decline with `None`; `check_` gives a [`Refusal`].

pub mod address;
pub mod check;
pub mod header;
pub mod reason;
pub mod scan;
pub mod session_expires;
#[cfg(test)]
mod torture;
pub mod uri;
pub mod via;
pub mod vocabulary;
pub mod write;

pub use check::{Essentials, ResponseEssentials};
pub use header::Header;
pub use vocabulary::Method;

use scan::{is_token, trim};
#[cfg(test)]
use uri::Uri;

/// Header lines in one message. Over it: 400.
pub const HEADER_LINES_MAX: usize = 256;

/// First line of a message.
#[derive(Clone, Copy)]
pub enum Start<'a> {
    /// `method`, `uri` and `version` as written.
    Request { method: &'a [u8], uri: &'a [u8], version: &'a [u8] },
    /// `code` is 100–699.
    Response { code: u16 },
}

/// One header line; `value` may hold CRLF where the line was folded, which all readers take for space.
#[derive(Clone, Copy)]
pub struct Line<'a> {
    pub header: Header,
    pub value: &'a [u8],
}

/// A framed message. Its faults are kept, not thrown: what is broken may still deserve an answer.
pub struct Message<'a> {
    pub start: Start<'a>,
    pub lines: Vec<Line<'a>>,
    /// Everything after the empty line, up to Content-Length once [`Message::check`] has read that.
    pub body: &'a [u8],
    fault: Option<&'static str>,
}

/// The bytes hold no SIP start line: nobody can be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unframed;

impl<'a> Message<'a> {
    /// Finds start line, header lines and body of one datagram (RFC 3261 §7, §18.3).
    pub fn frame(datagram: &'a [u8]) -> Result<Self, Unframed> {
        let mut rest = datagram;
        while let [b'\r' | b'\n', tail @ ..] = rest {
            rest = tail;
        }
        let (first, mut rest) = split_line(rest).ok_or(Unframed)?;
        let (start, mut fault) = parse_start(first)?;
        let mut lines = Vec::with_capacity(16);
        loop {
            let Some((line, tail)) = split_header_line(rest) else {
                fault = fault.or(Some("headers without an end"));
                rest = &[];
                break;
            };
            rest = tail;
            if line.is_empty() {
                break;
            }
            if lines.len() == HEADER_LINES_MAX {
                return Ok(Self { start, lines, body: &[], fault: fault.or(Some("too many header lines")) });
            }
            match parse_header_line(line) {
                Some(line) => lines.push(line),
                None => fault = fault.or(Some("malformed header line")),
            }
        }
        Ok(Self { start, lines, body: rest, fault })
    }

    /// Value of the first line with this header.
    pub fn first(&self, header: Header) -> Option<&'a [u8]> {
        self.lines.iter().find(|line| line.header == header).map(|line| line.value)
    }

    /// Values of all lines with this header, not yet split at commas.
    pub fn all(&self, header: Header) -> impl Iterator<Item = &'a [u8]> {
        self.lines.iter().filter(move |line| line.header == header).map(|line| line.value)
    }

    /// All values of this header, split at the commas between them.
    pub fn values(&self, header: Header) -> impl Iterator<Item = &'a [u8]> {
        self.all(header).flat_map(scan::split_commas)
    }

    /// First thing that framing found wrong.
    pub fn fault(&self) -> Option<&'static str> {
        self.fault
    }
}

/// Splits at LF, and drops the CR before it.
fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (line, rest) = bytes.split_at_checked(end)?;
    Some((line.strip_suffix(b"\r").unwrap_or(line), rest.get(1..)?))
}

/// Like [`split_line`], but a line that is continued by white space comes as one piece (RFC 3261 §7.3.1).
fn split_header_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut end = 0;
    loop {
        end += bytes.get(end..)?.iter().position(|byte| *byte == b'\n')?;
        let line = bytes.get(..end)?;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let folded = !line.is_empty() && matches!(bytes.get(end + 1), Some(b' ' | b'\t'));
        end += 1;
        if !folded {
            return Some((line, bytes.get(end..)?));
        }
    }
}

fn parse_start(line: &[u8]) -> Result<(Start<'_>, Option<&'static str>), Unframed> {
    if line.get(..4).is_some_and(|head| head.eq_ignore_ascii_case(b"SIP/")) {
        let mut words = line.splitn(3, |byte| *byte == b' ');
        let version = words.next().ok_or(Unframed)?;
        let code = words.next().and_then(scan::parse_number).filter(|code| (100..700).contains(code));
        let fault = (!version.eq_ignore_ascii_case(b"SIP/2.0")).then_some("unknown version");
        let code = code.and_then(|code| u16::try_from(code).ok()).ok_or(Unframed)?;
        return Ok((Start::Response { code }, fault));
    }
    let method_end = line.iter().position(|byte| *byte == b' ').ok_or(Unframed)?;
    let (method, rest) = line.split_at_checked(method_end).ok_or(Unframed)?;
    let trimmed = trim(rest);
    let version_start = trimmed.iter().rposition(|byte| *byte == b' ').ok_or(Unframed)?;
    let (uri, version) = trimmed.split_at_checked(version_start).ok_or(Unframed)?;
    let (uri, version) = (trim(uri), trim(version));
    if !is_token(method) || !version.get(..4).is_some_and(|head| head.eq_ignore_ascii_case(b"SIP/")) {
        return Err(Unframed);
    }
    // Exactly one space at each place (RFC 3261 §7.1).
    let exact = method.len() + uri.len() + version.len() + 2 == line.len();
    Ok((Start::Request { method, uri, version }, (!exact).then_some("white space in request line")))
}

fn parse_header_line(line: &[u8]) -> Option<Line<'_>> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = line.split_at_checked(colon)?;
    let name = name.trim_ascii_end();
    let value = trim(value.get(1..)?);
    is_token(name).then(|| Line { header: Header::named(name), value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folded_lines_are_one_value() {
        let message =
            Message::frame(b"OPTIONS sip:a@b SIP/2.0\r\nTo :\r\n <sip:a@b>\r\n ;tag = 1\r\nv: x\r\n\r\nbody").unwrap();
        assert_eq!(message.first(Header::To), Some(&b"<sip:a@b>\r\n ;tag = 1"[..]));
        assert_eq!(message.first(Header::Via), Some(&b"x"[..]));
        assert_eq!(message.body, b"body");
        assert_eq!(message.fault(), None);
    }

    #[test]
    fn a_message_without_start_line_is_unframed() {
        for bytes in [&b""[..], b"\r\n\r\n", b"hello", b"GET / HTTP/1.1\r\n\r\n", b"SIP/2.0 4294967301 x\r\n\r\n"] {
            assert_eq!(Message::frame(bytes).err(), Some(Unframed));
        }
    }

    #[test]
    fn header_lines_are_bounded() {
        let text = |count: usize| format!("OPTIONS sip:a@b SIP/2.0\r\n{}\r\n", "X: y\r\n".repeat(count));
        assert_eq!(Message::frame(text(HEADER_LINES_MAX).as_bytes()).unwrap().fault(), None);
        assert!(Message::frame(text(HEADER_LINES_MAX + 1).as_bytes()).unwrap().fault().is_some());
    }
}
