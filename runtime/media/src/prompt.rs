//! Prompts ready to be sent: decoded, resampled and encoded once, shared by all legs that play them.
//! It knows neither who speaks (see `speech`) nor who listens.

use std::collections::HashMap;
use std::f64::consts::TAU;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use runtime_contract::leg::Codec;

use crate::sealed::{RecordingKey, SealedError, open_sealed, sealed_path};
use crate::wav::{self, AudioError};
use crate::{audio, g711};

/// Bounds on what becomes a prompt.
#[derive(Clone, Copy, Debug)]
pub struct VoiceLimits {
    /// Longest prompt, audio or spoken, in seconds.
    pub prompt_seconds_max: u32,
    /// Largest audio file, in bytes.
    pub file_bytes_max: u64,
    /// Longest time for one rendering by the speech process, in milliseconds.
    pub render_ms_max: u64,
}

impl Default for VoiceLimits {
    fn default() -> Self {
        VoiceLimits { prompt_seconds_max: 600, file_bytes_max: 256 << 20, render_ms_max: 10_000 }
    }
}

/// Samples of 20 ms.
const PACKET_SAMPLES: usize = 160;

/// One prompt in both laws, padded with silence to whole 20 ms.
///
/// Both laws are kept and the PCM is not: 16 KB a second, and no leg ever waits for an encoder.
#[derive(Debug)]
pub struct Prompt {
    pcmu: Arc<[u8]>,
    pcma: Arc<[u8]>,
}

impl Prompt {
    /// From 8 kHz mono linear PCM.
    pub fn from_pcm(pcm: &[i16]) -> Prompt {
        let padding = pcm.len().next_multiple_of(PACKET_SAMPLES) - pcm.len();
        let encoded = |codec| {
            let silence = std::iter::repeat_n(g711::silence(codec), padding);
            pcm.iter().map(|sample| g711::encode(codec, *sample)).chain(silence).collect()
        };
        Prompt { pcmu: encoded(Codec::Pcmu), pcma: encoded(Codec::Pcma) }
    }

    /// From an audio file of any usual kind, at the loudness of a prompt.
    pub fn from_file(path: &Path, limits: &VoiceLimits) -> Result<Prompt, PromptError> {
        audio_to_prompt(path, &read(path, limits)?, limits)
    }

    /// The signal that says "speak now" before a recording: 1 000 Hz, 200 ms.
    pub fn beep() -> Prompt {
        let sample = |n: u32| (8_000.0 * (TAU * 1_000.0 * f64::from(n) / 8_000.0).sin()) as i16;
        Prompt::from_pcm(&(0..1_600).map(sample).collect::<Vec<_>>())
    }

    pub fn silence(ms: u32) -> Prompt {
        Prompt::from_pcm(&vec![0; ms as usize * 8])
    }

    /// The code words to send, one byte for each sample at 8 kHz.
    pub fn encoded(&self, codec: Codec) -> &[u8] {
        match codec {
            Codec::Pcmu => &self.pcmu,
            Codec::Pcma => &self.pcma,
        }
    }

    /// What a receiver decodes (of the µ-law form): for [`crate::find_prompt`].
    pub fn pcm(&self) -> Vec<i16> {
        self.pcmu.iter().map(|code| g711::decode(Codec::Pcmu, *code)).collect()
    }

    /// A multiple of 20.
    pub fn duration_ms(&self) -> u64 {
        self.pcmu.len() as u64 / 8
    }
}

/// Why an audio file cannot be a prompt. The message names the file and the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PromptError {
    #[error("cannot read the audio file `{}`: {reason}; check the path, which is relative to the project's folder", .path.display())]
    Unreadable { path: PathBuf, reason: String },
    #[error("the audio file `{}` is larger than {bytes_max} bytes; shorten it", .path.display())]
    TooLarge { path: PathBuf, bytes_max: u64 },
    #[error("the recording `{}` cannot be read: {why}", .path.display())]
    Sealed { path: PathBuf, why: SealedError },
    #[error("the audio file `{}` cannot be played: {why}", .path.display())]
    Audio { path: PathBuf, why: AudioError },
}

