//! What a leg sends: one packet each packet time, from prompts, keys or silence, on one unbroken clock.

use std::sync::Arc;

use runtime_contract::leg::{Codec, MediaSpec};
use runtime_contract::time::Tick;

use super::relay::{Relay, Relayed, Sound};
use super::tone::{Cadence, KeyTones, Ringing};
use super::{Event, StreamSeed};
use crate::dtmf::{Key, KeySender};
use crate::g711;
use crate::prompt::Prompt;
use crate::rtp::{HEADER_BYTES, Header};

/// A sender that is late by more than this does not catch up: the timestamp jumps, as RFC 3550 §5.1 wants
/// for audio that was never sampled. Nothing of a prompt is left out.
const CATCH_UP_MS_MAX: u64 = 200;
/// Longest packet, in samples (60 ms).
const PACKET_SAMPLES_MAX: usize = 480;

/// A packet to send.
#[derive(Clone, Debug)]
pub struct Packet {
    bytes: [u8; HEADER_BYTES + PACKET_SAMPLES_MAX],
    length: usize,
}

impl Packet {
    /// A body that is too long is cut.
    pub fn new(header: Header, body: impl Iterator<Item = u8>) -> Packet {
        let mut packet = Packet { bytes: [0; HEADER_BYTES + PACKET_SAMPLES_MAX], length: HEADER_BYTES };
        let (head, slots) = packet.bytes.split_at_mut(HEADER_BYTES);
        head.copy_from_slice(&header.to_bytes());
        for (slot, byte) in slots.iter_mut().zip(body) {
            *slot = byte;
            packet.length += 1;
        }
        packet
    }

    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// What runs through all that a leg sends, whatever it is.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    pub ssrc: u32,
    /// Of the next packet.
    pub sequence: u16,
    /// Of the next audio.
    pub timestamp: u32,
    /// When the next packet is due; `None` until the first after the leg was connected.
    pub due: Option<Tick>,
    /// The next audio packet begins a talkspurt (RFC 3551 §4.1).
    pub marker: bool,
    /// What was sent last came at the far side's pace, not at ours.
    pub is_loose: bool,
}

impl Clock {
    /// Brings the timestamp to this moment, when nothing was due to be sent meanwhile.
    pub fn meet(&mut self, now: Tick) {
        let due = self.due.unwrap_or(now);
        let behind_ns = now.0.saturating_sub(due.0);
        self.timestamp = self.timestamp.wrapping_add((behind_ns / SAMPLE_NS) as u32);
        self.due = Some(due.max(now));
    }
}

/// Nanoseconds of one sample at 8 kHz.
const SAMPLE_NS: u64 = 125_000;

#[derive(Debug)]
pub struct Sending {
    clock: Clock,
    playing: Option<Playing>,
    ringing: Option<Ringing>,
    keys: KeySender,
    keys_asked: bool,
    key_tones: KeyTones,
    relay: Relay,
    packet: Packet,
    packets_skipped: u64,
}

#[derive(Debug)]
struct Playing {
    prompts: Vec<Arc<Prompt>>,
    /// Which prompt, and which of its samples, is next.
    at: usize,
    offset: usize,
    token: u64,
}

/// What one packet time gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// [`Sending::packet`] is to be sent.
    Packet,
    /// We may not send now; time went on all the same.
    Held,
}

impl Sending {
    pub fn new(seed: StreamSeed) -> Sending {
        let StreamSeed { ssrc, sequence, timestamp } = seed;
        let header = Header { marker: false, payload_type: 0, sequence, timestamp, ssrc };
        Sending {
            clock: Clock { ssrc, sequence, timestamp, due: None, marker: true, is_loose: false },
            playing: None,
            ringing: None,
            keys: KeySender::default(),
            keys_asked: false,
            key_tones: KeyTones::default(),
            relay: Relay::default(),
            packet: Packet::new(header, std::iter::empty()),
            packets_skipped: 0,
        }
    }

    pub fn play(&mut self, prompts: Vec<Arc<Prompt>>, token: u64) {
        self.playing = Some(Playing { prompts, at: 0, offset: 0, token });
    }

    pub fn stop_play(&mut self) {
        self.playing = None;
    }

    pub fn ring_back(&mut self, cadence: Option<Cadence>) {
        self.ringing = cadence.map(Ringing::new);
    }

    pub fn send_keys(&mut self, keys: Vec<Key>, media: &MediaSpec) {
        match media.dtmf_payload_type {
            Some(_) => self.keys.push(keys),
            None => keys.into_iter().for_each(|key| self.key_tones.push(key)),
        }
        self.keys_asked = true;
    }

    /// What the other leg of a bridge received: goes out now, unless we have something of our own to send.
    pub fn relay(&mut self, now: Tick, media: &MediaSpec, relayed: &Relayed<'_>) {
        if !media.send {
            return self.relay.forget();
        }
        let takes_events = media.dtmf_payload_type.is_some();
        let has_own = self.has_own(media);
        if let Sound::Key { press, .. } = relayed.sound
            && (has_own || !takes_events)
        {
            match press {
                Some(key) if takes_events => self.keys.push([key]),
                Some(key) => self.key_tones.push(key),
                None => {}
            }
            return;
        }
        if has_own {
            return self.relay.forget();
        }
        self.relay.push(&mut self.clock, now, media, relayed);
    }

    /// Whether there is a relayed packet to be sent; it is [`Sending::packet`] then.
    pub fn next_relayed(&mut self) -> bool {
        let Some(next) = self.relay.poll_packet() else { return false };
        self.packet = next;
        true
    }

    /// Nothing more is relayed.
    pub fn end_relay(&mut self) {
        self.relay.forget();
    }

