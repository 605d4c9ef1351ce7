//! Signs that nobody sees, and how they are shown. A terminal obeys some of them, so none may reach it as it stands.

use std::borrow::Cow;

/// Signs that have no shape of their own: Unicode's `Default_Ignorable_Code_Point`, in ranges.
const IGNORABLE: [(u32, u32); 17] = [
    (0x00ad, 0x00ad),
    (0x034f, 0x034f),
    (0x061c, 0x061c),
    (0x115f, 0x1160),
    (0x17b4, 0x17b5),
    (0x180b, 0x180f),
    (0x200b, 0x200f),
    (0x202a, 0x202e),
    (0x2060, 0x206f),
    (0x3164, 0x3164),
    (0xfe00, 0xfe0f),
    (0xfeff, 0xfeff),
    (0xffa0, 0xffa0),
    (0xfff0, 0xfff8),
    (0x1_bca0, 0x1_bca3),
    (0x1_d173, 0x1_d17a),
    (0xe_0000, 0xe_0fff),
];

/// Whether the sign commands instead of being read: a control character, or one that turns the direction of what is
/// behind it (CVE-2021-42574).
pub fn is_command(sign: char) -> bool {
    sign.is_control() || matches!(sign, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

/// Whether a name with this sign looks like the name without it.
pub fn is_invisible(sign: char) -> bool {
    is_command(sign) || IGNORABLE.iter().any(|(first, last)| (*first..=*last).contains(&u32::from(sign)))
}

/// How a sign without a shape is written: `\u{200d}`.
pub fn escape(sign: char) -> String {
    sign.escape_unicode().to_string()
}

/// The text with each invisible sign as its escape. Tabs and line ends stay, and so do the joiners and selectors that
/// shape what stands beside them.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(hides) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().fold(String::with_capacity(text.len() + 16), |mut shown, sign| {
        match hides(sign) {
            true => shown.push_str(&escape(sign)),
            false => shown.push(sign),
        }
        shown
    }))
}

fn hides(sign: char) -> bool {
    is_invisible(sign) && !matches!(sign, '\t' | '\n' | '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_stays() {
        assert_eq!(visible("a\u{1b}[31mb\u{202e}c\u{7f}\u{9b}"), "a\\u{1b}[31mb\\u{202e}c\\u{7f}\\u{9b}");
        assert_eq!(visible("客户\tTier ❤\u{fe0f}\n"), "客户\tTier ❤\u{fe0f}\n");
        assert!(is_invisible('\u{200d}') && is_invisible('\0') && !is_invisible('é') && !is_invisible(' '));
    }
}
