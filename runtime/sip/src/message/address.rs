//! `name-addr` and `addr-spec` with header parameters: From, To, Contact, Route, Record-Route (RFC 3261 §20.10).

use super::scan::{Params, is_space, is_token_byte, parse_quoted, trim};
use super::uri::{Uri, parse_uri};

/// One address of a header. `uri` is as written between the brackets.
#[derive(Clone, Copy)]
pub struct Address<'a> {
    pub uri: &'a [u8],
    tag: Option<&'a [u8]>,
    parsed: Uri<'a>,
}

impl<'a> Address<'a> {
    /// The `tag` parameter; an empty one is none.
    pub fn tag(&self) -> Option<&'a [u8]> {
        self.tag.filter(|tag| !tag.is_empty())
    }

    /// The URI's parts.
    pub fn parsed(&self) -> Uri<'a> {
        self.parsed
    }
}

/// One value, already cut at commas. `None` when it breaks the grammar.
pub fn parse_address(value: &[u8]) -> Option<Address<'_>> {
    let value = trim(value);
    let after_name = match value.first()? {
        b'"' => trim(value.get(parse_quoted(value)?..)?),
        _ => value,
    };
    let quoted = after_name.len() < value.len();
    let (uri, params) = match after_name.iter().position(|byte| *byte == b'<') {
        Some(open) => {
            let (name, rest) = after_name.split_at_checked(open)?;
            let name_ok = trim(name).iter().all(|byte| !quoted && (is_token_byte(*byte) || is_space(*byte)));
            let rest = rest.get(1..)?;
            let close = rest.iter().position(|byte| *byte == b'>')?;
            if !name_ok {
                return None;
            }
            (rest.get(..close)?, rest.get(close + 1..)?)
        }
        None if quoted => return None,
        None => {
            // Without brackets, `;` starts header parameters, and `?` and `,` may not occur (RFC 3261 §20.10).
            let end = value.iter().position(|byte| *byte == b';' || is_space(*byte)).unwrap_or(value.len());
            let (uri, params) = value.split_at_checked(end)?;
            if uri.iter().any(|byte| b"?,".contains(byte)) {
                return None;
            }
            (uri, params)
        }
    };
    let mut tag = None;
    for param in Params::new(params) {
        let (name, value) = param?;
        if name.eq_ignore_ascii_case(b"tag") {
            tag = tag.or(Some(value));
        }
    }
    Some(Address { uri, tag, parsed: parse_uri(uri)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, uri: &str, tag: Option<&str>) {
        let address = parse_address(text.as_bytes()).unwrap_or_else(|| panic!("{text} is not read"));
        assert_eq!((address.uri, address.tag()), (uri.as_bytes(), tag.map(str::as_bytes)), "{text}");
    }

    #[test]
    fn addresses() {
        check("sip:a@b;tag=1", "sip:a@b", Some("1"));
        check("<sip:a@b;lr>;tag=1", "sip:a@b;lr", Some("1"));
        check("\"J \\\\\\\"\" \r\n <sip:a@b>\r\n ; tag = x", "sip:a@b", Some("x"));
        check("caller<sip:a@b>", "sip:a@b", None);
        check("a b* <sip:a@b?x=%3C>", "sip:a@b?x=%3C", None);
        check("<http://www.example.com>;tag=3", "http://www.example.com", Some("3"));
    }

    #[test]
    fn broken_addresses() {
        for text in [
            "",
            "\"a <sip:a@b>",
            "Bell, A <sip:a@b>",
            "< sip:a@b >",
            "<sip:a@b",
            "sip:a@b?x=y",
            "\"a\" sip:a@b",
            "\"a\" b <sip:a@b>",
            "<sip:a@b>;;",
            "<sip:a@b> x",
            "<>",
        ] {
            assert!(parse_address(text.as_bytes()).is_none(), "{text}");
        }
    }
}
