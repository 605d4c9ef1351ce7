//! A light scan: just enough of words, texts, comments and brackets to find lines and blocks. The grammar decides the
//! rest; nothing here knows a keyword.

use pest::unicode::{XID_CONTINUE, XID_START};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TokenKind {
    Word,
    /// A digit and what clings to it: `1h30m`, `09:00`, `2026-03-02`, `80%`.
    Number,
    Text,
    /// A text without its closing quote; it ends with its line.
    UnclosedText,
    /// `{`
    Open,
    /// `}`
    Close,
    /// `(` or `[`
    Left,
    /// `)` or `]`
    Right,
    Comma,
    /// `=>`
    Arrow,
    /// Any other sign; `..`, `->`, `==`, `!=`, `<=` and `>=` are one token.
    Sign,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub kind: TokenKind,
    pub start: usize,
    pub end: usize,
    /// From 0.
    pub line: usize,
}

/// A comment, from its slashes to the end of its line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Comment {
    pub start: usize,
    pub end: usize,
    pub line: usize,
    /// Nothing else stands on its line.
    pub own_line: bool,
}

pub(crate) struct Scan {
    pub tokens: Vec<Token>,
    pub comments: Vec<Comment>,
    /// The byte at which each line starts.
    pub line_starts: Vec<usize>,
}

/// Whether one of these words stands in a text, outside its comments and strings.
pub fn has_word(text: &str, words: &[&str]) -> bool {
    let is_one = |token: &Token| {
        token.kind == TokenKind::Word && text.get(token.start..token.end).is_some_and(|word| words.contains(&word))
    };
    words.iter().any(|word| text.contains(word)) && scan(text).tokens.iter().any(is_one)
}

pub(crate) fn scan(text: &str) -> Scan {
    let mut scanner = Scanner { text, at: 0, line: 0 };
    let mut scan = Scan { tokens: Vec::with_capacity(text.len() / 5), comments: Vec::new(), line_starts: vec![0] };
    while let Some(next) = scanner.peek() {
        let start = scanner.at;
        match next {
            '\n' => {
                scanner.at += 1;
                scanner.line += 1;
                scan.line_starts.push(scanner.at);
            }
            '/' if scanner.rest().starts_with("//") => {
                scanner.skip_line();
                let own_line = scan.tokens.last().is_none_or(|token| token.line < scanner.line);
                let end = start + text.get(start..scanner.at).map_or(0, |comment| comment.trim_end().len());
                scan.comments.push(Comment { start, end, line: scanner.line, own_line });
            }
            ' ' | '\t' | '\r' => scanner.at += 1,
            '\u{feff}' if start == 0 => scanner.at += next.len_utf8(),
            _ => {
                let kind = scanner.token(next);
                scan.tokens.push(Token { kind, start, end: scanner.at, line: scanner.line });
            }
        }
    }
    scan
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
    line: usize,
}

impl<'t> Scanner<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_line(&mut self) {
        self.at += self.rest().find('\n').unwrap_or(self.rest().len());
    }

    fn token(&mut self, first: char) -> TokenKind {
        let pair = self.rest().get(..2).unwrap_or("");
        let kind = match first {
            '{' => TokenKind::Open,
            '}' => TokenKind::Close,
            '(' | '[' => TokenKind::Left,
            ')' | ']' => TokenKind::Right,
            ',' => TokenKind::Comma,
            '"' => return self.string(),
            digit if digit.is_ascii_digit() => return self.number(),
            letter if letter == '_' || XID_START(letter) => {
                self.skip_word();
                return TokenKind::Word;
            }
            _ if pair == "=>" => TokenKind::Arrow,
            _ => TokenKind::Sign,
        };
        let double = matches!(pair, "=>" | "->" | ".." | "==" | "!=" | "<=" | ">=");
        self.at += if double { 2 } else { first.len_utf8() };
        kind
    }

    fn skip_word(&mut self) {
        let rest = self.rest();
        self.at += rest.find(|letter| !XID_CONTINUE(letter)).unwrap_or(rest.len());
    }

    /// No line ends inside a text, so that a forgotten quote spoils one line only.
    fn string(&mut self) -> TokenKind {
        let mut escaped = false;
        for (offset, letter) in self.rest().char_indices().skip(1) {
            match letter {
                '\n' => {
                    self.at += offset;
                    return TokenKind::UnclosedText;
                }
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => {
                    self.at += offset + 1;
                    return TokenKind::Text;
                }
                _ => {}
            }
        }
        self.at = self.text.len();
        TokenKind::UnclosedText
    }

    fn number(&mut self) -> TokenKind {
        let start = self.at;
        self.skip_word();
        loop {
            let mut next = self.rest().chars();
            let (sign, behind) = (next.next(), next.next());
            let digit_behind = behind.is_some_and(|letter| letter.is_ascii_digit());
            let so_far = self.text.get(start..self.at).unwrap_or("");
            let clings = match sign {
                Some('.' | ':') => digit_behind,
                Some('-') => digit_behind && matches!(so_far.len(), 4 | 7) && is_date_start(so_far),
                _ => false,
            };
            if !clings {
                break;
            }
            self.at += 1;
            self.skip_word();
        }
        if self.rest().starts_with('%') {
            self.at += 1;
        }
        TokenKind::Number
    }
}

/// `2026` or `2026-03`.
fn is_date_start(text: &str) -> bool {
    text.bytes().enumerate().all(|(at, byte)| if at == 4 { byte == b'-' } else { byte.is_ascii_digit() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let words: Vec<_> = scan(text).tokens.iter().map(|token| &text[token.start..token.end]).collect();
        assert_eq!(words, expected);
    }

    #[test]
    fn figures_keep_what_clings_to_them() {
        check(
            "2026-03-02 10:00..11:30 1..5 1h30m 80% 3.5-1",
            &["2026-03-02", "10:00", "..", "11:30", "1", "..", "5", "1h30m", "80%", "3.5", "-", "1"],
        );
    }

    #[test]
    fn an_unclosed_text_ends_with_its_line() {
        check("say \"a // b\n\"c\\\"\" // d", &["say", "\"a // b", "\"c\\\"\""]);
    }
}
