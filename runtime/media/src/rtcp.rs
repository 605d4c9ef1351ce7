//! RTCP packets as bytes (RFC 3550 §6). It knows what a report says, not when one is due.

/// Reception of one source (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportBlock {
    /// Whose packets these are about.
    pub ssrc: u32,
    /// 256ths of the packets since the last report.
    pub fraction_lost: u8,
    /// Since the beginning; 24 bits, negative when packets came twice.
    pub lost: i32,
    /// Highest sequence number, with the number of its wraps above it.
    pub highest_sequence: u32,
    /// In timestamp units.
    pub jitter: u32,
    /// Middle 32 bits of the NTP time in the last sender report of that source; 0 when none came.
    pub last_report: u32,
    /// Since then, in 65 536ths of a second.
    pub delay: u32,
}

/// What a sender says of itself (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderInfo {
    /// Seconds in the upper half, their fraction in the lower one.
    pub ntp: u64,
    /// The same moment on the media clock.
    pub timestamp: u32,
    pub packets: u32,
    pub octets: u32,
}

/// One packet of a compound one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// A sender report, or a receiver report without `sender`.
    Report { ssrc: u32, sender: Option<SenderInfo>, blocks: Blocks<'a> },
    /// The first source that leaves.
    Bye { ssrc: u32 },
    /// SDES, APP, feedback: not read.
    Other,
}

/// Report blocks of one packet, 31 at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocks<'a>(&'a [u8]);

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const DESCRIPTION: u8 = 202;
const BYE: u8 = 203;
/// SDES item (RFC 3550 §6.5.1).
const CNAME: u8 = 1;
/// Longest CNAME: its length is one byte.
const CNAME_BYTES_MAX: usize = 255;

/// Whether this is RTCP and not RTP, where both share a port (RFC 5761 §4).
pub fn is_rtcp(bytes: &[u8]) -> bool {
    matches!(bytes, [flags, 192..=223, ..] if flags >> 6 == 2)
}

/// The packets of a compound packet; `None` unless it is valid as a whole (RFC 3550 §A.2).
pub fn parse(bytes: &[u8]) -> Option<Packets<'_>> {
    let [flags, kind, ..] = *bytes else { return None };
    // The first is a report and not padded.
    if flags & 0x20 != 0 || !matches!(kind, SENDER_REPORT | RECEIVER_REPORT) {
        return None;
    }
    let mut rest = bytes;
    while !rest.is_empty() {
        let (packet, behind) = split(rest)?;
        read(packet)?;
        rest = behind;
    }
    Some(Packets(bytes))
}

/// Packets of a compound packet that was found valid.
#[derive(Clone, Copy, Debug)]
pub struct Packets<'a>(&'a [u8]);

impl<'a> Iterator for Packets<'a> {
    type Item = Packet<'a>;

    fn next(&mut self) -> Option<Packet<'a>> {
        let (packet, rest) = split(self.0)?;
        self.0 = rest;
        read(packet)
    }
}

/// The first packet, and what stands behind it.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let [flags, _, high, low, ..] = *bytes else { return None };
    let length = (usize::from(u16::from_be_bytes([high, low])) + 1) * 4;
    if flags >> 6 != 2 {
        return None;
    }
    bytes.split_at_checked(length)
}

fn read(packet: &[u8]) -> Option<Packet<'_>> {
    let [flags, kind, _, _, body @ ..] = packet else { return None };
    let count = usize::from(flags & 0x1f);
    match *kind {
        SENDER_REPORT => {
            let (ssrc, body) = word(body)?;
            let (ntp_high, body) = word(body)?;
            let (ntp_low, body) = word(body)?;
            let (timestamp, body) = word(body)?;
            let (packets, body) = word(body)?;
            let (octets, body) = word(body)?;
            let ntp = u64::from(ntp_high) << 32 | u64::from(ntp_low);
            let sender = Some(SenderInfo { ntp, timestamp, packets, octets });
            Some(Packet::Report { ssrc, sender, blocks: Blocks(body.get(..count * Blocks::BYTES)?) })
        }
        RECEIVER_REPORT => {
            let (ssrc, body) = word(body)?;
            Some(Packet::Report { ssrc, sender: None, blocks: Blocks(body.get(..count * Blocks::BYTES)?) })
        }
        BYE if count > 0 => Some(Packet::Bye { ssrc: word(body.get(..count * 4)?)?.0 }),
        _ => Some(Packet::Other),
    }
}

fn word(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (word, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*word), rest))
}

impl Blocks<'_> {
    const BYTES: usize = 24;
}

impl Iterator for Blocks<'_> {
    type Item = ReportBlock;

    fn next(&mut self) -> Option<ReportBlock> {
        let (ssrc, rest) = word(self.0)?;
        let (losses, rest) = word(rest)?;
        let (highest_sequence, rest) = word(rest)?;
        let (jitter, rest) = word(rest)?;
        let (last_report, rest) = word(rest)?;
        let (delay, rest) = word(rest)?;
        self.0 = rest;
        let fraction_lost = (losses >> 24) as u8;
        // The sign is that of 24 bits.
        let lost = ((losses << 8) as i32) >> 8;
        Some(ReportBlock { ssrc, fraction_lost, lost, highest_sequence, jitter, last_report, delay })
    }
}

