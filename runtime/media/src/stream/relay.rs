//! What one leg of a bridge received, made into packets of the other leg: same spacing in time, own header. It knows
//! one leg; who is bridged with whom is the driver's.
//!
//! It is a translator (RFC 3550 §7.1) that keeps the numbers of the far side apart as they came: a packet that was
//! lost or late on the way to us is lost or late for the other side too, and is concealed there.

use std::collections::VecDeque;

use runtime_contract::leg::{Codec, MediaSpec};
use runtime_contract::time::Tick;

use super::sending::{Clock, Packet};
use crate::dtmf::{Key, TelephoneEvent};
use crate::g711;
use crate::rtp::{Header, timestamp_ahead};

/// When the far side has sent nothing for so long, we send silence in its place, so that the way stays open.
const QUIET_MS_MAX: u64 = 200;
/// A timestamp further from its expected place is a clock that was set anew (1 s).
const JUMP_SAMPLES_MAX: u32 = 8_000;
/// A sequence number further from the last one is a counter that was set anew (2 s of 20 ms).
const JUMP_PACKETS_MAX: u16 = 100;
/// Packets that one received packet may become: a whole datagram in packets of 10 ms.
const PACKETS_MAX: usize = 32;

/// An accepted packet of the far side, for the other leg of its bridge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Relayed<'a> {
    pub header: Header,
    pub sound: Sound<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sound<'a> {
    Voice {
        codec: Codec,
        payload: &'a [u8],
    },
    /// So many samples that the other side may not hear.
    Masked(usize),
    Key {
        event: TelephoneEvent,
        /// At the first packet of a press that was heard.
        press: Option<Key>,
    },
}

#[derive(Debug, Default)]
pub struct Relay {
    route: Option<Route>,
    /// Timestamps of the press whose packets are passed on: the far side's, ours.
    press: Option<(u32, u32)>,
    /// Code words that do not fill a packet yet, and the timestamp of the first.
    held: Vec<u8>,
    held_at: u32,
    made: VecDeque<Packet>,
}

/// One packet of a press.
struct KeyPress {
    payload_type: u8,
    event: TelephoneEvent,
    begins: bool,
}

/// How the far side's numbers become ours.
#[derive(Clone, Copy, Debug)]
struct Route {
    ssrc: u32,
    /// Ours minus the far side's.
    timestamp_offset: u32,
    timestamp_first: u32,
    /// The far side's latest.
    sequence: u16,
    /// Ours: those before it went to other packets.
    sequence_first: u16,
    quiet_from: Tick,
}

impl Relay {
    /// Whether the far side speaks, so that nothing else is to be sent.
    pub fn is_live(&self, now: Tick) -> bool {
        self.route.is_some_and(|route| now < route.quiet_from)
    }

    /// Something else is sent from now on.
    pub fn forget(&mut self) {
        self.route = None;
        self.held.clear();
    }

    pub fn poll_packet(&mut self) -> Option<Packet> {
        self.made.pop_front()
    }

    /// Makes the packets that this one becomes. Those of a key only with an agreed payload type.
    pub fn push(&mut self, clock: &mut Clock, now: Tick, media: &MediaSpec, relayed: &Relayed<'_>) {
        match relayed.sound {
            Sound::Key { event, press } => {
                if let Some(payload_type) = media.dtmf_payload_type {
                    let press = KeyPress { payload_type, event, begins: press.is_some() };
                    self.push_key(clock, now, media, relayed.header, &press);
                }
            }
            Sound::Masked(length) => {
                let silence = g711::silence(media.codec);
                self.push_voice(clock, now, media, relayed.header, std::iter::repeat_n(silence, length));
            }
            Sound::Voice { codec, payload } => {
                let codes = payload.iter().map(|code| g711::convert(codec, media.codec, *code));
                self.push_voice(clock, now, media, relayed.header, codes);
            }
        }
    }

    fn push_voice(
        &mut self,
        clock: &mut Clock,
        now: Tick,
        media: &MediaSpec,
        header: Header,
        codes: impl ExactSizeIterator<Item = u8>,
    ) {
        let (length, codec) = (codes.len(), media.codec);
        let Some(at) = self.place(clock, now, codec, header, header.timestamp) else { return };
        let mut end = at.wrapping_add(length as u32);
        if length == packet_samples(media) && self.held.is_empty() {
            let Some(sequence) = self.sequence(clock, header.sequence) else { return };
            let marker = std::mem::take(&mut clock.marker) || header.marker;
            let own = Header { marker, payload_type: codec.payload_type(), sequence, timestamp: at, ssrc: clock.ssrc };
            self.make(own, codes);
        } else {
            self.repacketise(clock, media, at, header, codes);
            end = clock.timestamp;
        }
        self.move_on(clock, now, media, end);
    }

    /// Packets of our length out of packets of another one; numbered as they leave.
    fn repacketise(
        &mut self,
        clock: &mut Clock,
        media: &MediaSpec,
        at: u32,
        far: Header,
        codes: impl ExactSizeIterator<Item = u8>,
    ) {
        let end = self.held_at.wrapping_add(self.held.len() as u32);
        match timestamp_ahead(at, if self.held.is_empty() { clock.timestamp } else { end }) {
            ..0 => return,
            0 => {}
            _ => self.flush(clock, media.codec),
        }
        clock.marker |= far.marker;
        if self.held.is_empty() {
            self.held_at = at;
        }
        self.held.extend(codes);
        let samples = packet_samples(media);
        while self.held.len() >= samples {
            self.make_held(clock, media.codec, samples);
        }
        if let Some(route) = &mut self.route {
            route.sequence = far.sequence;
            route.sequence_first = clock.sequence;
        }
    }

