//! The jitter buffer: received audio laid on a time line, late packets in their place, lost ones concealed. It knows
//! no limits and no purpose; what is bridged does not pass through it.
//!
//! What is laid stays open for a while, so that packets in disorder find their place. How long follows the jitter of
//! the last seconds, between two bounds. A far clock that runs faster or slower than ours is followed by one sample a
//! packet, so that the buffer neither grows nor runs dry.

use std::collections::VecDeque;

use runtime_contract::time::Tick;

use super::conceal::Concealer;
use crate::rtp::{Header, timestamp_ahead};

/// How long samples stay open to late packets, in samples.
#[derive(Clone, Copy, Debug)]
pub struct Depth {
    pub min: u64,
    pub max: u64,
    /// When nothing has come at all, so long is waited for it: the sender, or we, stood still.
    pub patience: u64,
}

impl Depth {
    /// For recordings (200 to 600 ms): nobody waits for them, and a mask reaches back.
    pub const RECORDING: Depth = Depth { min: 1_600, max: 4_800, patience: 0 };
    /// For whoever listens meanwhile (60 to 400 ms) and would rather hear it late (2 s) than not: nobody who answers to what
    /// he hears, since he may stay behind for as long as the sender stood still.
    pub const LISTENING: Depth = Depth { min: 480, max: 3_200, patience: 16_000 };
}

/// A packet further from its expected place than this was sent by a clock that jumped (2 s).
const JUMP_SAMPLES_MAX: u64 = 16_000;
/// So many packets in a row that come too late mean that the way has become longer.
const LATE_PACKETS_MAX: u8 = 10;
/// Packets after which the way's delay and jitter are judged (5 s of 20 ms).
const WINDOW_PACKETS: u32 = 250;
/// A delay that differs by less (10 ms) is left as it is.
const DELAY_SAMPLES: i64 = 80;
/// Kept open beyond the jitter that was seen (10 ms).
const MARGIN_SAMPLES: u64 = 80;
/// Nanoseconds of one sample at 8 kHz.
const SAMPLE_NS: u64 = 125_000;

#[derive(Clone, Debug)]
pub struct Timeline {
    started: Tick,
    bounds: Depth,
    depth: u64,
    /// Place of the first sample in `open`, in samples since `started`.
    base: u64,
    /// `None`: not there yet. What is there is not replaced.
    open: VecDeque<Option<i16>>,
    anchor: Option<Anchor>,
    late_packets: u8,
    window: Window,
    /// Samples by which packets have still to be laid later (or earlier), one with each packet.
    shift: i64,
    concealer: Concealer,
}

/// A packet's numbers and its place.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    ssrc: u32,
    timestamp: u32,
    sequence: u16,
    place: u64,
}

/// How late packets came, in samples behind their place.
#[derive(Clone, Copy, Debug)]
struct Window {
    packets: u32,
    /// Of them, so many came before their time.
    early: u32,
    delay_min: i64,
    delay_max: i64,
}

impl Default for Window {
    fn default() -> Window {
        Window { packets: 0, early: 0, delay_min: i64::MAX, delay_max: i64::MIN }
    }
}

impl Timeline {
    pub fn new(now: Tick, bounds: Depth) -> Timeline {
        Timeline {
            started: now,
            bounds,
            depth: bounds.min,
            base: 0,
            open: VecDeque::new(),
            anchor: None,
            late_packets: 0,
            window: Window::default(),
            shift: 0,
            concealer: Concealer::default(),
        }
    }

    /// Samples that were lost and made up.
    pub fn concealed(&self) -> u64 {
        self.concealer.concealed()
    }

