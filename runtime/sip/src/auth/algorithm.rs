//! The hashes of RFC 7616 §3.3 and the response that is made of them (§3.4.1). It knows no header.

use md5::Md5;
use sha2::digest::Digest as _;
use sha2::{Sha256, Sha512_256};

/// Hash of a challenge; never a session variant (`-sess`), which nobody in SIP uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Md5,
    Sha256,
    /// SHA-512 cut to 256 bits, as FIPS 180-4 §5.3.6 cuts it.
    Sha512_256,
}

impl Algorithm {
    /// As headers write it.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha256 => "SHA-256",
            Algorithm::Sha512_256 => "SHA-512-256",
        }
    }

    /// MD5 where nothing is said (RFC 7616 §3.3).
    pub fn named(name: Option<&[u8]>) -> Option<Self> {
        let Some(name) = name else { return Some(Algorithm::Md5) };
        [Algorithm::Md5, Algorithm::Sha256, Algorithm::Sha512_256]
            .into_iter()
            .find(|known| name.eq_ignore_ascii_case(known.name().as_bytes()))
    }

    /// Hash of the parts with colons between them, in hexadecimal digits.
    fn hash(self, parts: &[&[u8]]) -> String {
        let bytes = parts.join(&b':');
        let hex = |digest: &[u8]| digest.iter().map(|byte| format!("{byte:02x}")).collect();
        match self {
            Algorithm::Md5 => hex(&Md5::digest(&bytes)),
            Algorithm::Sha256 => hex(&Sha256::digest(&bytes)),
            Algorithm::Sha512_256 => hex(&Sha512_256::digest(&bytes)),
        }
    }
}

/// What goes into a response beside the password.
#[derive(Clone, Copy)]
pub struct Proof<'a> {
    pub algorithm: Algorithm,
    pub user: &'a [u8],
    pub realm: &'a [u8],
    pub nonce: &'a [u8],
    /// `nc` and `cnonce` as written, where `qop=auth` is used.
    pub counted: Option<(&'a [u8], &'a [u8])>,
    pub method: &'a [u8],
    pub uri: &'a [u8],
}

impl Proof<'_> {
    /// RFC 7616 §3.4.1; without `qop` that of RFC 2069, which RFC 3261 §22.4 still allows.
    pub fn response(&self, password: &[u8]) -> String {
        let algorithm = self.algorithm;
        let secret = algorithm.hash(&[self.user, self.realm, password]);
        let request = algorithm.hash(&[self.method, self.uri]);
        let (secret, request) = (secret.as_bytes(), request.as_bytes());
        match self.counted {
            Some((nc, cnonce)) => algorithm.hash(&[secret, self.nonce, nc, cnonce, b"auth", request]),
            None => algorithm.hash(&[secret, self.nonce, request]),
        }
    }
}

/// Compares without telling by the time where two differ.
pub fn is_same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && left.iter().zip(right).fold(0, |unlike, (a, b)| unlike | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_of_rfc_7616() {
        let proof = |algorithm| Proof {
            algorithm,
            user: b"Mufasa",
            realm: b"http-auth@example.org",
            nonce: b"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
            counted: Some((b"00000001", b"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")),
            method: b"GET",
            uri: b"/dir/index.html",
        };
        // §3.9.1
        assert_eq!(proof(Algorithm::Md5).response(b"Circle of Life"), "8ca523f5e9506fed4657c9700eebdbec");
        assert_eq!(
            proof(Algorithm::Sha256).response(b"Circle of Life"),
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
        );
        // §3.9.2 with the response of erratum 4897: the RFC's own is not by SHA-512/256.
        let proof = Proof {
            algorithm: Algorithm::Sha512_256,
            user: "J\u{e4}s\u{f8}n Doe".as_bytes(),
            realm: b"api@example.org",
            nonce: b"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",
            counted: Some((b"00000001", b"NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v")),
            method: b"GET",
            uri: b"/doe.json",
        };
        assert_eq!(
            proof.response(b"Secret, or not?"),
            "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"
        );
    }

    #[test]
    fn without_qop_as_in_rfc_2069() {
        // RFC 2069 §2.4 with its erratum 749.
        let proof = Proof {
            algorithm: Algorithm::Md5,
            user: b"Mufasa",
            realm: b"testrealm@host.com",
            nonce: b"dcd98b7102dd2f0e8b11d0f600bfb0c093",
            counted: None,
            method: b"GET",
            uri: b"/dir/index.html",
        };
        assert_eq!(proof.response(b"CircleOfLife"), "1949323746fe6a43ef61f9606e7febea");
    }

    #[test]
    fn only_the_same_is_the_same() {
        assert!(is_same(b"abc", b"abc") && is_same(b"", b""));
        for (left, right) in [(&b"abc"[..], &b"abd"[..]), (b"abc", b"ab"), (b"", b"a")] {
            assert!(!is_same(left, right));
        }
    }
}