    /// A shorter packet, where audio breaks off.
    fn flush(&mut self, clock: &mut Clock, codec: Codec) {
        if !self.held.is_empty() {
            self.make_held(clock, codec, self.held.len());
        }
    }

    fn make_held(&mut self, clock: &mut Clock, codec: Codec, samples: usize) {
        let marker = std::mem::take(&mut clock.marker);
        let (sequence, timestamp) = (clock.sequence, self.held_at);
        let header = Header { marker, payload_type: codec.payload_type(), sequence, timestamp, ssrc: clock.ssrc };
        let packet = Packet::new(header, self.held.drain(..samples));
        self.keep(packet);
        clock.sequence = sequence.wrapping_add(1);
        self.held_at = timestamp.wrapping_add(samples as u32);
        clock.timestamp = self.held_at;
    }

    fn push_key(&mut self, clock: &mut Clock, now: Tick, media: &MediaSpec, header: Header, press: &KeyPress) {
        if press.begins {
            self.press = None;
        }
        // Where audio would be that left the far side together with this packet.
        let duration = u32::from(press.event.duration);
        let age = duration.saturating_sub(packet_samples(media) as u32);
        let beside = header.timestamp.wrapping_add(age);
        let Some(at) = self.place(clock, now, media.codec, header, beside) else { return };
        let (far, own) = match self.press {
            _ if press.begins => (header.timestamp, self.not_before_first(at.wrapping_sub(age))),
            Some((far, own)) => match timestamp_ahead(header.timestamp, far) {
                ..0 => return,
                // A key held so long that it goes on in a new segment (RFC 4733 §2.5.1.3).
                0xffff => (header.timestamp, own.wrapping_add(0xffff)),
                _ => (far, own),
            },
            None => return,
        };
        self.flush(clock, media.codec);
        let Some(sequence) = self.sequence(clock, header.sequence) else { return };
        self.press = Some((far, own));
        let (marker, payload_type) = (press.begins, press.payload_type);
        let header = Header { marker, payload_type, sequence, timestamp: own, ssrc: clock.ssrc };
        self.make(header, press.event.to_bytes().into_iter());
        self.move_on(clock, now, media, own.wrapping_add(duration));
    }

    fn not_before_first(&self, timestamp: u32) -> u32 {
        let first = self.route.map(|route| route.timestamp_first);
        first.filter(|first| timestamp_ahead(*first, timestamp) > 0).unwrap_or(timestamp)
    }

    /// Our timestamp for one of the far side's; `None` for what belongs before the route began.
    fn place(&mut self, clock: &mut Clock, now: Tick, codec: Codec, header: Header, timestamp: u32) -> Option<u32> {
        let known = self.route.filter(|route| {
            let at = timestamp.wrapping_add(route.timestamp_offset);
            let packets = header.sequence.wrapping_sub(route.sequence) as i16;
            route.ssrc == header.ssrc
                && timestamp_ahead(at, clock.timestamp).unsigned_abs() <= JUMP_SAMPLES_MAX
                && packets.unsigned_abs() <= JUMP_PACKETS_MAX
        });
        if let Some(route) = known {
            let at = timestamp.wrapping_add(route.timestamp_offset);
            return (timestamp_ahead(at, route.timestamp_first) >= 0).then_some(at);
        }
        self.flush(clock, codec);
        clock.meet(now);
        clock.marker = true;
        let at = clock.timestamp;
        self.route = Some(Route {
            ssrc: header.ssrc,
            timestamp_offset: at.wrapping_sub(timestamp),
            timestamp_first: at,
            sequence: header.sequence.wrapping_sub(1),
            sequence_first: clock.sequence,
            quiet_from: now,
        });
        Some(at)
    }

    /// Our sequence number for one of the far side's; `None` when that number went to another packet.
    fn sequence(&mut self, clock: &mut Clock, far: u16) -> Option<u16> {
        let route = self.route.as_mut()?;
        let ahead = far.wrapping_sub(route.sequence);
        let own = clock.sequence.wrapping_sub(1).wrapping_add(ahead);
        if ahead as i16 > 0 {
            route.sequence = far;
            clock.sequence = own.wrapping_add(1);
            return Some(own);
        }
        (own.wrapping_sub(route.sequence_first) as i16 >= 0).then_some(own)
    }

    fn move_on(&mut self, clock: &mut Clock, now: Tick, media: &MediaSpec, end: u32) {
        if timestamp_ahead(end, clock.timestamp) > 0 {
            clock.timestamp = end;
        }
        clock.due = Some(now.plus_ms(u64::from(relay_ms(media.ptime_ms))));
        clock.is_loose = true;
        if let Some(route) = &mut self.route {
            route.quiet_from = now.plus_ms(QUIET_MS_MAX);
        }
    }

    fn make(&mut self, header: Header, body: impl Iterator<Item = u8>) {
        self.keep(Packet::new(header, body));
    }

    fn keep(&mut self, packet: Packet) {
        if self.made.len() < PACKETS_MAX {
            self.made.push_back(packet);
        }
    }
}

/// Packets of the length that was agreed, from 10 to 60 ms; else of 20 ms.
fn relay_ms(ptime_ms: u16) -> u16 {
    match ptime_ms {
        10 | 20 | 30 | 40 | 50 | 60 => ptime_ms,
        _ => 20,
    }
}

fn packet_samples(media: &MediaSpec) -> usize {
    usize::from(relay_ms(media.ptime_ms)) * 8
}
