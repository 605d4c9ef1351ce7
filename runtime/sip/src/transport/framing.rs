//! Messages in a stream of bytes (RFC 3261 §7.5, §18.3): cut by their Content-Length, with keep-alives between them
//! (RFC 5626 §4.4.1). It knows no connection and answers nothing.

use std::ops::Range;

use crate::message::check::Refusal;
use crate::message::scan::parse_number;
use crate::message::{Header, Message};

/// Bytes of start line and headers in a stream. Over it: the stream is no SIP.
pub const STREAM_HEAD_BYTES_MAX: usize = 24 * 1_024;

/// Next thing in a stream.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame {
    /// A whole message, for [`Framing::get`].
    Message(Range<usize>),
    /// The peer wants to know whether we are there: double CRLF.
    Ping,
    /// Nobody can say where this message ends; its head can still be answered, then nothing more.
    Endless(Range<usize>, Refusal),
    /// Not SIP.
    Garbage,
    /// The rest has not come yet.
    More,
}

/// What came and was not taken yet: at most one message, and what one read brought behind it.
#[derive(Default)]
pub struct Framing {
    buffer: Vec<u8>,
    /// Of `buffer`, what was taken.
    taken: usize,
    /// Of the message that begins at `taken`, bytes that hold no end of its head.
    searched: usize,
    /// Of that message, once its head is there: all of it.
    length: Option<usize>,
}

impl Framing {
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.taken);
        self.taken = 0;
        self.buffer.extend_from_slice(bytes);
    }

    pub fn get(&self, range: Range<usize>) -> &[u8] {
        self.buffer.get(range).unwrap_or_default()
    }

    /// A message has begun and not ended.
    pub fn is_unfinished(&self) -> bool {
        self.rest().iter().any(|byte| !matches!(byte, b'\r' | b'\n'))
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.taken..).unwrap_or_default()
    }

    /// After [`Frame::More`] nothing changes until more is pushed.
    pub fn next(&mut self, body_bytes_max: usize) -> Frame {
        loop {
            match self.rest() {
                [] | [b'\r'] | [b'\r', b'\n'] | [b'\r', b'\n', b'\r'] => return self.more(),
                [b'\r', b'\n', b'\r', b'\n', ..] => {
                    self.taken += 4;
                    return Frame::Ping;
                }
                [b'\r' | b'\n', ..] => self.taken += 1,
                _ => return self.message(body_bytes_max),
            }
        }
    }

    fn more(&mut self) -> Frame {
        if self.taken == self.buffer.len() {
            // Most connections are quiet most of the time.
            self.buffer = Vec::new();
            self.taken = 0;
        }
        Frame::More
    }

    fn message(&mut self, body_bytes_max: usize) -> Frame {
        let length = match self.length {
            Some(length) => length,
            None => match self.measure(body_bytes_max) {
                Ok(length) => length,
                Err(frame) => return frame,
            },
        };
        if self.rest().len() < length {
            self.length = Some(length);
            return Frame::More;
        }
        let range = self.taken..self.taken + length;
        self.taken = range.end;
        self.length = None;
        self.searched = 0;
        Frame::Message(range)
    }

    /// Length of the message whose head is there.
    fn measure(&mut self, body_bytes_max: usize) -> Result<usize, Frame> {
        let Some(head) = head_length(self.rest(), self.searched) else {
            // The end may begin in the last three bytes.
            self.searched = self.rest().len().saturating_sub(3);
            let long = self.rest().len() > STREAM_HEAD_BYTES_MAX;
            return Err(if long { Frame::Garbage } else { Frame::More });
        };
        if head > STREAM_HEAD_BYTES_MAX {
            return Err(Frame::Garbage);
        }
        let bytes = self.rest().get(..head).unwrap_or_default();
        let Ok(message) = Message::frame(bytes) else { return Err(Frame::Garbage) };
        let endless = |code, why| Err(Frame::Endless(self.taken..self.taken + head, Refusal { code, why }));
        let mut lengths = message.all(Header::ContentLength);
        let Some(length) = lengths.next() else { return endless(400, "no Content-Length") };
        if lengths.next().is_some() {
            return endless(400, "more than one Content-Length");
        }
        match parse_number(length).and_then(|length| usize::try_from(length).ok()) {
            None => endless(400, "malformed Content-Length"),
            Some(length) if length > body_bytes_max => endless(413, ""),
            Some(length) => Ok(head + length),
        }
    }
}