    /// Lays a packet's samples in their place.
    pub fn put(&mut self, now: Tick, header: Header, samples: impl ExactSizeIterator<Item = i16>) {
        let length = samples.len() as u64;
        let place = self.place(now, header, length);
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
            slot.get_or_insert(sample);
        }
    }

    /// A packet of the same stream that carries no audio: its number is not missing.
    pub fn pass(&mut self, header: Header) {
        if let Some(anchor) = self.anchor.as_mut().filter(|anchor| anchor.ssrc == header.ssrc)
            && sequence_ahead(header.sequence, anchor.sequence) > 0
        {
            anchor.sequence = header.sequence;
        }
    }

    fn place(&mut self, now: Tick, header: Header, length: u64) -> u64 {
        let expected = self.now_samples(now);
        let known = self.anchor.filter(|anchor| anchor.ssrc == header.ssrc).and_then(|anchor| {
            let ahead = i64::from(timestamp_ahead(header.timestamp, anchor.timestamp));
            Some((anchor, anchor.place.checked_add_signed(ahead)?))
        });
        let near = |place: u64| place.abs_diff(expected) <= JUMP_SAMPLES_MAX && self.late_packets < LATE_PACKETS_MAX;
        let Some((anchor, mut place)) = known.filter(|(_, place)| near(*place)) else {
            // Behind what is laid already, when that is only jitter ahead.
            let laid = self.base + self.open.len() as u64;
            let place = if laid.saturating_sub(expected) <= self.depth { laid.max(expected) } else { expected };
            self.silence(place);
            (self.window, self.shift) = (Window::default(), 0);
            self.set_anchor(header, place);
            return place;
        };
        let ahead = sequence_ahead(header.sequence, anchor.sequence);
        if ahead > 0 {
            if self.shift != 0 {
                place = place.saturating_add_signed(self.shift.signum());
                self.shift -= self.shift.signum();
            }
            if ahead == 1 {
                // Nothing was lost: the far side was silent, or its place was shifted.
                self.silence(place);
            }
            self.set_anchor(header, place);
        }
        self.judge(expected as i64 - place as i64, length);
        place
    }

    fn set_anchor(&mut self, header: Header, place: u64) {
        let Header { ssrc, timestamp, sequence, .. } = header;
        self.anchor = Some(Anchor { ssrc, timestamp, sequence, place });
    }

    /// Follows how late packets come.
    fn judge(&mut self, delay: i64, length: u64) {
        let window = &mut self.window;
        window.packets += 1;
        window.early += u32::from(delay < -DELAY_SAMPLES);
        window.delay_min = window.delay_min.min(delay);
        window.delay_max = window.delay_max.max(delay);
        let jitter = window.delay_max.abs_diff(window.delay_min.min(0));
        let wanted = (jitter + length + MARGIN_SAMPLES).clamp(self.bounds.min, self.bounds.max);
        self.depth = self.depth.max(wanted);
        if window.packets >= WINDOW_PACKETS {
            self.depth -= (self.depth - wanted) / 2;
            // A few packets before their time are our own time: we stood still, and are catching up.
            let all_early = window.early > window.packets / 2;
            self.shift = if window.delay_min > DELAY_SAMPLES || all_early { window.delay_min } else { 0 };
            *window = Window::default();
        }
    }

    /// Makes the last `samples` before now silent, whatever still comes for that time.
    pub fn cut(&mut self, now: Tick, samples: u64) {
        let end = self.now_samples(now);
        self.extend_to(end);
        let (from, to) = (end.saturating_sub(samples).saturating_sub(self.base), end.saturating_sub(self.base));
        let cut = self.open.iter_mut().take(to as usize).skip(from as usize);
        cut.for_each(|sample| *sample = Some(0));
    }

    /// Appends all samples that can no longer change to `out`.
    pub fn take_settled(&mut self, now: Tick, out: &mut Vec<i16>) {
        let now = self.now_samples(now);
        let laid = self.base + self.open.len() as u64;
        let settled = now.saturating_sub(self.depth);
        self.take_to(settled.min(laid.max(now.saturating_sub(self.bounds.patience.max(self.depth)))), out);
    }

    /// Appends all samples up to now to `out`.
    pub fn take_all(&mut self, now: Tick, out: &mut Vec<i16>) {
        self.take_to(self.now_samples(now), out);
    }

    /// Samples since the start, by our clock.
    fn now_samples(&self, now: Tick) -> u64 {
        now.0.saturating_sub(self.started.0) / SAMPLE_NS
    }

    fn take_to(&mut self, place: u64, out: &mut Vec<i16>) {
        if place <= self.base {
            return;
        }
        self.extend_to(place);
        let count = (place - self.base) as usize;
        let concealer = &mut self.concealer;
        out.extend(self.open.drain(..count.min(self.open.len())).map(|sample| concealer.next(sample)));
        self.base = place;
    }

    /// Makes silent what stands open between what is laid and this place.
    fn silence(&mut self, place: u64) {
        let length = place.saturating_sub(self.base) as usize;
        if length > self.open.len() {
            self.open.resize(length, Some(0));
        }
    }

    /// A gap of any length costs memory only up to what is taken next: callers take at each tick.
    fn extend_to(&mut self, end: u64) {
        let length = end.saturating_sub(self.base) as usize;
        if length > self.open.len() {
            self.open.resize(length, None);
        }
    }
}

