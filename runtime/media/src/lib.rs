//! Voice of a leg: RTP, G.711, RFC 4733 keys, prompts, recording, and finding a prompt in what was heard.
//! It knows legs, but neither SIP nor flows nor calls.
//!
//! Two ways in. [`Stream`] is one leg's media without socket, clock or thread: [`Input`] in, [`Output`]s
//! out. [`Media`] is the driver: real sockets and threads around many streams; a server (and the built-in
//! phone) talks to it like this:
//!
//! ```no_run
//! use std::sync::Arc;
//! use runtime_contract::leg::{Codec, LegId, MediaSpec};
//! use runtime_media::{Command, Media, MediaConfig, MediaEvent, Prompt, Speech, VoiceLimits};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (events_in, events) = std::sync::mpsc::channel();
//! let media = Media::start(MediaConfig::default(), move |leg, event| {
//!     let _ = events_in.send((leg, event));
//! })?;
//! let (speech, warning) = Speech::find("target/voices".into(), VoiceLimits::default());
//! if let Some(warning) = warning {
//!     eprintln!("{warning}");
//! }
//! let leg = LegId(1);
//! let address = media.open(leg, None, None)?; // goes into the SDP; the port is bound already
//! let spec = MediaSpec {
//!     remote: "127.0.0.1:40000".parse()?,
//!     codec: Codec::Pcma,
//!     dtmf_payload_type: Some(101),
//!     ptime_ms: 20,
//!     rtcp: None,
//!     send: true,
//!     receive: true,
//! };
//! media.tell(leg, Command::Connect(spec)); // from now on a packet each 20 ms, silence if nothing plays
//! let welcome: Arc<Prompt> = speech.render("en", "Welcome.")?; // blocks: not on an async thread
//! media.tell(leg, Command::Play { prompts: vec![welcome], token: 7 });
//! while let Ok((_leg, event)) = events.recv() {
//!     match event {
//!         MediaEvent::Key(key) => println!("pressed {}", key.to_char()),
//!         MediaEvent::PlayDone { token: 7 } => break,
//!         _ => {}
//!     }
//! }
//! media.close(leg);
//! # let _ = address; Ok(()) }
//! ```
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "tests may stop at the first surprise"
    )
)]

pub mod audio;
pub mod correlate;
pub mod driver;
pub mod dtmf;
pub mod g711;
pub mod prompt;
pub mod recording;
pub mod rtcp;
pub mod rtp;
pub mod sealed;
pub mod speech;
pub mod stream;
pub mod tone_detector;
mod wav;

pub use audio::check_audio;
pub use correlate::{Match, Portion, find_prompt};
pub use driver::{Media, MediaConfig, MediaError, MediaEvent, MediaStatistics};
pub use dtmf::Key;
pub use prompt::{Prompt, PromptError, PromptStore, VoiceLimits};
pub use recording::{RecordEnd, RecordSpec, RecordSummary, RecordingError, recorded_ms};
pub use sealed::{RecordingKey, SealedError, is_sealed, open_sealed, sealed_path};
pub use speech::{EspeakError, Speech, SpeechError, SpeechWarning};
pub use stream::{Cadence, Command, Event, Input, Output, Outputs, Relayed, Sound, Stream, StreamSeed};
pub use wav::{AudioError, write_wav};
