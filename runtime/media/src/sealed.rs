//! Recordings encrypted at rest: XChaCha20-Poly1305 in the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015),
//! one chunk for each block that comes, so that a crash loses a second at most. It knows neither calls nor who may listen.
//!
//! A file is: 8 bytes that say what it is, 1 byte for the channels, 8 bytes that tell which key it is, 19 random bytes, and
//! chunks, each with its length in 4 bytes. All that stands before the chunks is authenticated with each.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::Payload;
use chacha20poly1305::aead::stream::{DecryptorBE32, EncryptorBE32};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use zeroize::Zeroizing;

const MAGIC: &[u8; 8] = b"STRWREC1";
const CHECK_BYTES: usize = 8;
/// 24 of the cipher, less 5 for the number of the chunk and the mark of the last one.
const NONCE_BYTES: usize = 19;
const HEADER_BYTES: usize = MAGIC.len() + 1 + CHECK_BYTES + NONCE_BYTES;
/// Longest chunk that is written, in samples.
const CHUNK_SAMPLES_MAX: usize = 1 << 18;
/// Domain of the check value, so that it says nothing of the key to whoever has other hashes of it.
const CHECK_CONTEXT: &str = "strowger 2026 recording key check";

/// 32 bytes that nobody may see.
#[derive(Clone)]
pub struct RecordingKey(Zeroizing<[u8; 32]>);

impl RecordingKey {
    /// 64 hexadecimal digits, or 32 bytes in base64 (44 characters, or 43 without the padding).
    pub fn parse(text: &str) -> Option<RecordingKey> {
        let text = text.trim();
        let bytes = if text.len() == 64 { hex(text) } else { base64(text) }?;
        let bytes: &[u8; 32] = bytes.as_slice().try_into().ok()?;
        Some(RecordingKey(Zeroizing::new(*bytes)))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.0).into())
    }

    /// Tells keys apart, and nothing else of them.
    fn check(&self) -> [u8; CHECK_BYTES] {
        let hash = blake3::derive_key(CHECK_CONTEXT, &self.0[..]);
        std::array::from_fn(|at| hash.get(at).copied().unwrap_or_default())
    }
}

impl fmt::Debug for RecordingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordingKey(•)")
    }
}

impl PartialEq for RecordingKey {
    fn eq(&self, other: &RecordingKey) -> bool {
        self.check() == other.check()
    }
}

fn hex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let digits: Option<Zeroizing<Vec<u8>>> = {
        let digit = |letter: char| letter.to_digit(16).map(|digit| digit as u8);
        text.chars().map(digit).collect::<Option<Vec<u8>>>().map(Zeroizing::new)
    };
    let pair = |pair: &[u8]| pair.iter().fold(0u8, |byte, digit| byte << 4 | digit);
    Some(Zeroizing::new(digits?.chunks(2).map(pair).collect()))
}

/// RFC 4648 §4, and the letters of §5.
fn base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(33));
    let (mut bits, mut count) = (0u32, 0);
    for letter in text.trim_end_matches('=').bytes() {
        let six = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    Some(bytes)
}

/// The name of an encrypted recording: `.enc` behind that of the WAV file.
pub fn sealed_path(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".enc");
    PathBuf::from(name)
}

/// Why an encrypted recording cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealedError {
    #[error("it is not a recording that was encrypted here")]
    NotSealed,
    #[error("it was encrypted with another key; give the key that was set when it was made")]
    OtherKey,
    #[error("it is encrypted, and there is no key; set `storage: recording_key` in strowger.yaml")]
    NoKey,
    #[error("it is damaged after {seconds} s: what is stored is not what was written")]
    Damaged { seconds: u64 },
}