/// How far sequence number `a` is ahead of `b`; negative when behind.
fn sequence_ahead(a: u16, b: u16) -> i16 {
    a.wrapping_sub(b) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Tick {
        Tick(5_000_000_000).plus_ms(ms)
    }

    /// Packets of 20 ms, numbered by their time.
    fn put(line: &mut Timeline, ms: u64, timestamp: u32, value: i16) {
        let sequence = (timestamp / 160) as u16;
        line.put(at(ms), header(sequence, timestamp), std::iter::repeat_n(value, 160));
    }

    fn header(sequence: u16, timestamp: u32) -> Header {
        Header { marker: false, payload_type: 8, sequence, timestamp, ssrc: 1 }
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
    fn packets_in_disorder_lie_in_their_place() {
        let mut line = Timeline::new(at(0), Depth::RECORDING);
        put(&mut line, 0, 1_000, 1);
        put(&mut line, 40, 1_320, 3);
        put(&mut line, 45, 1_160, 2);
        put(&mut line, 45, 1_160, 9);
        put(&mut line, 60, 1_480, 4);
        assert_eq!(all(&mut line, 80), "1234", "the first of two counts");
    }

    #[test]
    fn timestamps_and_numbers_wrap() {
        let mut line = Timeline::new(at(0), Depth::RECORDING);
        for (ms, sequence, timestamp, value) in [(0, u16::MAX, u32::MAX - 79, 1), (20, 0, 80, 2)] {
            line.put(at(ms), header(sequence, timestamp), std::iter::repeat_n(value, 160));
        }
        assert_eq!(all(&mut line, 40), "12");
    }

    #[test]
    fn a_jump_of_the_senders_clock_continues_at_our_time() {
        let mut line = Timeline::new(at(0), Depth::RECORDING);
        put(&mut line, 0, 1_000, 1);
        put(&mut line, 20, 900_000_000, 2);
        put(&mut line, 40, 900_000_160, 3);
        assert_eq!(all(&mut line, 60), "123");
    }

    #[test]
    fn only_what_is_settled_is_taken_early() {
        let mut line = Timeline::new(at(0), Depth::RECORDING);
        put(&mut line, 0, 0, 1);
        let mut out = Vec::new();
        line.take_settled(at(199), &mut out);
        assert_eq!(out.len(), 0);
        line.take_settled(at(220), &mut out);
        assert_eq!(shape(&out), "1");
        put(&mut line, 220, 0, 9);
        let rest = all(&mut line, 240);
        assert!(
            rest.ends_with("00000000") && !rest.contains('9'),
            "too late: dropped, and what is missing fades: {rest}"
        );
    }

    #[test]
    fn a_cut_silences_the_past() {
        let mut line = Timeline::new(at(0), Depth::RECORDING);
        for n in 0..10u32 {
            put(&mut line, u64::from(n) * 20, n * 160, 1);
        }
        line.cut(at(200), 800);
        put(&mut line, 200, 9 * 160, 7);
        put(&mut line, 220, 1_600, 1);
        assert_eq!(all(&mut line, 220), "11111000001", "for good");
    }

    #[test]
    fn a_sender_that_fell_behind_is_heard_again() {
        let mut line = Timeline::new(at(0), Depth::RECORDING);
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
        let mut line = Timeline::new(at(0), Depth::RECORDING);
        let mut out = Vec::new();
        for ms in 0..20_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let ssrc = (seed >> 62) as u32;
            let header = Header { ssrc, ..header((seed >> 4) as u16, (seed >> 20) as u32) };
            line.put(at(ms), header, std::iter::repeat_n(1, (seed >> 55) as usize));
            line.take_settled(at(ms), &mut out);
            assert!(line.open.len() as u64 <= Depth::RECORDING.max + JUMP_SAMPLES_MAX + 512);
        }
        assert!(out.len() as u64 >= line.now_samples(at(19_999)) - Depth::RECORDING.max);
    }

    #[test]
    fn a_loss_is_concealed_and_a_pause_is_silent() {
        for (lost, shape) in [(true, "11111?????11"), (false, "111110000011")] {
            let mut line = Timeline::new(at(0), Depth::RECORDING);
            for n in (0..5u32).chain(10..12) {
                let sequence = if lost || n < 5 { n } else { n - 5 } as u16;
                line.put(at(u64::from(n) * 20), header(sequence, n * 160), std::iter::repeat_n(1_000, 160));
            }
            let mut out = Vec::new();
            line.take_all(at(240), &mut out);
            let letter = |block: &[i16]| match (block.iter().min(), block.iter().max()) {
                (Some(0), Some(0)) => '0',
                (Some(1_000), Some(1_000)) => '1',
                _ => '?',
            };
            let got: String = out.chunks(160).map(letter).collect();
            assert_eq!(got.replace("1?", "?").len(), if lost { 11 } else { 12 }, "{got}");
            assert_eq!(line.concealed() > 0, lost);
            assert!(lost || got == shape, "{got}");
        }
    }

    #[test]
    fn packets_of_changing_length_follow_each_other() {
        let mut line = Timeline::new(at(0), Depth::LISTENING);
        let (mut timestamp, mut ms) = (0, 0);
        for (sequence, length_ms) in [20u32, 10, 60, 30, 50, 40, 10].into_iter().enumerate() {
            line.put(at(ms), header(sequence as u16, timestamp), std::iter::repeat_n(3, length_ms as usize * 8));
            timestamp += length_ms * 8;
            ms += u64::from(length_ms);
        }
        assert_eq!(all(&mut line, 220), "3".repeat(11));
    }

    #[test]
    fn another_stream_of_the_same_side_goes_on_behind_the_first() {
        let mut line = Timeline::new(at(0), Depth::RECORDING);
        put(&mut line, 0, 160, 1);
        put(&mut line, 20, 320, 2);
        for n in 0..3u32 {
            let header = Header { ssrc: 99, ..header(700 + n as u16, 900_000_000 + n * 160) };
            line.put(at(35 + u64::from(n) * 20), header, std::iter::repeat_n(3, 160));
        }
        assert_eq!(all(&mut line, 100), "12333");
    }

    /// Ten minutes of a clock 200 ppm off, and of one that is right: nothing lost, nothing piled up.
    #[test]
    fn a_far_clock_that_drifts_is_followed() {
        for ppm in [-200i64, 0, 200] {
            let mut line = Timeline::new(at(0), Depth::LISTENING);
            let (mut out, mut most) = (Vec::new(), 0);
            for n in 0..30_000u32 {
                let arrival_us = i64::from(n) * (20_000 - 20_000 * ppm / 1_000_000);
                let now = Tick(5_000_000_000 + arrival_us as u64 * 1_000);
                line.put(now, header(n as u16, n * 160), std::iter::repeat_n(3, 160));
                line.take_settled(now, &mut out);
                most = most.max(line.open.len());
            }
            assert!(most as u64 <= Depth::LISTENING.min + 800, "{ppm} ppm: {most}");
            assert_eq!(line.concealed(), 0, "{ppm} ppm");
            assert!(out.iter().all(|sample| *sample == 3 || *sample == 0));
            assert!(out.iter().filter(|sample| **sample == 0).count() < 1_500, "{ppm} ppm");
        }
    }

    /// We stood still, and look at the clock before we look at what had come.
    #[test]
    fn whoever_listens_waits_for_what_is_late() {
        for (bounds, all) in [(Depth::LISTENING, true), (Depth::RECORDING, false)] {
            let mut line = Timeline::new(at(0), bounds);
            let mut out = Vec::new();
            for n in 0..150u32 {
                let late = if n > 99 { 1_500 } else { 0 };
                line.take_settled(at(u64::from(n) * 20 + late), &mut out);
                put(&mut line, u64::from(n) * 20 + late, n * 160, 3);
            }
            line.take_settled(at(3_000 + 1_500), &mut out);
            assert_eq!(out.len() == 150 * 160 && out.iter().all(|sample| *sample == 3), all, "{bounds:?}");
            line.take_settled(at(10_000), &mut out);
            assert_eq!(
                out.len() as u64,
                (10_000 * 8 - bounds.patience.max(line.depth)),
                "nothing is waited for for ever"
            );
        }
    }

    #[test]
    fn a_way_with_jitter_makes_the_buffer_deeper_and_a_calm_one_shallow_again() {
        let mut line = Timeline::new(at(0), Depth::LISTENING);
        let (mut out, mut seed) = (Vec::new(), 11u64);
        let mut arrivals: Vec<(u64, u32)> = (0..3_000u32)
            .map(|n| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (u64::from(n) * 20 + if n < 1_500 { (seed >> 33) % 200 } else { 0 }, n)
            })
            .collect();
        arrivals.sort_unstable();
        let mut deepest = 0;
        for (ms, n) in arrivals {
            put(&mut line, ms, n * 160, 3);
            line.take_settled(at(ms), &mut out);
            deepest = deepest.max(line.depth);
        }
        assert!(deepest > 1_600 && deepest <= Depth::LISTENING.max, "{deepest}");
        assert!(line.depth < 700, "{}", line.depth);
        let early = out.iter().take(16_000).filter(|sample| **sample != 3).count();
        let late = out.iter().skip(80_000).filter(|sample| **sample != 3).count();
        assert!(late < 1_000 && early < 12_000, "{early} samples missing at first, {late} later");
    }
}
