//! Bytes of the SIP grammar (RFC 3261 §25.1): tokens, white space, quoted strings, parameters, numbers.

const TOKEN: u8 = 1;
const SPACE: u8 = 2;
/// Besides token bytes, what a parameter's value may hold: brackets and colons of an IPv6 address, and UTF-8,
/// which was seen in the wild.
const VALUE: u8 = 4;

/// Classes of each byte, because every byte of a message is looked at.
#[expect(clippy::indexing_slicing, reason = "built at compile time, where a miss does not compile")]
static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        let mark = matches!(byte, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~');
        if byte.is_ascii_alphanumeric() || mark {
            classes[at] |= TOKEN | VALUE;
        }
        if matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
            classes[at] |= SPACE;
        }
        if matches!(byte, b'[' | b']' | b':') || byte >= 0x80 {
            classes[at] |= VALUE;
        }
        at += 1;
    }
    classes
};

fn is(byte: u8, class: u8) -> bool {
    CLASSES.get(usize::from(byte)).is_some_and(|classes| classes & class != 0)
}

/// A byte of a `token`.
pub fn is_token_byte(byte: u8) -> bool {
    is(byte, TOKEN)
}

/// One or more token bytes.
pub fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| is_token_byte(*byte))
}

/// White space of the grammar; CR and LF only occur where a line was folded.
pub fn is_space(byte: u8) -> bool {
    is(byte, SPACE)
}

pub fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = bytes
        && is_space(*first)
    {
        bytes = rest;
    }
    while let [rest @ .., last] = bytes
        && is_space(*last)
    {
        bytes = rest;
    }
    bytes
}

/// Decimal digits only, at most `u32::MAX`.
pub fn parse_number(bytes: &[u8]) -> Option<u32> {
    if bytes.is_empty() {
        return None;
    }
    bytes.iter().try_fold(0_u32, |value, byte| {
        let digit = byte.is_ascii_digit().then(|| u32::from(byte - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// Length of the quoted string at the start, both quotes included.
pub fn parse_quoted(bytes: &[u8]) -> Option<usize> {
    if bytes.first() != Some(&b'"') {
        return None;
    }
    let mut escaped = false;
    for (at, byte) in bytes.iter().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Finds `stop` outside quotes and angle brackets.
pub fn find_outside(bytes: &[u8], stop: u8) -> Option<usize> {
    let plain = bytes.iter().position(|byte| *byte == stop || matches!(byte, b'"' | b'<'))?;
    if bytes.get(plain) == Some(&stop) {
        return Some(plain);
    }
    let (mut quoted, mut escaped, mut angled) = (false, false, false);
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' if !angled => quoted = !quoted,
            _ if quoted => {}
            b'<' => angled = true,
            b'>' => angled = false,
            byte if *byte == stop && !angled => return Some(at),
            _ => {}
        }
    }
    None
}

/// The values of one header line, trimmed. An empty line is one empty value.
pub fn split_commas(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let bytes = rest?;
        let comma = if bytes.contains(&b',') { find_outside(bytes, b',') } else { None };
        let (value, tail) = match comma {
            Some(at) => (bytes.get(..at)?, bytes.get(at + 1..)),
            None => (bytes, None),
        };
        rest = tail;
        Some(trim(value))
    })
}

/// `;name=value` pairs. An item is `None` where the grammar is broken, and then the last.
#[derive(Clone)]
pub struct Params<'a> {
    rest: &'a [u8],
}

impl<'a> Params<'a> {
    /// `bytes` start with `;` or are empty.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: trim(bytes) }
    }

    /// Value of a parameter, quotes included; empty when it has none.
    pub fn get(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.clone().flatten().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

impl<'a> Iterator for Params<'a> {
    type Item = Option<(&'a [u8], &'a [u8])>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let param = parse_param(self.rest);
        self.rest = param.map_or(&[], |(_, _, rest)| rest);
        Some(param.map(|(name, value, _)| (name, value)))
    }
}

fn parse_param(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let bytes = bytes.strip_prefix(b";")?;
    let end = find_outside(bytes, b';').unwrap_or(bytes.len());
    let (param, rest) = bytes.split_at_checked(end)?;
    let (name, value) = match param.iter().position(|byte| *byte == b'=') {
        Some(at) => (trim(param.get(..at)?), trim(param.get(at + 1..)?)),
        None => (trim(param), &[][..]),
    };
    let has_value = name.len() < trim(param).len();
    let value_ok = match value.first() {
        None => !has_value,
        Some(b'"') => parse_quoted(value) == Some(value.len()),
        Some(_) => value.iter().all(|byte| is(*byte, VALUE)),
    };
    (is_token(name) && value_ok).then_some((name, value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_in_quotes_and_brackets_do_not_split() {
        let values: Vec<_> = split_commas(b"\"a,\\\"b\" <sip:x,y@z> , second,").collect();
        assert_eq!(values, [&b"\"a,\\\"b\" <sip:x,y@z>"[..], b"second", b""]);
    }

    #[test]
    fn params_with_space_around() {
        let params = Params::new(b";\r\n  tag = 98asjd8 ; lr;q=\"a;b\"");
        assert!(params.clone().all(|param| param.is_some()));
        assert_eq!(params.get(b"TAG"), Some(&b"98asjd8"[..]));
        assert_eq!(params.get(b"lr"), Some(&b""[..]));
        assert_eq!(params.get(b"q"), Some(&b"\"a;b\""[..]));
        for broken in [&b";;"[..], b";", b"; a b", b";a=", b";a=\"x", b"x"] {
            assert!(Params::new(broken).any(|param| param.is_none()), "{}", broken.escape_ascii());
        }
    }

    #[test]
    fn numbers_are_bounded() {
        assert_eq!(parse_number(b"4294967295"), Some(u32::MAX));
        for broken in [&b"4294967296"[..], b"", b"-1", b"1 "] {
            assert_eq!(parse_number(broken), None);
        }
    }
}
