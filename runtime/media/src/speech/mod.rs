//! Text to prompt: espeak-ng where it is installed, marked tones where it is not; texts of the flow are kept on
//! disk by content hash. It knows neither flows nor how values become words.

mod espeak;
mod mandarin;
#[cfg(test)]
mod tests;
mod tones;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::prompt::{Prompt, SharedPrompts, VoiceLimits};
use crate::wav::{self, AudioError};
pub use espeak::EspeakError;
use mandarin::Piece;

/// Goes into every content hash: raise it when the same text is to sound otherwise.
const RENDERING: &str = "strowger rendering 2";
/// espeak-ng's rate.
const ESPEAK_BYTES_A_SECOND: u64 = 22_050 * 2;
/// The voice that reads numbered pinyin.
const PINYIN_VOICE: &str = "cmn-latn-pinyin";
/// The voice of foreign words in Chinese.
const FOREIGN_VOICE: &str = "en";
/// Longest language tag (RFC 5646 §4.4.1).
const TAG_BYTES_MAX: usize = 35;

/// Renders texts. Cheap to share by `Arc`; every call may block (child process, disk).
#[derive(Debug)]
pub struct Speech {
    engine: Engine,
    folder: PathBuf,
    limits: VoiceLimits,
    rendered: SharedPrompts,
    /// Numbers the files that are being written.
    writing: AtomicU64,
}

#[derive(Debug, PartialEq, Eq)]
enum Engine {
    Espeak { version: String },
    Tones,
}

/// Speech is poorer than it could be; its `Display` names the remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpeechWarning {
    /// No `espeak-ng` on PATH: texts become marked tones.
    NoEspeak,
}

impl fmt::Display for SpeechWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "espeak-ng is not installed, so texts are played as marked tones; install the package `espeak-ng` to hear them spoken",
        )
    }
}