    /// Whether we send something that is neither relayed nor silence.
    fn has_own(&self, media: &MediaSpec) -> bool {
        self.playing.is_some()
            || self.ringing.is_some()
            || !self.key_tones.is_idle()
            || (media.dtmf_payload_type.is_some() && !self.keys.is_idle())
    }

    /// Whether a packet is due.
    pub fn is_due(&self, now: Tick, media: &MediaSpec) -> bool {
        let waits = self.relay.is_live(now) && !self.has_own(media);
        !waits && self.clock.due.is_none_or(|due| due <= now)
    }

    /// Makes the packet that is due and moves the clock on by one packet time.
    pub fn next_packet(&mut self, now: Tick, media: &MediaSpec, emit: impl FnMut(Event)) -> Sent {
        let packet_ms = packet_ms(media.ptime_ms);
        let samples = packet_ms * 8;
        self.relay.forget();
        if std::mem::take(&mut self.clock.is_loose) {
            self.clock.meet(now);
            self.clock.marker = true;
        }
        let due = self.skip_stall(now, packet_ms, media.send);
        self.clock.due = Some(due.plus_ms(u64::from(packet_ms)));
        let at = self.clock.timestamp;
        self.clock.timestamp = at.wrapping_add(u32::from(samples));
        self.fill(at, samples, media, emit)
    }

    fn fill(&mut self, at: u32, samples: u16, media: &MediaSpec, mut emit: impl FnMut(Event)) -> Sent {
        let clock = &mut self.clock;
        let header = Header {
            marker: false,
            payload_type: media.codec.payload_type(),
            sequence: clock.sequence,
            timestamp: at,
            ssrc: clock.ssrc,
        };
        let key = match media.dtmf_payload_type {
            Some(payload_type) => self.keys.poll(at, samples).map(|key| (key, payload_type)),
            None => None,
        };
        let packet = if let Some((key, payload_type)) = key {
            let header = Header { marker: key.marker, payload_type, timestamp: key.timestamp, ..header };
            Packet::new(header, key.event.to_bytes().into_iter())
        } else {
            let mut body = [0; PACKET_SAMPLES_MAX];
            let body = body.get_mut(..usize::from(samples)).unwrap_or_default();
            if !self.key_tones.is_idle() {
                self.key_tones.fill(media.codec, body);
            } else if let (None, Some(ringing)) = (&self.playing, &mut self.ringing) {
                ringing.fill(media.codec, body);
            } else if let Some(token) = fill_audio(&mut self.playing, media.codec, body) {
                emit(Event::PlayDone { token });
            }
            let marker = clock.marker && media.send;
            clock.marker &= !marker;
            Packet::new(Header { marker, ..header }, body.iter().copied())
        };
        if self.keys_asked && self.keys.is_idle() && self.key_tones.is_idle() {
            self.keys_asked = false;
            emit(Event::KeysSent);
        }
        if !media.send {
            clock.marker = true;
            return Sent::Held;
        }
        clock.sequence = clock.sequence.wrapping_add(1);
        self.packet = packet;
        Sent::Packet
    }

    /// Our media clock now (RFC 3550 §6.4.1): behind that of the next packet by as much as it is not due yet.
    pub fn timestamp(&self, now: Tick) -> u32 {
        let mut clock = self.clock;
        let early_ns = clock.due.unwrap_or(now).0.saturating_sub(now.0);
        clock.meet(now);
        clock.timestamp.wrapping_sub((early_ns / SAMPLE_NS) as u32)
    }

    /// Packets left out by stalls.
    pub fn packets_skipped(&self) -> u64 {
        self.packets_skipped
    }

    /// The packet made last.
    pub fn packet(&self) -> &[u8] {
        self.packet.bytes()
    }

    /// When the next packet is due, moved on when we stood still for too long.
    fn skip_stall(&mut self, now: Tick, packet_ms: u16, sends: bool) -> Tick {
        let clock = &mut self.clock;
        let due = clock.due.unwrap_or(now);
        let behind_ms = now.0.saturating_sub(due.0) / 1_000_000;
        if behind_ms <= CATCH_UP_MS_MAX {
            return due;
        }
        let packets = behind_ms / u64::from(packet_ms);
        if sends {
            self.packets_skipped += packets;
        }
        clock.timestamp = clock.timestamp.wrapping_add((packets as u32).wrapping_mul(u32::from(packet_ms) * 8));
        clock.marker = true;
        due.plus_ms(packets * u64::from(packet_ms))
    }
}

/// 20, 40 or 60 ms as agreed, else 20: `ptime` is a wish (RFC 8866 §6.4), and the grid of sending is 20 ms.
fn packet_ms(ptime_ms: u16) -> u16 {
    match ptime_ms {
        40 | 60 => ptime_ms,
        _ => 20,
    }
}

/// Fills a packet from the prompts, then with silence. The token when the last prompt ended here.
fn fill_audio(playing: &mut Option<Playing>, codec: Codec, body: &mut [u8]) -> Option<u64> {
    let mut filled = 0;
    let mut done = None;
    if let Some(play) = playing {
        while let Some(prompt) = play.prompts.get(play.at) {
            let rest = prompt.encoded(codec).get(play.offset..).unwrap_or_default();
            let target = body.get_mut(filled..).unwrap_or_default();
            let count = rest.len().min(target.len());
            target.iter_mut().zip(rest).for_each(|(slot, code)| *slot = *code);
            filled += count;
            play.offset += count;
            if count < rest.len() {
                break;
            }
            play.at += 1;
            play.offset = 0;
        }
        if play.at >= play.prompts.len() {
            done = Some(play.token);
        }
    }
    if done.is_some() {
        *playing = None;
    }
    body.iter_mut().skip(filled).for_each(|slot| *slot = g711::silence(codec));
    done
}
