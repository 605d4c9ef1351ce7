//! Keys heard in the audio: DTMF tones by the Goertzel algorithm, within the limits of ITU-T Q.24. It knows samples,
//! neither packets nor what a key is pressed for.

use std::f32::consts::TAU;

use crate::dtmf::{Key, LOWER_HZ, UPPER_HZ};
use crate::g711::SAMPLE_RATE_HZ;

/// Samples that are judged together (12.75 ms): two whole blocks lie in the 40 ms that a key lasts at least, and the
/// tones of a row or column stand one bin (78 Hz) apart.
const BLOCK: usize = 102;
/// Weakest tone: −29 dBm0, so that −25 dBm0 off its frequency is still heard (a sine of 22 400 is 0 dBm0).
const AMPLITUDE_MIN: f32 = 800.0;
/// The upper tone may be 4 dB louder than the lower one, and 8 dB weaker (Q.24 annex A, widest of all networks), as power.
const UPPER_LOUDER_MAX: f32 = 2.5;
const LOWER_LOUDER_MAX: f32 = 6.3;
/// The tone of a row or column stands out over the others of its group (6 dB).
const STANDS_OUT_MIN: f32 = 4.0;
/// Share of all power that both tones have: less is speech. 1.5 % beside its frequency a tone still has 0.72.
const SHARE_MIN: f32 = 0.6;
/// Blocks of the same key that make a press, and blocks without it that end one.
const PRESS_BLOCKS: u8 = 2;
const PAUSE_BLOCKS: u8 = 2;

#[derive(Clone, Debug)]
pub struct ToneDetector {
    bins: [Bin; 8],
    power: f32,
    filled: usize,
    /// The key of the last blocks, and how many in a row.
    heard: Option<Key>,
    blocks: u8,
    pressed: Option<Key>,
    /// Blocks since the pressed key was last heard.
    silent: u8,
}

/// One frequency (Goertzel 1958).
#[derive(Clone, Copy, Debug, Default)]
struct Bin {
    coefficient: f32,
    last: f32,
    before: f32,
}

impl Bin {
    fn power(&self) -> f32 {
        self.last * self.last + self.before * self.before - self.coefficient * self.last * self.before
    }
}

/// What the samples that were given held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// A key went down.
    pub press: Option<Key>,
    /// Somewhere there was the tone of a key, were it too short for a press.
    pub tone: bool,
}

impl Default for ToneDetector {
    fn default() -> ToneDetector {
        let mut bins = [Bin::default(); 8];
        for (bin, hz) in bins.iter_mut().zip(LOWER_HZ.into_iter().chain(UPPER_HZ)) {
            bin.coefficient = 2.0 * (TAU * f32::from(hz) / SAMPLE_RATE_HZ as f32).cos();
        }
        ToneDetector { bins, power: 0.0, filled: 0, heard: None, blocks: 0, pressed: None, silent: 0 }
    }
}

impl ToneDetector {
    pub fn hear(&mut self, samples: impl Iterator<Item = i16>) -> Heard {
        let mut heard = Heard::default();
        for sample in samples {
            let sample = f32::from(sample);
            self.power += sample * sample;
            for bin in &mut self.bins {
                let next = sample + bin.coefficient * bin.last - bin.before;
                bin.before = bin.last;
                bin.last = next;
            }
            self.filled += 1;
            if self.filled == BLOCK {
                let key = self.key();
                heard.tone |= key.is_some();
                heard.press = self.judge(key).or(heard.press);
                self.filled = 0;
                self.power = 0.0;
                self.bins.iter_mut().for_each(|bin| (bin.last, bin.before) = (0.0, 0.0));
            }
        }
        heard
    }

    /// The key whose tones the block holds.
    fn key(&self) -> Option<Key> {
        let (lower, upper) = self.bins.split_at_checked(4)?;
        let (row, low, other_low) = strongest(lower);
        let (column, high, other_high) = strongest(upper);
        // A sine of amplitude A has (A · N/2)² in its bin, and A² · N/2 in all.
        let weakest = (AMPLITUDE_MIN * BLOCK as f32 / 2.0).powi(2);
        let is_key = low >= weakest
            && high >= weakest
            && high <= low * UPPER_LOUDER_MAX
            && low <= high * LOWER_LOUDER_MAX
            && low >= other_low * STANDS_OUT_MIN
            && high >= other_high * STANDS_OUT_MIN
            && (low + high) * 2.0 >= SHARE_MIN * BLOCK as f32 * self.power;
        is_key.then(|| Key::from_place(row, column)).flatten()
    }

    /// The key that goes down with this block.
    fn judge(&mut self, key: Option<Key>) -> Option<Key> {
        self.blocks = if key == self.heard { self.blocks.saturating_add(1) } else { 1 };
        self.heard = key;
        self.silent = if self.pressed.is_some() && key == self.pressed { 0 } else { self.silent.saturating_add(1) };
        if self.silent >= PAUSE_BLOCKS {
            self.pressed = None;
        }
        let press = key.filter(|_| self.pressed != key && self.blocks >= PRESS_BLOCKS)?;
        self.pressed = Some(press);
        self.silent = 0;
        Some(press)
    }
}

