//! Telephone keys as RTP events (RFC 4733), received and sent. It knows neither sockets nor what a key is
//! pressed for.

use std::collections::VecDeque;
use std::fmt;

use crate::rtp::timestamp_ahead;

/// One of the sixteen keys `0`–`9`, `*`, `#`, `A`–`D`. Its `Debug` form hides it: keys may be card numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(u8);

/// Tones of the rows and of the columns of a keypad (ITU-T Q.23).
pub const LOWER_HZ: [u16; 4] = [697, 770, 852, 941];
pub const UPPER_HZ: [u16; 4] = [1_209, 1_336, 1_477, 1_633];

impl Key {
    /// Event codes 0–15 of RFC 4733 §3.2; others (flash, tones) are no keys.
    pub fn from_event(code: u8) -> Option<Key> {
        (code < 16).then_some(Key(code))
    }

    /// `0`–`9`, `*`, `#`, `A`–`D` or `a`–`d`.
    pub fn from_char(key: char) -> Option<Key> {
        let code = match key {
            '0'..='9' => key as u8 - b'0',
            '*' => 10,
            '#' => 11,
            'A'..='D' => key as u8 - b'A' + 12,
            'a'..='d' => key as u8 - b'a' + 12,
            _ => return None,
        };
        Some(Key(code))
    }

    /// Event code of RFC 4733 §3.2, 0–15.
    pub fn event(self) -> u8 {
        self.0
    }

    /// The lower and the upper tone (ITU-T Q.23).
    pub fn frequencies_hz(self) -> [u16; 2] {
        let (row, column) = match self.0 {
            0 => (3, 1),
            key @ 1..=9 => ((key - 1) / 3, (key - 1) % 3),
            10 => (3, 0),
            11 => (3, 2),
            letter => (letter - 12, 3),
        };
        let of = |hz: [u16; 4], at: u8| hz.into_iter().nth(usize::from(at)).unwrap_or_default();
        [of(LOWER_HZ, row), of(UPPER_HZ, column)]
    }

    /// The key in this row and column of a keypad, both counted from 0.
    pub fn from_place(row: u8, column: u8) -> Option<Key> {
        match (row, column) {
            (0..3, 0..3) => Some(Key(row * 3 + column + 1)),
            (3, 0) => Some(Key(10)),
            (3, 1) => Some(Key(0)),
            (3, 2) => Some(Key(11)),
            (0..4, 3) => Some(Key(12 + row)),
            _ => None,
        }
    }

    /// The key as printed on the phone.
    pub fn to_char(self) -> char {
        match self.0 {
            0..=9 => char::from(b'0' + self.0),
            10 => '*',
            11 => '#',
            letter => char::from(b'A' + (letter - 12)),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(•)")
    }
}

/// Payload of a telephone-event packet (RFC 4733 §2.3).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TelephoneEvent {
    pub code: u8,
    pub end: bool,
    /// −dBm0, 0–63.
    pub volume: u8,
    /// Samples since the packet's timestamp.
    pub duration: u16,
}

/// Without what is pressed.
impl fmt::Debug for TelephoneEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TelephoneEvent(•, end: {}, duration: {})", self.end, self.duration)
    }
}

impl TelephoneEvent {
    /// Reads the first event of a payload; `None` when it is shorter than four bytes.
    pub fn parse(payload: &[u8]) -> Option<TelephoneEvent> {
        let [code, flags, high, low] = *payload.first_chunk::<4>()?;
        Some(TelephoneEvent {
            code,
            end: flags & 0x80 != 0,
            volume: flags & 0x3f,
            duration: u16::from_be_bytes([high, low]),
        })
    }

    pub fn to_bytes(self) -> [u8; 4] {
        let [high, low] = self.duration.to_be_bytes();
        [self.code, if self.end { 0x80 } else { 0 } | (self.volume & 0x3f), high, low]
    }
}

/// A timestamp so far back (samples, 5 s) is a restarted clock, not a late packet.
const LATE_SAMPLES_MAX: i32 = 40_000;

/// Turns event packets into key presses: one for each press, whichever of its packets arrive.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyReceiver {
    last: Option<LastEvent>,
}

#[derive(Clone, Copy)]
struct LastEvent {
    /// Some phones send events as a stream of their own beside the audio.
    ssrc: u32,
    timestamp: u32,
    code: u8,
    duration: u16,
    ended: bool,
}

impl fmt::Debug for LastEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LastEvent").field("timestamp", &self.timestamp).field("ended", &self.ended).finish()
    }
}

