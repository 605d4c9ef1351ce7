//! What a challenge asks for (RFC 7616 §3.3), as a client reads it.

use super::algorithm::Algorithm;
use super::params::Params;

/// A challenge that we can answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    pub realm: Vec<u8>,
    pub nonce: Vec<u8>,
    pub opaque: Option<Vec<u8>>,
    pub algorithm: Algorithm,
    /// `qop=auth` is offered.
    pub auth: bool,
    /// The password was right, the nonce was too old.
    pub stale: bool,
}

impl Challenge {
    fn parse(value: &[u8]) -> Option<Self> {
        let params = Params::parse(value)?;
        let qop = params.get(b"qop");
        let auth = qop.is_some_and(|qop| {
            qop.split(|byte| *byte == b',').any(|word| word.trim_ascii().eq_ignore_ascii_case(b"auth"))
        });
        if qop.is_some() && !auth {
            // `auth-int` alone is nothing that we have.
            return None;
        }
        Some(Self {
            realm: params.get(b"realm")?.to_vec(),
            nonce: params.get(b"nonce").filter(|nonce| !nonce.is_empty())?.to_vec(),
            opaque: params.get(b"opaque").map(<[u8]>::to_vec),
            algorithm: Algorithm::named(params.get(b"algorithm"))?,
            auth,
            stale: params.get(b"stale").is_some_and(|stale| stale.eq_ignore_ascii_case(b"true")),
        })
    }
}

/// The first that we can answer: they come in the server's order of preference (RFC 8760 §2.4).
pub fn best_challenge<'a>(values: impl Iterator<Item = &'a [u8]>) -> Option<Challenge> {
    values.filter_map(Challenge::parse).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_we_know_is_taken() {
        let values: [&[u8]; 5] = [
            b"Basic realm=\"x\"",
            b"Digest realm=\"x\", nonce=\"1\", algorithm=SHA3-256",
            b"Digest realm=\"x\", nonce=\"1\", qop=\"auth-int\"",
            b"Digest realm=\"x\", nonce=\"2\", algorithm=sha-256, qop=\"auth-int, auth\", stale=TRUE",
            b"Digest realm=\"x\", nonce=\"3\"",
        ];
        let best = best_challenge(values.into_iter()).unwrap();
        assert_eq!(
            (best.nonce.as_slice(), best.algorithm, best.auth, best.stale),
            (&b"2"[..], Algorithm::Sha256, true, true)
        );
        let last = best_challenge(values[4..].iter().copied()).unwrap();
        assert_eq!((last.algorithm, last.auth, last.stale), (Algorithm::Md5, false, false));
        assert_eq!(best_challenge(values[..3].iter().copied()), None);
    }
}