/// Bytes up to the first empty line, with it.
fn head_length(bytes: &[u8], searched: usize) -> Option<usize> {
    let mut at = searched;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == b'\n')? + 1;
        match bytes.get(at..)? {
            [b'\n', ..] => return Some(at + 1),
            [b'\r', b'\n', ..] => return Some(at + 2),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY_MAX: usize = 100;

    fn message(body: &str) -> String {
        format!("OPTIONS sip:a@b SIP/2.0\r\nl: {}\r\n\r\n{body}", body.len())
    }

    /// What comes out of pieces: messages as text, `ping`, and how it ended.
    fn check(pieces: &[&[u8]]) -> Vec<String> {
        let mut framing = Framing::default();
        let mut found = Vec::new();
        for piece in pieces {
            framing.push(piece);
            loop {
                match framing.next(BODY_MAX) {
                    Frame::Message(range) => {
                        found.push(String::from_utf8_lossy(framing.get(range)).rsplit('\n').next().unwrap().to_owned());
                    }
                    Frame::Ping => found.push("ping".into()),
                    Frame::Endless(_, refusal) => {
                        found.push(refusal.code.to_string());
                        return found;
                    }
                    Frame::Garbage => {
                        found.push("garbage".into());
                        return found;
                    }
                    Frame::More => break,
                }
            }
        }
        found
    }

    #[test]
    fn cut_at_every_place_it_is_the_same() {
        let all = format!("{}\r\n\r\n\r\n{}\r\n{}", message("first"), message(""), message("third"));
        let wanted = ["first", "ping", "", "third"];
        for first in 0..all.len() {
            for second in (first..all.len()).step_by(7) {
                let (a, rest) = all.as_bytes().split_at(first);
                let (b, c) = rest.split_at(second - first);
                assert_eq!(check(&[a, b, c]), wanted, "cut at {first} and {second}");
            }
        }
        let bytes: Vec<&[u8]> = all.as_bytes().chunks(1).collect();
        assert_eq!(check(&bytes), wanted);
    }

    #[test]
    fn what_has_no_end_ends_the_stream() {
        let with = |length: &str| format!("OPTIONS sip:a@b SIP/2.0\r\n{length}\r\n");
        for (length, wanted) in [
            ("", "400"),
            ("l: -1\r\n", "400"),
            ("l: 1\r\nContent-Length: 1\r\n", "400"),
            ("l: 101\r\n", "413"),
            ("l: 4294967296\r\n", "400"),
        ] {
            assert_eq!(check(&[with(length).as_bytes()]), [wanted], "{length}");
        }
        assert_eq!(check(&[message(&"x".repeat(BODY_MAX)).as_bytes()]), ["x".repeat(BODY_MAX)]);
        assert_eq!(check(&[b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"]), ["garbage"]);
        let long = |bytes: usize| format!("OPTIONS sip:a@b SIP/2.0\r\nl: 0\r\nX: {}\r\n\r\n", "x".repeat(bytes));
        let around = STREAM_HEAD_BYTES_MAX - long(0).len();
        assert_eq!(check(&[long(around).as_bytes()]), [""]);
        assert_eq!(check(&[long(around + 1).as_bytes()]), ["garbage"]);
        assert_eq!(check(&[&[b'x'; STREAM_HEAD_BYTES_MAX + 1]]), ["garbage"]);
    }
}
