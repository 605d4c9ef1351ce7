//! What a leg receives: keys, and audio for recordings and listeners.

use std::net::{IpAddr, SocketAddr};

use runtime_contract::leg::{Codec, MediaSpec};
use runtime_contract::time::Tick;

use super::Event;
use super::latch::Latch;
use super::recorder::Recorder;
use super::relay::{Relayed, Sound};
use super::timeline::{Depth, Timeline};
use crate::dtmf::{KeyReceiver, TelephoneEvent};
use crate::recording::RecordSpec;
use crate::{g711, rtp};

/// Samples of one `Event::Heard` at least (100 ms).
const HEARD_SAMPLES: usize = 800;

#[derive(Debug)]
pub struct Receiving {
    peer: Option<IpAddr>,
    latch: Option<Latch>,
    ssrc: Option<u32>,
    keys: KeyReceiver,
    recorder: Option<Recorder>,
    listener: Option<Listener>,
    masked: bool,
}

#[derive(Debug)]
struct Listener {
    timeline: Timeline,
    heard: Vec<i16>,
}

impl Receiving {
    pub fn new(peer: Option<IpAddr>) -> Receiving {
        Receiving {
            peer: peer.map(|ip| ip.to_canonical()),
            latch: None,
            ssrc: None,
            keys: KeyReceiver::default(),
            recorder: None,
            listener: None,
            masked: false,
        }
    }

    pub fn connect(&mut self, remote: SocketAddr) {
        match &mut self.latch {
            Some(latch) => latch.signal(remote),
            None => self.latch = Some(Latch::new(remote, self.peer)),
        }
    }

    /// Where to send.
    pub fn remote(&self) -> Option<SocketAddr> {
        self.latch.map(|latch| latch.remote())
    }

    /// `None` when the packet was refused: no RTP, of a payload type that was not agreed, or a stranger's.
    pub fn handle_packet<'b>(
        &mut self,
        now: Tick,
        media: &MediaSpec,
        from: SocketAddr,
        bytes: &'b [u8],
        mut emit: impl FnMut(Event),
    ) -> Option<Taken<'b>> {
        let packet = rtp::parse(bytes)?;
        let header = packet.header;
        let meaning = meaning(header.payload_type, media.dtmf_payload_type)?;
        if !self.latch.as_mut()?.accept(from) {
            return None;
        }
        if self.ssrc.is_none() {
            emit(Event::FirstPacket);
        }
        if self.ssrc != Some(header.ssrc) {
            self.ssrc = Some(header.ssrc);
            self.keys = KeyReceiver::default();
        }
        let sound = match meaning {
            Meaning::Audio(_) if !media.receive => None,
            Meaning::Audio(codec) => {
                self.handle_audio(now, codec, header, packet.payload);
                Some(match self.masked {
                    true => Sound::Masked(packet.payload.len()),
                    false => Sound::Voice { codec, payload: packet.payload },
                })
            }
            Meaning::Key => {
                let event = TelephoneEvent::parse(packet.payload)?;
                if let Some(recorder) = &mut self.recorder {
                    recorder.handle_key(now, header);
                }
                if let Some(listener) = &mut self.listener {
                    listener.timeline.pass(header);
                }
                let press = self.keys.handle_event(header.timestamp, event);
                if let Some(key) = press {
                    emit(Event::Key(key));
                }
                (!self.masked).then_some(Sound::Key { event, press })
            }
        };
        Some(Taken { relayed: sound.map(|sound| Relayed { header, sound }) })
    }

    fn handle_audio(&mut self, now: Tick, codec: Codec, header: rtp::Header, payload: &[u8]) {
        let samples = || payload.iter().map(|code| g711::decode(codec, *code));
        if let Some(recorder) = &mut self.recorder {
            recorder.handle_audio(now, header, samples());
        }
        if let Some(listener) = &mut self.listener {
            listener.timeline.put(now, header, samples());
        }
    }

    pub fn record(&mut self, now: Tick, spec: RecordSpec, emit: impl FnMut(Event)) {
        self.stop_record(now, emit);
        self.recorder = Some(Recorder::new(now, spec, self.masked));
    }

    pub fn stop_record(&mut self, now: Tick, mut emit: impl FnMut(Event)) {
        if let Some(mut recorder) = self.recorder.take() {
            let summary = recorder.stop(now, &mut emit);
            emit(Event::RecordDone(summary));
        }
    }

    pub fn set_mask(&mut self, now: Tick, on: bool) {
        self.masked = on;
        if let Some(recorder) = &mut self.recorder {
            recorder.set_mask(now, on);
        }
    }

    pub fn listen(&mut self, now: Tick, on: bool, emit: impl FnMut(Event)) {
        if !on {
            if let Some(mut listener) = self.listener.take() {
                listener.timeline.take_all(now, &mut listener.heard);
                listener.give(1, emit);
            }
        } else if self.listener.is_none() {
            self.listener = Some(Listener { timeline: Timeline::new(now, Depth::LISTENING), heard: Vec::new() });
        }
    }

    pub fn handle_tick(&mut self, now: Tick, mut emit: impl FnMut(Event)) {
        if let Some(recorder) = &mut self.recorder
            && let Some(summary) = recorder.poll(now, &mut emit)
        {
            self.recorder = None;
            emit(Event::RecordDone(summary));
        }
        if let Some(listener) = &mut self.listener {
            listener.timeline.take_settled(now, &mut listener.heard);
            listener.give(HEARD_SAMPLES, emit);
        }
    }
}

impl Listener {
    fn give(&mut self, at_least: usize, mut emit: impl FnMut(Event)) {
        if self.heard.len() >= at_least {
            emit(Event::Heard(std::mem::take(&mut self.heard)));
        }
    }
}

/// An accepted packet.
pub struct Taken<'a> {
    /// What the other leg of a bridge gets of it.
    pub relayed: Option<Relayed<'a>>,
}

enum Meaning {
    Audio(Codec),
    Key,
}

/// Both laws are taken, whichever was agreed: their payload types are static and cannot mean another thing.
fn meaning(payload_type: u8, dtmf_payload_type: Option<u8>) -> Option<Meaning> {
    match payload_type {
        0 => Some(Meaning::Audio(Codec::Pcmu)),
        8 => Some(Meaning::Audio(Codec::Pcma)),
        other if Some(other) == dtmf_payload_type => Some(Meaning::Key),
        _ => None,
    }
}
