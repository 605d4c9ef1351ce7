//! Prompts ready to be sent: decoded, resampled and encoded once, shared by all legs that play them.
//! It knows neither who speaks (see `speech`) nor who listens.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use runtime_contract::leg::Codec;

/// Bounds on what becomes a prompt.
#[derive(Clone, Copy, Debug)]
pub struct VoiceLimits {
    /// Longest prompt, audio or spoken, in seconds.
    pub prompt_seconds_max: u32,
    /// Longest time for one rendering by the speech process, in milliseconds.
    pub render_ms_max: u64,
}

impl Default for VoiceLimits {
    fn default() -> Self {
        VoiceLimits { prompt_seconds_max: 600, render_ms_max: 10_000 }
    }
}

/// One prompt in both laws, padded with silence to whole 20 ms.
#[derive(Debug)]
pub struct Prompt {
    pcmu: Arc<[u8]>,
    pcma: Arc<[u8]>,
}

impl Prompt {
    /// From 8 kHz mono linear PCM.
    pub fn from_pcm(pcm: &[i16]) -> Prompt {
        let _ = pcm;
        Prompt { pcmu: Arc::new([]), pcma: Arc::new([]) }
    }

    /// From a WAV file of any rate, 8 to 32 bits or float, mono or stereo.
    pub fn from_wav(path: &Path, limits: &VoiceLimits) -> Result<Prompt, PromptError> {
        let _ = (path, limits);
        Ok(Prompt::from_pcm(&[]))
    }

    /// The signal that says "speak now" before a recording: 1 000 Hz, 250 ms.
    pub fn beep() -> Prompt {
        Prompt::from_pcm(&[])
    }

    pub fn silence(ms: u32) -> Prompt {
        let _ = ms;
        Prompt::from_pcm(&[])
    }

    /// The code words to send, one byte for each sample at 8 kHz.
    pub fn encoded(&self, codec: Codec) -> &Arc<[u8]> {
        match codec {
            Codec::Pcmu => &self.pcmu,
            Codec::Pcma => &self.pcma,
        }
    }

    /// What a receiver of the µ-law form decodes: for [`crate::find_prompt`].
    pub fn pcm(&self) -> Vec<i16> {
        Vec::new()
    }

    pub fn duration_ms(&self) -> u64 {
        0
    }
}

/// Why an audio file cannot be a prompt. The message names the file, the place and the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PromptError {
    Placeholder,
}

/// Prompts from files, each content decoded once.
#[derive(Debug)]
pub struct PromptStore {
    limits: VoiceLimits,
    prompts: Mutex<HashMap<PathBuf, Arc<Prompt>>>,
}

impl PromptStore {
    pub fn new(limits: VoiceLimits) -> PromptStore {
        PromptStore { limits, prompts: Mutex::new(HashMap::new()) }
    }

    /// The prompt of this file; files of equal content share one. Reads the file: not on an async thread.
    pub fn load(&self, path: &Path) -> Result<Arc<Prompt>, PromptError> {
        let _ = &self.prompts;
        Prompt::from_wav(path, &self.limits).map(Arc::new)
    }
}
