//! What a leg says, kept as 16-bit PCM: when it ends, and the WAV file it becomes. It knows neither flows
//! nor the row in the store that must follow the file.

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
    /// [`crate::Command::StopRecord`] (a key, a hang-up).
    Stopped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordSummary {
    pub length_ms: u32,
    /// Whether there was any sound above the noise floor: else the outcome is `silence`.
    pub spoken: bool,
    pub end: RecordEnd,
}

/// Why the file could not be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingError {
    pub path: std::path::PathBuf,
    pub reason: String,
}
