//! One leg's media as a state machine: inputs with their tick in, packets and events out.
//! It knows no socket, clock, thread or file.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use runtime_contract::leg::MediaSpec;
use runtime_contract::time::Tick;

use crate::dtmf::Key;
use crate::prompt::Prompt;
use crate::recording::{RecordSpec, RecordSummary};

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
    /// Press these keys, 100 ms each with 100 ms between, in place of audio; queued after earlier ones.
    SendKeys(Vec<Key>),
    /// Record what the far side says from now on.
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
    seed: StreamSeed,
}

/// What an input led to; to be drained before the next input.
#[must_use = "outputs must be drained"]
#[derive(Debug)]
pub struct Outputs<'a> {
    stream: &'a mut Stream,
}

impl Stream {
    /// `peer` is where the signalling came from: beside the address in the SDP, the only address whose
    /// packets may teach us where to send (symmetric RTP, RFC 4961).
    pub fn new(seed: StreamSeed, peer: Option<IpAddr>) -> Stream {
        let _ = peer;
        Stream { seed }
    }

    pub fn handle(&mut self, now: Tick, input: Input<'_>) -> Outputs<'_> {
        let _ = (now, input);
        Outputs { stream: self }
    }
}

impl Outputs<'_> {
    /// The next output, `None` when all are taken.
    #[expect(clippy::should_implement_trait, reason = "lends from itself, which an Iterator cannot")]
    pub fn next(&mut self) -> Option<Output<'_>> {
        let _ = self.stream.seed;
        None
    }
}
