//! RTP packets as bytes (RFC 3550 §5.1). It knows the header, not what a payload means.

/// Length of the header that we write: no CSRC, no extension.
pub const HEADER_BYTES: usize = 12;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub marker: bool,
    /// 0–127.
    pub payload_type: u8,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
}

impl Header {
    pub fn to_bytes(self) -> [u8; HEADER_BYTES] {
        let [s0, s1] = self.sequence.to_be_bytes();
        let [t0, t1, t2, t3] = self.timestamp.to_be_bytes();
        let [c0, c1, c2, c3] = self.ssrc.to_be_bytes();
        let marker = if self.marker { 0x80 } else { 0 };
        [0x80, marker | (self.payload_type & 0x7f), s0, s1, t0, t1, t2, t3, c0, c1, c2, c3]
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    pub header: Header,
    /// Without padding, CSRCs and header extension.
    pub payload: &'a [u8],
}

/// `None` for what is no RTP packet of version 2, RTCP among it (RFC 5761 §4 tells them apart by type).
pub fn parse(bytes: &[u8]) -> Option<Packet<'_>> {
    let (fixed, mut rest) = bytes.split_first_chunk::<HEADER_BYTES>()?;
    let [flags, kind, s0, s1, t0, t1, t2, t3, c0, c1, c2, c3] = *fixed;
    if flags >> 6 != 2 || (192..=223).contains(&kind) {
        return None;
    }
    rest = rest.get(usize::from(flags & 0x0f) * 4..)?;
    if flags & 0x10 != 0 {
        let ([_, _, words_high, words_low], behind) = rest.split_first_chunk::<4>()?;
        rest = behind.get(usize::from(u16::from_be_bytes([*words_high, *words_low])) * 4..)?;
    }
    if flags & 0x20 != 0 {
        let padding = usize::from(*rest.last()?);
        if padding == 0 {
            return None;
        }
        rest = rest.get(..rest.len().checked_sub(padding)?)?;
    }
    let header = Header {
        marker: kind & 0x80 != 0,
        payload_type: kind & 0x7f,
        sequence: u16::from_be_bytes([s0, s1]),
        timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
        ssrc: u32::from_be_bytes([c0, c1, c2, c3]),
    };
    Some(Packet { header, payload: rest })
}

/// How far timestamp `a` is ahead of `b`, in samples; negative when behind (RFC 1982 arithmetic).
pub fn timestamp_ahead(a: u32, b: u32) -> i32 {
    a.wrapping_sub(b) as i32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header() -> Header {
        Header { marker: true, payload_type: 101, sequence: 0xfffe, timestamp: 0xdead_beef, ssrc: 7 }
    }

    #[test]
    fn a_written_header_reads_back() {
        let mut bytes = header().to_bytes().to_vec();
        bytes.extend([1, 2, 3]);
        assert_eq!(parse(&bytes), Some(Packet { header: header(), payload: &[1, 2, 3] }));
    }

    #[test]
    fn sources_extension_and_padding_are_skipped() {
        let mut bytes = header().to_bytes().to_vec();
        bytes[0] = 0x80 | 0x20 | 0x10 | 2;
        bytes.extend([0; 8]);
        bytes.extend([0xbe, 0xde, 0, 1, 9, 9, 9, 9]);
        bytes.extend([1, 2, 3, 0, 0, 3]);
        assert_eq!(parse(&bytes).unwrap().payload, [1, 2, 3]);
    }

    #[test]
    fn what_is_no_rtp_is_refused() {
        let good = header().to_bytes();
        let with = |at: usize, value: u8| {
            let mut bytes = good;
            bytes[at] = value;
            bytes
        };
        assert_eq!(parse(&good[..11]), None, "short");
        assert_eq!(parse(&with(0, 0x40)), None, "version 1");
        assert_eq!(parse(&with(0, 0x81)), None, "source missing");
        assert_eq!(parse(&with(0, 0x90)), None, "extension missing");
        assert_eq!(parse(&with(0, 0xa0)), None, "padding missing");
        assert_eq!(parse(&with(1, 200)), None, "RTCP sender report");
        let mut padded = with(0, 0xa0).to_vec();
        padded.push(9);
        assert_eq!(parse(&padded), None, "padding longer than the packet");
    }

    proptest! {
        #[test]
        fn no_bytes_stop_the_parser(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Some(packet) = parse(&bytes) {
                prop_assert!(packet.payload.len() + HEADER_BYTES <= bytes.len());
            }
        }
    }
}
