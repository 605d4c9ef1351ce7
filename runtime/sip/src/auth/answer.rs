//! A request of ours once more, with credentials for the challenge that it got (RFC 3261 §22.2, §22.3).

use runtime_contract::Redacted;

use super::algorithm::Proof;
use super::challenge::Challenge;
use crate::message::write::Writer;

/// As whom we answer.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    pub user: String,
    pub password: Redacted<String>,
}

/// What a repeated request has that the first one had not.
pub struct Fresh<'a> {
    pub branch: &'a [u8],
    pub cseq: u32,
    pub cnonce: &'a [u8],
    /// Times that this nonce was used, with this one.
    pub nonce_count: u32,
}

/// `request` is one that we wrote: one line for each header, Via first. `proxy`: the challenge was a 407. `None` when
/// it is not of that form.
pub fn answer(
    request: &[u8],
    challenge: &Challenge,
    proxy: bool,
    account: &Account,
    fresh: &Fresh<'_>,
) -> Option<Vec<u8>> {
    let end = request.windows(4).position(|four| four == b"\r\n\r\n")?;
    let (head, body) = request.split_at_checked(end)?;
    let mut lines = Lines(head);
    let start = lines.next()?;
    let mut words = start.split(|byte| *byte == b' ');
    let (method, uri) = (words.next()?, words.next()?);
    let mut writer = Writer::with_capacity(request.len() + 512);
    writer.put(start).put(b"\r\n");
    let name: &[u8] = if proxy { b"Proxy-Authorization" } else { b"Authorization" };
    let mut branched = false;
    for line in lines {
        let of = |header: &[u8]| line.strip_prefix(header).and_then(|rest| rest.strip_prefix(b": "));
        if let Some(via) = of(b"Via").filter(|_| !branched) {
            branched = true;
            let at = via.windows(8).position(|eight| eight == b";branch=")? + 8;
            let (before, old) = via.split_at_checked(at)?;
            let behind = old.iter().position(|byte| *byte == b';').unwrap_or(old.len());
            writer.put(b"Via: ").put(before).put(fresh.branch).put(old.get(behind..)?).put(b"\r\n");
        } else if of(b"CSeq").is_some() {
            writer.put(b"CSeq: ").put_number(fresh.cseq).put(b" ").put(method).put(b"\r\n");
        } else if of(name).is_none() {
            writer.put(line).put(b"\r\n");
        }
    }
    put_credentials(&mut writer, name, challenge, account, fresh, method, uri);
    writer.put(body.get(2..)?);
    Some(writer.into_bytes())
}

fn put_credentials(
    writer: &mut Writer,
    name: &[u8],
    challenge: &Challenge,
    account: &Account,
    fresh: &Fresh<'_>,
    method: &[u8],
    uri: &[u8],
) {
    let nc = format!("{:08x}", fresh.nonce_count);
    let counted = challenge.auth.then_some((nc.as_bytes(), fresh.cnonce));
    let proof = Proof {
        algorithm: challenge.algorithm,
        user: account.user.as_bytes(),
        realm: &challenge.realm,
        nonce: &challenge.nonce,
        counted,
        method,
        uri,
    };
    let response = proof.response(account.password.reveal().as_bytes());
    writer.put(name).put(b": Digest username=\"").put(account.user.as_bytes());
    writer.put(b"\", realm=\"").put_unfolded(&challenge.realm).put(b"\", nonce=\"").put_unfolded(&challenge.nonce);
    writer.put(b"\", uri=\"").put(uri).put(b"\", response=\"").put(response.as_bytes());
    writer.put(b"\", algorithm=").put(challenge.algorithm.name().as_bytes());
    if let Some((nc, cnonce)) = counted {
        writer.put(b", cnonce=\"").put(cnonce).put(b"\", qop=auth, nc=").put(nc);
    }
    if let Some(opaque) = &challenge.opaque {
        writer.put(b", opaque=\"").put_unfolded(opaque).put(b"\"");
    }
    writer.put(b"\r\n");
}

/// Lines of a head, each without its CRLF.
struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let end = self.0.windows(2).position(|two| two == b"\r\n").unwrap_or(self.0.len());
        let (line, rest) = self.0.split_at_checked(end)?;
        self.0 = rest.get(2..).unwrap_or_default();
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::algorithm::Algorithm;

    #[test]
    fn the_request_comes_again_with_credentials() {
        let request = b"BYE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1;rport\r\nFrom: <sip:c@d>;tag=1\r\n\
            Proxy-Authorization: old\r\nCSeq: 7 BYE\r\nContent-Length: 4\r\n\r\nbody";
        let challenge = Challenge {
            realm: b"r".to_vec(),
            nonce: b"n".to_vec(),
            opaque: Some(b"o".to_vec()),
            algorithm: Algorithm::Md5,
            auth: true,
            stale: false,
        };
        let account = Account { user: "u".into(), password: Redacted::new("p".into()) };
        let fresh = Fresh { branch: b"z9hG4bK2", cseq: 9, cnonce: b"c", nonce_count: 26 };
        let again = String::from_utf8(answer(request, &challenge, true, &account, &fresh).unwrap()).unwrap();
        assert_eq!(
            again,
            "BYE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK2;rport\r\nFrom: <sip:c@d>;tag=1\r\n\
             CSeq: 9 BYE\r\nContent-Length: 4\r\nProxy-Authorization: Digest username=\"u\", realm=\"r\", nonce=\"n\", \
             uri=\"sip:a@b\", response=\"bc36f05b04c8cda52ea59b4572e874b8\", algorithm=MD5, cnonce=\"c\", qop=auth, \
             nc=0000001a, opaque=\"o\"\r\n\r\nbody"
        );
    }
}
