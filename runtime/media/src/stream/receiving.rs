//! What a leg receives: keys, and audio for recordings and listeners.

use std::net::{IpAddr, SocketAddr};

use runtime_contract::leg::{Codec, MediaSpec};
use runtime_contract::time::Tick;

use super::Event;
use super::latch::Latch;
use super::recorder::Recorder;
use super::relay::Sound;
use super::timeline::{Depth, Timeline};
use crate::dtmf::{KeyReceiver, TelephoneEvent};
use crate::recording::RecordSpec;
use crate::rtp::Header;
use crate::tone_detector::ToneDetector;
use crate::{g711, rtp};

/// Samples of one `Event::Heard` at least (100 ms).
const HEARD_SAMPLES: usize = 800;

#[derive(Debug)]
pub struct Receiving {
    peer: Option<IpAddr>,
    latch: Option<Latch>,
    report_latch: Option<Latch>,
    /// Something was taken.
    heard: bool,
    keys: KeyReceiver,
    /// For a far side without key events.
    detector: ToneDetector,
    recorder: Option<Recorder>,
    listener: Option<Listener>,
    masked: bool,
    /// Samples made up in recordings and for listeners that are over.
    concealed: u64,
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
            report_latch: None,
            heard: false,
            keys: KeyReceiver::default(),
            detector: ToneDetector::default(),
            recorder: None,
            listener: None,
            masked: false,
            concealed: 0,
        }
    }

    /// Counts from the next description on; the first that is known stays.
    pub fn set_peer(&mut self, host: IpAddr) {
        self.peer.get_or_insert(host.to_canonical());
    }

    pub fn connect(&mut self, media: &MediaSpec) {
        let reports = media.rtcp.unwrap_or_else(|| port_behind(media.remote));
        for (latch, address) in [(&mut self.latch, media.remote), (&mut self.report_latch, reports)] {
            match latch {
                Some(latch) => latch.signal(address),
                None => *latch = Some(Latch::new(address, self.peer)),
            }
        }
    }

    /// Where to send reports.
    pub fn report_remote(&self, media: &MediaSpec) -> Option<SocketAddr> {
        match media.rtcp == Some(media.remote) {
            true => self.remote(),
            false => self.report_latch.map(|latch| latch.remote()),
        }
    }

    /// Whether reports are taken from there.
    pub fn accepts_report(&mut self, from: SocketAddr, on_rtp_port: bool) -> bool {
        match on_rtp_port {
            true => self.remote() == Some(SocketAddr::new(from.ip().to_canonical(), from.port())),
            false => self.report_latch.as_mut().is_some_and(|latch| latch.accept_report(from)),
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
        if !self.latch.as_mut()?.accept(now, from, &header) {
            return None;
        }
        if !std::mem::replace(&mut self.heard, true) {
            emit(Event::FirstPacket);
        }
        let sound = match meaning {
            Meaning::Audio(_) if !media.receive => None,
            Meaning::Audio(codec) => {
                self.handle_audio(now, codec, header, packet.payload);
                if media.dtmf_payload_type.is_none() {
                    let heard = self.detector.hear(packet.payload.iter().map(|code| g711::decode(codec, *code)));
                    if let Some(key) = heard.press {
                        emit(Event::Key(key));
                    }
                    if let (true, Some(recorder)) = (heard.tone, &mut self.recorder) {
                        recorder.handle_key_tone(now);
                    }
                }
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
                let press = self.keys.handle_event(header.ssrc, header.timestamp, event);
                if let Some(key) = press {
                    emit(Event::Key(key));
                }
                Some(Sound::Key { event, press })
            }
        };
        Some(Taken { header, paced: matches!(meaning, Meaning::Audio(_)), heard: sound })
    }

    /// Samples that were lost and made up so far.
    pub fn concealed(&self) -> u64 {
        let recorder = self.recorder.as_ref().map_or(0, Recorder::concealed);
        let listener = self.listener.as_ref().map_or(0, |listener| listener.timeline.concealed());
        self.concealed + recorder + listener
    }

    fn handle_audio(&mut self, now: Tick, codec: Codec, header: Header, payload: &[u8]) {
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
            self.concealed += recorder.concealed();
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
                self.concealed += listener.timeline.concealed();
            }
        } else if self.listener.is_none() {
            self.listener = Some(Listener { timeline: Timeline::new(now, Depth::LISTENING), heard: Vec::new() });
        }
    }

    pub fn handle_tick(&mut self, now: Tick, mut emit: impl FnMut(Event)) {
        if let Some(recorder) = &mut self.recorder
            && let Some(summary) = recorder.poll(now, &mut emit)
        {
            self.concealed += recorder.concealed();
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

/// Where reports go when nothing else was said (RFC 3550 §11).
fn port_behind(remote: SocketAddr) -> SocketAddr {
    SocketAddr::new(remote.ip(), remote.port().wrapping_add(1))
}

/// An accepted packet.
pub struct Taken<'a> {
    pub header: Header,
    /// Audio: its timestamps go with the time.
    pub paced: bool,
    /// What others may hear of it: silence while the leg is masked. `None` of audio that we do not want to receive.
    pub heard: Option<Sound<'a>>,
}

#[derive(Clone, Copy)]
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
