//! One leg's media as a state machine: inputs with their tick in, packets and events out.
//! It knows no socket, clock, thread or file.

mod call_recorder;
mod conceal;
mod latch;
mod receiving;
mod reception;
mod recorder;
mod relay;
#[cfg(test)]
mod relay_tests;
#[cfg(test)]
mod report_tests;
mod reports;
mod sending;
#[cfg(test)]
mod tests;
mod timeline;
mod tone;

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use runtime_contract::leg::MediaSpec;
use runtime_contract::record::Quality;
use runtime_contract::time::Tick;

use crate::dtmf::Key;
use crate::prompt::Prompt;
use crate::recording::{RecordSpec, RecordSummary};
use crate::{g711, rtcp};
use call_recorder::CallRecorder;
use receiving::{Receiving, Taken};
pub use relay::{Relayed, Sound};
use reports::Reports;
use sending::{Sending, Sent};
pub use tone::Cadence;

/// What must be unpredictable in a stream (RFC 3550 §5.1), chosen by the driver.
#[derive(Clone, Copy, Debug)]
pub struct StreamSeed {
    pub ssrc: u32,
    pub sequence: u16,
    pub timestamp: u32,
}

/// Told to a leg's media.
#[derive(Clone, Debug)]
pub enum Command {
    /// Offer and answer are done (again). The first starts sending: one packet each `ptime_ms`, silence when
    /// nothing plays, so that sequence numbers and timestamps have no gap while we may send.
    Connect(MediaSpec),
    /// The host that the signalling comes from, of a leg that was opened without one.
    Peer(IpAddr),
    /// Play these one after the other, in place of whatever plays (whose `PlayDone` never comes).
    Play { prompts: Vec<Arc<Prompt>>, token: u64 },
    /// Stop at once. No `PlayDone`. Nothing happens when nothing plays.
    StopPlay,
    /// Ring-back tone in place of silence, and of what is relayed, until told otherwise. A prompt covers it.
    Ringback(Option<Cadence>),
    /// Press these keys, 100 ms each with 100 ms between, in place of audio; queued after earlier ones, at
    /// most [`crate::dtmf::KEYS_QUEUED_MAX`]. Without an agreed payload type: as tones in the audio.
    SendKeys(Vec<Key>),
    /// Record what the far side says from now on. (To a file: [`crate::Media::record`].)
    Record(RecordSpec),
    /// End the recording as [`crate::RecordEnd::Stopped`]. Nothing happens when none runs.
    StopRecord,
    /// Record the whole call from now on, both directions, as often as wanted. (To a file: [`crate::Media::record_call`].)
    RecordCall,
    /// End that recording. Nothing happens when none runs.
    StopRecordCall,
    /// While on, recordings are silent (private keys), and the other leg of a bridge gets silence and no keys. In the
    /// recording it also covers the 100 ms before.
    Mask(bool),
    /// While on, all that is received comes as [`Event::Heard`], in order, gaps as silence.
    Listen(bool),
}

/// Said by a leg's media.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The first packet of the far side was accepted.
    FirstPacket,
    /// A key went down. Once for each press, at its first packet, so that it may stop a prompt.
    Key(Key),
    /// The last sample of the last prompt was sent.
    PlayDone { token: u64 },
    /// All keys of `SendKeys` were sent.
    KeysSent,
    /// The leg is not connected.
    KeysRefused,
    /// The next samples of a running recording.
    Recorded(Vec<i16>),
    /// The recording is over; nothing of it follows.
    RecordDone(RecordSummary),
    /// The next samples of a recording of the whole call: received, sent, received, sent, ….
    CallRecorded(Vec<i16>),
    /// It is over; nothing of it follows.
    CallRecordDone { length_ms: u32 },
    /// The next received samples while listening, 8 kHz.
    Heard(Vec<i16>),
    /// How it went, at the leg's end.
    Quality(Quality),
}

#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// Time went on. Due once each 20 ms.
    Tick,
    Packet {
        from: SocketAddr,
        bytes: &'a [u8],
    },
    /// Came on the port of reports (RTCP).
    Report {
        from: SocketAddr,
        bytes: &'a [u8],
    },
    /// The leg's media is about to end: a last report leaves.
    End,
    Command(Command),
    /// The leg is one of a bridge from now on, or no longer.
    Bridged(bool),
    /// What the other leg of the bridge received; what it becomes leaves at once.
    Relayed(Relayed<'a>),
}

