//! espeak-ng as a child process (it is GPL and stays outside): text in by its standard input, WAV out. It
//! knows no languages and no cache.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

const PROGRAM: &str = "espeak-ng";
/// Words a minute; espeak-ng's own 175 is fast on a telephone line.
const SPEED: &str = "160";

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EspeakError {
    #[error("espeak-ng cannot be run ({0}); install the package `espeak-ng` again")]
    NotRun(String),
    #[error("espeak-ng took longer than {0} ms; shorten the text, or raise `render_ms_max`")]
    Slow(u64),
    #[error("espeak-ng has no voice `{0}`; run `espeak-ng --voices` to see which languages it speaks")]
    NoVoice(String),
    #[error("espeak-ng gave no audio that can be read ({0}); install the package `espeak-ng` again")]
    NoAudio(String),
}

/// Bounds of one run.
#[derive(Clone, Copy)]
pub struct Bounds {
    pub time_ms: u64,
    pub bytes: u64,
}

/// The first line of `espeak-ng --version`; `None` when there is none on PATH.
pub fn version() -> Option<String> {
    let output = Command::new(PROGRAM).arg("--version").stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().next().filter(|line| !line.is_empty()).map(str::to_owned)
}

/// A WAV of any rate. `last`: with the pause that ends a sentence.
pub fn text_to_wav(voice: &str, text: &str, last: bool, bounds: Bounds) -> Result<Vec<u8>, EspeakError> {
    let end: &[&str] = if last { &[] } else { &["-z"] };
    let mut wav = run(&[&["-s", SPEED, "--stdout"], end].concat(), voice, text, bounds)?;
    if wav.is_empty() {
        return Err(EspeakError::NoVoice(voice.to_owned()));
    }
    set_sizes(&mut wav).ok_or_else(|| EspeakError::NoAudio("a header cut short".to_owned()))?;
    Ok(wav)
}

/// espeak-ng's own names of the sounds; `(en)` among them marks a change to another language.
pub fn text_to_phonemes(voice: &str, text: &str, bounds: Bounds) -> Result<String, EspeakError> {
    let phonemes = run(&["-q", "-x"], voice, text, bounds)?;
    Ok(String::from_utf8_lossy(&phonemes).into_owned())
}

fn run(options: &[&str], voice: &str, text: &str, bounds: Bounds) -> Result<Vec<u8>, EspeakError> {
    let mut child = Command::new(PROGRAM)
        .args(options)
        .args(["-b", "1", "-v", voice, "--stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| EspeakError::NotRun(error.to_string()))?;
    let output = talk(&mut child, harmless(text), bounds);
    // It has said all that is wanted, or is stuck: either way it ends here, and leaves no zombie.
    let _ = child.kill();
    let _ = child.wait();
    output
}

fn talk(child: &mut Child, text: String, bounds: Bounds) -> Result<Vec<u8>, EspeakError> {
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(EspeakError::NotRun("no pipes".to_owned()));
    };
    // Both ends on threads of their own: neither a full pipe nor a silent child can hold us.
    std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let (done, wait) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = stdout.take(bounds.bytes).read_to_end(&mut bytes).map(|_| bytes);
        let _ = done.send(read);
    });
    match wait.recv_timeout(Duration::from_millis(bounds.time_ms)) {
        Ok(read) => read.map_err(|error| EspeakError::NoAudio(error.to_string())),
        Err(_) => Err(EspeakError::Slow(bounds.time_ms)),
    }
}

/// Nothing that espeak-ng takes for an order: control characters, and `[[` `]]` around phoneme names. (SSML is
/// off unless asked for, and the text is no argument.)
fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || matches!(c, '[' | ']') { ' ' } else { c }).collect()
}

/// Written to a pipe, the header cannot know its sizes: puts them right (RIFF, and the `data` chunk that
/// espeak-ng always has at byte 36).
fn set_sizes(wav: &mut [u8]) -> Option<()> {
    let riff_bytes = u32::try_from(wav.len().checked_sub(8)?).ok()?.to_le_bytes();
    // Whole 16-bit samples only.
    let data_bytes = (u32::try_from(wav.len().checked_sub(44)?).ok()? & !1).to_le_bytes();
    wav.get_mut(4..8)?.copy_from_slice(&riff_bytes);
    wav.get_mut(40..44)?.copy_from_slice(&data_bytes);
    (wav.get(36..40)? == b"data").then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_in_a_text_are_only_text() {
        assert_eq!(harmless("a[[h@l]]b\0c\u{1b}d\ne"), "a  h@l  b c d e");
    }

    #[test]
    fn a_header_cut_short_is_no_audio() {
        assert_eq!(set_sizes(&mut [0; 43]), None);
        assert_eq!(set_sizes(&mut [0; 60]), None);
    }
}
