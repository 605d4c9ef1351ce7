//! Tones that are made while they are sent: ring-back, and keys for a far side that takes no key events.

use std::collections::VecDeque;
use std::f32::consts::TAU;

use runtime_contract::leg::Codec;

use crate::dtmf::{KEYS_QUEUED_MAX, Key};
use crate::g711::{self, SAMPLE_RATE_HZ};

/// A tone in a cadence, as exchanges send it (ITU-T E.180; a country's own is in its supplement 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cadence {
    /// One or two frequencies at once; 0 is none.
    pub frequencies_hz: [u16; 2],
    /// On, off, on, off; 0 is left out. All 0: the tone never stops.
    pub on_off_ms: [u16; 4],
}

impl Cadence {
    /// The ring-back tone that ITU-T E.180 §2.4 prefers.
    pub const RINGBACK: Cadence = Cadence { frequencies_hz: [425, 0], on_off_ms: [1_000, 4_000, 0, 0] };

    fn is_on(self, sample: u64) -> bool {
        let period_ms: u64 = self.on_off_ms.iter().map(|ms| u64::from(*ms)).sum();
        let mut left_ms = (sample / 8).checked_rem(period_ms).unwrap_or(0);
        let mut on = true;
        for ms in self.on_off_ms.map(u64::from) {
            if left_ms < ms {
                break;
            }
            left_ms -= ms;
            on = !on;
        }
        period_ms == 0 || on
    }
}

/// −13 dBm0, within ITU-T E.180 §7 (a sine of 22 400 is 0 dBm0).
const CADENCE_LEVEL: f32 = 5_000.0;
/// −9 and −7 dBm0: the upper tone is the louder one (ITU-T Q.23).
const KEY_LEVELS: [f32; 2] = [7_940.0, 10_000.0];

#[derive(Clone, Copy, Debug)]
pub struct Ringing {
    cadence: Cadence,
    /// Samples since it began.
    at: u64,
}

impl Ringing {
    pub fn new(cadence: Cadence) -> Ringing {
        Ringing { cadence, at: 0 }
    }

    pub fn fill(&mut self, codec: Codec, body: &mut [u8]) {
        let tones = self.cadence.frequencies_hz.iter().filter(|hz| **hz > 0).count();
        let level = if tones > 1 { CADENCE_LEVEL / 2.0 } else { CADENCE_LEVEL };
        for slot in body {
            let sample = match self.cadence.is_on(self.at) {
                true => self.cadence.frequencies_hz.map(|hz| level * sine(hz, self.at)).iter().sum(),
                false => 0.0,
            };
            *slot = g711::encode(codec, sample as i16);
            self.at += 1;
        }
    }
}

/// Length of a key's tone and of the pause behind it, in samples (100 ms each; ITU-T Q.24 asks for 40 at least).
const PRESS_SAMPLES: u64 = 800;
const PAUSE_SAMPLES: u64 = 800;

/// Keys as tones in the audio (ITU-T Q.23).
#[derive(Clone, Debug, Default)]
pub struct KeyTones {
    queue: VecDeque<Key>,
    /// Samples of the first key in the queue that were sent.
    at: u64,
}

impl KeyTones {
    /// More than [`KEYS_QUEUED_MAX`] are dropped.
    pub fn push(&mut self, key: Key) {
        if self.queue.len() < KEYS_QUEUED_MAX {
            self.queue.push_back(key);
        }
    }

    pub fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// Fills a packet with tones and pauses, then with silence.
    pub fn fill(&mut self, codec: Codec, body: &mut [u8]) {
        for slot in body {
            let sounding = self.queue.front().filter(|_| self.at < PRESS_SAMPLES);
            let sample: f32 = sounding.map_or(0.0, |key| {
                let tones = key.frequencies_hz().into_iter().zip(KEY_LEVELS);
                tones.map(|(hz, level)| level * sine(hz, self.at)).sum()
            });
            *slot = g711::encode(codec, sample as i16);
            self.at += 1;
            if self.at == PRESS_SAMPLES + PAUSE_SAMPLES {
                self.queue.pop_front();
                self.at = 0;
            }
        }
        if self.queue.is_empty() {
            self.at = 0;
        }
    }
}

/// Whole hertz come round in a second, so the phase stays exact.
fn sine(hz: u16, sample: u64) -> f32 {
    let turns = u64::from(hz) * (sample % u64::from(SAMPLE_RATE_HZ)) % u64::from(SAMPLE_RATE_HZ);
    (TAU * turns as f32 / SAMPLE_RATE_HZ as f32).sin()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One letter for each 100 ms.
    fn shape(cadence: Cadence, ms: usize) -> String {
        let (mut ringing, mut body) = (Ringing::new(cadence), vec![0; ms * 8]);
        for packet in body.chunks_mut(160) {
            ringing.fill(Codec::Pcmu, packet);
        }
        let loud = |block: &[u8]| block.iter().any(|code| g711::decode(Codec::Pcmu, *code).unsigned_abs() > 2_000);
        body.chunks(800).map(|block| if loud(block) { '#' } else { '.' }).collect()
    }

    #[test]
    fn ring_back_has_its_cadence() {
        let expected = format!("{0}{1}{0}", "#".repeat(10), ".".repeat(40));
        assert_eq!(shape(Cadence::RINGBACK, 6_000), expected);
        let british = Cadence { frequencies_hz: [400, 450], on_off_ms: [400, 200, 400, 2_000] };
        assert_eq!(shape(british, 3_400), format!("####..####{}####", ".".repeat(20)));
        let dial = Cadence { frequencies_hz: [425, 0], on_off_ms: [0; 4] };
        assert_eq!(shape(dial, 500), "#####");
    }

    #[test]
    fn no_more_tones_wait_than_the_bound() {
        let mut tones = KeyTones::default();
        for _ in 0..=KEYS_QUEUED_MAX {
            tones.push(Key::from_char('1').unwrap());
        }
        let mut body = [0; 1_600];
        for _ in 0..KEYS_QUEUED_MAX {
            assert!(!tones.is_idle());
            tones.fill(Codec::Pcma, &mut body);
        }
        assert!(tones.is_idle());
    }
}