impl KeyReceiver {
    /// The key, at the first packet of its press that arrives (the start may be lost, RFC 4733 §2.6.1).
    pub fn handle_event(&mut self, ssrc: u32, timestamp: u32, event: TelephoneEvent) -> Option<Key> {
        let now = LastEvent { ssrc, timestamp, code: event.code, duration: event.duration, ended: event.end };
        let Some(last) = self.last.as_mut().filter(|last| last.ssrc == ssrc) else {
            self.last = Some(now);
            return Key::from_event(event.code);
        };
        let ahead = timestamp_ahead(timestamp, last.timestamp);
        if ahead == 0 {
            last.duration = last.duration.max(event.duration);
            last.ended |= event.end;
            return None;
        }
        if (-LATE_SAMPLES_MAX..0).contains(&ahead) {
            return None;
        }
        let held = !last.ended && last.code == event.code && last.continues(ahead, event.duration);
        *last = now;
        if held { None } else { Key::from_event(event.code) }
    }
}

impl LastEvent {
    /// A held key in a new segment (RFC 4733 §2.5.1.3), or a sender that wrongly moves the timestamp along
    /// with the duration.
    fn continues(&self, ahead: i32, duration: u16) -> bool {
        ahead == i32::from(u16::MAX) || ahead == i32::from(duration) - i32::from(self.duration)
    }
}

/// Most keys that wait to be sent; more are dropped.
pub const KEYS_QUEUED_MAX: usize = 64;
/// Length of a press, in samples (100 ms).
const PRESS_SAMPLES: u16 = 800;
/// Pause behind a press, in samples (100 ms).
const PAUSE_SAMPLES: u32 = 800;
/// The last packet is sent three times (RFC 4733 §2.5.1.4).
const END_PACKETS: u8 = 3;
const VOLUME: u8 = 10;

/// Turns keys into event packets, one at each packet time (RFC 4733 §2.5.1).
#[derive(Clone, Debug, Default)]
pub struct KeySender {
    queue: VecDeque<Key>,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, Default)]
enum Phase {
    #[default]
    Idle,
    Pressed {
        key: Key,
        timestamp: u32,
        duration: u16,
        ends_sent: u8,
    },
    Pause {
        samples: u32,
    },
}

/// One event packet to send.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyPacket {
    /// First packet of a press.
    pub marker: bool,
    /// Of the start of the press.
    pub timestamp: u32,
    pub event: TelephoneEvent,
}

impl KeySender {
    pub fn push(&mut self, keys: impl IntoIterator<Item = Key>) {
        let free = KEYS_QUEUED_MAX.saturating_sub(self.queue.len());
        self.queue.extend(keys.into_iter().take(free));
    }

