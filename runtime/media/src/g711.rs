//! ITU-T G.711: both laws, to and from 16-bit linear PCM at 8 kHz. It knows code words, not packets.

use runtime_contract::leg::Codec;

/// Samples in a second, all over this room.
pub const SAMPLE_RATE_HZ: u32 = 8_000;

/// The code word of a sample (ITU-T G.711; the scaling of ITU-T G.191's tools: 13 bits for A-law, 14 for µ-law).
pub fn encode(codec: Codec, sample: i16) -> u8 {
    match codec {
        Codec::Pcma => encode_alaw(sample),
        Codec::Pcmu => encode_mulaw(sample),
    }
}

/// The sample that a code word stands for.
pub fn decode(codec: Codec, code: u8) -> i16 {
    match codec {
        Codec::Pcma => decode_alaw(code),
        Codec::Pcmu => decode_mulaw(code),
    }
}

/// The code word of the other law for the same sample, or the nearest (ITU-T G.711 tables 3 and 4).
pub fn convert(from: Codec, to: Codec, code: u8) -> u8 {
    if from == to { code } else { encode(to, decode(from, code)) }
}

/// The code word of silence (sample 0).
pub fn silence(codec: Codec) -> u8 {
    encode(codec, 0)
}

/// Even bits are inverted on the line (G.711 table 1a, note 2).
const ALAW_TOGGLE: u8 = 0x55;

fn encode_alaw(sample: i16) -> u8 {
    let negative = sample < 0;
    // One's complement for negative values, then 11 bits of magnitude.
    let magnitude = (if negative { !sample } else { sample } as u16) >> 4;
    let code = if magnitude > 15 {
        let exponent = 12 - magnitude.leading_zeros() as u16;
        (exponent << 4) | ((magnitude >> (exponent - 1)) & 0x0f)
    } else {
        magnitude
    };
    let sign = if negative { 0 } else { 0x80 };
    (code as u8 | sign) ^ ALAW_TOGGLE
}

fn decode_alaw(code: u8) -> i16 {
    let code = code ^ ALAW_TOGGLE;
    let exponent = i32::from((code >> 4) & 7);
    let mantissa = i32::from(code & 0x0f);
    let magnitude = match exponent {
        0 => (mantissa << 4) + 8,
        _ => ((mantissa << 4) + 0x108) << (exponent - 1),
    };
    (if code & 0x80 != 0 { magnitude } else { -magnitude }) as i16
}

/// Added before the logarithm, in 14-bit units (G.711 table 2a).
const MULAW_BIAS: u16 = 33;

fn encode_mulaw(sample: i16) -> u8 {
    let negative = sample < 0;
    let magnitude = ((if negative { !sample } else { sample } as u16) >> 2) + MULAW_BIAS;
    let magnitude = magnitude.min(0x1fff);
    let exponent = 10 - magnitude.leading_zeros() as u16;
    let code = (exponent << 4) | ((magnitude >> (exponent + 1)) & 0x0f);
    let sign = if negative { 0 } else { 0x80 };
    (!(code as u8) & 0x7f) | sign
}

fn decode_mulaw(code: u8) -> i16 {
    let inverted = !code;
    let exponent = (inverted >> 4) & 7;
    let mantissa = i32::from(inverted & 0x0f);
    // Times 4: from 14 bits to 16.
    let magnitude = ((((mantissa << 1) + i32::from(MULAW_BIAS)) << exponent) - i32::from(MULAW_BIAS)) << 2;
    (if code & 0x80 != 0 { magnitude } else { -magnitude }) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(text: &str) -> Vec<i32> {
        let mut values = Vec::new();
        for line in text.lines() {
            let (value, count) = line.split_once('\t').unwrap();
            let value: i32 = value.parse().unwrap();
            values.extend(std::iter::repeat_n(value, count.parse().unwrap()));
        }
        assert_eq!(values.len(), 65_536);
        values
    }

    fn check(expected: &str, convert: impl Fn(i16) -> i32) {
        for (sample, expected) in (i16::MIN..=i16::MAX).zip(runs(expected)) {
            assert_eq!(convert(sample), expected, "sample {sample}");
        }
    }

    #[test]
    fn every_sample_encodes_as_the_itu_says() {
        check(include_str!("../tests/data/g711/a-law-encoded.tsv"), |s| encode(Codec::Pcma, s).into());
        check(include_str!("../tests/data/g711/mu-law-encoded.tsv"), |s| encode(Codec::Pcmu, s).into());
    }

    #[test]
    fn every_sample_decodes_as_the_itu_says() {
        check(include_str!("../tests/data/g711/a-law-decoded.tsv"), |s| {
            decode(Codec::Pcma, encode(Codec::Pcma, s)).into()
        });
        check(include_str!("../tests/data/g711/mu-law-decoded.tsv"), |s| {
            decode(Codec::Pcmu, encode(Codec::Pcmu, s)).into()
        });
    }

    #[test]
    fn coding_again_changes_nothing() {
        for codec in [Codec::Pcma, Codec::Pcmu] {
            for code in 0..=255u8 {
                let sample = decode(codec, code);
                assert_eq!(decode(codec, encode(codec, sample)), sample, "{codec:?} {code}");
            }
        }
    }

    #[test]
    fn silence_is_the_code_word_of_zero() {
        assert_eq!(silence(Codec::Pcma), 0xd5);
        assert_eq!(silence(Codec::Pcmu), 0xff);
    }
}
