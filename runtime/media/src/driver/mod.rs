//! Real sockets and threads around many streams. It knows neither SIP nor tokio: commands come from any
//! thread, events go to one callback.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;

use runtime_contract::leg::LegId;

use crate::dtmf::Key;
use crate::recording::{RecordSpec, RecordSummary, RecordingError};
use crate::stream::Command;

#[derive(Clone, Debug)]
pub struct MediaConfig {
    /// Address that RTP sockets are bound to; it also stands in the SDP, so never unspecified.
    pub address: IpAddr,
    /// Ports for RTP (even ones are used, RFC 3550 §11); `None`: the system chooses.
    pub ports: Option<RangeInclusive<u16>>,
    /// Media threads, one for each core to be used.
    pub threads: usize,
    /// Most legs at once.
    pub legs_max: usize,
}

impl Default for MediaConfig {
    fn default() -> Self {
        MediaConfig { address: IpAddr::V4(Ipv4Addr::LOCALHOST), ports: None, threads: 1, legs_max: 10_000 }
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
    /// The next received samples while listening, 8 kHz, in order, gaps as silence.
    Heard(Vec<i16>),
    /// The recording is over and its file is synced to disk (or could not be).
    Recorded { file: PathBuf, result: Result<RecordSummary, RecordingError> },
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
}

/// Why media could not be had. Says whose fault it is.
#[derive(Debug)]
pub enum MediaError {
    /// No free port in the configured range, or `legs_max` reached.
    Full,
    /// The system refused a socket or a thread.
    System(std::io::Error),
    /// This leg is open already.
    LegOpen(LegId),
}

/// All media of this process. Dropping it ends its threads and all legs.
#[derive(Debug)]
pub struct Media {
    config: MediaConfig,
}

impl Media {
    /// Starts the media threads.
    pub fn start(
        config: MediaConfig,
        on_event: impl Fn(LegId, MediaEvent) + Send + Sync + 'static,
    ) -> Result<Media, MediaError> {
        let _ = on_event;
        Ok(Media { config })
    }

    /// Binds a port for the leg and returns the address for the SDP. `peer`: where the signalling comes from.
    pub fn open(&self, leg: LegId, peer: Option<IpAddr>) -> Result<SocketAddr, MediaError> {
        let _ = (leg, peer);
        Ok(SocketAddr::new(self.config.address, 0))
    }

    /// Returns at once; a leg that is not open is ignored.
    pub fn tell(&self, leg: LegId, command: Command) {
        let _ = (leg, command);
    }

    /// Records to a WAV file (made, written and synced on a thread of its own); ends with `Recorded`.
    pub fn record(&self, leg: LegId, spec: RecordSpec, file: PathBuf) {
        let _ = (leg, spec, file);
    }

    /// Ends the leg's media. A running recording is kept, ended as `Stopped` and still said.
    pub fn close(&self, leg: LegId) {
        let _ = leg;
    }

    pub fn statistics(&self) -> MediaStatistics {
        MediaStatistics::default()
    }
}

impl fmt::Display for MediaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MediaError::Full => {
                f.write_str("no RTP port is free; widen the range of ports or lower the limit of calls")
            }
            MediaError::System(error) => write!(f, "the system refused a media socket or thread: {error}"),
            MediaError::LegOpen(leg) => write!(f, "leg {} has media already", leg.0),
        }
    }
}

impl std::error::Error for MediaError {}