/// Place and power of the strongest, and the power of the next.
fn strongest(bins: &[Bin]) -> (u8, f32, f32) {
    let mut found = (0, 0.0, 0.0);
    for (place, bin) in (0..).zip(bins) {
        let power = bin.power();
        if power > found.1 {
            found = (place, power, found.1);
        } else {
            found.2 = power.max(found.2);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(hz: f64, amplitude: f64, n: usize) -> f64 {
        amplitude * (std::f64::consts::TAU * hz * n as f64 / 8_000.0).sin()
    }

    /// Tones of a key for so long, its frequencies off by so much, after `at` samples of silence.
    fn tones(key: Key, samples: usize, off: f64, levels: [f64; 2], at: usize) -> Vec<i16> {
        let [low, high] = key.frequencies_hz().map(|hz| f64::from(hz) * off);
        let tone = |n| (sine(low, levels[0], n) + sine(high, levels[1], n)) as i16;
        std::iter::repeat_n(0, at).chain((0..samples).map(tone)).chain(std::iter::repeat_n(0, 400)).collect()
    }

    fn keys(samples: &[i16]) -> String {
        let mut detector = ToneDetector::default();
        let heard = samples.chunks(160).filter_map(|packet| detector.hear(packet.iter().copied()).press);
        heard.map(Key::to_char).collect()
    }

    #[test]
    fn every_key_is_heard_once_wherever_it_begins() {
        for key in "0123456789*#ABCD".chars() {
            let key = Key::from_char(key).unwrap();
            for at in (0..204).step_by(17) {
                for (samples, off) in [(320, 1.0), (800, 1.0), (800, 1.015), (800, 0.985), (16_000, 1.0)] {
                    let heard = keys(&tones(key, samples, off, [5_000.0; 2], at));
                    assert_eq!(heard, key.to_char().to_string(), "{samples} samples, {off}, at {at}");
                }
            }
        }
    }

    #[test]
    fn levels_and_twist_within_the_limits_are_heard_and_beyond_are_not() {
        let key = Key::from_char('5').unwrap();
        for (levels, heard) in [
            ([1_260.0, 1_260.0], true),
            ([300.0, 300.0], false),
            ([5_000.0, 7_500.0], true),
            ([5_000.0, 12_000.0], false),
            ([7_500.0, 3_500.0], true),
            ([16_000.0, 4_000.0], false),
        ] {
            assert_eq!(keys(&tones(key, 800, 1.0, levels, 50)) == "5", heard, "{levels:?}");
        }
    }

    #[test]
    fn what_is_too_short_or_off_is_no_press() {
        let key = Key::from_char('5').unwrap();
        assert_eq!(keys(&tones(key, 160, 1.0, [5_000.0; 2], 51)), "", "20 ms");
        assert_eq!(keys(&tones(key, 800, 1.05, [5_000.0; 2], 51)), "", "5 % off");
        let one: Vec<i16> = (0..8_000).map(|n| sine(770.0, 8_000.0, n) as i16).collect();
        assert_eq!(keys(&one), "", "one tone");
    }

    #[test]
    fn two_presses_of_a_key_are_two_and_a_short_break_is_none() {
        let press = |samples| tones(Key::from_char('7').unwrap(), samples, 1.0, [5_000.0; 2], 0);
        assert_eq!(keys(&[press(800), press(800)].concat()), "77");
        let mut broken = press(1_600);
        broken[700..750].fill(0);
        assert_eq!(keys(&broken), "7");
    }

    /// Sums of drifting harmonics, like vowels, and noise.
    #[test]
    fn speech_and_noise_press_nothing() {
        let mut seed = 5u64;
        let mut random = move || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as f64 / f64::from(1u32 << 31)
        };
        let mut samples = Vec::new();
        for _ in 0..400 {
            let (pitch, drift) = (90.0 + 160.0 * random(), random() * 0.4 - 0.2);
            let levels: Vec<f64> = (0..20).map(|n| 3_000.0 * random() / (1.0 + f64::from(n) / 4.0)).collect();
            for n in 0..800usize {
                let hz = pitch * (1.0 + drift * n as f64 / 800.0);
                let voice: f64 = levels.iter().zip(1..).map(|(level, k)| sine(hz * f64::from(k), *level, n)).sum();
                samples.push((voice + 200.0 * random()) as i16);
            }
        }
        assert_eq!(keys(&samples), "");
        let noise: Vec<i16> = (0..80_000).map(|_| ((random() - 0.5) * 20_000.0) as i16).collect();
        assert_eq!(keys(&noise), "");
    }
}
