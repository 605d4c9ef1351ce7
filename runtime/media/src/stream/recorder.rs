//! A running recording: what is kept, what is silenced, when it ends. It knows no file.

use runtime_contract::time::Tick;

use super::Event;
use super::timeline::{Depth, Timeline};
use crate::recording::{RecordEnd, RecordSpec, RecordSummary};
use crate::rtp::Header;

/// Samples of one `Event::Recorded` (1 s).
const BLOCK_SAMPLES: usize = 8_000;
/// Samples that are judged together as sound or silence (20 ms).
const JUDGED_SAMPLES: usize = 160;
/// Mean square above which 20 ms are sound: −44 dB below full scale.
const SOUND_POWER: u64 = 200 * 200;
/// So many judged blocks of sound are speech (100 ms): a click is not.
const SPEECH_BLOCKS: u32 = 5;
/// How much before and behind a key's event packets its tone may be audible, in samples (100 ms).
const KEY_MARGIN_SAMPLES: u64 = 800;
/// The same in milliseconds.
const KEY_MARGIN_MS: u64 = 100;

#[derive(Clone, Debug)]
pub struct Recorder {
    spec: RecordSpec,
    timeline: Timeline,
    masked: bool,
    /// Keys are heard until then.
    key_until: Tick,
    /// Settled, not yet given out.
    block: Vec<i16>,
    /// Samples of `block` that were judged.
    judged: usize,
    /// Samples given out.
    given: u64,
    sound_blocks: u32,
    /// Place behind the last sound, in samples.
    sound_end: u64,
}

impl Recorder {
    pub fn new(now: Tick, spec: RecordSpec, masked: bool) -> Recorder {
        Recorder {
            spec,
            timeline: Timeline::new(now, Depth::RECORDING),
            masked,
            key_until: Tick(0),
            block: Vec::new(),
            judged: 0,
            given: 0,
            sound_blocks: 0,
            sound_end: 0,
        }
    }

    /// Received audio. Kept unless the recording is masked or a key is down.
    pub fn handle_audio(&mut self, now: Tick, header: Header, samples: impl ExactSizeIterator<Item = i16>) {
        match self.is_silenced(now) {
            false => self.timeline.put(now, header, samples),
            true => self.timeline.put(now, header, std::iter::repeat_n(0, samples.len())),
        }
    }

    /// Samples that were lost and made up.
    pub fn concealed(&self) -> u64 {
        self.timeline.concealed()
    }

    fn is_silenced(&self, now: Tick) -> bool {
        self.masked || now < self.key_until
    }

    /// An event packet of a key: its tone, which some phones also send as audio, is not kept.
    pub fn handle_key(&mut self, now: Tick, header: Header) {
        self.timeline.pass(header);
        self.handle_key_tone(now);
    }

    /// The tone of a key was heard in the audio.
    pub fn handle_key_tone(&mut self, now: Tick) {
        self.timeline.cut(now, KEY_MARGIN_SAMPLES);
        self.key_until = now.plus_ms(KEY_MARGIN_MS);
    }

    /// The mask reaches back a little at its start; at its end, over all that was on its way.
    pub fn set_mask(&mut self, now: Tick, on: bool) {
        if on != self.masked {
            self.timeline.cut(now, KEY_MARGIN_SAMPLES);
        }
        self.masked = on;
    }

    /// Gives out full blocks; `Some` when the recording is over, with its last block.
    pub fn poll(&mut self, now: Tick, emit: impl FnMut(Event)) -> Option<RecordSummary> {
        self.timeline.take_settled(now, &mut self.block);
        self.judge();
        if self.length() >= self.length_max() {
            return Some(self.finish(RecordEnd::Full, emit));
        }
        if self.is_silent_too_long() {
            return Some(self.finish(RecordEnd::Silence, emit));
        }
        self.give(BLOCK_SAMPLES, emit);
        None
    }

    /// Ends it now.
    pub fn stop(&mut self, now: Tick, emit: impl FnMut(Event)) -> RecordSummary {
        self.timeline.take_all(now, &mut self.block);
        self.judge();
        self.finish(RecordEnd::Stopped, emit)
    }

    fn length(&self) -> u64 {
        self.given + self.block.len() as u64
    }

    fn length_max(&self) -> u64 {
        samples(self.spec.length_ms_max)
    }

    fn is_silent_too_long(&self) -> bool {
        let judged = self.given + self.judged as u64;
        let (since, limit) = match self.sound_blocks >= SPEECH_BLOCKS {
            true => (self.sound_end, self.spec.trailing_silence_ms),
            false => (0, self.spec.first_sound_ms),
        };
        limit.is_some_and(|limit| judged.saturating_sub(since) >= samples(limit))
    }

    fn judge(&mut self) {
        let fresh = self.block.get(self.judged..).unwrap_or_default();
        for block in fresh.chunks_exact(JUDGED_SAMPLES) {
            self.judged += JUDGED_SAMPLES;
            let power: u64 = block.iter().map(|s| u64::from(s.unsigned_abs()).pow(2)).sum();
            if power / JUDGED_SAMPLES as u64 > SOUND_POWER {
                self.sound_blocks = self.sound_blocks.saturating_add(1);
                self.sound_end = self.given + self.judged as u64;
            }
        }
    }

    fn finish(&mut self, end: RecordEnd, emit: impl FnMut(Event)) -> RecordSummary {
        let keep = self.length_max().saturating_sub(self.given);
        self.block.truncate(usize::try_from(keep).unwrap_or(usize::MAX));
        self.give(1, emit);
        let length_ms = u32::try_from(self.given / 8).unwrap_or(u32::MAX);
        RecordSummary { length_ms, spoken: self.sound_blocks >= SPEECH_BLOCKS, end }
    }

    fn give(&mut self, at_least: usize, mut emit: impl FnMut(Event)) {
        if self.block.len() >= at_least {
            self.given += self.block.len() as u64;
            self.judged = 0;
            emit(Event::Recorded(std::mem::take(&mut self.block)));
        }
    }
}

fn samples(ms: u32) -> u64 {
    u64::from(ms) * 8
}
