//! Marked tones in place of speech: as long as the text would take, and different for every text.

use std::f64::consts::TAU;

/// Samples of one character (60 ms).
const CHARACTER_SAMPLES: usize = 480;
/// Samples of the fade at both ends of a tone, against clicks (5 ms).
const FADE_SAMPLES: usize = 40;
const LEVEL: f64 = 5_000.0;

/// 8 kHz PCM. Two tones for each letter, silence for each blank or mark. Each depends on all the text before
/// it, so that two texts sound alike only as far as they are alike. Never a DTMF pair (ITU-T Q.23): one tone
/// below and one above those.
pub fn text_to_pcm(text: &str) -> Vec<i16> {
    let mut pcm = Vec::with_capacity(text.chars().count() * CHARACTER_SAMPLES);
    let mut hash = blake3::Hasher::new();
    for character in text.chars() {
        hash.update(character.encode_utf8(&mut [0; 4]).as_bytes());
        if !character.is_alphanumeric() {
            pcm.extend([0; CHARACTER_SAMPLES]);
            continue;
        }
        let [a, b, c, d, ..] = *hash.finalize().as_bytes();
        let low_hz = 300.0 + f64::from(u16::from_le_bytes([a, b])) / 65_536.0 * 350.0;
        let high_hz = 1_800.0 + f64::from(u16::from_le_bytes([c, d])) / 65_536.0 * 1_200.0;
        pcm.extend((0..CHARACTER_SAMPLES).map(|n| tone(n, low_hz, high_hz)));
    }
    pcm
}

fn tone(n: usize, low_hz: f64, high_hz: f64) -> i16 {
    let edge = n.min(CHARACTER_SAMPLES - 1 - n).min(FADE_SAMPLES);
    let fade = edge as f64 / FADE_SAMPLES as f64;
    let at = TAU * n as f64 / 8_000.0;
    (LEVEL * fade * ((at * low_hz).sin() + (at * high_hz).sin())) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_follows_the_text_and_content_is_always_the_same() {
        assert_eq!(text_to_pcm("").len(), 0);
        assert_eq!(text_to_pcm("请按1。").len(), 4 * CHARACTER_SAMPLES);
        assert_eq!(text_to_pcm("Press one"), text_to_pcm("Press one"));
    }

    #[test]
    fn texts_sound_alike_as_far_as_they_are_alike() {
        let (one, two) = (text_to_pcm("press one now"), text_to_pcm("press two now"));
        assert_eq!(one[..6 * CHARACTER_SAMPLES], two[..6 * CHARACTER_SAMPLES]);
        assert_ne!(one[10 * CHARACTER_SAMPLES..], two[10 * CHARACTER_SAMPLES..], "`now` after another word");
    }
}
