//! WAV in and out: any PCM file to mono samples, and recordings to files. It knows no other kind of file.

use std::io::{Cursor, Read};
use std::path::Path;

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler};

use crate::g711::SAMPLE_RATE_HZ;

/// Sampling rates that are taken, in Hz.
pub const RATES_HZ: std::ops::RangeInclusive<u32> = 4_000..=192_000;
pub const CHANNELS_MAX: u16 = 8;
/// Of the shortest header, which stands before the samples.
pub const HEADER_BYTES: u64 = 44;
/// Frames that the resampler takes at a time.
const CHUNK_FRAMES: usize = 1_024;

/// What is wrong with an audio file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AudioError {
    #[error(
        "it is neither WAV nor MP3, Ogg Vorbis or FLAC ({0}); convert it, for example by ffmpeg -i IN -ar 16000 -ac 1 OUT.wav"
    )]
    NotAudio(String),
    #[error(
        "its {rate_hz} Hz and {channels} channels cannot be used; give 4 000 to 192 000 Hz and at most {CHANNELS_MAX} channels"
    )]
    Shape { rate_hz: u32, channels: u16 },
    #[error("its audio breaks off or is damaged after {at_ms} ms ({reason}); export it again")]
    Damaged { at_ms: u64, reason: String },
    #[error("it holds no audio; record it again")]
    Empty,
    #[error("it lasts {seconds} s, longer than the {seconds_max} s that a prompt may last; shorten it")]
    TooLong { seconds: u64, seconds_max: u32 },
    #[error("it lasts {ms} ms, which nobody hears; record it again")]
    TooShort { ms: u64 },
    #[error(
        "its loudest place is {below_db} dB below full scale, which nobody hears; record it again, or write `wait` for a pause"
    )]
    Faint { below_db: u32 },
}

/// Decodes a whole WAV file (8 to 32 bits, integer or float) to 8 kHz mono.
pub fn wav_to_pcm(bytes: &[u8], seconds_max: u32) -> Result<Vec<i16>, AudioError> {
    let (mono, rate_hz) = wav_to_mono(bytes, seconds_max)?;
    let mono = resample(mono, rate_hz).map_err(|reason| AudioError::Damaged { at_ms: 0, reason })?;
    Ok(mono.into_iter().map(to_pcm).collect())
}

/// The same at its own rate, in Hz.
pub fn wav_to_mono(bytes: &[u8], seconds_max: u32) -> Result<(Vec<f32>, u32), AudioError> {
    let reader = wav_reader(bytes, seconds_max)?;
    let spec = reader.spec();
    let mono: Vec<f32> = mono(reader).collect::<Result<_, _>>()?;
    if mono.is_empty() {
        return Err(AudioError::Empty);
    }
    Ok((mono, spec.sample_rate))
}

/// Whether `wav_to_pcm` takes the file, without decoding it: its header, and that its last sample is there. Its length in
/// milliseconds, rounded up.
pub fn check_wav(bytes: &[u8], seconds_max: u32) -> Result<u64, AudioError> {
    let mut reader = wav_reader(bytes, seconds_max)?;
    let (frames, spec) = (reader.duration(), reader.spec());
    let last = frames.checked_sub(1).ok_or(AudioError::Empty)?;
    let damaged = |reason: String| {
        let bytes_a_frame = u64::from(spec.channels) * u64::from(spec.bits_per_sample.div_ceil(8));
        let frames_there = (bytes.len() as u64).saturating_sub(HEADER_BYTES) / bytes_a_frame.max(1);
        let at_ms = frames_there.min(u64::from(last)) * 1_000 / u64::from(spec.sample_rate);
        AudioError::Damaged { at_ms, reason }
    };
    reader.seek(last).map_err(|error| damaged(error.to_string()))?;
    match mono(reader).collect::<Result<Vec<_>, _>>() {
        Ok(mono) if mono.len() == 1 => Ok((u64::from(frames) * 1_000).div_ceil(u64::from(spec.sample_rate))),
        Ok(_) => Err(damaged("its end is missing".to_owned())),
        Err(AudioError::Damaged { reason, .. }) => Err(damaged(reason)),
        Err(other) => Err(other),
    }
}

/// The highest of its samples, full scale is 1.0; once it is `enough`, the rest is not looked at.
pub fn peak(bytes: &[u8], seconds_max: u32, enough: f32) -> Result<f32, AudioError> {
    highest(mono(wav_reader(bytes, seconds_max)?), enough)
}

/// The same of samples.
pub fn highest(mono: impl Iterator<Item = Result<f32, AudioError>>, enough: f32) -> Result<f32, AudioError> {
    let mut highest = 0.0f32;
    for sample in mono {
        highest = highest.max(sample?.abs());
        if highest >= enough {
            break;
        }
    }
    Ok(highest)
}

