//! How wide a text is, and where it is broken. Fonts differ between machines, so widths are those of a wide one: what
//! fits here fits there.

use unicode_width::UnicodeWidthChar;

/// Width in pixels of a text at this size.
pub fn width(text: &str, size: f64) -> f64 {
    text.chars().map(advance).sum::<f64>() * size
}

/// In ems.
fn advance(sign: char) -> f64 {
    match sign {
        _ if sign.width() == Some(2) => 1.0,
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | '(' | ')' | '[' | ']' => 0.34,
        'f' | 't' | 'r' | ' ' | '"' | '-' | '/' => 0.40,
        'm' | 'w' | 'M' | 'W' | '@' | '…' | '“' | '”' => 0.92,
        'A'..='Z' => 0.72,
        _ => 0.59,
    }
}

/// Rows of at most this many pixels, broken at blanks and between wide signs; of more than `rows_max` the last ends in
/// an ellipsis.
pub fn rows(text: &str, size: f64, width_max: f64, rows_max: usize) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    let mut row = String::new();
    for word in words(text) {
        let joined = width(row.trim_end(), size) + width(word.trim_end(), size) + width(&blanks_behind(&row), size);
        if !row.trim().is_empty() && joined > width_max && !is_closing(word) {
            rows.push(std::mem::take(&mut row).trim_end().to_owned());
        }
        row.push_str(word);
        while width(row.trim_end(), size) > width_max * 1.3 {
            let fitting = row
                .char_indices()
                .map(|(at, _)| at)
                .take_while(|at| row.get(..*at).is_some_and(|start| width(start, size) <= width_max));
            let cut = fitting.last().filter(|cut| *cut > 0).unwrap_or(row.len());
            let rest = row.split_off(cut);
            rows.push(std::mem::replace(&mut row, rest));
        }
    }
    if !row.trim().is_empty() {
        rows.push(row.trim_end().to_owned());
    }
    if rows.len() > rows_max {
        rows.truncate(rows_max);
        if let Some(last) = rows.last_mut() {
            while width(last, size) > width_max - size {
                last.pop();
            }
            last.push('…');
        }
    }
    rows
}

fn blanks_behind(row: &str) -> String {
    row.chars().rev().take_while(|sign| *sign == ' ').collect()
}

/// A sign that never begins a row.
fn is_closing(word: &str) -> bool {
    word.chars().next().is_some_and(|sign| "，。、；：？！）】”’%".contains(sign))
}

/// Words with the blanks behind them; each wide sign is one.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = 0;
    let mut before: Option<char> = None;
    for (at, sign) in text.char_indices() {
        let wide = |sign: char| sign.width() == Some(2);
        let breaks = before.is_some_and(|before| (before == ' ' && sign != ' ') || wide(sign) || wide(before));
        if breaks && at > start {
            words.extend(text.get(start..at));
            start = at;
        }
        before = Some(sign);
    }
    words.extend(text.get(start..).filter(|rest| !rest.is_empty()));
    words
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, reason = "tests may stop at the first surprise")]
    use super::*;

    #[test]
    fn rows_are_no_wider_than_asked_and_lose_nothing() {
        let texts = [
            "For your balance press 1, to leave a message press 2, to finish press 9.",
            "查余额请按1，留言请按2，结束请按9。欢迎致电云海银行，请输入卡号，按井号结束。",
            "one",
            "averyverylongwordwithoutanyblankthatgoesonandonandonandonandonandonandon",
        ];
        for text in texts {
            let broken = rows(text, 13.0, 200.0, 99);
            assert!(broken.iter().all(|row| width(row, 13.0) <= 200.0 * 1.3), "{broken:?}");
            let plain = |text: &str| text.replace(' ', "");
            assert_eq!(plain(&broken.concat()), plain(text));
        }
        let short = rows(texts[0], 13.0, 100.0, 2);
        assert!(short.len() == 2 && short[1].ends_with('…'), "{short:?}");
    }
}
