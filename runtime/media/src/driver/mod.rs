//! Real sockets and threads around many streams. It knows neither SIP nor tokio: commands come from any
//! thread, events go to one callback.

mod grid;
mod media_loop;
mod places;
mod ports;
mod readiness;
#[cfg(test)]
mod tests;
mod writer;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::Instant;

use runtime_contract::leg::LegId;
use runtime_contract::record::Quality;

use crate::dtmf::Key;
use crate::recording::{RecordSpec, RecordSummary, RecordingError};
use crate::sealed::RecordingKey;
use crate::stream::{Command, Stream, StreamSeed};
use media_loop::{MediaLoop, ToLoop};
use places::Places;
use ports::Ports;
use readiness::Readiness;
use writer::Writer;

#[derive(Clone, Debug)]
pub struct MediaConfig {
    /// Address that RTP sockets are bound to; a wildcard takes packets on all of the machine's.
    pub bind: IpAddr,
    /// Address that stands in the SDP, when the far side reaches us by another than `bind`: behind NAT, and needed for
    /// a wildcard. Ports are the same on both.
    pub advertise: Option<IpAddr>,
    /// Ports for RTP and RTCP, two for each leg (RFC 3550 §11); `None`: any from 16384 on.
    pub ports: Option<RangeInclusive<u16>>,
    /// Media threads, one for each core to be used.
    pub threads: usize,
    /// Most legs at once.
    pub legs_max: usize,
    /// Recordings are encrypted with it.
    pub recording_key: Option<RecordingKey>,
}

impl Default for MediaConfig {
    fn default() -> Self {
        let bind = IpAddr::V4(Ipv4Addr::LOCALHOST);
        MediaConfig { bind, advertise: None, ports: None, threads: 1, legs_max: 10_000, recording_key: None }
    }
}

/// Said about a leg, on a media thread: the callback must not block.
#[derive(Clone, Debug, PartialEq)]
pub enum MediaEvent {
    /// The first packet of the far side was accepted.
    FirstPacket,
    /// A key went down; once for each press.
    Key(Key),
    /// The last sample of the last prompt was sent.
    PlayDone { token: u64 },
    /// All keys of `SendKeys` were sent.
    KeysSent,
    /// The leg is not connected.
    KeysRefused,
    /// The next received samples while listening, 8 kHz, in order, gaps as silence.
    Heard(Vec<i16>),
    /// How the leg's media went; once, before `Closed`.
    Quality(Quality),
    /// The leg's media is over. Nothing of it follows but the end of a recording.
    Closed,
    /// The recording is over and its file is synced to disk (or could not be).
    Recorded { file: PathBuf, result: Result<RecordSummary, RecordingError> },
    /// The recording of the whole call is over and its file is synced to disk (or could not be): its length in milliseconds.
    CallRecorded { file: PathBuf, result: Result<u32, RecordingError> },
}

/// Counters since the start, for metrics and benchmarks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MediaStatistics {
    pub legs: u64,
    pub packets_sent: u64,
    pub packets_received: u64,
    /// Packets dropped: not RTP, unknown payload type, or from an address that is not the far side's.
    pub packets_refused: u64,
    /// Packets that left more than 5 ms after their time.
    pub packets_late: u64,
    /// Packets that were never made, because a media thread stood still for more than 200 ms.
    pub packets_skipped: u64,
}

/// Why media could not be had. Says whose fault it is.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    #[error("no RTP port is free; widen the range of RTP ports or lower the limit of calls")]
    NoPort,
    #[error("{0} legs have media, which is the limit")]
    Full(usize),
    #[error("the system refused a media socket or thread: {0}")]
    System(#[from] std::io::Error),
    #[error("leg {} has media already", .0.0)]
    LegOpen(LegId),
}

type OnEvent = Arc<dyn Fn(LegId, MediaEvent) + Send + Sync>;

#[derive(Debug, Default)]
struct Counters {
    legs: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
    refused: AtomicU64,
    late: AtomicU64,
    skipped: AtomicU64,
}

/// All media of this process. Dropping it closes all legs and waits for its threads, and for the disk.
pub struct Media {
    legs_max: usize,
    /// For the SDP.
    address: IpAddr,
    ports: Arc<Ports>,
    places: Arc<Places>,
    threads: Vec<JoinHandle<()>>,
    counters: Arc<Counters>,
}

