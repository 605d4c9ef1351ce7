//! Received audio laid on a time line: late packets in their place, gaps as silence. It knows no limits and
//! no purpose; a full jitter buffer it is not, for nobody waits to hear it.

use std::collections::VecDeque;

use runtime_contract::time::Tick;

use crate::rtp::timestamp_ahead;

/// Samples younger than this are still open to late packets and to `cut` (200 ms).
pub const OPEN_SAMPLES: u64 = 1_600;
/// A packet further from its expected place than this was sent by a clock that jumped (2 s).
const JUMP_SAMPLES_MAX: u64 = 16_000;
/// So many packets in a row that come too late mean that the clocks drifted apart.
const LATE_PACKETS_MAX: u8 = 10;
/// Nanoseconds of one sample at 8 kHz.
const SAMPLE_NS: u64 = 125_000;

#[derive(Clone, Debug)]
pub struct Timeline {
    started: Tick,
    /// Place of the first sample in `open`, in samples since `started`.
    base: u64,
    open: VecDeque<i16>,
    anchor: Option<Anchor>,
    late_packets: u8,
}

/// A packet's timestamp and its place.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    ssrc: u32,
    timestamp: u32,
    place: u64,
}

impl Timeline {
    pub fn new(now: Tick) -> Timeline {
        Timeline { started: now, base: 0, open: VecDeque::new(), anchor: None, late_packets: 0 }
    }

    /// Samples since the start, by our clock.
    pub fn now_samples(&self, now: Tick) -> u64 {
        now.0.saturating_sub(self.started.0) / SAMPLE_NS
    }

    /// Lays a packet's samples in their place.
    pub fn put(&mut self, now: Tick, ssrc: u32, timestamp: u32, samples: impl ExactSizeIterator<Item = i16>) {
        let length = samples.len() as u64;
        let place = self.place(now, ssrc, timestamp);
        let Some(end) = place.checked_add(length).filter(|end| *end > self.base) else {
            self.late_packets = self.late_packets.saturating_add(1);
            return;
        };
        self.late_packets = 0;
        self.extend_to(end);
        let skipped = self.base.saturating_sub(place);
        let from = place.saturating_sub(self.base);
        let target = self.open.iter_mut().skip(from as usize);
        for (slot, sample) in target.zip(samples.skip(skipped as usize)) {
            *slot = sample;
        }
    }

    fn place(&mut self, now: Tick, ssrc: u32, timestamp: u32) -> u64 {
        let expected = self.now_samples(now);
        let by_timestamp = self.anchor.filter(|anchor| anchor.ssrc == ssrc).and_then(|anchor| {
            let ahead = i64::from(timestamp_ahead(timestamp, anchor.timestamp));
            anchor.place.checked_add_signed(ahead)
        });
        let place = by_timestamp
            .filter(|place| place.abs_diff(expected) <= JUMP_SAMPLES_MAX && self.late_packets < LATE_PACKETS_MAX)
            .unwrap_or(expected);
        self.anchor = Some(Anchor { ssrc, timestamp, place });
        place
    }

    /// Makes the last `samples` before now silent.
    pub fn cut(&mut self, now: Tick, samples: u64) {
        let from = self.now_samples(now).saturating_sub(samples).saturating_sub(self.base);
        self.open.iter_mut().skip(from as usize).for_each(|sample| *sample = 0);
    }

    /// Appends all samples that can no longer change to `out`.
    pub fn take_settled(&mut self, now: Tick, out: &mut Vec<i16>) {
        let settled = self.now_samples(now).saturating_sub(OPEN_SAMPLES);
        self.take_to(settled, out);
    }

    /// Appends all samples up to now to `out`.
    pub fn take_all(&mut self, now: Tick, out: &mut Vec<i16>) {
        self.take_to(self.now_samples(now), out);
    }

    fn take_to(&mut self, place: u64, out: &mut Vec<i16>) {
        if place <= self.base {
            return;
        }
        self.extend_to(place);
        let count = (place - self.base) as usize;
        out.extend(self.open.drain(..count.min(self.open.len())));
        self.base = place;
    }

