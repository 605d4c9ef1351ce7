//! A whole call as it was heard at one leg: its far side on the left, what is sent to it on the right. It knows no file.

use runtime_contract::leg::Codec;
use runtime_contract::time::Tick;

use super::Event;
use super::timeline::{Depth, Timeline};
use crate::g711;
use crate::rtp::{self, Header};
use crate::tone_detector::ToneDetector;

/// Frames of one `Event::CallRecorded` (1 s).
const BLOCK_FRAMES: usize = 8_000;
/// How much before and behind a key its tone may be audible, in samples and milliseconds (100 ms).
const KEY_MARGIN_SAMPLES: u64 = 800;
const KEY_MARGIN_MS: u64 = 100;

#[derive(Debug)]
pub struct CallRecorder {
    masked: bool,
    far: Channel,
    near: Channel,
    frames: u64,
}

#[derive(Debug)]
struct Channel {
    line: Timeline,
    detector: ToneDetector,
    /// Keys are heard until then.
    key_until: Tick,
    /// Settled, not yet given out.
    block: Vec<i16>,
}

impl Channel {
    fn new(now: Tick) -> Channel {
        let line = Timeline::new(now, Depth::RECORDING);
        Channel { line, detector: ToneDetector::default(), key_until: Tick(0), block: Vec::new() }
    }

    fn put(&mut self, now: Tick, masked: bool, header: Header, samples: impl ExactSizeIterator<Item = i16> + Clone) {
        if self.detector.hear(samples.clone()).tone {
            self.key(now);
        }
        match masked || now < self.key_until {
            false => self.line.put(now, header, samples),
            true => self.line.put(now, header, std::iter::repeat_n(0, samples.len())),
        }
    }

    fn key(&mut self, now: Tick) {
        self.line.cut(now, KEY_MARGIN_SAMPLES);
        self.key_until = now.plus_ms(KEY_MARGIN_MS);
    }
}

impl CallRecorder {
    pub fn new(now: Tick, masked: bool) -> CallRecorder {
        CallRecorder { masked, far: Channel::new(now), near: Channel::new(now), frames: 0 }
    }

    /// Received audio.
    pub fn received(&mut self, now: Tick, header: Header, samples: impl ExactSizeIterator<Item = i16> + Clone) {
        self.far.put(now, self.masked, header, samples);
    }

    /// A key event of the far side: its tone, which some phones also send as audio, is kept on neither channel, for it
    /// may come back as an echo.
    pub fn received_key(&mut self, now: Tick, header: Header) {
        self.far.line.pass(header);
        self.far.key(now);
        self.near.key(now);
    }

    /// A packet that was sent.
    pub fn sent(&mut self, now: Tick, packet: &[u8]) {
        let Some(packet) = rtp::parse(packet) else { return };
        let codec = [Codec::Pcmu, Codec::Pcma].into_iter().find(|c| c.payload_type() == packet.header.payload_type);
        match codec {
            Some(codec) => {
                let samples = packet.payload.iter().map(|code| g711::decode(codec, *code));
                self.near.put(now, self.masked, packet.header, samples);
            }
            None => self.near.line.pass(packet.header),
        }
    }

    /// The mask reaches back a little at its start; at its end, over all that was on its way.
    pub fn set_mask(&mut self, now: Tick, on: bool) {
        if on != self.masked {
            self.far.line.cut(now, KEY_MARGIN_SAMPLES);
            self.near.line.cut(now, KEY_MARGIN_SAMPLES);
        }
        self.masked = on;
    }

    /// Gives out full blocks.
    pub fn poll(&mut self, now: Tick, emit: impl FnMut(Event)) {
        for channel in [&mut self.far, &mut self.near] {
            channel.line.take_settled(now, &mut channel.block);
        }
        self.give(BLOCK_FRAMES, emit);
    }

    /// Ends it now; its length in milliseconds.
    pub fn stop(&mut self, now: Tick, emit: impl FnMut(Event)) -> u32 {
        for channel in [&mut self.far, &mut self.near] {
            channel.line.take_all(now, &mut channel.block);
        }
        self.give(1, emit);
        u32::try_from(self.frames / 8).unwrap_or(u32::MAX)
    }

    /// Samples that were lost and made up.
    pub fn concealed(&self) -> u64 {
        self.far.line.concealed()
    }

    /// As many frames as both channels have.
    fn give(&mut self, at_least: usize, mut emit: impl FnMut(Event)) {
        let frames = self.far.block.len().min(self.near.block.len());
        if frames >= at_least {
            self.frames += frames as u64;
            let both = self.far.block.drain(..frames).zip(self.near.block.drain(..frames));
            emit(Event::CallRecorded(both.flat_map(<[i16; 2]>::from).collect()));
        }
    }
}
