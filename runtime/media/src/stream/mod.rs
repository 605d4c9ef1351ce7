//! One leg's media as a state machine: inputs with their tick in, packets and events out.
//! It knows no socket, clock, thread or file.

mod latch;
mod receiving;
mod recorder;
mod sending;
#[cfg(test)]
mod tests;
mod timeline;

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use runtime_contract::leg::MediaSpec;
use runtime_contract::time::Tick;

use crate::dtmf::Key;
use crate::prompt::Prompt;
use crate::recording::{RecordSpec, RecordSummary};
use receiving::Receiving;
use sending::{Sending, Sent};

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
    /// Play these one after the other, in place of whatever plays (whose `PlayDone` never comes).
    Play { prompts: Vec<Arc<Prompt>>, token: u64 },
    /// Stop at once. No `PlayDone`. Nothing happens when nothing plays.
    StopPlay,
    /// Press these keys, 100 ms each with 100 ms between, in place of audio; queued after earlier ones, at
    /// most [`crate::dtmf::KEYS_QUEUED_MAX`]. Without an agreed payload type: [`Event::KeysRefused`].
    SendKeys(Vec<Key>),
    /// Record what the far side says from now on. (To a file: [`crate::Media::record`].)
    Record(RecordSpec),
    /// End the recording as [`crate::RecordEnd::Stopped`]. Nothing happens when none runs.
    StopRecord,
    /// While on, the recording is silent (private keys). Also covers the 100 ms before.
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
    /// The far side takes no key events, or the leg is not connected.
    KeysRefused,
    /// The next samples of a running recording.
    Recorded(Vec<i16>),
    /// The recording is over; nothing of it follows.
    RecordDone(RecordSummary),
    /// The next received samples while listening, 8 kHz.
    Heard(Vec<i16>),
}

#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// Time went on. Due once each 20 ms.
    Tick,
    Packet {
        from: SocketAddr,
        bytes: &'a [u8],
    },
    Command(Command),
}

#[derive(Debug, PartialEq)]
pub enum Output<'a> {
    Send { to: SocketAddr, packet: &'a [u8] },
    Event(Event),
}

/// One leg's media.
#[derive(Debug)]
pub struct Stream {
    now: Tick,
    media: Option<MediaSpec>,
    sending: Sending,
    receiving: Receiving,
    events: VecDeque<Event>,
    packets_refused: u64,
}

/// What an input led to; to be drained before the next input.
#[must_use = "outputs must be drained"]
#[derive(Debug)]
pub struct Outputs<'a> {
    stream: &'a mut Stream,
    /// Only a tick sends, so that packets leave on the driver's grid.
    sends: bool,
}

impl Stream {
    /// `peer` is where the signalling came from: beside the host in the SDP, the only host whose packets
    /// may teach us where to send (symmetric RTP, RFC 4961).
    pub fn new(seed: StreamSeed, peer: Option<IpAddr>) -> Stream {
        Stream {
            now: Tick(0),
            media: None,
            sending: Sending::new(seed),
            receiving: Receiving::new(peer),
            events: VecDeque::new(),
            packets_refused: 0,
        }
    }

    /// Time never goes back: an earlier `now` counts as the last one.
    pub fn handle(&mut self, now: Tick, input: Input<'_>) -> Outputs<'_> {
        self.now = self.now.max(now);
        let sends = matches!(input, Input::Tick);
        match input {
            Input::Tick => self.receiving.handle_tick(self.now, |event| self.events.push_back(event)),
            Input::Packet { from, bytes } => self.handle_packet(from, bytes),
            Input::Command(command) => self.handle_command(command),
        }
        Outputs { stream: self, sends }
    }

    /// Received packets that were dropped: not RTP, not agreed, or not from the far side.
    pub fn packets_refused(&self) -> u64 {
        self.packets_refused
    }

    /// Packets whose time was over before they were made.
    pub fn packets_skipped(&self) -> u64 {
        self.sending.packets_skipped()
    }

    fn handle_packet(&mut self, from: SocketAddr, bytes: &[u8]) {
        let emit = |event| self.events.push_back(event);
        let taken = self.media.is_some_and(|media| self.receiving.handle_packet(self.now, &media, from, bytes, emit));
        self.packets_refused += u64::from(!taken);
    }

    fn handle_command(&mut self, command: Command) {
        let emit = |event| self.events.push_back(event);
        match command {
            Command::Connect(media) => {
                self.receiving.connect(media.remote);
                self.media = Some(media);
            }
            Command::Play { prompts, token } => self.sending.play(prompts, token),
            Command::StopPlay => self.sending.stop_play(),
            Command::SendKeys(keys) => {
                if self.media.is_some_and(|media| media.dtmf_payload_type.is_some()) {
                    self.sending.send_keys(keys);
                } else {
                    self.events.push_back(Event::KeysRefused);
                }
            }
            Command::Record(spec) => self.receiving.record(self.now, spec, emit),
            Command::StopRecord => self.receiving.stop_record(self.now, emit),
            Command::Mask(on) => self.receiving.set_mask(self.now, on),
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
        let (media, to) = (stream.media?, stream.receiving.remote()?);
        while self.sends && stream.sending.is_due(stream.now) {
            let emit = |event| stream.events.push_back(event);
            if stream.sending.next_packet(stream.now, &media, emit) == Sent::Packet {
                return Some(Output::Send { to, packet: stream.sending.packet() });
            }
            if let Some(event) = stream.events.pop_front() {
                return Some(Output::Event(event));
            }
        }
        None
    }
}
