//! Key presses as SIPp plays them: a capture of RTP, with RFC 4733 events between A-law silence, all of one
//! stream without a gap.

use std::path::Path;

const EVENT: u8 = 101;
const SILENCE: u8 = 8;
const PACKET_MS: u64 = 20;

/// A key, so many milliseconds of nothing, or so many packets that the network loses.
pub enum Press {
    Key(char),
    Pause(u64),
    Lost(u16),
}

/// Presses with a pause after each key.
pub fn keys(keys: &str, pause_ms: u64) -> Vec<Press> {
    keys.chars().flat_map(|key| [Press::Key(key), Press::Pause(pause_ms)]).collect()
}

pub fn write(file: &Path, presses: &[Press]) {
    let mut stream = Stream { bytes: file_header(), sequence: 1, timestamp: 1_000, ms: 0 };
    for press in presses {
        match press {
            Press::Key(key) => stream.key(*key),
            Press::Lost(packets) => stream.skip(*packets),
            Press::Pause(ms) => (0..ms / PACKET_MS).for_each(|_| stream.packet(SILENCE, false, &[0xd5; 160], 160)),
        }
    }
    std::fs::write(file, stream.bytes).expect("the capture is written");
}

struct Stream {
    bytes: Vec<u8>,
    sequence: u16,
    timestamp: u32,
    ms: u64,
}

impl Stream {
    /// 100 ms of the event, three end packets (RFC 4733 §2.5.1.4).
    fn key(&mut self, key: char) {
        let event = match key {
            '*' => 10,
            '#' => 11,
            digit => digit.to_digit(10).expect("a key") as u8,
        };
        for packet in 0..5u16 {
            let duration = (packet + 1) * 160;
            let payload = [event, 10, (duration >> 8) as u8, duration as u8];
            self.packet(EVENT, packet == 0, &payload, 0);
        }
        for _ in 0..3 {
            self.packet(EVENT, false, &[event, 0x80 | 10, 3, 0x20], 0);
        }
        self.timestamp += 8 * 160;
    }

    fn skip(&mut self, packets: u16) {
        self.sequence = self.sequence.wrapping_add(packets);
        self.timestamp += u32::from(packets) * 160;
        self.ms += u64::from(packets) * PACKET_MS;
    }

    fn packet(&mut self, payload_type: u8, marker: bool, payload: &[u8], samples: u32) {
        let mut rtp = vec![0x80, payload_type | if marker { 0x80 } else { 0 }];
        rtp.extend(self.sequence.to_be_bytes());
        rtp.extend(self.timestamp.to_be_bytes());
        rtp.extend([0x53, 0x74, 0x72, 0x67]);
        rtp.extend(payload);
        let udp_length = (8 + rtp.len()) as u16;
        let mut frame = vec![0; 12];
        frame.extend([0x08, 0x00]);
        frame.extend([0x45, 0]);
        frame.extend((20 + udp_length).to_be_bytes());
        frame.extend([0, 0, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1]);
        frame.extend([0x27, 0x10, 0x27, 0x12]);
        frame.extend(udp_length.to_be_bytes());
        frame.extend([0, 0]);
        frame.extend(rtp);
        let length = (frame.len() as u32).to_le_bytes();
        self.bytes.extend(((self.ms / 1_000) as u32).to_le_bytes());
        self.bytes.extend(((self.ms % 1_000 * 1_000) as u32).to_le_bytes());
        self.bytes.extend(length);
        self.bytes.extend(length);
        self.bytes.extend(frame);
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp += samples;
        self.ms += PACKET_MS;
    }
}

/// Classic pcap, microseconds, Ethernet.
fn file_header() -> Vec<u8> {
    let mut header = 0xa1b2_c3d4u32.to_le_bytes().to_vec();
    header.extend([2, 0, 4, 0]);
    header.extend([0; 8]);
    header.extend(65_535u32.to_le_bytes());
    header.extend(1u32.to_le_bytes());
    header
}