/// Why a text cannot be spoken. The text itself is not repeated: it may name a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpeechError {
    #[error("`{0}` is not a language tag like `zh`, `en` or `de-CH`")]
    Language(String),
    #[error(transparent)]
    Espeak(#[from] EspeakError),
    #[error("the spoken text cannot be played: {0}")]
    Audio(#[from] AudioError),
    #[error("a text takes longer to say than the {0} s that a prompt may last; shorten it")]
    TooLong(u32),
}

impl Speech {
    /// Looks for espeak-ng on PATH. Texts of the flow are kept in `folder`, which is made when needed.
    pub fn find(folder: PathBuf, limits: VoiceLimits) -> (Speech, Option<SpeechWarning>) {
        match espeak::version() {
            Some(version) => (Speech::new(Engine::Espeak { version }, folder, limits), None),
            None => (Speech::new(Engine::Tones, folder, limits), Some(SpeechWarning::NoEspeak)),
        }
    }

    /// Marked tones whatever is installed: quick, always the same, 60 ms a character. Writes nothing.
    pub fn tones(limits: VoiceLimits) -> Speech {
        Speech::new(Engine::Tones, PathBuf::new(), limits)
    }

    fn new(engine: Engine, folder: PathBuf, limits: VoiceLimits) -> Speech {
        Speech { engine, folder, limits, rendered: SharedPrompts::default(), writing: AtomicU64::new(0) }
    }

    /// A text of the flow in this language (a BCP 47 tag: `zh`, `en`, `de-CH`); kept on disk. While a prompt is in
    /// use, equal texts give the same `Arc`. A text without letters or digits is 20 ms of silence.
    pub fn render(&self, language: &str, text: &str) -> Result<Arc<Prompt>, SpeechError> {
        self.render_with(language, text, true)
    }

    /// How many rendered texts are in use, and how many entries the table of them has.
    pub fn counts(&self) -> (usize, usize) {
        self.rendered.counts()
    }

    /// The same for a text whose holes were filled for one caller: never written to disk.
    pub fn render_filled(&self, language: &str, text: &str) -> Result<Arc<Prompt>, SpeechError> {
        self.render_with(language, text, false)
    }

    /// espeak-ng's names of the sounds of each stretch that Chinese becomes: for tests that no word of it is read
    /// as English. Empty without espeak-ng.
    pub fn chinese_phonemes(&self, text: &str) -> Result<Vec<String>, SpeechError> {
        if self.engine == Engine::Tones {
            return Ok(Vec::new());
        }
        let pinyin = mandarin::chinese_to_pieces(text).into_iter().filter_map(|piece| match piece {
            Piece::Pinyin(pinyin) => Some(pinyin),
            Piece::Plain(_) => None,
        });
        pinyin.map(|pinyin| Ok(espeak::text_to_phonemes(PINYIN_VOICE, &pinyin, self.bounds())?)).collect()
    }

    fn render_with(&self, language: &str, text: &str, keep: bool) -> Result<Arc<Prompt>, SpeechError> {
        let language = tag(language)?;
        let hash = self.hash(&language, text);
        if let Some(prompt) = self.rendered.get(&hash) {
            return Ok(prompt);
        }
        if !text.contains(char::is_alphanumeric) {
            return Ok(Arc::new(Prompt::silence(20)));
        }
        let pcm = match &self.engine {
            Engine::Tones => self.within_limit(tones::text_to_pcm(text))?,
            Engine::Espeak { .. } => self.speak_or_load(&hash, &language, text, keep)?,
        };
        Ok(self.rendered.insert(hash, Prompt::from_pcm(&pcm)))
    }

    fn hash(&self, language: &str, text: &str) -> [u8; 32] {
        let engine = match &self.engine {
            Engine::Espeak { version } => version,
            Engine::Tones => "tones",
        };
        let mut hash = blake3::Hasher::new();
        for part in [RENDERING, engine, language, text] {
            hash.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
        }
        *hash.finalize().as_bytes()
    }

    fn within_limit(&self, pcm: Vec<i16>) -> Result<Vec<i16>, SpeechError> {
        let seconds_max = self.limits.prompt_seconds_max;
        let fits = pcm.len() as u64 <= u64::from(seconds_max) * 8_000;
        if fits { Ok(pcm) } else { Err(SpeechError::TooLong(seconds_max)) }
    }

    fn speak_or_load(&self, hash: &[u8; 32], language: &str, text: &str, keep: bool) -> Result<Vec<i16>, SpeechError> {
        let file = self.folder.join(format!("{}.wav", blake3::Hash::from_bytes(*hash).to_hex()));
        if keep
            && let Ok(bytes) = std::fs::read(&file)
            && let Ok(pcm) = wav::wav_to_pcm(&bytes, self.limits.prompt_seconds_max)
        {
            return Ok(pcm);
        }
        let pcm = self.speak(language, text)?;
        if keep {
            // A cache that cannot be written costs time at the next start and nothing else.
            let _ = self.keep(&file, &pcm);
        }
        Ok(pcm)
    }

    /// Whole or not at all: written aside, then renamed.
    fn keep(&self, file: &Path, pcm: &[i16]) -> io::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        let number = self.writing.fetch_add(1, Ordering::Relaxed);
        let aside = file.with_extension(format!("{}-{number}", std::process::id()));
        wav::write_wav(&aside, pcm, 1)?;
        std::fs::rename(&aside, file)
    }

    fn speak(&self, language: &str, text: &str) -> Result<Vec<i16>, SpeechError> {
        let (pieces, voice) = pieces(language, text);
        let mut pcm = Vec::new();
        let last = pieces.len().saturating_sub(1);
        for (at, piece) in pieces.iter().enumerate() {
            let wav = match piece {
                Piece::Pinyin(pinyin) => espeak::text_to_wav(PINYIN_VOICE, pinyin, at == last, self.bounds())?,
                Piece::Plain(plain) => self.speak_plain(voice, plain, at == last)?,
            };
            match wav::wav_to_pcm(&wav, self.limits.prompt_seconds_max) {
                // Marks alone say nothing.
                Err(AudioError::Empty) => {}
                other => pcm.extend(other?),
            }
        }
        self.within_limit(pcm)
    }

    /// A voice for the whole tag, or else for its language alone (`de-CH` is spoken as `de`).
    fn speak_plain(&self, voice: &str, text: &str, last: bool) -> Result<Vec<u8>, EspeakError> {
        let primary = voice.split('-').next().unwrap_or(voice);
        match espeak::text_to_wav(voice, text, last, self.bounds()) {
            Err(EspeakError::NoVoice(_)) if primary != voice => espeak::text_to_wav(primary, text, last, self.bounds()),
            other => other,
        }
    }

    fn bounds(&self) -> espeak::Bounds {
        let bytes = (u64::from(self.limits.prompt_seconds_max) + 1) * ESPEAK_BYTES_A_SECOND;
        espeak::Bounds { time_ms: self.limits.render_ms_max, bytes }
    }
}

/// The pieces of a text, and the voice of those that are not pinyin.
fn pieces<'a>(language: &'a str, text: &str) -> (Vec<Piece>, &'a str) {
    match language.split('-').next() {
        Some("zh" | "cmn") => (mandarin::chinese_to_pieces(text), FOREIGN_VOICE),
        // Their own voices read Chinese characters in their own way.
        Some("yue" | "ja" | "ko") => (vec![Piece::Plain(text.to_owned())], language),
        _ => (mandarin::other_to_pieces(text), language),
    }
}

/// A language tag in lower case.
fn tag(language: &str) -> Result<String, SpeechError> {
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
    if language.len() > TAG_BYTES_MAX || !language.split('-').all(is_part) {
        return Err(SpeechError::Language(language.chars().take(TAG_BYTES_MAX).collect()));
    }
    Ok(language.to_ascii_lowercase())
}