#[derive(Debug, PartialEq)]
pub enum Output<'a> {
    Send {
        to: SocketAddr,
        packet: &'a [u8],
    },
    /// RTCP; `on_rtp_port`: from the port of RTP, for the far side has one port for both (RFC 5761).
    SendReport {
        to: SocketAddr,
        packet: &'a [u8],
        on_rtp_port: bool,
    },
    Event(Event),
    /// For the other leg of the bridge, as [`Input::Relayed`].
    Relay(Relayed<'a>),
}

/// One leg's media.
#[derive(Debug)]
pub struct Stream {
    now: Tick,
    media: Option<MediaSpec>,
    bridged: bool,
    sending: Sending,
    receiving: Receiving,
    reports: Reports,
    call_recorder: Option<Box<CallRecorder>>,
    masked: bool,
    /// Samples made up in recordings of the call that are over.
    concealed: u64,
    events: VecDeque<Event>,
    packets_refused: u64,
}

/// What an input led to; to be drained before the next input.
#[must_use = "outputs must be drained"]
#[derive(Debug)]
pub struct Outputs<'a> {
    stream: &'a mut Stream,
    relayed: Option<Relayed<'a>>,
    /// Only a tick sends what is ours, so that packets leave on the driver's grid.
    sends: bool,
    ends: bool,
}

impl Stream {
    /// `peer` is where the signalling came from: beside the host in the SDP, the only host whose packets
    /// may teach us where to send (symmetric RTP, RFC 4961).
    pub fn new(seed: StreamSeed, peer: Option<IpAddr>) -> Stream {
        Stream {
            now: Tick(0),
            media: None,
            bridged: false,
            sending: Sending::new(seed),
            receiving: Receiving::new(peer),
            reports: Reports::new(seed),
            call_recorder: None,
            masked: false,
            concealed: 0,
            events: VecDeque::new(),
            packets_refused: 0,
        }
    }

    /// Time never goes back: an earlier `now` counts as the last one.
    pub fn handle<'a>(&'a mut self, now: Tick, input: Input<'a>) -> Outputs<'a> {
        self.now = self.now.max(now);
        let (sends, ends) = (matches!(input, Input::Tick), matches!(input, Input::End));
        let mut relayed = None;
        match input {
            Input::Tick => {
                let mut emit = |event| self.events.push_back(event);
                self.receiving.handle_tick(self.now, &mut emit);
                if let Some(recorder) = &mut self.call_recorder {
                    recorder.poll(self.now, emit);
                }
            }
            Input::Packet { from, bytes } if rtcp::is_rtcp(bytes) => self.handle_report(from, bytes, true),
            Input::Packet { from, bytes } => relayed = self.handle_packet(from, bytes),
            Input::Report { from, bytes } => self.handle_report(from, bytes, false),
            Input::End => {
                self.stop_record_call();
                let quality = self.reports.quality(self.concealed + self.receiving.concealed());
                self.events.push_back(Event::Quality(quality));
            }
            Input::Command(command) => self.handle_command(command),
            Input::Bridged(on) => self.set_bridged(on),
            Input::Relayed(packet) => {
                if let (true, Some(media)) = (self.bridged, &self.media) {
                    self.sending.relay(self.now, media, &packet);
                }
            }
        }
        Outputs { stream: self, relayed, sends, ends }
    }

    /// Received packets that were dropped: not RTP, not agreed, or not from the far side.
    pub fn packets_refused(&self) -> u64 {
        self.packets_refused
    }

    /// Packets whose time was over before they were made.
    pub fn packets_skipped(&self) -> u64 {
        self.sending.packets_skipped()
    }

