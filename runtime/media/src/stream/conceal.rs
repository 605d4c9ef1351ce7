//! Packet loss concealment by waveform substitution, after ITU-T G.711 Appendix I: what is missing is the last pitch
//! period again, fading out. It knows samples, not why they are missing.

use std::collections::VecDeque;

/// Pitch periods that are tried, in samples (67 to 200 Hz, Appendix I §I.2.3).
const PERIOD_MIN: usize = 40;
const PERIOD_MAX: usize = 120;
/// Samples that are compared to find the period (20 ms).
const COMPARED: usize = 160;
/// Samples looked back on.
const HISTORY: usize = COMPARED + PERIOD_MAX;
/// Full level for 10 ms, then a fifth less each 10 ms: silence from 60 ms on (Appendix I §I.2.7).
const STEP_SAMPLES: usize = 80;
const SILENT_FROM: usize = 6 * STEP_SAMPLES;
/// Longest cross-fade back to what was received, in samples (10 ms).
const FADE_MAX: usize = 80;

#[derive(Clone, Debug, Default)]
pub struct Concealer {
    history: VecDeque<i16>,
    /// One period, to be repeated.
    wave: Vec<i16>,
    /// Samples made since the last one that was received.
    made: usize,
    /// Samples of the cross-fade, and how many are over; both 0 outside of one.
    fade: usize,
    faded: usize,
    concealed: u64,
}

impl Concealer {
    /// Missing samples that were made up and are not silence.
    pub fn concealed(&self) -> u64 {
        self.concealed
    }

    /// The next sample as it is to be heard; `None`: missing.
    pub fn next(&mut self, received: Option<i16>) -> i16 {
        let sample = match received {
            Some(sample) if self.made == 0 => sample,
            Some(sample) => self.fade_back(sample),
            None => {
                self.fade = 0;
                let sample = self.make();
                self.concealed += u64::from(self.made < SILENT_FROM);
                sample
            }
        };
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(sample);
        sample
    }

    fn fade_back(&mut self, sample: i16) -> i16 {
        if self.fade == 0 {
            self.fade = (self.wave.len() / 4 + self.made.min(SILENT_FROM) / STEP_SAMPLES * 32).clamp(1, FADE_MAX);
            self.faded = 0;
        }
        let old = i32::from(self.make());
        self.faded += 1;
        let (part, whole) = (self.faded as i32, self.fade as i32);
        if self.faded >= self.fade {
            self.made = 0;
            self.fade = 0;
        }
        ((i32::from(sample) * part + old * (whole - part)) / whole) as i16
    }

    fn make(&mut self) -> i16 {
        if self.made == 0 {
            self.find_wave();
        }
        let at = self.made;
        self.made = at.saturating_add(1);
        if at >= SILENT_FROM {
            return 0;
        }
        let sample = self.wave.get(at % self.wave.len().max(1)).copied().unwrap_or(0);
        let lost = at.saturating_sub(STEP_SAMPLES) as i32;
        let span = (SILENT_FROM - STEP_SAMPLES) as i32;
        (i32::from(sample) * (span - lost) / span) as i16
    }

    /// Takes the last period of the history, its end bent so that it runs into its beginning.
    fn find_wave(&mut self) {
        let history = self.history.make_contiguous();
        let period = period(history);
        let from = history.len().saturating_sub(period);
        self.wave.clear();
        self.wave.extend(history.iter().skip(from));
        let bent = period / 4;
        let before = history.iter().skip(from.saturating_sub(bent)).take(bent.min(from));
        let end = self.wave.len().saturating_sub(bent.min(from));
        for (n, (slot, earlier)) in self.wave.iter_mut().skip(end).zip(before).enumerate() {
            let part = n as i32 + 1;
            *slot = ((i32::from(*slot) * (bent as i32 - part) + i32::from(*earlier) * part) / bent as i32) as i16;
        }
    }
}

