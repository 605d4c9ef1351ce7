//! The parameters of a challenge or of credentials: `Digest name="value", name=value` (RFC 3261 §25.1).

use crate::message::scan::{is_token, split_commas, trim};

/// Those of one header value. `None` when its scheme is another.
pub struct Params<'a>(Vec<(&'a [u8], &'a [u8])>);

impl<'a> Params<'a> {
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let value = trim(value);
        let (scheme, rest) = value.split_at_checked("Digest".len())?;
        if !scheme.eq_ignore_ascii_case(b"Digest") || !rest.first()?.is_ascii_whitespace() {
            return None;
        }
        let pairs: Option<Vec<_>> = split_commas(rest).map(pair).collect();
        pairs.map(Self)
    }

    /// A value without its quotes; escapes stay as they are, because both sides hash them so (RFC 3261 §22.4).
    pub fn get(&self, name: &[u8]) -> Option<&'a [u8]> {
        let (_, value) = self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        let inner = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
        Some(inner.unwrap_or(value))
    }
}

fn pair(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = text.iter().position(|byte| *byte == b'=')?;
    let (name, value) = text.split_at_checked(equals)?;
    let (name, value) = (trim(name), trim(value.get(1..)?));
    is_token(name).then_some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_commas() {
        let params = Params::parse(b"digest realm=\"a, \\\"b\\\"\" ,\r\n nonce = x,qop=\"auth,auth-int\"").unwrap();
        assert_eq!(params.get(b"REALM"), Some(&b"a, \\\"b\\\""[..]));
        assert_eq!(params.get(b"nonce"), Some(&b"x"[..]));
        assert_eq!(params.get(b"qop"), Some(&b"auth,auth-int"[..]));
        assert_eq!(params.get(b"opaque"), None);
        for other in [&b"Basic realm=x"[..], b"Digest", b"Digest ", b"Digest realm", b"Digestrealm=x"] {
            assert!(Params::parse(other).is_none(), "{}", other.escape_ascii());
        }
    }
}