    /// A gap of any length costs memory only up to what is taken next: callers take at each tick.
    fn extend_to(&mut self, end: u64) {
        let length = end.saturating_sub(self.base) as usize;
        if length > self.open.len() {
            self.open.resize(length, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Tick {
        Tick(5_000_000_000).plus_ms(ms)
    }

    fn put(line: &mut Timeline, ms: u64, timestamp: u32, value: i16) {
        line.put(at(ms), 1, timestamp, std::iter::repeat_n(value, 160));
    }

    /// One letter for each 20 ms: its value, `?` when mixed.
    fn shape(samples: &[i16]) -> String {
        let block = |block: &[i16]| match block {
            [first, rest @ ..] if rest.iter().all(|s| s == first) => char::from(b'0' + *first as u8),
            _ => '?',
        };
        samples.chunks(160).map(block).collect()
    }

    fn all(line: &mut Timeline, ms: u64) -> String {
        let mut out = Vec::new();
        line.take_all(at(ms), &mut out);
        shape(&out)
    }

    #[test]
    fn packets_in_disorder_lie_in_their_place_and_gaps_are_silent() {
        let mut line = Timeline::new(at(0));
        put(&mut line, 0, 1_000, 1);
        put(&mut line, 40, 1_320, 3);
        put(&mut line, 45, 1_160, 2);
        put(&mut line, 80, 1_640, 5);
        assert_eq!(all(&mut line, 120), "123050");
    }

    #[test]
    fn timestamps_wrap() {
        let mut line = Timeline::new(at(0));
        put(&mut line, 0, u32::MAX - 79, 1);
        put(&mut line, 20, 80, 2);
        assert_eq!(all(&mut line, 40), "12");
    }

    #[test]
    fn a_jump_of_the_senders_clock_continues_at_our_time() {
        let mut line = Timeline::new(at(0));
        put(&mut line, 0, 1_000, 1);
        put(&mut line, 20, 900_000_000, 2);
        put(&mut line, 40, 900_000_160, 3);
        assert_eq!(all(&mut line, 60), "123");
    }

    #[test]
    fn only_what_is_settled_is_taken_early() {
        let mut line = Timeline::new(at(0));
        put(&mut line, 0, 0, 1);
        let mut out = Vec::new();
        line.take_settled(at(199), &mut out);
        assert_eq!(out.len(), 0);
        line.take_settled(at(220), &mut out);
        assert_eq!(shape(&out), "1");
        put(&mut line, 220, 0, 9);
        assert_eq!(all(&mut line, 240), "0".repeat(11), "too late: dropped");
    }

    #[test]
    fn a_cut_silences_the_past() {
        let mut line = Timeline::new(at(0));
        for n in 0..10u32 {
            put(&mut line, u64::from(n) * 20, n * 160, 1);
        }
        line.cut(at(200), 800);
        assert_eq!(all(&mut line, 200), "1111100000");
    }

    #[test]
    fn a_sender_that_fell_behind_is_heard_again() {
        let mut line = Timeline::new(at(0));
        put(&mut line, 0, 0, 1);
        let mut out = Vec::new();
        line.take_settled(at(2_000), &mut out);
        for n in 0..20u32 {
            put(&mut line, 2_000 + u64::from(n) * 20, 160 + n * 160, 2);
        }
        assert!(all(&mut line, 2_400).ends_with("222222222"));
    }

    #[test]
    fn random_packets_never_grow_it_beyond_its_bounds() {
        let mut seed = 0x9e37_79b9_7f4a_7c15u64;
        let mut line = Timeline::new(at(0));
        let mut out = Vec::new();
        for ms in 0..20_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            line.put(at(ms), (seed >> 62) as u32, (seed >> 20) as u32, std::iter::repeat_n(1, (seed >> 55) as usize));
            line.take_settled(at(ms), &mut out);
            assert!(line.open.len() as u64 <= OPEN_SAMPLES + JUMP_SAMPLES_MAX + 512);
        }
        assert_eq!(out.len() as u64, line.now_samples(at(19_999)) - OPEN_SAMPLES);
    }
}