fn read(path: &Path, limits: &VoiceLimits) -> Result<Vec<u8>, PromptError> {
    let unreadable =
        |error: std::io::Error| PromptError::Unreadable { path: path.to_owned(), reason: error.to_string() };
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(limits.file_bytes_max.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > limits.file_bytes_max {
        return Err(PromptError::TooLarge { path: path.to_owned(), bytes_max: limits.file_bytes_max });
    }
    Ok(bytes)
}

fn audio_to_prompt(path: &Path, bytes: &[u8], limits: &VoiceLimits) -> Result<Prompt, PromptError> {
    let pcm = audio::audio_to_prompt(bytes, limits.prompt_seconds_max)
        .map_err(|why| PromptError::Audio { path: path.to_owned(), why })?;
    Ok(Prompt::from_pcm(&pcm))
}

/// Prompts in use, by content hash. Those that nobody uses any more are forgotten.
#[derive(Debug, Default)]
pub(crate) struct SharedPrompts {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    by_content: HashMap<[u8; 32], Weak<Prompt>>,
    /// Prompts that the last cleaning left.
    left: usize,
}

/// Fewest prompts in the table when it is cleaned of unused ones.
const CLEANED_AT: usize = 64;

impl SharedPrompts {
    pub(crate) fn get(&self, hash: &[u8; 32]) -> Option<Arc<Prompt>> {
        self.lock().by_content.get(hash).and_then(Weak::upgrade)
    }

    /// The prompt now known by this hash: somebody else's when it came first.
    pub(crate) fn insert(&self, hash: [u8; 32], prompt: Prompt) -> Arc<Prompt> {
        let mut known = self.lock();
        if let Some(first) = known.by_content.get(&hash).and_then(Weak::upgrade) {
            return first;
        }
        // Cleaned when it has doubled, so that each prompt is looked at a few times in all.
        if known.by_content.len() >= CLEANED_AT.max(2 * known.left) {
            known.by_content.retain(|_, prompt| prompt.strong_count() > 0);
            known.left = known.by_content.len();
        }
        let prompt = Arc::new(prompt);
        known.by_content.insert(hash, Arc::downgrade(&prompt));
        prompt
    }

    /// How many are in use, and how many entries the table has.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let known = self.lock();
        (known.by_content.values().filter(|prompt| prompt.strong_count() > 0).count(), known.by_content.len())
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Prompts from files, each content decoded once.
#[derive(Debug)]
pub struct PromptStore {
    limits: VoiceLimits,
    loaded: SharedPrompts,
}

impl PromptStore {
    pub fn new(limits: VoiceLimits) -> PromptStore {
        PromptStore { limits, loaded: SharedPrompts::default() }
    }

    /// How many prompts are in use, and how many entries the table of them has.
    pub fn counts(&self) -> (usize, usize) {
        self.loaded.counts()
    }

    /// A recording by the name of its WAV file, encrypted or not.
    pub fn load_recording(&self, path: &Path, key: Option<&RecordingKey>) -> Result<Arc<Prompt>, PromptError> {
        let sealed = sealed_path(path);
        let is_sealed = sealed.exists();
        let bytes = read(if is_sealed { &sealed } else { path }, &self.limits)?;
        // Told apart from the same bytes as a prompt, which have another loudness.
        let hash = *blake3::Hasher::new().update(b"recording").update(&bytes).finalize().as_bytes();
        if let Some(prompt) = self.loaded.get(&hash) {
            return Ok(prompt);
        }
        if !is_sealed {
            let pcm = wav::wav_to_pcm(&bytes, self.limits.prompt_seconds_max)
                .map_err(|why| PromptError::Audio { path: path.to_owned(), why })?;
            return Ok(self.loaded.insert(hash, Prompt::from_pcm(&pcm)));
        }
        let opened = key.ok_or(SealedError::NoKey).and_then(|key| open_sealed(&bytes, key));
        let opened = opened.map_err(|why| PromptError::Sealed { path: sealed, why })?;
        let frames = opened.samples.chunks(usize::from(opened.channels.max(1)));
        let mono = |frame: &[i16]| {
            (frame.iter().map(|sample| i32::from(*sample)).sum::<i32>() / i32::from(opened.channels.max(1))) as i16
        };
        Ok(self.loaded.insert(hash, Prompt::from_pcm(&frames.map(mono).collect::<Vec<_>>())))
    }

    /// The prompt of this file as it is now; files of equal content share one. Reads the file: not on an
    /// async thread.
    pub fn load(&self, path: &Path) -> Result<Arc<Prompt>, PromptError> {
        let bytes = read(path, &self.limits)?;
        let hash = *blake3::hash(&bytes).as_bytes();
        match self.loaded.get(&hash) {
            Some(prompt) => Ok(prompt),
            None => Ok(self.loaded.insert(hash, audio_to_prompt(path, &bytes, &self.limits)?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("strowger-prompt-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn a_prompt_is_whole_packets_in_both_laws() {
        let prompt = Prompt::from_pcm(&[1_000; 161]);
        assert_eq!(prompt.duration_ms(), 40);
        for codec in [Codec::Pcmu, Codec::Pcma] {
            assert_eq!(prompt.encoded(codec).len(), 320);
            assert_eq!(prompt.encoded(codec)[160], g711::encode(codec, 1_000));
            assert_eq!(prompt.encoded(codec)[161], g711::silence(codec));
        }
        assert_eq!(Prompt::silence(100).pcm(), vec![0; 800]);
        assert_eq!(Prompt::beep().duration_ms(), 200);
        assert_eq!(Prompt::from_pcm(&[]).duration_ms(), 0);
    }

    #[test]
    fn equal_files_share_a_prompt_and_changed_ones_do_not() {
        let folder = folder("share");
        let store = PromptStore::new(VoiceLimits::default());
        let write = |name: &str, value| {
            let path = folder.join(name);
            std::fs::write(&path, wav::pcm_to_wav(&[value; 800], 1).unwrap()).unwrap();
            store.load(&path).unwrap()
        };
        let (one, same, other) = (write("a.wav", 5), write("b.wav", 5), write("a.wav", 6));
        assert!(Arc::ptr_eq(&one, &same));
        assert!(!Arc::ptr_eq(&one, &other));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn unused_prompts_are_forgotten() {
        let shared = SharedPrompts::default();
        let kept = shared.insert([255; 32], Prompt::silence(20));
        for number in 0..10_000u32 {
            let mut hash = [0; 32];
            hash[..4].copy_from_slice(&number.to_le_bytes());
            shared.insert(hash, Prompt::silence(20));
        }
        assert!(shared.lock().by_content.len() <= CLEANED_AT);
        assert!(Arc::ptr_eq(&kept, &shared.get(&[255; 32]).unwrap()));
    }

    #[test]
    fn errors_name_the_file_and_the_remedy() {
        let folder = folder("errors");
        let limits = VoiceLimits { file_bytes_max: 100, ..VoiceLimits::default() };
        let text = |name: &str, content: Option<&[u8]>| {
            let path = folder.join(name);
            if let Some(content) = content {
                std::fs::write(&path, content).unwrap();
            }
            let message = Prompt::from_file(&path, &limits).unwrap_err().to_string();
            assert!(message.contains(name), "{message}");
            message
        };
        assert!(text("missing.wav", None).contains("check the path"));
        assert!(text("song.mp3", Some(b"ID3")).contains("ffmpeg"));
        assert!(text("empty.wav", Some(&wav::pcm_to_wav(&[], 1).unwrap())).contains("no audio"));
        assert!(text("large.wav", Some(&[0; 101])).contains("100 bytes"));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