fn wav_reader(bytes: &[u8], seconds_max: u32) -> Result<hound::WavReader<Cursor<&[u8]>>, AudioError> {
    let reader = hound::WavReader::new(Cursor::new(bytes)).map_err(|error| AudioError::NotAudio(error.to_string()))?;
    let spec = reader.spec();
    if !RATES_HZ.contains(&spec.sample_rate) || !(1..=CHANNELS_MAX).contains(&spec.channels) {
        return Err(AudioError::Shape { rate_hz: spec.sample_rate, channels: spec.channels });
    }
    let seconds = u64::from(reader.duration()).div_ceil(u64::from(spec.sample_rate));
    if seconds > u64::from(seconds_max) {
        return Err(AudioError::TooLong { seconds, seconds_max });
    }
    Ok(reader)
}

/// Full scale is 1.0; channels are averaged.
fn mono<'r, R: Read + 'r>(reader: hound::WavReader<R>) -> Box<dyn Iterator<Item = Result<f32, AudioError>> + 'r> {
    let spec = reader.spec();
    match spec.sample_format {
        hound::SampleFormat::Float => Box::new(mix(reader.into_samples::<f32>(), spec)),
        hound::SampleFormat::Int => {
            let scale = 1.0 / (1u64 << (spec.bits_per_sample.clamp(1, 32) - 1)) as f32;
            Box::new(mix(reader.into_samples::<i32>().map(move |sample| Ok(sample? as f32 * scale)), spec))
        }
    }
}

fn mix(
    mut samples: impl Iterator<Item = Result<f32, hound::Error>>,
    spec: hound::WavSpec,
) -> impl Iterator<Item = Result<f32, AudioError>> {
    (0u64..).map_while(move |frame| {
        let first = samples.next()?;
        let rest = samples.by_ref().take(usize::from(spec.channels) - 1);
        let sum: Result<f32, _> = std::iter::once(first).chain(rest).sum();
        let value = sum.map(|sum| sum / f32::from(spec.channels));
        Some(match value {
            Ok(value) => Ok(if value.is_finite() { value } else { 0.0 }),
            Err(error) => Err(AudioError::Damaged {
                at_ms: frame * 1_000 / u64::from(spec.sample_rate),
                reason: error.to_string(),
            }),
        })
    })
}

/// To 8 kHz.
pub fn resample(mono: Vec<f32>, rate_hz: u32) -> Result<Vec<f32>, String> {
    if rate_hz == SAMPLE_RATE_HZ {
        return Ok(mono);
    }
    let mut resampler = Fft::<f32>::new(rate_hz as usize, SAMPLE_RATE_HZ as usize, CHUNK_FRAMES, 1, FixedSync::Both)
        .map_err(|error| error.to_string())?;
    let input = InterleavedSlice::new(&mono, 1, mono.len()).map_err(|error| error.to_string())?;
    let output = resampler.process_all(&input, mono.len(), None).map_err(|error| error.to_string())?;
    Ok(output.take_data())
}

pub fn to_pcm(value: f32) -> i16 {
    // `as` saturates at both ends.
    (value * 32_768.0).round() as i16
}

/// A 16-bit 8 kHz WAV file as bytes; the samples are those of all channels in turn.
pub fn pcm_to_wav(pcm: &[i16], channels: u16) -> Result<Vec<u8>, hound::Error> {
    let mut bytes = Cursor::new(Vec::with_capacity(pcm.len() * 2 + 44));
    let mut writer = hound::WavWriter::new(&mut bytes, hound::WavSpec { channels, ..SPEC })?;
    for sample in pcm {
        writer.write_sample(*sample)?;
    }
    writer.finalize()?;
    Ok(bytes.into_inner())
}

/// Writes 8 kHz PCM to a WAV file, in place of one that is there.
pub fn write_wav(path: &Path, pcm: &[i16], channels: u16) -> std::io::Result<()> {
    std::fs::write(path, pcm_to_wav(pcm, channels).map_err(std::io::Error::other)?)
}