    fn handle_packet<'b>(&mut self, from: SocketAddr, bytes: &'b [u8]) -> Option<Relayed<'b>> {
        let emit = |event| self.events.push_back(event);
        let taken = self.media.and_then(|media| self.receiving.handle_packet(self.now, &media, from, bytes, emit));
        self.packets_refused += u64::from(taken.is_none());
        let Taken { header, paced, heard } = taken?;
        self.reports.handle_rtp(self.now, &header, paced);
        if let (Some(recorder), Some(heard)) = (&mut self.call_recorder, heard) {
            match heard {
                Sound::Voice { codec, payload } => {
                    recorder.received(self.now, header, payload.iter().map(|code| g711::decode(codec, *code)));
                }
                Sound::Masked(samples) => recorder.received(self.now, header, std::iter::repeat_n(0, samples)),
                Sound::Key { .. } => recorder.received_key(self.now, header),
            }
        }
        let relayed = heard.filter(|heard| !(self.masked && matches!(heard, Sound::Key { .. })));
        relayed.filter(|_| self.bridged).map(|sound| Relayed { header, sound })
    }

    fn stop_record_call(&mut self) {
        if let Some(mut recorder) = self.call_recorder.take() {
            let length_ms = recorder.stop(self.now, |event| self.events.push_back(event));
            self.concealed += recorder.concealed();
            self.events.push_back(Event::CallRecordDone { length_ms });
        }
    }

    /// A packet is about to leave.
    fn note_sent(&mut self) {
        let packet = self.sending.packet();
        self.reports.sent(packet.len());
        if let Some(recorder) = &mut self.call_recorder {
            recorder.sent(self.now, packet);
        }
    }

    fn handle_report(&mut self, from: SocketAddr, bytes: &[u8], on_rtp_port: bool) {
        let taken = self.receiving.accepts_report(from, on_rtp_port) && self.reports.handle_rtcp(self.now, bytes);
        self.packets_refused += u64::from(!taken);
    }

    fn set_bridged(&mut self, on: bool) {
        self.bridged = on;
        self.sending.end_relay();
    }

    fn handle_command(&mut self, command: Command) {
        let emit = |event| self.events.push_back(event);
        match command {
            Command::Connect(media) => {
                self.receiving.connect(&media);
                self.media = Some(media);
            }
            Command::Peer(host) => self.receiving.set_peer(host),
            Command::Play { prompts, token } => self.sending.play(prompts, token),
            Command::StopPlay => self.sending.stop_play(),
            Command::Ringback(cadence) => self.sending.ring_back(cadence),
            Command::SendKeys(keys) => {
                if let Some(media) = &self.media {
                    self.sending.send_keys(keys, media);
                } else {
                    self.events.push_back(Event::KeysRefused);
                }
            }
            Command::Record(spec) => self.receiving.record(self.now, spec, emit),
            Command::StopRecord => self.receiving.stop_record(self.now, emit),
            Command::RecordCall => {
                self.stop_record_call();
                self.call_recorder = Some(Box::new(CallRecorder::new(self.now, self.masked)));
            }
            Command::StopRecordCall => self.stop_record_call(),
            Command::Mask(on) => {
                self.masked = on;
                self.receiving.set_mask(self.now, on);
                if let Some(recorder) = &mut self.call_recorder {
                    recorder.set_mask(self.now, on);
                }
            }
            Command::Listen(on) => self.receiving.listen(self.now, on, emit),
        }
    }
}

impl Outputs<'_> {
    /// The next output, `None` when all are taken. A late tick gives all packets that are due.
    pub fn poll(&mut self) -> Option<Output<'_>> {
        let stream = &mut *self.stream;
        if let Some(event) = stream.events.pop_front() {
            return Some(Output::Event(event));
        }
        if let Some(relayed) = self.relayed.take() {
            return Some(Output::Relay(relayed));
        }
        let (media, to) = (stream.media?, stream.receiving.remote()?);
        if stream.sending.next_relayed() {
            stream.note_sent();
            return Some(Output::Send { to, packet: stream.sending.packet() });
        }
        let ends = std::mem::take(&mut self.ends);
        if ends || (self.sends && stream.reports.is_due(stream.now)) {
            let to = stream.receiving.report_remote(&media)?;
            let packet = stream.reports.report(stream.now, stream.sending.timestamp(stream.now), ends);
            return Some(Output::SendReport { to, packet, on_rtp_port: media.rtcp == Some(media.remote) });
        }
        while self.sends && stream.sending.is_due(stream.now, &media) {
            let emit = |event| stream.events.push_back(event);
            if stream.sending.next_packet(stream.now, &media, emit) == Sent::Packet {
                stream.note_sent();
                return Some(Output::Send { to, packet: stream.sending.packet() });
            }
            if let Some(event) = stream.events.pop_front() {
                return Some(Output::Event(event));
            }
        }
        None
    }
}
