//! Recordings: when they end, and the WAV file they become. It knows neither flows nor the row in the store
//! that must follow the file.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::g711::SAMPLE_RATE_HZ;
use crate::sealed::{RecordingKey, SealedWriter, is_sealed, sealed_path, sealed_samples};
use crate::wav;

/// When a recording ends. All times in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordSpec {
    /// Longest recording; the end is [`RecordEnd::Full`].
    pub length_ms_max: u32,
    /// Ends as [`RecordEnd::Silence`] when nothing is said for so long at its start.
    pub first_sound_ms: Option<u32>,
    /// Ends as [`RecordEnd::Silence`] after so long a silence behind speech.
    pub trailing_silence_ms: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordEnd {
    /// `length_ms_max` was reached.
    Full,
    /// Nothing was said at the start, or no more after speech.
    Silence,
    /// [`crate::Command::StopRecord`] (a key), or the leg was closed.
    Stopped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordSummary {
    pub length_ms: u32,
    /// Whether there was at least 100 ms of sound: else the outcome is `silence`.
    pub spoken: bool,
    pub end: RecordEnd,
}

/// Why the file could not be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot write the recording `{}`: {reason}; check the folder, its rights and the free space", .path.display())]
pub struct RecordingError {
    pub path: PathBuf,
    pub reason: String,
    /// How much of it was written before, which stays, in milliseconds.
    pub kept_ms: u32,
}

/// A growing 16-bit 8 kHz WAV on anything that can seek (the sizes stand at the front).
pub struct RecordingWriter<W: Write + Seek> {
    wav: hound::WavWriter<W>,
}

impl<W: Write + Seek> RecordingWriter<W> {
    pub fn new(to: W, channels: u16) -> Result<RecordingWriter<W>, hound::Error> {
        Ok(RecordingWriter { wav: hound::WavWriter::new(to, hound::WavSpec { channels, ..wav::SPEC })? })
    }

    /// Appends samples, and brings the sizes at the front up to date, so that a crash leaves a WAV file that
    /// ends early instead of one that cannot be read.
    pub fn append(&mut self, samples: &[i16]) -> Result<(), hound::Error> {
        for sample in samples {
            self.wav.write_sample(*sample)?;
        }
        self.wav.flush()
    }

    pub fn finish(self) -> Result<(), hound::Error> {
        self.wav.finalize()
    }
}

/// A recording on disk: a WAV file, or with a key an encrypted one beside its name.
pub struct RecordingFile {
    path: PathBuf,
    writer: Kept,
    file: File,
}

enum Kept {
    Wav(RecordingWriter<BufWriter<File>>),
    Sealed(Box<SealedWriter<File>>),
}

impl RecordingFile {
    /// Makes the file; an existing one is an error, for recordings are never overwritten. Encrypted, it has `.enc` behind
    /// its name.
    pub fn create(path: &Path, channels: u16, key: Option<&RecordingKey>) -> Result<RecordingFile, RecordingError> {
        let path = key.map_or_else(|| path.to_owned(), |_| sealed_path(path));
        let failed = |reason: String| RecordingError { path: path.clone(), reason, kept_ms: 0 };
        let file = File::options().write(true).create_new(true).open(&path).map_err(|e| failed(e.to_string()))?;
        let copy = file.try_clone().map_err(|e| failed(e.to_string()))?;
        let writer = match key {
            None => {
                RecordingWriter::new(BufWriter::new(file), channels).map(Kept::Wav).map_err(|e| failed(e.to_string()))
            }
            Some(key) => {
                let sealed = SealedWriter::new(file, channels as u8, key);
                sealed.map(|sealed| Kept::Sealed(Box::new(sealed))).map_err(|e| failed(e.to_string()))
            }
        }?;
        Ok(RecordingFile { path, writer, file: copy })
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Samples of all channels in turn.
    pub fn append(&mut self, samples: &[i16]) -> Result<(), RecordingError> {
        let appended = match &mut self.writer {
            Kept::Wav(wav) => wav.append(samples).map_err(|e| e.to_string()),
            Kept::Sealed(sealed) => sealed.append(samples).map_err(|e| e.to_string()),
        };
        appended.map_err(|reason| RecordingError { path: self.path.clone(), reason, kept_ms: 0 })
    }

    /// Ends the file and waits until it and its entry in the folder are on disk.
    pub fn finish(self) -> Result<(), RecordingError> {
        let RecordingFile { path, writer, file } = self;
        let finished = match writer {
            Kept::Wav(wav) => wav.finish().map_err(|e| e.to_string()),
            Kept::Sealed(sealed) => sealed.finish().map_err(|e| e.to_string()),
        };
        let synced = finished.and_then(|()| sync(&file, &path).map_err(|e| e.to_string()));
        synced.map_err(|reason| RecordingError { path, reason, kept_ms: 0 })
    }
}

/// How long what a recording's file holds is, in milliseconds, also where it breaks off; 0 where it holds nothing that
/// can be heard.
pub fn recorded_ms(path: &Path) -> std::io::Result<u32> {
    let mut file = File::open(path)?;
    let mut header = Vec::new();
    Read::take(&mut file, wav::HEADER_BYTES).read_to_end(&mut header)?;
    let (channels, bytes) = match is_sealed(&header) {
        true => {
            file.rewind()?;
            sealed_samples(file)?
        }
        false => {
            let channels = header.get(22).copied().unwrap_or(1);
            (channels, file.metadata()?.len().saturating_sub(wav::HEADER_BYTES))
        }
    };
    let bytes_a_ms = 2 * u64::from(channels.max(1)) * u64::from(SAMPLE_RATE_HZ) / 1_000;
    Ok(u32::try_from(bytes / bytes_a_ms).unwrap_or(u32::MAX))
}

fn sync(file: &File, path: &Path) -> std::io::Result<()> {
    file.sync_all()?;
    match path.parent() {
        Some(folder) if cfg!(unix) => {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            File::open(folder)?.sync_all()
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("strowger-recording-{}-{name}.wav", std::process::id()))
    }

    #[test]
    fn a_finished_file_holds_the_samples() {
        let path = path("finished");
        let mut file = RecordingFile::create(&path, 1, None).unwrap();
        file.append(&[1, -2, 3]).unwrap();
        file.append(&[4]).unwrap();
        file.finish().unwrap();
        assert_eq!(wav::wav_to_pcm(&std::fs::read(&path).unwrap(), 1).unwrap(), [1, -2, 3, 4]);
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_file_that_was_never_finished_can_be_read() {
        let path = path("crash");
        let mut file = RecordingFile::create(&path, 1, None).unwrap();
        file.append(&[7; 8_000]).unwrap();
        let left_by_a_crash = std::fs::read(&path).unwrap();
        assert_eq!(wav::wav_to_pcm(&left_by_a_crash, 2).unwrap().len(), 8_000);
        assert_eq!(recorded_ms(&path).unwrap(), 1_000);
        let key = RecordingKey::parse(&"7".repeat(64)).unwrap();
        let mut encrypted = RecordingFile::create(&path, 2, Some(&key)).unwrap();
        encrypted.append(&[7; 8_000]).unwrap();
        encrypted.append(&[7; 800]).unwrap();
        drop(encrypted);
        let sealed = sealed_path(&path);
        assert_eq!(recorded_ms(&sealed).unwrap(), 550);
        // The last chunk breaks off.
        let bytes = std::fs::read(&sealed).unwrap();
        std::fs::write(&sealed, &bytes[..bytes.len() - 1]).unwrap();
        assert_eq!(recorded_ms(&sealed).unwrap(), 500);
        std::fs::write(&sealed, &bytes[..9]).unwrap();
        assert_eq!(recorded_ms(&sealed).unwrap(), 0);
        std::fs::remove_file(sealed).unwrap();
        drop(file);
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn nothing_is_overwritten_and_errors_name_the_file() {
        let path = path("twice");
        RecordingFile::create(&path, 1, None).unwrap().finish().unwrap();
        let error = RecordingFile::create(&path, 1, None).err().unwrap().to_string();
        assert!(error.contains("twice.wav") && error.contains("free space"), "{error}");
        std::fs::remove_file(&path).unwrap();
        assert!(RecordingFile::create(Path::new("/nowhere/at/all.wav"), 1, None).is_err());
    }
}