/// What recordings and renderings are kept as.
pub const SPEC: hound::WavSpec = hound::WavSpec {
    channels: 1,
    sample_rate: SAMPLE_RATE_HZ,
    bits_per_sample: 16,
    sample_format: hound::SampleFormat::Int,
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wav(spec: hound::WavSpec, frames: usize, value: impl Fn(usize) -> f32) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
        for frame in 0..frames {
            for _ in 0..spec.channels {
                match spec.sample_format {
                    hound::SampleFormat::Float => writer.write_sample(value(frame)).unwrap(),
                    hound::SampleFormat::Int => {
                        let full = (1u64 << (spec.bits_per_sample - 1)) as f32;
                        writer.write_sample((value(frame) * (full - 1.0)) as i32).unwrap();
                    }
                }
            }
        }
        writer.finalize().unwrap();
        bytes.into_inner()
    }

    fn sine(hz: f32, rate_hz: u32) -> impl Fn(usize) -> f32 {
        move |n| 0.5 * (std::f32::consts::TAU * hz * n as f32 / rate_hz as f32).sin()
    }

    /// Amplitude of a frequency in 8 kHz PCM, full scale 1.0, edges left out.
    fn amplitude(pcm: &[i16], hz: f32) -> f32 {
        let inner = &pcm[400..pcm.len() - 400];
        let (mut re, mut im) = (0.0f64, 0.0f64);
        for (n, sample) in inner.iter().enumerate() {
            let angle = f64::from(std::f32::consts::TAU * hz) * n as f64 / 8_000.0;
            re += f64::from(*sample) * angle.cos();
            im += f64::from(*sample) * angle.sin();
        }
        (re.hypot(im) * 2.0 / inner.len() as f64 / 32_768.0) as f32
    }

    #[test]
    fn every_usual_form_gives_the_same_tone() {
        use hound::SampleFormat::{Float, Int};
        for (bits_per_sample, sample_format) in [(8, Int), (16, Int), (24, Int), (32, Int), (32, Float)] {
            for sample_rate in [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000] {
                for channels in [1, 2] {
                    let spec = hound::WavSpec { channels, sample_rate, bits_per_sample, sample_format };
                    let pcm = wav_to_pcm(&wav(spec, sample_rate as usize / 2, sine(1_000.0, sample_rate)), 10).unwrap();
                    assert!(pcm.len().abs_diff(4_000) <= 1, "{spec:?}: {} samples", pcm.len());
                    let level = amplitude(&pcm, 1_000.0);
                    assert!((0.48..0.52).contains(&level), "{spec:?}: {level}");
                }
            }
        }
    }

    #[test]
    fn what_is_above_half_the_rate_does_not_fold_down() {
        let spec = hound::WavSpec { sample_rate: 48_000, ..SPEC };
        let pcm = wav_to_pcm(&wav(spec, 48_000, sine(7_000.0, 48_000)), 10).unwrap();
        assert!(amplitude(&pcm, 1_000.0) < 0.002);
    }

    #[test]
    fn sixteen_bits_at_eight_kilohertz_pass_unchanged() {
        let samples = [0, 1, -1, i16::MAX, i16::MIN, 1_234];
        assert_eq!(wav_to_pcm(&pcm_to_wav(&samples, 1).unwrap(), 1).unwrap(), samples);
    }

    #[test]
    fn bad_files_say_what_to_do() {
        let good = pcm_to_wav(&[5; 16_001], 1).unwrap();
        let message = |bytes: &[u8]| wav_to_pcm(bytes, 2).unwrap_err().to_string();
        assert!(message(b"ID3 not a wave file at all").contains("ffmpeg"));
        assert!(message(b"").contains("ffmpeg"));
        assert!(message(&pcm_to_wav(&[], 1).unwrap()).contains("no audio"));
        assert!(message(&good).contains("lasts 3 s, longer than the 2 s"), "{}", message(&good));
        assert!(wav_to_pcm(&pcm_to_wav(&[5; 16_000], 1).unwrap(), 2).is_ok(), "the bound itself is allowed");
        let broken = pcm_to_wav(&[5; 16_000], 1).unwrap();
        assert!(message(&broken[..8_044]).contains("after 500 ms"), "{}", message(&broken[..8_044]));
        let slow = wav(hound::WavSpec { sample_rate: 3_999, ..SPEC }, 10, |_| 0.0);
        assert!(message(&slow).contains("3999 Hz"));
    }

    proptest! {
        #[test]
        fn a_file_that_passes_is_one_that_decodes(
            changes in proptest::collection::vec((0usize..60, any::<u8>()), 0..3),
            cut in 0usize..20,
            stereo in any::<bool>(),
        ) {
            let spec = hound::WavSpec { channels: 1 + u16::from(stereo), ..SPEC };
            let mut bytes = wav(spec, 80, |_| 0.1);
            for (at, value) in changes {
                bytes[at] = value;
            }
            bytes.truncate(bytes.len() - cut.saturating_sub(10));
            let (checked, decoded) = (check_wav(&bytes, 10), wav_to_pcm(&bytes, 10));
            prop_assert_eq!(checked.is_ok(), decoded.is_ok(), "{:?} {:?}", checked, decoded.err());
        }

        #[test]
        fn damaged_headers_never_stop_the_process(
            changes in proptest::collection::vec((0usize..60, any::<u8>()), 1..8),
            length in 0usize..200,
        ) {
            let mut bytes = pcm_to_wav(&[7; 80], 1).unwrap();
            for (at, value) in changes {
                bytes[at] = value;
            }
            bytes.truncate(length);
            let _ = wav_to_pcm(&bytes, 10);
        }
    }
}