/// Whether these are the bytes of an encrypted recording.
pub fn is_sealed(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// A recording that grows on anything that can be written to.
pub struct SealedWriter<W: Write> {
    to: W,
    header: [u8; HEADER_BYTES],
    stream: EncryptorBE32<XChaCha20Poly1305>,
}

impl<W: Write> SealedWriter<W> {
    pub fn new(mut to: W, channels: u8, key: &RecordingKey) -> io::Result<SealedWriter<W>> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|error| io::Error::other(error.to_string()))?;
        let parts = MAGIC.iter().copied().chain([channels]).chain(key.check()).chain(nonce);
        let mut header = [0; HEADER_BYTES];
        header.iter_mut().zip(parts).for_each(|(slot, byte)| *slot = byte);
        to.write_all(&header)?;
        to.flush()?;
        let stream = EncryptorBE32::from_aead(key.cipher(), (&nonce).into());
        Ok(SealedWriter { to, header, stream })
    }

    /// One chunk; of no samples none.
    pub fn append(&mut self, samples: &[i16]) -> io::Result<()> {
        for block in samples.chunks(CHUNK_SAMPLES_MAX) {
            let plain: Vec<u8> = block.iter().flat_map(|sample| sample.to_le_bytes()).collect();
            let sealed = self.stream.encrypt_next(Payload { msg: &plain, aad: &self.header });
            write_chunk(&mut self.to, &sealed.map_err(|_| io::Error::other("the recording is too long"))?)?;
        }
        Ok(())
    }

    /// The last chunk is empty and marked: a file without it ends early.
    pub fn finish(mut self) -> io::Result<()> {
        let sealed = self.stream.encrypt_last(Payload { msg: &[], aad: &self.header });
        write_chunk(&mut self.to, &sealed.map_err(|_| io::Error::other("the recording is too long"))?)
    }
}

fn write_chunk(to: &mut impl Write, chunk: &[u8]) -> io::Result<()> {
    to.write_all(&(chunk.len() as u32).to_be_bytes())?;
    to.write_all(chunk)?;
    to.flush()
}

/// A recording in the clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    pub channels: u16,
    /// Of all channels in turn.
    pub samples: Vec<i16>,
    /// False: the process died while it recorded, and what is here is all there is.
    pub complete: bool,
}

/// Decrypts a whole recording. One that ends early is given as far as it goes, one that was changed not at all.
pub fn open_sealed(bytes: &[u8], key: &RecordingKey) -> Result<Opened, SealedError> {
    let (header, mut rest) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or(SealedError::NotSealed)?;
    let inside = header.strip_prefix(MAGIC).ok_or(SealedError::NotSealed)?;
    let (channels, inside) = inside.split_first().ok_or(SealedError::NotSealed)?;
    let (check, nonce) = inside.split_first_chunk::<CHECK_BYTES>().ok_or(SealedError::NotSealed)?;
    let nonce = nonce.first_chunk::<NONCE_BYTES>().ok_or(SealedError::NotSealed)?;
    if *check != key.check() {
        return Err(SealedError::OtherKey);
    }
    let channels = u16::from(*channels).max(1);
    let mut stream = DecryptorBE32::from_aead(key.cipher(), nonce.into());
    let mut samples: Vec<i16> = Vec::new();
    loop {
        let seconds = samples.len() as u64 / u64::from(channels) / 8_000;
        let Some((chunk, behind)) = split_chunk(rest) else {
            return Ok(Opened { channels, samples, complete: false });
        };
        if behind.is_empty() && chunk.len() == TAG_BYTES {
            let last = stream.decrypt_last(Payload { msg: chunk, aad: header });
            last.map_err(|_| SealedError::Damaged { seconds })?;
            return Ok(Opened { channels, samples, complete: true });
        }
        let plain = stream.decrypt_next(Payload { msg: chunk, aad: header });
        let plain = plain.map_err(|_| SealedError::Damaged { seconds })?;
        let pairs = plain.chunks_exact(2).filter_map(|pair| pair.first_chunk::<2>());
        samples.extend(pairs.map(|pair| i16::from_le_bytes(*pair)));
        rest = behind;
    }
}

const TAG_BYTES: usize = 16;

