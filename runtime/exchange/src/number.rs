//! Telephone numbers as the user part of an address writes them (RFC 3966 §3, RFC 3261 §19.1.6). It knows no number
//! plan.

use std::net::Ipv4Addr;

/// RFC 3966 §5.1.1: for the eye only.
const VISUAL_SEPARATORS: [char; 4] = ['-', '.', '(', ')'];

/// A number without visual separators and parameters; a user part that is none stays as it is.
pub(crate) fn bare_number(user: String) -> String {
    let number = user.split(';').next().unwrap_or_default();
    let digits = number.strip_prefix('+').unwrap_or(number);
    let is_number = digits.contains(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || VISUAL_SEPARATORS.contains(&c))
        // Some gateways give the address of the caller's telephone.
        && digits.parse::<Ipv4Addr>().is_err();
    if is_number { number.replace(VISUAL_SEPARATORS, "") } else { user }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_the_eye_goes() {
        for (user, bare) in [
            ("+86-400-810-0000", "+864008100000"),
            ("(0711).123-45", "071112345"),
            ("+864008100000;phone-context=x", "+864008100000"),
            ("1001", "1001"),
            ("front-desk", "front-desk"),
            ("room-12", "room-12"),
            ("alice;x=y", "alice;x=y"),
            ("192.0.2.1", "192.0.2.1"),
            ("+", "+"),
            ("-", "-"),
            ("", ""),
        ] {
            assert_eq!(bare_number(user.to_owned()), bare, "{user}");
        }
    }
}
