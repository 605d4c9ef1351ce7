//! Reason (RFC 3326): why a CANCEL or BYE was sent, for whoever keeps lists of missed and lost calls.

use super::write::Writer;

/// A status code that would have said the same, and words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason {
    cause: u16,
    text: &'static str,
}

impl Reason {
    /// Another branch of the same call was answered: no missed call.
    pub const ELSEWHERE: Self = Self { cause: 200, text: "Call completed elsewhere" };
    pub const NO_ANSWER: Self = Self { cause: 408, text: "No answer in time" };
    pub const NO_ACK: Self = Self { cause: 408, text: "No ACK" };
    pub const SESSION_EXPIRED: Self = Self { cause: 408, text: "Session expired" };
    pub const NO_MEDIA: Self = Self { cause: 488, text: "No common media" };

    pub fn put(self, writer: &mut Writer) {
        writer.put(b"Reason: SIP;cause=").put_number(self.cause).put(b";text=\"").put(self.text.as_bytes());
        writer.put(b"\"\r\n");
    }
}