/// Channels of an encrypted recording and the bytes of its samples, as far as it goes; no key is needed.
pub fn sealed_samples(mut from: impl io::Read + io::Seek) -> io::Result<(u8, u64)> {
    let end = from.seek(io::SeekFrom::End(0))?;
    let mut at = HEADER_BYTES as u64;
    if end < at {
        return Ok((1, 0));
    }
    let (mut channels, mut length) = ([1], [0; 4]);
    from.seek(io::SeekFrom::Start(MAGIC.len() as u64))?;
    from.read_exact(&mut channels)?;
    let mut bytes = 0;
    while at + 4 <= end {
        from.seek(io::SeekFrom::Start(at))?;
        from.read_exact(&mut length)?;
        let chunk = u64::from(u32::from_be_bytes(length));
        at += 4 + chunk;
        if at <= end {
            bytes += chunk.saturating_sub(TAG_BYTES as u64);
        }
    }
    Ok((channels.into_iter().next().unwrap_or(1), bytes))
}

/// The next chunk and what stands behind it; `None` where the file breaks off.
fn split_chunk(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_be_bytes(*length) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> RecordingKey {
        RecordingKey(Zeroizing::new([byte; 32]))
    }

    fn sealed(blocks: &[&[i16]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = SealedWriter::new(&mut bytes, 2, &key(1)).unwrap();
        blocks.iter().for_each(|block| writer.append(block).unwrap());
        writer.finish().unwrap();
        bytes
    }

    #[test]
    fn what_was_sealed_opens_with_its_key_alone() {
        let bytes = sealed(&[&[1, -2, 3, 4], &[], &[i16::MIN, i16::MAX]]);
        let samples = vec![1, -2, 3, 4, i16::MIN, i16::MAX];
        assert_eq!(open_sealed(&bytes, &key(1)), Ok(Opened { channels: 2, samples, complete: true }));
        assert_eq!(open_sealed(&bytes, &key(2)), Err(SealedError::OtherKey));
        assert_eq!(open_sealed(b"RIFF", &key(1)), Err(SealedError::NotSealed));
        assert_ne!(sealed(&[&[1]]), sealed(&[&[1]]), "never the same nonce");
        assert!(is_sealed(&bytes) && !is_sealed(b"RIFF"));
    }

    #[test]
    fn every_changed_byte_is_found() {
        let good = sealed(&[&[1, 2, 3], &[4]]);
        for at in 0..good.len() {
            let mut bytes = good.clone();
            bytes[at] ^= 1;
            // A longer length makes the file one that breaks off; nothing that is not authentic comes out of it.
            match open_sealed(&bytes, &key(1)) {
                Err(_) => {}
                Ok(opened) => assert!(!opened.complete && [0, 3, 4].contains(&opened.samples.len()), "byte {at}"),
            }
        }
        let (first, second) = (sealed(&[&[1]]), sealed(&[&[2]]));
        let swapped = [&first[..HEADER_BYTES], &second[HEADER_BYTES..]].concat();
        assert!(open_sealed(&swapped, &key(1)).is_err(), "chunks of another file");
    }

    #[test]
    fn a_file_that_breaks_off_is_read_as_far_as_it_goes() {
        let good = sealed(&[&[1, 2], &[3, 4]]);
        let chunk = 4 + 4 + TAG_BYTES;
        for (length, samples) in
            [(HEADER_BYTES, 0), (HEADER_BYTES + chunk, 2), (HEADER_BYTES + chunk + 9, 2), (HEADER_BYTES + 2 * chunk, 4)]
        {
            let opened = open_sealed(&good[..length], &key(1)).unwrap();
            assert_eq!((opened.samples.len(), opened.complete), (samples, false), "{length} bytes");
        }
    }

    #[test]
    fn keys_are_hexadecimal_or_base64_and_never_shown() {
        let hex = "01".repeat(32);
        assert_eq!(RecordingKey::parse(&hex), Some(key(1)));
        assert_eq!(RecordingKey::parse("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n"), Some(key(1)));
        assert_eq!(RecordingKey::parse("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE"), Some(key(1)));
        for wrong in ["", "01", &"0g".repeat(32), &"01".repeat(33), "AQEB", "?".repeat(44).as_str()] {
            assert_eq!(RecordingKey::parse(wrong), None, "{wrong}");
        }
        assert_eq!(format!("{:?}", key(7)), "RecordingKey(•)");
    }
}
