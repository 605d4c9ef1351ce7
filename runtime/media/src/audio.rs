//! Audio files of any usual kind (WAV of PCM or G.711, MP3, Ogg Vorbis, FLAC) as 8 kHz mono, and as loud as callers are used to. It knows
//! no prompts' cache.

use std::io::{Cursor, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};

use ebur128::{EbuR128, Mode};
use symphonia::core::audio::SampleBuffer;
use symphonia::core::codecs::{CODEC_TYPE_PCM_ALAW, CODEC_TYPE_PCM_MULAW, DecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::FormatOptions;
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::{Limit, MetadataOptions};
use symphonia::core::probe::Hint;

use crate::g711::SAMPLE_RATE_HZ;
use crate::wav::{self, AudioError, CHANNELS_MAX, RATES_HZ};

/// Programme loudness of prompts (EBU R 128 measures it): −19 LUFS, about the −16 dBm0 at which networks carry announcements.
const LOUDNESS_LUFS: f64 = -19.0;
/// Highest peak: −3 dBFS, just below the overload point of G.711 (+3.14 dBm0 in both laws).
const PEAK_MAX: f32 = 0.708;
/// Most that a file is made louder (20 dB): more would make its noise a voice.
const GAIN_MAX: f64 = 10.0;
/// What is below it everywhere (−40 dBFS), nobody hears, however much louder it is made.
const PEAK_MIN: f32 = 0.01;
/// Nobody hears less; a short beep is longer.
const MS_MIN: u64 = 50;
/// Shortest piece that can be measured: three blocks of 400 ms; shorter files are measured several times in a row.
const MEASURED_SAMPLES_MIN: usize = 9_600;
/// Cover pictures and other words in a file that are read over, in bytes.
const METADATA_BYTES_MAX: usize = 16 << 20;
/// Packets at the beginning that may be damaged: files that were cut out of longer ones begin so.
const CUT_PACKETS_MAX: u64 = 3;

/// Decodes a whole file to 8 kHz mono, as loud as it is.
pub fn audio_to_pcm(bytes: &[u8], seconds_max: u32) -> Result<Vec<i16>, AudioError> {
    Ok(audio_to_mono(bytes, seconds_max)?.into_iter().map(wav::to_pcm).collect())
}

/// Decodes a whole file to 8 kHz mono at the loudness of a prompt.
pub fn audio_to_prompt(bytes: &[u8], seconds_max: u32) -> Result<Vec<i16>, AudioError> {
    let mono = audio_to_mono(bytes, seconds_max)?;
    let gain = gain(&mono);
    Ok(mono.into_iter().map(|sample| wav::to_pcm(sample * gain)).collect())
}

/// Whether `audio_to_pcm` takes the file, and somebody would hear it. Its length in milliseconds, rounded up. A WAV file is
/// decoded as far as the first sample that is heard.
pub fn check_audio(bytes: &[u8], seconds_max: u32) -> Result<u64, AudioError> {
    let (ms, peak) = match is_wav(bytes) {
        true => (wav::check_wav(bytes, seconds_max)?, wav::peak(bytes, seconds_max, PEAK_MIN)?),
        false => {
            let (mono, rate_hz) = decode(bytes, seconds_max)?;
            (
                (mono.len() as u64 * 1_000).div_ceil(u64::from(rate_hz)),
                wav::highest(mono.into_iter().map(Ok), PEAK_MIN)?,
            )
        }
    };
    match () {
        () if ms < MS_MIN => Err(AudioError::TooShort { ms }),
        () if peak < PEAK_MIN => Err(AudioError::Faint { below_db: (-20.0 * peak.max(1e-5).log10()).round() as u32 }),
        () => Ok(ms),
    }
}

fn audio_to_mono(bytes: &[u8], seconds_max: u32) -> Result<Vec<f32>, AudioError> {
    let (mono, rate_hz) =
        if is_wav(bytes) { wav::wav_to_mono(bytes, seconds_max)? } else { decode(bytes, seconds_max)? };
    wav::resample(mono, rate_hz).map_err(|reason| AudioError::Damaged { at_ms: 0, reason })
}

/// What is none of the others is refused as if it were one. WAV files of G.711 are the others' too.
fn is_wav(bytes: &[u8]) -> bool {
    const A_LAW_AND_MU_LAW: [&[u8]; 2] = [&[6, 0], &[7, 0]];
    let format = bytes.strip_prefix(b"RIFF").and_then(|rest| rest.get(4..)?.strip_prefix(b"WAVEfmt "));
    if format.and_then(|rest| rest.get(4..6)).is_some_and(|tag| A_LAW_AND_MU_LAW.contains(&tag)) {
        return false;
    }
    let others: [&[u8]; 3] = [b"ID3", b"OggS", b"fLaC"];
    let is_mp3_frame = matches!(bytes, [0xff, second, ..] if second & 0xe6 == 0xe2);
    !is_mp3_frame && !others.iter().any(|magic| bytes.starts_with(magic))
}

/// The decoders are others' code for others' files: what they trip over is an error of the file.
fn decode(bytes: &[u8], seconds_max: u32) -> Result<(Vec<f32>, u32), AudioError> {
    let decoded = catch_unwind(AssertUnwindSafe(|| decode_packets(bytes, seconds_max)));
    decoded.unwrap_or_else(|_| Err(AudioError::Damaged { at_ms: 0, reason: "its form makes no sense".to_owned() }))
}

fn decode_packets(bytes: &[u8], seconds_max: u32) -> Result<(Vec<f32>, u32), AudioError> {
    let not_audio = |error: Error| AudioError::NotAudio(error.to_string());
    let source = MediaSourceStream::new(Box::new(Cursor::new(bytes.to_vec())), Default::default());
    let metadata = MetadataOptions {
        limit_metadata_bytes: Limit::Maximum(METADATA_BYTES_MAX),
        limit_visual_bytes: Limit::Maximum(METADATA_BYTES_MAX),
    };
    let options = FormatOptions { enable_gapless: true, ..FormatOptions::default() };
    let probed =
        symphonia::default::get_probe().format(&Hint::new(), source, &options, &metadata).map_err(not_audio)?;
    let mut format = probed.format;
    let track = format.default_track().ok_or(AudioError::Empty)?;
    let (id, frames, codec) = (track.id, track.codec_params.n_frames, track.codec_params.codec);
    let mut decoder =
        symphonia::default::get_codecs().make(&track.codec_params, &DecoderOptions::default()).map_err(not_audio)?;
    let mut mono = Mono { samples: Vec::new(), rate_hz: 0, seconds_max };
    let mut packets = 0;
    loop {
        let packet = match format.next_packet() {
            Ok(packet) if packet.track_id() == id => packet,
            Ok(_) => continue,
            Err(Error::IoError(error)) if error.kind() == ErrorKind::UnexpectedEof => break,
            Err(Error::ResetRequired) => break,
            Err(error) => return Err(mono.damaged(error.to_string())),
        };
        packets += 1;
        match decoder.decode(&packet) {
            Ok(audio) => {
                let spec = *audio.spec();
                let mut buffer = SampleBuffer::<f32>::new(audio.capacity() as u64, spec);
                buffer.copy_interleaved_ref(audio);
                mono.add(buffer.samples(), spec.rate, spec.channels.count())?;
            }
            Err(Error::DecodeError(_)) if packets <= CUT_PACKETS_MAX => {}
            Err(error) => return Err(mono.damaged(error.to_string())),
        }
    }
    if mono.samples.is_empty() {
        return Err(AudioError::Empty);
    }
    // Of MP3 the number is that of an encoder's note; a frame more or less is none that was lost.
    let spare = if matches!(codec, CODEC_TYPE_PCM_ALAW | CODEC_TYPE_PCM_MULAW) { 0 } else { 2 * 1_152 };
    if frames.is_some_and(|frames| (mono.samples.len() as u64).saturating_add(spare) < frames) {
        return Err(mono.damaged("its end is missing".to_owned()));
    }
    Ok((mono.samples, mono.rate_hz))
}

/// Samples of all channels, averaged.
struct Mono {
    samples: Vec<f32>,
    rate_hz: u32,
    seconds_max: u32,
}

impl Mono {
    fn add(&mut self, interleaved: &[f32], rate_hz: u32, channels: usize) -> Result<(), AudioError> {
        let channels_said = u16::try_from(channels).unwrap_or(u16::MAX);
        if !RATES_HZ.contains(&rate_hz) || !(1..=CHANNELS_MAX).contains(&channels_said) {
            return Err(AudioError::Shape { rate_hz, channels: channels_said });
        }
        if self.rate_hz != 0 && self.rate_hz != rate_hz {
            return Err(self.damaged("its sampling rate changes".to_owned()));
        }
        self.rate_hz = rate_hz;
        let mean = |frame: &[f32]| {
            let mean = frame.iter().sum::<f32>() / channels as f32;
            if mean.is_finite() { mean } else { 0.0 }
        };
        self.samples.extend(interleaved.chunks_exact(channels).map(mean));
        let seconds = (self.samples.len() as u64).div_ceil(u64::from(rate_hz));
        match seconds > u64::from(self.seconds_max) {
            true => Err(AudioError::TooLong { seconds, seconds_max: self.seconds_max }),
            false => Ok(()),
        }
    }

    fn damaged(&self, reason: String) -> AudioError {
        let at_ms = self.samples.len() as u64 * 1_000 / u64::from(self.rate_hz.max(1));
        AudioError::Damaged { at_ms, reason }
    }
}

/// What brings it to the loudness of a prompt without clipping; 1 for silence and what cannot be measured.
fn gain(mono: &[f32]) -> f32 {
    let Some(loudness) = loudness_lufs(mono) else { return 1.0 };
    let peak = mono.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
    let wanted = 10f64.powf((LOUDNESS_LUFS - loudness) / 20.0).min(GAIN_MAX) as f32;
    if peak * wanted > PEAK_MAX { PEAK_MAX / peak } else { wanted }
}

/// Integrated loudness (ITU-R BS.1770, EBU R 128).
fn loudness_lufs(mono: &[f32]) -> Option<f64> {
    let mut meter = EbuR128::new(1, SAMPLE_RATE_HZ, Mode::I).ok()?;
    for _ in 0..MEASURED_SAMPLES_MIN.div_ceil(mono.len().max(1)).max(1) {
        meter.add_frames_f32(mono).ok()?;
        if mono.is_empty() {
            break;
        }
    }
    meter.loudness_global().ok().filter(|loudness| loudness.is_finite())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use runtime_contract::leg::Codec;

    use super::*;
    use crate::g711;

    /// Half a second of 1 000 Hz at half of full scale, made by lame, oggenc and flac.
    const FILES: [(&str, &[u8]); 3] = [
        ("mp3", include_bytes!("../tests/data/audio/tone.mp3")),
        ("ogg", include_bytes!("../tests/data/audio/tone.ogg")),
        ("flac", include_bytes!("../tests/data/audio/tone.flac")),
    ];

    fn level(pcm: &[i16]) -> f64 {
        let inner = pcm.get(400..pcm.len() - 400).unwrap();
        let power: f64 = inner.iter().map(|sample| (f64::from(*sample) / 32_768.0).powi(2)).sum();
        (power / inner.len() as f64 * 2.0).sqrt()
    }

    #[test]
    fn every_usual_kind_gives_the_same_tone() {
        for (kind, bytes) in FILES {
            let pcm = audio_to_pcm(bytes, 10).unwrap();
            assert!(pcm.len().abs_diff(4_000) < 20, "{kind}: {} samples", pcm.len());
            assert!((0.47..0.53).contains(&level(&pcm)), "{kind}: {}", level(&pcm));
            assert!(check_audio(bytes, 10).unwrap().abs_diff(500) < 4, "{kind}");
            let crossings = pcm.windows(2).filter(|pair| (pair[0] < 0) != (pair[1] < 0)).count();
            assert!(crossings.abs_diff(1_000) < 12, "{kind}: {crossings}");
        }
    }

    /// Half a second of G.711 in a WAV file, as it comes from many telephone systems.
    fn wav_of(codec: Codec, sample: impl Fn(usize) -> i16) -> Vec<u8> {
        let sound: Vec<u8> = (0..4_000).map(|n| g711::encode(codec, sample(n))).collect();
        let tag: u8 = if codec == Codec::Pcma { 6 } else { 7 };
        let word = |value: usize| (value as u32).to_le_bytes();
        let format = [&[tag, 0, 1, 0][..], &word(8_000), &word(8_000), &[1, 0, 8, 0, 0, 0]].concat();
        let chunks = [b"WAVEfmt ", &word(format.len())[..], &format, b"data", &word(sound.len()), &sound].concat();
        [b"RIFF", &word(chunks.len())[..], &chunks].concat()
    }

    #[test]
    fn wav_files_of_both_laws_are_decoded() {
        let sine = |n: usize| (16_384.0 * (std::f64::consts::TAU * n as f64 / 8.0).sin()) as i16;
        for codec in [Codec::Pcma, Codec::Pcmu] {
            let wav = wav_of(codec, sine);
            assert_eq!(check_audio(&wav, 10), Ok(500), "{codec:?}");
            let pcm = audio_to_pcm(&wav, 10).unwrap();
            let wanted: Vec<i16> = (0..4_000).map(|n| g711::decode(codec, g711::encode(codec, sine(n)))).collect();
            assert_eq!(pcm, wanted, "{codec:?}");
            assert!(audio_to_pcm(&wav[..2_000], 10).is_err(), "{codec:?}: a file that breaks off passed");
        }
    }

    #[test]
    fn what_nobody_would_hear_is_refused() {
        let wav = |samples: usize, value: i16| wav::pcm_to_wav(&vec![value; samples], 1).unwrap();
        assert_eq!(check_audio(&wav(400, 328), 10), Ok(50));
        assert_eq!(check_audio(&wav(392, 328), 10), Err(AudioError::TooShort { ms: 49 }));
        assert_eq!(check_audio(&wav(8_000, 327), 10), Err(AudioError::Faint { below_db: 40 }));
        assert_eq!(check_audio(&wav(8_000, 0), 10), Err(AudioError::Faint { below_db: 100 }));
        assert_eq!(check_audio(&wav_of(Codec::Pcmu, |_| 30), 10), Err(AudioError::Faint { below_db: 60 }));
        let mut late = vec![0; 8_000];
        late[7_999] = -328;
        assert_eq!(check_audio(&wav::pcm_to_wav(&late, 1).unwrap(), 10), Ok(1_000));
        let said = AudioError::Faint { below_db: 60 }.to_string();
        assert!(said.contains("`wait`"), "{said}");
    }

    #[test]
    fn prompts_are_equally_loud_and_never_clip() {
        let sine = |amplitude: f64, n: u32| {
            (amplitude * (std::f64::consts::TAU * 997.0 * f64::from(n) / 8_000.0).sin()) as i16
        };
        for amplitude in [1_500.0, 6_000.0, 30_000.0] {
            for samples in [800, 16_000u32] {
                let wav = wav::pcm_to_wav(&(0..samples).map(|n| sine(amplitude, n)).collect::<Vec<_>>(), 1).unwrap();
                let pcm = audio_to_prompt(&wav, 10).unwrap();
                let mono: Vec<f32> = pcm.iter().map(|sample| f32::from(*sample) / 32_768.0).collect();
                let loudness = loudness_lufs(&mono).unwrap();
                assert!((loudness - LOUDNESS_LUFS).abs() < 0.3, "{amplitude}, {samples}: {loudness} LUFS");
            }
        }
        // Quiet but for a click: the click bounds it.
        let mut click: Vec<i16> = (0..16_000).map(|n| sine(500.0, n)).collect();
        click[8_000] = 20_000;
        let pcm = audio_to_prompt(&wav::pcm_to_wav(&click, 1).unwrap(), 10).unwrap();
        assert!(pcm.iter().map(|sample| sample.unsigned_abs()).max().unwrap() <= 23_210);
        let silence = audio_to_prompt(&wav::pcm_to_wav(&[0; 8_000], 1).unwrap(), 10).unwrap();
        assert!(silence.iter().all(|sample| *sample == 0));
    }

    #[test]
    fn bad_files_say_what_to_do() {
        for (kind, bytes) in FILES {
            assert!(matches!(audio_to_pcm(bytes, 0), Err(AudioError::TooLong { .. })), "{kind}");
            let cut = audio_to_pcm(&bytes[..bytes.len() / 2], 10);
            // Without its last page an Ogg file does not know its length.
            assert!(cut.is_err() || kind == "ogg", "{kind}: a file that breaks off passed");
            assert!(audio_to_pcm(&bytes[..20], 10).is_err(), "{kind}");
        }
        let message = audio_to_pcm(b"ID3 and then nothing of it", 10).unwrap_err().to_string();
        assert!(message.contains("ffmpeg"), "{message}");
        assert!(audio_to_pcm(b"", 10).unwrap_err().to_string().contains("ffmpeg"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// Damaged files and random bytes give audio or an error, never a panic, and the check agrees.
        #[test]
        fn damaged_files_never_stop_the_process(
            kind in 0usize..3,
            changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..20),
            length in any::<usize>(),
        ) {
            let mut bytes = FILES[kind].1.to_vec();
            for (at, value) in changes {
                let at = at % bytes.len();
                bytes[at] = value;
            }
            bytes.truncate(1 + length % (2 * bytes.len()));
            let is_heard = !matches!(check_audio(&bytes, 10), Err(AudioError::TooShort { .. } | AudioError::Faint { .. }));
            prop_assert_eq!(check_audio(&bytes, 10).is_ok(), is_heard && audio_to_pcm(&bytes, 10).is_ok());
        }

        #[test]
        fn random_bytes_never_stop_the_process(kind in 0usize..4, bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
            let magics: [&[u8]; 4] = [b"ID3\x03", b"OggS\0", b"fLaC\0", b"\xff\xfb\x90"];
            let magic = magics[kind];
            let _ = audio_to_prompt(&[magic, &bytes].concat(), 10);
        }
    }
}