/// The distance at which the history is most like itself.
fn period(history: &[i16]) -> usize {
    let Some(start) = history.len().checked_sub(HISTORY) else { return PERIOD_MAX.min(history.len()) };
    let latest = history.get(start + PERIOD_MAX..).unwrap_or_default();
    let likeness = |period: usize| {
        let earlier = history.get(start + PERIOD_MAX - period..).unwrap_or_default();
        let (mut both, mut power) = (0i64, 1i64);
        for (a, b) in latest.iter().zip(earlier) {
            both += i64::from(*a) * i64::from(*b);
            power += i64::from(*b) * i64::from(*b);
        }
        both as f64 / (power as f64).sqrt()
    };
    let mut best = (PERIOD_MAX, f64::MIN);
    for period in (PERIOD_MIN..=PERIOD_MAX).rev() {
        let likeness = likeness(period);
        if likeness > best.1 {
            best = (period, likeness);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voice(n: usize) -> i16 {
        let phase = |hz: f64| (std::f64::consts::TAU * hz * n as f64 / 8_000.0).sin();
        (6_000.0 * phase(125.0) + 2_000.0 * phase(375.0)) as i16
    }

    /// Power of the difference over the power of the signal.
    fn error(got: &[i16], wanted: impl Fn(usize) -> i16, from: usize) -> f64 {
        let power =
            |of: &dyn Fn(usize, i16) -> f64| -> f64 { got.iter().enumerate().map(|(n, s)| of(n, *s).powi(2)).sum() };
        power(&|n, s| f64::from(s) - f64::from(wanted(from + n))) / power(&|n, _| f64::from(wanted(from + n)))
    }

    fn play(lost: std::ops::Range<usize>, length: usize) -> (Vec<i16>, u64) {
        let mut concealer = Concealer::default();
        let out = (0..length).map(|n| concealer.next((!lost.contains(&n)).then(|| voice(n)))).collect();
        (out, concealer.concealed())
    }

    #[test]
    fn a_lost_packet_of_voice_is_hardly_missed() {
        let (out, concealed) = play(800..960, 1_600);
        assert!(error(&out[800..880], voice, 800) < 0.05, "{}", error(&out[800..880], voice, 800));
        assert!(error(&out[880..960], voice, 880) < 0.1);
        assert!(error(&out[1_040..], voice, 1_040) < 1e-9, "what was received is as it was");
        assert_eq!(concealed, 160);
        let step = out.windows(2).map(|pair| pair[0].abs_diff(pair[1])).max().unwrap();
        let step_of_voice = (0..1_600).map(|n| voice(n).abs_diff(voice(n + 1))).max().unwrap();
        assert!(step < step_of_voice * 2, "no click: {step}, voice itself {step_of_voice}");
    }

    #[test]
    fn a_long_gap_fades_to_silence() {
        let (out, concealed) = play(800..4_000, 4_800);
        assert!(out[800 + SILENT_FROM..4_000].iter().all(|sample| *sample == 0));
        assert!(concealed <= SILENT_FROM as u64);
        assert!(error(&out[4_000 + FADE_MAX..], voice, 4_000 + FADE_MAX) < 1e-9);
    }

    #[test]
    fn nothing_is_made_of_nothing() {
        let mut concealer = Concealer::default();
        assert!((0..1_000).all(|_| concealer.next(None) == 0));
        assert!((0..1_000).all(|_| concealer.next(Some(0)) == 0));
        assert_eq!(concealer.next(Some(5)), 5);
    }

    #[test]
    fn any_samples_and_gaps_are_survived() {
        let mut seed = 7u64;
        let mut concealer = Concealer::default();
        for _ in 0..100_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let sample = if seed >> 60 < 8 { None } else { Some((seed >> 40) as i16) };
            concealer.next(sample);
        }
        assert!(concealer.history.len() == HISTORY && concealer.wave.len() <= PERIOD_MAX);
    }
}