    /// Nothing is pressed and nothing waits.
    pub fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Idle) && self.queue.is_empty()
    }

    /// What goes out at this packet time in place of audio, if anything. `timestamp` is the media clock,
    /// `samples` the length of a packet.
    pub fn poll(&mut self, timestamp: u32, samples: u16) -> Option<KeyPacket> {
        match self.phase {
            Phase::Pause { samples: left } => {
                let left = left.saturating_sub(u32::from(samples));
                self.phase = if left == 0 { Phase::Idle } else { Phase::Pause { samples: left } };
                None
            }
            Phase::Idle => {
                let key = self.queue.pop_front()?;
                Some(self.press(key, timestamp, 0, 0, samples))
            }
            Phase::Pressed { key, timestamp, duration, ends_sent } => {
                Some(self.press(key, timestamp, duration, ends_sent, samples))
            }
        }
    }

    fn press(&mut self, key: Key, timestamp: u32, duration: u16, ends_sent: u8, samples: u16) -> KeyPacket {
        let marker = duration == 0;
        let duration = if ends_sent == 0 { duration.saturating_add(samples) } else { duration };
        let end = duration >= PRESS_SAMPLES;
        let ends_sent = if end { ends_sent + 1 } else { 0 };
        self.phase = if ends_sent == END_PACKETS {
            Phase::Pause { samples: PAUSE_SAMPLES }
        } else {
            Phase::Pressed { key, timestamp, duration, ends_sent }
        };
        KeyPacket { marker, timestamp, event: TelephoneEvent { code: key.event(), end, volume: VOLUME, duration } }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys(text: &str) -> Vec<Key> {
        text.chars().map(|key| Key::from_char(key).unwrap()).collect()
    }

    fn send(text: &str, samples: u16) -> Vec<KeyPacket> {
        let mut sender = KeySender::default();
        sender.push(keys(text));
        let mut packets = Vec::new();
        let mut timestamp = 0xffff_f000u32;
        while !sender.is_idle() {
            packets.extend(sender.poll(timestamp, samples));
            timestamp = timestamp.wrapping_add(u32::from(samples));
        }
        packets
    }

    fn receive(packets: impl IntoIterator<Item = KeyPacket>) -> String {
        let mut receiver = KeyReceiver::default();
        packets.into_iter().filter_map(|p| receiver.handle_event(7, p.timestamp, p.event)).map(Key::to_char).collect()
    }

    #[test]
    fn a_press_starts_with_a_marker_grows_and_ends_three_times() {
        let packets = send("7", 160);
        let shape: Vec<_> = packets.iter().map(|p| (p.marker, p.event.duration, p.event.end)).collect();
        assert_eq!(
            shape,
            [
                (true, 160, false),
                (false, 320, false),
                (false, 480, false),
                (false, 640, false),
                (false, 800, true),
                (false, 800, true),
                (false, 800, true)
            ]
        );
        assert!(packets.iter().all(|p| p.timestamp == 0xffff_f000 && p.event.code == 7));
    }

    #[test]
    fn every_key_arrives_as_itself_at_every_packet_length() {
        for samples in [160, 320, 480] {
            assert_eq!(receive(send("0123456789*#ABCD", samples)), "0123456789*#ABCD");
        }
    }

    #[test]
    fn no_more_keys_wait_than_the_bound() {
        let mut sender = KeySender::default();
        sender.push(keys(&"1".repeat(KEYS_QUEUED_MAX + 1)));
        assert_eq!(sender.queue.len(), KEYS_QUEUED_MAX);
    }

    #[test]
    fn a_key_held_over_a_segment_is_one_press() {
        let event = |duration, end| TelephoneEvent { code: 5, end, volume: 0, duration };
        let mut receiver = KeyReceiver::default();
        assert!(receiver.handle_event(7, 1_000, event(160, false)).is_some());
        assert!(receiver.handle_event(7, 1_000, event(0xffff, false)).is_none());
        assert!(receiver.handle_event(7, 1_000 + 0xffff, event(160, false)).is_none());
        assert!(receiver.handle_event(7, 1_000 + 0xffff, event(320, true)).is_none());
        assert!(receiver.handle_event(7, 1_000 + 0xffff + 2_000, event(160, false)).is_some(), "next press");
    }

    #[test]
    fn a_sender_that_moves_the_timestamp_within_a_press_presses_once() {
        let mut receiver = KeyReceiver::default();
        let heard = (1..=6u16).filter_map(|n| {
            let event = TelephoneEvent { code: 1, end: n == 6, volume: 0, duration: n * 160 };
            receiver.handle_event(7, 5_000 + u32::from(n) * 160, event)
        });
        assert_eq!(heard.count(), 1);
    }

    #[test]
    fn other_events_are_no_keys() {
        let flash = TelephoneEvent { code: 16, end: false, volume: 0, duration: 160 };
        assert_eq!(KeyReceiver::default().handle_event(7, 0, flash), None);
        assert!(TelephoneEvent::parse(&[1, 2, 3]).is_none(), "short");
    }

    #[test]
    fn a_key_is_hidden_from_logs() {
        let mut receiver = KeyReceiver::default();
        receiver.handle_event(7, 0, TelephoneEvent { code: 9, end: false, volume: 0, duration: 160 });
        assert_eq!(format!("{:?}", Key::from_char('9').unwrap()), "Key(•)");
        assert!(!format!("{receiver:?}").contains('9'));
    }

    proptest! {
        /// Lost, doubled and late packets: as long as one packet of a press arrives before the next press's
        /// first, the press is heard once and in order.
        #[test]
        fn loss_doubling_and_disorder_change_nothing(
            text in "[0-9*#A-D]{1,12}",
            fates in proptest::collection::vec(0u8..4, 7 * 12),
            swaps in proptest::collection::vec(any::<bool>(), 7 * 12),
        ) {
            let sent = send(&text, 160);
            let mut arrived: Vec<KeyPacket> = Vec::new();
            for press in sent.chunks(7).enumerate() {
                let (at, press) = press;
                let before = arrived.len();
                for (n, packet) in press.iter().enumerate() {
                    match fates[at * 7 + n] {
                        0 => {}
                        1 => arrived.extend([*packet, *packet]),
                        _ => arrived.push(*packet),
                    }
                }
                if arrived.len() == before {
                    arrived.push(press[at % 7]);
                }
            }
            // Swaps of neighbours within a press, and of an end packet behind the next press's first one
            // as long as that end packet was not the only one of its press.
            for at in 1..arrived.len() {
                let same = arrived[at].timestamp == arrived[at - 1].timestamp;
                let had_more = at >= 2 && arrived[at - 2].timestamp == arrived[at - 1].timestamp;
                if swaps[at % swaps.len()] && (same || had_more) {
                    arrived.swap(at, at - 1);
                }
            }
            prop_assert_eq!(receive(arrived), text);
        }
    }
}
