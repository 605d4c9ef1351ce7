//! What a leg sends: one packet each packet time, from prompts, keys or silence, on one unbroken clock.

use std::sync::Arc;

use runtime_contract::leg::{Codec, MediaSpec};
use runtime_contract::time::Tick;

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

#[derive(Debug)]
pub struct Sending {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    /// When the next packet is due; `None` until the first tick after the leg was connected.
    due: Option<Tick>,
    /// The next audio packet begins a talkspurt (RFC 3551 §4.1).
    marker: bool,
    playing: Option<Playing>,
    keys: KeySender,
    keys_asked: bool,
    packet: [u8; HEADER_BYTES + PACKET_SAMPLES_MAX],
    packet_bytes: usize,
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
        Sending {
            ssrc: seed.ssrc,
            sequence: seed.sequence,
            timestamp: seed.timestamp,
            due: None,
            marker: true,
            playing: None,
            keys: KeySender::default(),
            keys_asked: false,
            packet: [0; HEADER_BYTES + PACKET_SAMPLES_MAX],
            packet_bytes: 0,
            packets_skipped: 0,
        }
    }

    pub fn play(&mut self, prompts: Vec<Arc<Prompt>>, token: u64) {
        self.playing = Some(Playing { prompts, at: 0, offset: 0, token });
    }

    pub fn stop_play(&mut self) {
        self.playing = None;
    }

    pub fn send_keys(&mut self, keys: Vec<Key>) {
        self.keys.push(keys);
        self.keys_asked = true;
    }

    /// Whether a packet is due.
    pub fn is_due(&self, now: Tick) -> bool {
        self.due.is_none_or(|due| due <= now)
    }

    /// Makes the packet that is due and moves the clock on by one packet time.
    pub fn next_packet(&mut self, now: Tick, media: &MediaSpec, emit: impl FnMut(Event)) -> Sent {
        let packet_ms = packet_ms(media.ptime_ms);
        let samples = packet_ms * 8;
        let due = self.skip_stall(now, packet_ms, media.send);
        self.due = Some(due.plus_ms(u64::from(packet_ms)));
        let at = self.timestamp;
        self.timestamp = at.wrapping_add(u32::from(samples));
        self.fill(at, samples, media, emit)
    }

    fn fill(&mut self, at: u32, samples: u16, media: &MediaSpec, mut emit: impl FnMut(Event)) -> Sent {
        let header = Header {
            marker: false,
            payload_type: media.codec.payload_type(),
            sequence: self.sequence,
            timestamp: at,
            ssrc: self.ssrc,
        };
        let (head, body) = self.packet.split_at_mut(HEADER_BYTES);
        let body = body.get_mut(..usize::from(samples)).unwrap_or_default();
        let key = match media.dtmf_payload_type {
            Some(payload_type) => self.keys.poll(at, samples).map(|key| (key, payload_type)),
            None => None,
        };
        let (header, length) = if let Some((key, payload_type)) = key {
            for (slot, byte) in body.iter_mut().zip(key.event.to_bytes()) {
                *slot = byte;
            }
            (Header { marker: key.marker, payload_type, timestamp: key.timestamp, ..header }, 4)
        } else {
            if let Some(token) = fill_audio(&mut self.playing, media.codec, body) {
                emit(Event::PlayDone { token });
            }
            let marker = self.marker && media.send;
            self.marker &= !marker;
            (Header { marker, ..header }, usize::from(samples))
        };
        if self.keys_asked && self.keys.is_idle() {
            self.keys_asked = false;
            emit(Event::KeysSent);
        }
        if !media.send {
            self.marker = true;
            return Sent::Held;
        }
        head.copy_from_slice(&header.to_bytes());
        self.sequence = self.sequence.wrapping_add(1);
        self.packet_bytes = HEADER_BYTES + length;
        Sent::Packet
    }

    /// Packets left out by stalls.
    pub fn packets_skipped(&self) -> u64 {
        self.packets_skipped
    }

    /// The packet made last.
    pub fn packet(&self) -> &[u8] {
        self.packet.get(..self.packet_bytes).unwrap_or_default()
    }

    /// When the next packet is due, moved on when we stood still for too long.
    fn skip_stall(&mut self, now: Tick, packet_ms: u16, sends: bool) -> Tick {
        let due = self.due.unwrap_or(now);
        let behind_ms = now.0.saturating_sub(due.0) / 1_000_000;
        if behind_ms <= CATCH_UP_MS_MAX {
            return due;
        }
        let packets = behind_ms / u64::from(packet_ms);
        if sends {
            self.packets_skipped += packets;
        }
        self.timestamp = self.timestamp.wrapping_add((packets as u32).wrapping_mul(u32::from(packet_ms) * 8));
        self.marker = true;
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
