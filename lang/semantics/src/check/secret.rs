//! Texts that are keys or passwords (F1104): flow files are read by many and kept for long.

/// No key or token is shorter.
const KEY_BYTES_MIN: usize = 16;

/// What kind of secret a text holds. Only forms that can be nothing else count, so that no prompt is taken for one.
pub(super) fn kind_of_secret(text: &str) -> Option<&'static str> {
    if !may_hold_one(text) {
        return None;
    }
    if text.contains("-----BEGIN ") && text.contains("PRIVATE KEY") {
        return Some("a private key");
    }
    let mut before = "";
    let is_between =
        |sign: char| sign.is_whitespace() || matches!(sign, '"' | '\'' | ',' | ';' | '<' | '>' | '(' | ')');
    for word in text.split(is_between).flat_map(|word| word.split_inclusive('=')) {
        let before = std::mem::replace(&mut before, word);
        let is_scheme = |name: &&str| before.trim_end_matches(':').eq_ignore_ascii_case(name);
        let has_digit = || word.bytes().any(|sign| sign.is_ascii_digit());
        if ["bearer", "basic"].iter().any(is_scheme) && has_digit() && is_token(word, 16) {
            return Some("what a service is signed in with");
        }
        if let Some(kind) = kind_of_word(word) {
            return Some(kind);
        }
    }
    None
}

/// Most texts are told from secrets by their bytes alone: no long word of ASCII, no address, no mark of a key.
fn may_hold_one(text: &str) -> bool {
    let mut word = 0;
    let is_long_word = |byte: u8| {
        word = if byte.is_ascii_graphic() { word + 1 } else { 0 };
        word >= KEY_BYTES_MIN || matches!(byte, b':' | b'-')
    };
    text.bytes().any(is_long_word)
}

fn kind_of_word(word: &str) -> Option<&'static str> {
    /// How keys begin, and the least length of what follows.
    const KEYS: [(&str, usize); 19] = [
        ("sk_live_", 16),
        ("sk_test_", 16),
        ("rk_live_", 16),
        ("sk-proj-", 16),
        ("sk-svcacct-", 16),
        ("sk-ant-", 16),
        ("ghp_", 30),
        ("gho_", 30),
        ("ghs_", 30),
        ("github_pat_", 30),
        ("glpat-", 16),
        ("xoxb-", 16),
        ("xoxp-", 16),
        ("xoxa-", 16),
        ("AIza", 30),
        ("AKIA", 16),
        ("ASIA", 16),
        ("LTAI", 12),
        ("AKID", 28),
    ];
    let is_key = |(start, least): &(&str, usize)| word.strip_prefix(start).is_some_and(|rest| is_token(rest, *least));
    if KEYS.iter().any(is_key) {
        return Some("a key of a service");
    }
    let mut parts = word.split('.');
    let mut is_part = |start: &str| parts.next().is_some_and(|part| part.starts_with(start) && is_token(part, 8));
    if is_part("eyJ") && is_part("eyJ") && is_part("") && parts.next().is_none() {
        return Some("a token");
    }
    let (_, rest) = word.split_once("://")?;
    let (user, _) = rest.split('/').next()?.split_once('@')?;
    user.split_once(':').filter(|(_, password)| !password.is_empty()).map(|_| "an address with a password")
}

/// One word of the signs that keys are made of, with letters.
fn is_token(text: &str, least: usize) -> bool {
    let is_sign = |sign: u8| sign.is_ascii_alphanumeric() || matches!(sign, b'_' | b'-' | b'+' | b'/' | b'=' | b'.');
    text.len() >= least && text.bytes().all(is_sign) && text.bytes().any(|sign| sign.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_known_by_their_form_and_prompts_are_none() {
        let a = "a1".repeat(20);
        for text in [
            format!("sk_live_{a}"),
            format!("sk-proj-{a}"),
            format!("sk-ant-api03-{a}"),
            format!("key: ghp_{a}"),
            format!("key=ghp_{a}"),
            format!("Bearer: {a}"),
            format!("\"sk_live_{a}\""),
            "AKIAIOSFODNN7EXAMPLE".to_owned(),
            format!("Bearer {a}"),
            format!("eyJ{a}.eyJ{a}.{a}"),
            "https://ivr:geheim@crm.example/api".to_owned(),
            "jdbc:mysql://root:geheim@db.example/crm".to_owned(),
            "-----BEGIN RSA PRIVATE KEY-----".to_owned(),
        ] {
            assert!(kind_of_secret(&text).is_some(), "{text}");
        }
        for text in [
            "Bearer of good news, welcome.",
            "Basic cover is free. Press 1.",
            "Basic internationalization",
            "Write to help@example.com, or see https://example.com/a:b@c",
            "sk_live_",
            "sk-proj-",
            "SK-projektet: sk-ant-",
            "AKIA",
            "请按1。",
            "",
        ] {
            assert_eq!(kind_of_secret(text), None, "{text}");
        }
    }
}
