//! Session-Expires, Min-SE and RAck: values of RFC 4028 §4, §5 and RFC 3262 §7.2. It does not know what they are for.

use super::scan::{Params, find_outside, parse_number, trim};

/// Who refreshes, as the sides of the request that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresher {
    Uac,
    Uas,
}

/// `1800;refresher=uac`: seconds, and who.
pub fn parse_session_expires(value: &[u8]) -> Option<(u32, Option<Refresher>)> {
    let end = find_outside(value, b';').unwrap_or(value.len());
    let (seconds, params) = value.split_at_checked(end)?;
    let refresher = Params::new(params).get(b"refresher").and_then(|who| match who {
        who if who.eq_ignore_ascii_case(b"uac") => Some(Refresher::Uac),
        who if who.eq_ignore_ascii_case(b"uas") => Some(Refresher::Uas),
        _ => None,
    });
    Some((parse_number(trim(seconds))?, refresher))
}

/// `90`, perhaps with parameters.
pub fn parse_min_se(value: &[u8]) -> Option<u32> {
    parse_number(trim(value.split(|byte| *byte == b';').next()?))
}

/// `776656 1 INVITE`: RSeq, CSeq and method of what a PRACK acknowledges.
pub fn parse_rack(value: &[u8]) -> Option<(u32, u32, &[u8])> {
    let mut words = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let rack = (parse_number(words.next()?)?, parse_number(words.next()?)?, words.next()?);
    words.next().is_none().then_some(rack)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        assert_eq!(parse_session_expires(b"1800"), Some((1_800, None)));
        assert_eq!(parse_session_expires(b"90 ; Refresher=UAS;x"), Some((90, Some(Refresher::Uas))));
        assert_eq!(parse_session_expires(b"90;refresher=me"), Some((90, None)));
        assert_eq!(parse_session_expires(b"soon"), None);
        assert_eq!((parse_min_se(b"120;x=y"), parse_min_se(b"x")), (Some(120), None));
        assert_eq!(parse_rack(b"776656  1\tINVITE"), Some((776_656, 1, &b"INVITE"[..])));
        for broken in [&b""[..], b"1", b"1 2", b"x 2 INVITE", b"1 2 INVITE x"] {
            assert_eq!(parse_rack(broken), None);
        }
    }
}
