//! Keys by INFO, as phones without telephone-event send them (RFC 6086 §2: the legacy use, without a package).

use runtime_contract::Redacted;
use runtime_contract::leg::LegEvent;

use super::Endpoint;
use super::receive::Request;
use crate::message::Header;
use crate::message::scan::{parse_number, trim};
use crate::slab::Key;

impl Endpoint {
    pub(super) fn receive_info(&mut self, request: &Request<'_, '_>, leg: Key) {
        let message = request.message;
        // Packages are agreed before, and we offer none (RFC 6086 §4.2.2).
        if message.first(Header::InfoPackage).is_some() {
            return self.answer_once(request, 469);
        }
        let body = request.essentials.body;
        if body.is_empty() {
            // A sign of life (RFC 2976 §2.2).
            return self.answer_once(request, 200);
        }
        let media_type = message.first(Header::ContentType).unwrap_or_default();
        let media_type = trim(media_type.split(|byte| *byte == b';').next().unwrap_or_default());
        let key = if media_type.eq_ignore_ascii_case(b"application/dtmf-relay") {
            parse_relay(body)
        } else if media_type.eq_ignore_ascii_case(b"application/dtmf") {
            parse_key(trim(body))
        } else {
            return self.answer_once(request, 415);
        };
        let Some(key) = key else { return self.answer_once(request, 400) };
        self.answer_once(request, 200);
        if let Some(state) = self.legs.get(leg).filter(|state| !state.silent) {
            self.ctx.say(LegEvent::Key { leg: state.id, key: Redacted::new(key) });
        }
    }
}

/// `Signal=5`, and perhaps `Duration=160`; spaces around `=` were seen.
fn parse_relay(body: &[u8]) -> Option<char> {
    body.split(|byte| *byte == b'\n').find_map(|line| {
        let mut parts = line.splitn(2, |byte| *byte == b'=');
        let (name, value) = (trim(parts.next()?), trim(parts.next()?));
        name.eq_ignore_ascii_case(b"Signal").then(|| parse_key(value))?
    })
}

/// A key as it is written, or as its event number (RFC 4733 §3.2: 10 is `*`, 11 is `#`, then `A` to `D`).
fn parse_key(text: &[u8]) -> Option<char> {
    if let [one] = text {
        let key = one.to_ascii_uppercase();
        return (key.is_ascii_digit() || b"*#ABCD".contains(&key)).then_some(char::from(key));
    }
    let number = parse_number(text)?;
    "*#ABCD".chars().nth(usize::try_from(number.checked_sub(10)?).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        for (text, key) in [("5", '5'), ("*", '*'), ("#", '#'), ("d", 'D'), ("10", '*'), ("11", '#'), ("15", 'D')] {
            assert_eq!(parse_key(text.as_bytes()), Some(key), "{text}");
        }
        for text in ["", "16", "E", "flash", "55555555555", "ab"] {
            assert_eq!(parse_key(text.as_bytes()), None, "{text}");
        }
        assert_eq!(parse_relay(b"Signal=5\r\nDuration=160\r\n"), Some('5'));
        assert_eq!(parse_relay(b"Duration = 160\r\nsignal = 11"), Some('#'));
        assert_eq!(parse_relay(b"Duration=160\r\n"), None);
    }
}