impl Media {
    /// Starts the media threads. `on_event` runs on them: it must not block, nor drop the `Media`.
    pub fn start(
        config: MediaConfig,
        on_event: impl Fn(LegId, MediaEvent) + Send + Sync + 'static,
    ) -> Result<Media, MediaError> {
        let on_event: OnEvent = Arc::new(on_event);
        let (writer, writing) = Writer::start(Arc::clone(&on_event), config.recording_key)?;
        let mut media = Media {
            legs_max: config.legs_max,
            address: config.advertise.unwrap_or(config.bind),
            ports: Arc::new(Ports::new(config.bind, config.ports)),
            places: Arc::default(),
            threads: Vec::new(),
            counters: Arc::default(),
        };
        let origin = Instant::now();
        for number in 0..config.threads.max(1) {
            let (door, from) = channel();
            let media_loop = MediaLoop {
                from,
                origin,
                ports: Arc::clone(&media.ports),
                places: Arc::clone(&media.places),
                counters: Arc::clone(&media.counters),
                writer: writer.clone(),
                on_event: Arc::clone(&on_event),
            };
            let readiness = Readiness::new()?;
            let thread = std::thread::Builder::new().name(format!("media {number}"));
            let thread = thread.spawn(|| media_loop.run(readiness))?;
            media.places.add(door);
            media.threads.push(thread);
        }
        media.threads.push(writing);
        Ok(media)
    }

    /// Binds a port for the leg and returns the address for the SDP. `peer` is the host that the signalling
    /// comes from: beside the one in the SDP, the only one whose packets are taken. A leg that is to be bridged is
    /// best opened `beside` the other: on its thread.
    pub fn open(&self, leg: LegId, peer: Option<IpAddr>, beside: Option<LegId>) -> Result<SocketAddr, MediaError> {
        self.places.reserve(leg, beside, self.legs_max)?;
        match self.ports.bind() {
            Ok(Some(bound)) => {
                let address = SocketAddr::new(self.address, bound.port);
                self.counters.legs.fetch_add(1, Ordering::Relaxed);
                self.places.send(leg, ToLoop::Open { leg, bound, stream: Box::new(Stream::new(seed(), peer)) });
                Ok(address)
            }
            other => {
                self.places.forget(leg);
                Err(other.err().map_or(MediaError::NoPort, MediaError::System))
            }
        }
    }

    /// Returns at once; a leg that is not open is ignored.
    pub fn tell(&self, leg: LegId, command: Command) {
        self.places.send(leg, ToLoop::Command { leg, command });
    }

    /// Records to a new WAV file, which is written and synced on a thread of its own; ends with `Recorded`.
    /// A recording of this leg that still runs is stopped first.
    pub fn record(&self, leg: LegId, spec: RecordSpec, file: PathBuf) {
        self.places.send(leg, ToLoop::Record { leg, spec, file });
    }

    /// Records the whole call to a new WAV file of two channels: what is received on the left, what is sent on the right.
    /// Ends with `CallRecorded`; one of this leg that still runs is stopped first. Beside `record`, and as often as wanted.
    pub fn record_call(&self, leg: LegId, file: PathBuf) {
        self.places.send(leg, ToLoop::RecordCall { leg, file });
    }

    /// Ends what `record_call` began.
    pub fn stop_record_call(&self, leg: LegId) {
        self.tell(leg, Command::StopRecordCall);
    }

    /// From now on each of the two legs sends what the other receives, at the visit in which it is read: a bridge that
    /// either was in before ends. What is told to a leg (a prompt, keys) takes the place of the other's voice there.
    /// Legs that are not open are ignored.
    pub fn bridge(&self, a: LegId, b: LegId) {
        self.places.bridge(a, b);
    }

    /// Ends the bridge that the leg is in: both go on alone, on the same clocks.
    pub fn unbridge(&self, leg: LegId) {
        self.places.send(leg, ToLoop::Unbridge { leg });
    }

    /// Ends the leg's media, and its bridge. A running recording is kept, ends as `Stopped` and is still said.
    pub fn close(&self, leg: LegId) {
        self.places.close(leg);
    }

    pub fn statistics(&self) -> MediaStatistics {
        let read = |counter: &AtomicU64| counter.load(Ordering::Acquire);
        let packets_received = read(&self.counters.received);
        MediaStatistics {
            legs: read(&self.counters.legs),
            packets_sent: read(&self.counters.sent),
            packets_received,
            packets_refused: read(&self.counters.refused),
            packets_late: read(&self.counters.late),
            packets_skipped: read(&self.counters.skipped),
        }
    }
}

impl Drop for Media {
    fn drop(&mut self) {
        self.places.shut();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// From the keys that the standard library draws for its hash tables: unpredictable, and no secret.
fn seed() -> StreamSeed {
    let random = RandomState::new().build_hasher().finish();
    StreamSeed { ssrc: random as u32, sequence: (random >> 32) as u16, timestamp: (random >> 16) as u32 }
}