/// Writes a compound packet: a report of `ssrc` (a sender report with `sender`), its CNAME, and a BYE if it leaves.
pub fn write(
    to: &mut Vec<u8>,
    ssrc: u32,
    sender: Option<SenderInfo>,
    block: Option<ReportBlock>,
    cname: &str,
    leaves: bool,
) {
    let kind = if sender.is_some() { SENDER_REPORT } else { RECEIVER_REPORT };
    packet(to, kind, u8::from(block.is_some()), |to| {
        to.extend(ssrc.to_be_bytes());
        if let Some(SenderInfo { ntp, timestamp, packets, octets }) = sender {
            to.extend(ntp.to_be_bytes());
            [timestamp, packets, octets].into_iter().for_each(|word| to.extend(word.to_be_bytes()));
        }
        if let Some(block) = block {
            let losses = u32::from(block.fraction_lost) << 24 | (block.lost as u32 & 0x00ff_ffff);
            let words = [block.ssrc, losses, block.highest_sequence, block.jitter, block.last_report, block.delay];
            words.into_iter().for_each(|word| to.extend(word.to_be_bytes()));
        }
    });
    packet(to, DESCRIPTION, 1, |to| {
        to.extend(ssrc.to_be_bytes());
        let cname = cname.as_bytes().get(..cname.len().min(CNAME_BYTES_MAX)).unwrap_or_default();
        to.extend([CNAME, cname.len() as u8]);
        to.extend(cname);
        to.push(0);
    });
    if leaves {
        packet(to, BYE, 1, |to| to.extend(ssrc.to_be_bytes()));
    }
}

/// One packet with its header; filled up with zeros to whole words.
fn packet(to: &mut Vec<u8>, kind: u8, count: u8, fill: impl FnOnce(&mut Vec<u8>)) {
    let from = to.len();
    to.extend([0x80 | count, kind, 0, 0]);
    fill(to);
    while !(to.len() - from).is_multiple_of(4) {
        to.push(0);
    }
    let words = ((to.len() - from) / 4 - 1) as u16;
    for (slot, byte) in to.iter_mut().skip(from + 2).zip(words.to_be_bytes()) {
        *slot = byte;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn block() -> ReportBlock {
        let (highest_sequence, last_report) = (0x1_0005, 0xaabb_ccdd);
        ReportBlock { ssrc: 5, fraction_lost: 64, lost: -3, highest_sequence, jitter: 17, last_report, delay: 9 }
    }

    fn compound() -> Vec<u8> {
        let sender = SenderInfo { ntp: 0x0102_0304_0506_0708, timestamp: 160, packets: 7, octets: 1_120 };
        let mut bytes = Vec::new();
        write(&mut bytes, 77, Some(sender), Some(block()), "abcd", true);
        bytes
    }

    #[test]
    fn a_written_report_reads_back() {
        let bytes = compound();
        let packets: Vec<_> = parse(&bytes).unwrap().collect();
        let [Packet::Report { ssrc: 77, sender: Some(sender), blocks }, Packet::Other, Packet::Bye { ssrc: 77 }] =
            packets[..]
        else {
            panic!("{packets:?}")
        };
        assert_eq!((sender.ntp, sender.packets), (0x0102_0304_0506_0708, 7));
        assert_eq!(blocks.collect::<Vec<_>>(), [block()]);
        let mut bytes = Vec::new();
        write(&mut bytes, 77, None, None, "", false);
        let packets: Vec<_> = parse(&bytes).unwrap().collect();
        assert!(matches!(packets[..], [Packet::Report { ssrc: 77, sender: None, .. }, Packet::Other]), "{packets:?}");
    }

    #[test]
    fn the_layout_is_that_of_the_rfc() {
        let mut bytes = Vec::new();
        write(&mut bytes, 1, None, Some(block()), "ab", true);
        let expected = [
            &[0x81, 201, 0, 7, 0, 0, 0, 1, 0, 0, 0, 5, 64, 0xff, 0xff, 0xfd, 0, 1, 0, 5, 0, 0, 0, 17][..],
            &[0xaa, 0xbb, 0xcc, 0xdd, 0, 0, 0, 9],
            &[0x81, 202, 0, 3, 0, 0, 0, 1, 1, 2, b'a', b'b', 0, 0, 0, 0],
            &[0x81, 203, 0, 1, 0, 0, 0, 1],
        ];
        assert_eq!(bytes, expected.concat());
    }

    #[test]
    fn what_is_not_whole_is_refused() {
        let good = compound();
        for length in 0..good.len() {
            let whole = [52, 52 + 16].contains(&length);
            assert_eq!(parse(&good[..length]).is_some(), whole, "{length} bytes");
        }
        let with = |at: usize, value: u8| {
            let mut bytes = good.clone();
            bytes[at] = value;
            parse(&bytes).is_some()
        };
        assert!(!with(0, 0x41), "version 1");
        assert!(!with(0, 0xa1), "padding in the first");
        assert!(!with(0, 0x82), "a block too many");
        assert!(!with(1, 202), "does not begin with a report");
        assert!(!with(3, 200), "longer than it is");
        assert!(!with(52, 0x01), "version 0 in the middle");
    }

    proptest! {
        #[test]
        fn no_bytes_stop_the_parser(mut bytes in proptest::collection::vec(any::<u8>(), 0..200), first in 199u8..=204) {
            if bytes.len() > 4 {
                bytes[0] = 0x80 | (bytes[0] & 0x1f);
                bytes[1] = first;
                bytes[2] = 0;
                bytes[3] %= 16;
            }
            let _ = is_rtcp(&bytes);
            for packet in parse(&bytes).into_iter().flatten() {
                if let Packet::Report { blocks, .. } = packet {
                    prop_assert!(blocks.count() <= 31);
                }
            }
        }
    }
}
