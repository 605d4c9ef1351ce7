//! Text to prompt: espeak-ng as a child process, or marked tones where it is missing; renderings are kept
//! on disk by content hash.

use std::path::PathBuf;
use std::sync::Arc;

use crate::prompt::{Prompt, VoiceLimits};

/// Renders texts. Cheap to share by `Arc`; every call may block (child process, disk).
#[derive(Debug)]
pub struct Speech {
    folder: PathBuf,
    limits: VoiceLimits,
}

/// Speech is poorer than it could be; its `Display` names the remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpeechWarning {
    /// No `espeak-ng` on PATH: texts become marked tones.
    NoEspeak,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpeechError {
    Placeholder,
}

impl Speech {
    /// Looks for espeak-ng on PATH. Renderings are kept in `folder`, which is made when needed.
    pub fn find(folder: PathBuf, limits: VoiceLimits) -> (Speech, Option<SpeechWarning>) {
        (Speech { folder, limits }, None)
    }

    /// Marked tones whatever is installed: deterministic, quick, about 60 ms a character.
    pub fn tones(folder: PathBuf, limits: VoiceLimits) -> Speech {
        Speech { folder, limits }
    }

    /// The text in this language (a BCP 47 tag: `zh`, `en`, `de-CH`). Equal texts give the same `Arc`.
    pub fn render(&self, language: &str, text: &str) -> Result<Arc<Prompt>, SpeechError> {
        let _ = (&self.folder, &self.limits, language, text);
        Ok(Arc::new(Prompt::from_pcm(&[])))
    }
}

impl std::fmt::Display for SpeechWarning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("espeak-ng is not installed, so texts are played as marked tones; install the package `espeak-ng`")
    }
}

impl std::fmt::Display for SpeechError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("speech failed")
    }
}

impl std::error::Error for SpeechError {}
