//! Session descriptions (RFC 4566) as far as one audio stream in G.711 with telephone-event goes, and the
//! offer/answer rules for it (RFC 3264). It does not know who offers.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use runtime_contract::leg::{Codec, MediaSpec};

use crate::message::scan::parse_number;
use crate::message::uri::parse_ip;
use crate::message::write::Writer;

/// `m=` lines in one description. Over it: malformed.
pub const MEDIA_LINES_MAX: usize = 16;
/// Payload type under which we offer telephone-event.
const DTMF_OFFERED: u8 = 101;
const PTIME_MS: u16 = 20;
/// What we can send, in steps of 10.
const PTIME_MS_MIN: u16 = 10;
const PTIME_MS_MAX: u16 = 60;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SdpFault {
    /// No session description at all: 400.
    Malformed,
    /// Nothing in it that we could take: 488.
    NoCommonMedia,
}

/// The far side's description, and the stream of it that we take.
#[derive(Clone, Debug)]
pub struct Remote {
    pub media: MediaSpec,
    /// `m=` lines before and after ours, with port 0: how an answer refuses them.
    before: Vec<Box<[u8]>>,
    after: Vec<Box<[u8]>>,
}

impl Remote {
    /// What later offers must keep to.
    pub fn settled(&self) -> Settled {
        Settled {
            codec: self.media.codec,
            dtmf_payload_type: self.media.dtmf_payload_type,
            // At most `MEDIA_LINES_MAX`.
            before: self.before.len() as u8,
            after: self.after.len() as u8,
        }
    }
}

/// What offer and answer fixed for the rest of a session: no line may go away, and a number keeps its meaning
/// (RFC 3264 §8, §8.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    pub codec: Codec,
    pub dtmf_payload_type: Option<u8>,
    /// Refused `m=` lines before and after ours.
    pub before: u8,
    pub after: u8,
}

#[derive(Clone, Copy, Default)]
struct Media<'a> {
    kind: &'a [u8],
    port: u16,
    proto: &'a [u8],
    formats: &'a [u8],
    connection: Option<IpAddr>,
    direction: Option<Direction>,
    ptime_ms: Option<u16>,
    ptime_ms_max: Option<u16>,
    dtmf: Option<u8>,
    /// `a=rtcp`: a port, and perhaps an address of its own (RFC 3605 §2.1).
    rtcp: Option<(u16, Option<IpAddr>)>,
    rtcp_mux: bool,
    /// An `rtpmap` gives the static number another meaning.
    no_pcmu: bool,
    no_pcma: bool,
}

/// As the far side sees it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

impl Media<'_> {
    fn codec(&self) -> Option<Codec> {
        self.formats.split(|byte| *byte == b' ').find_map(|format| match format {
            b"0" if !self.no_pcmu => Some(Codec::Pcmu),
            b"8" if !self.no_pcma => Some(Codec::Pcma),
            _ => None,
        })
    }

    /// Of what the far side wants and can take, in steps of 10 ms.
    fn packet_ms(&self, session: &Media<'_>) -> u16 {
        let most_ms = self.ptime_ms_max.or(session.ptime_ms_max).map_or(PTIME_MS_MAX, |ms| ms / 10 * 10);
        self.ptime_ms.or(session.ptime_ms).unwrap_or(PTIME_MS).min(most_ms).max(PTIME_MS_MIN)
    }

    /// Where RTCP goes, if not to the port above; `remote` is where RTP goes.
    fn rtcp(&self, remote: SocketAddr) -> Option<SocketAddr> {
        if self.rtcp_mux {
            return Some(remote);
        }
        let (port, ip) = self.rtcp?;
        let rtcp = SocketAddr::new(ip.unwrap_or(remote.ip()), port);
        // Reports go to the host of the voice, or a stranger could be made to get them.
        (port != 0 && rtcp.ip() == remote.ip() && Some(port) != remote.port().checked_add(1)).then_some(rtcp)
    }

    fn has_format(&self, wanted: u8) -> bool {
        self.formats.split(|byte| *byte == b' ').any(|format| parse_number(format) == Some(u32::from(wanted)))
    }

    fn spec(&self, session: &Media<'_>, ours: IpAddr) -> Option<MediaSpec> {
        if self.kind != b"audio" || self.proto != b"RTP/AVP" || self.port == 0 {
            return None;
        }
        let codec = self.codec()?;
        let ip = self.connection.or(session.connection)?.to_canonical();
        // What one caller asks for goes to one host.
        if ip.is_multicast() || ip == IpAddr::V4(Ipv4Addr::BROADCAST) {
            return None;
        }
        // A socket of the one family reaches nobody of the other; to zeros nothing is sent anyway.
        if ip.is_ipv4() != ours.is_ipv4() && !ip.is_unspecified() {
            return None;
        }
        let direction = self.direction.or(session.direction).unwrap_or(Direction::SendRecv);
        let remote = SocketAddr::new(ip, self.port);
        Some(MediaSpec {
            remote,
            codec,
            dtmf_payload_type: self.dtmf.filter(|payload_type| self.has_format(*payload_type)),
            ptime_ms: self.packet_ms(session),
            rtcp: self.rtcp(remote),
            // An address of zeros is hold as RFC 2543 did it (RFC 3264 §8.4).
            send: matches!(direction, Direction::SendRecv | Direction::RecvOnly) && !ip.is_unspecified(),
            receive: matches!(direction, Direction::SendRecv | Direction::SendOnly),
        })
    }

    fn refused(&self) -> Box<[u8]> {
        [b"m=", self.kind, b" 0 ", self.proto, b" ", self.formats, b"\r\n"].concat().into()
    }
}

/// Reads an offer or an answer and picks the first audio stream that we can serve, with the far side's first
/// codec among ours. Voice leaves from `ours`: an address of its family is wanted.
pub fn parse(body: &[u8], ours: IpAddr) -> Result<Remote, SdpFault> {
    let mut lines = body.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    if lines.next() != Some(b"v=0") {
        return Err(SdpFault::Malformed);
    }
    let mut session = Media::default();
    let mut medias: Vec<Media<'_>> = Vec::with_capacity(2);
    for line in lines.filter(|line| !line.is_empty()) {
        let (Some(kind), Some(b'='), Some(value)) = (line.first(), line.get(1), line.get(2..)) else {
            return Err(SdpFault::Malformed);
        };
        if *kind == b'm' {
            if medias.len() == MEDIA_LINES_MAX {
                return Err(SdpFault::Malformed);
            }
            medias.push(parse_media(value).ok_or(SdpFault::Malformed)?);
            continue;
        }
        let scope = medias.last_mut().unwrap_or(&mut session);
        match kind {
            b'c' => scope.connection = parse_connection(value).ok_or(SdpFault::Malformed)?,
            b'a' => read_attribute(value, scope),
            _ => {}
        }
    }
    let found = medias.iter().enumerate().find_map(|(at, media)| Some((at, media.spec(&session, ours)?)));
    let (at, media) = found.ok_or(SdpFault::NoCommonMedia)?;
    let before = medias.iter().take(at).map(Media::refused).collect();
    let after = medias.iter().skip(at + 1).map(Media::refused).collect();
    Ok(Remote { media, before, after })
}

/// `audio 49170/2 RTP/AVP 0 8`
fn parse_media(value: &[u8]) -> Option<Media<'_>> {
    let mut words = value.splitn(4, |byte| *byte == b' ');
    let (kind, port, proto, formats) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let port = port.split(|byte| *byte == b'/').next().and_then(parse_number)?;
    Some(Media { kind, port: u16::try_from(port).ok()?, proto, formats, ..Media::default() })
}

/// `IN IP4 192.0.2.1/127`. Outer `None`: malformed; inner: a name, which nobody in here can resolve.
fn parse_connection(value: &[u8]) -> Option<Option<IpAddr>> {
    let mut words = value.split(|byte| *byte == b' ');
    let (net, family, address) = (words.next()?, words.next()?, words.next()?);
    if net != b"IN" || !matches!(family, b"IP4" | b"IP6") || address.is_empty() {
        return None;
    }
    Some(address.split(|byte| *byte == b'/').next().and_then(parse_ip))
}

fn read_attribute(value: &[u8], scope: &mut Media<'_>) {
    match value {
        b"sendrecv" => scope.direction = Some(Direction::SendRecv),
        b"sendonly" => scope.direction = Some(Direction::SendOnly),
        b"recvonly" => scope.direction = Some(Direction::RecvOnly),
        b"inactive" => scope.direction = Some(Direction::Inactive),
        b"rtcp-mux" => scope.rtcp_mux = true,
        _ => {}
    }
    let milliseconds = |text: &[u8]| parse_number(text.trim_ascii()).and_then(|ms| u16::try_from(ms).ok());
    if let Some(ptime) = value.strip_prefix(b"ptime:") {
        scope.ptime_ms = milliseconds(ptime).filter(|ms| (PTIME_MS_MIN..=PTIME_MS_MAX).contains(ms) && ms % 10 == 0);
    }
    if let Some(ptime) = value.strip_prefix(b"maxptime:") {
        scope.ptime_ms_max = milliseconds(ptime).filter(|ms| *ms >= PTIME_MS_MIN);
    }
    if let Some(rtcp) = value.strip_prefix(b"rtcp:") {
        scope.rtcp = parse_rtcp(rtcp);
    }
    if let Some(map) = value.strip_prefix(b"rtpmap:") {
        let mut words = map.splitn(2, |byte| *byte == b' ');
        let number = words.next().and_then(parse_number).and_then(|number| u8::try_from(number).ok());
        let name = words.next().unwrap_or_default().trim_ascii();
        // One channel may be written or not (RFC 4566 §6).
        let name = name.strip_suffix(b"/1").unwrap_or(name);
        match number {
            Some(0) => scope.no_pcmu = !name.eq_ignore_ascii_case(b"PCMU/8000"),
            Some(8) => scope.no_pcma = !name.eq_ignore_ascii_case(b"PCMA/8000"),
            Some(number) if name.eq_ignore_ascii_case(b"telephone-event/8000") && is_free(number) => {
                scope.dtmf = Some(number);
            }
            _ => {}
        }
    }
}

/// `53020` or `53020 IN IP4 126.16.64.4`. A name, which nobody in here can resolve, is as good as nothing.
fn parse_rtcp(value: &[u8]) -> Option<(u16, Option<IpAddr>)> {
    let mut words = value.trim_ascii().splitn(2, |byte| *byte == b' ');
    let port = words.next().and_then(parse_number).and_then(|port| u16::try_from(port).ok())?;
    match words.next() {
        Some(connection) => Some((port, Some(parse_connection(connection)??.to_canonical()))),
        None => Some((port, None)),
    }
}

/// A number that a description may give a meaning: neither a static payload type nor one that looks like RTCP
/// (RFC 3551 §6).
fn is_free(payload_type: u8) -> bool {
    matches!(payload_type, 35..=71 | 77..=127)
}

/// Which description of ours: `id` stays for a leg, `version` grows when it changes (RFC 3264 §8).
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    pub id: u64,
    pub version: u32,
}

/// What we say of ourselves.
#[derive(Clone, Copy, Debug)]
pub struct Ours {
    pub local: SocketAddr,
    pub origin: Origin,
    /// We want to hear nothing (RFC 3264 §8.4).
    pub holding: bool,
}

/// Offer of both laws and telephone-event; what was settled before comes first, in its place.
pub fn offer(ours: &Ours, settled: Option<Settled>) -> Vec<u8> {
    let settled = settled.unwrap_or(Settled { codec: Codec::Pcmu, dtmf_payload_type: None, before: 0, after: 0 });
    let dtmf = settled.dtmf_payload_type.unwrap_or(DTMF_OFFERED);
    let mut writer = head(ours);
    for _ in 0..settled.before {
        writer.put(UNUSED_LINE);
    }
    let codecs: [Codec; 2] = match settled.codec {
        Codec::Pcmu => [Codec::Pcmu, Codec::Pcma],
        Codec::Pcma => [Codec::Pcma, Codec::Pcmu],
    };
    writer.put(b"m=audio ").put_number(ours.local.port()).put(b" RTP/AVP");
    for codec in codecs {
        writer.put(b" ").put_number(codec.payload_type());
    }
    writer.put(b" ").put_number(dtmf).put(b"\r\n");
    for codec in codecs {
        writer.put(rtpmap(codec));
    }
    put_dtmf(&mut writer, dtmf);
    writer.put(b"a=ptime:20\r\n").put(if ours.holding { b"a=sendonly\r\n" } else { b"a=sendrecv\r\n" });
    for _ in 0..settled.after {
        writer.put(UNUSED_LINE);
    }
    writer.into_bytes()
}

/// A line that was refused once stays in its place, and may be of any kind (RFC 3264 §8.2).
const UNUSED_LINE: &[u8] = b"m=audio 0 RTP/AVP 0\r\n";

/// Answer to `remote`: one codec, telephone-event where it was offered, everything else refused.
pub fn answer(remote: &Remote, ours: &Ours) -> Vec<u8> {
    let media = &remote.media;
    let mut writer = head(ours);
    for line in &remote.before {
        writer.put(line);
    }
    writer.put(b"m=audio ").put_number(ours.local.port()).put(b" RTP/AVP ").put_number(media.codec.payload_type());
    if let Some(dtmf) = media.dtmf_payload_type {
        writer.put(b" ").put_number(dtmf);
    }
    writer.put(b"\r\n").put(rtpmap(media.codec));
    if let Some(dtmf) = media.dtmf_payload_type {
        put_dtmf(&mut writer, dtmf);
    }
    if media.rtcp == Some(media.remote) {
        writer.put(b"a=rtcp-mux\r\n");
    }
    writer.put(b"a=ptime:20\r\n").put(match (media.send, media.receive && !ours.holding) {
        (true, true) => b"a=sendrecv\r\n",
        (true, false) => b"a=sendonly\r\n",
        (false, true) => b"a=recvonly\r\n",
        (false, false) => b"a=inactive\r\n",
    });
    for line in &remote.after {
        writer.put(line);
    }
    writer.into_bytes()
}

fn rtpmap(codec: Codec) -> &'static [u8] {
    match codec {
        Codec::Pcmu => b"a=rtpmap:0 PCMU/8000\r\n",
        Codec::Pcma => b"a=rtpmap:8 PCMA/8000\r\n",
    }
}

fn head(ours: &Ours) -> Writer {
    let Ours { local, origin, .. } = *ours;
    let family: &[u8] = if local.is_ipv4() { b" IN IP4 " } else { b" IN IP6 " };
    let mut writer = Writer::with_capacity(320);
    // Readers keep the id in 63 bits.
    writer.put(b"v=0\r\no=- ").put_number(origin.id >> 1).put(b" ").put_number(origin.version);
    writer.put(family).put_display(local.ip()).put(b"\r\ns=-\r\nc=").put(family.trim_ascii_start());
    writer.put_display(local.ip()).put(b"\r\nt=0 0\r\n");
    writer
}

fn put_dtmf(writer: &mut Writer, payload_type: u8) {
    writer.put(b"a=rtpmap:").put_number(payload_type).put(b" telephone-event/8000\r\na=fmtp:");
    writer.put_number(payload_type).put(b" 0-15\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4_000);
    const OURS: Ours = Ours { local: LOCAL, origin: Origin { id: 14, version: 1 }, holding: false };

    fn check(offer: &str, expected: Result<&str, SdpFault>) {
        let body = offer.replace('\n', "\r\n");
        let found = parse(body.as_bytes(), LOCAL.ip()).map(|remote| {
            let text = answer(&remote, &OURS);
            String::from_utf8(text).unwrap().replace("\r\n", "\n")
        });
        assert_eq!(found.as_deref().map_err(|fault| *fault), expected, "{offer}");
    }

    const HEAD: &str = "v=0\no=- 7 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\n";

    #[test]
    fn the_offerer_chooses_the_codec() {
        check(
            "v=0\no=- 1 1 IN IP4 h\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\nm=audio 4 RTP/AVP 9 8 0 97\na=rtpmap:97 telephone-event/8000\n",
            Ok(&format!(
                "{HEAD}m=audio 4000 RTP/AVP 8 97\na=rtpmap:8 PCMA/8000\na=rtpmap:97 telephone-event/8000\n\
                a=fmtp:97 0-15\na=ptime:20\na=sendrecv\n"
            )),
        );
    }

    #[test]
    fn other_lines_are_refused_in_place() {
        check(
            "v=0\nc=IN IP4 192.0.2.1\nm=video 6 RTP/AVP 31 32\nm=audio 4 RTP/AVP 0\na=sendonly\nm=text 9 RTP/AVP 98\n",
            Ok(&format!(
                "{HEAD}m=video 0 RTP/AVP 31 32\nm=audio 4000 RTP/AVP 0\na=rtpmap:0 PCMU/8000\na=ptime:20\n\
                a=recvonly\nm=text 0 RTP/AVP 98\n"
            )),
        );
    }

    #[test]
    fn nothing_in_common() {
        for offer in [
            "v=0\nc=IN IP4 192.0.2.1\nm=audio 4 RTP/AVP 9\n",
            "v=0\nc=IN IP4 192.0.2.1\nm=audio 0 RTP/AVP 0\n",
            "v=0\nc=IN IP4 192.0.2.1\nm=audio 4 RTP/SAVP 0\n",
            "v=0\nc=IN IP4 host.example\nm=audio 4 RTP/AVP 0\n",
            "v=0\nm=audio 4 RTP/AVP 0\n",
            "v=0\n",
        ] {
            check(offer, Err(SdpFault::NoCommonMedia));
        }
        for offer in ["", "hello", "v=0\nm=audio\n", "v=0\nc=IN IP4\n", "v=0\nx\n", "v=0\nm=audio 65536 RTP/AVP 0\n"] {
            check(offer, Err(SdpFault::Malformed));
        }
    }

    #[test]
    fn an_address_of_the_other_family_is_nothing_in_common() {
        let v4 = "v=0\nc=IN IP4 192.0.2.1\nm=audio 4 RTP/AVP 0\n";
        let v6 = "v=0\nc=IN IP6 2001:db8::1\nm=audio 4 RTP/AVP 0\n";
        let remote = |text: &str, ours: &str| {
            parse(text.as_bytes(), ours.parse().unwrap()).map(|remote| remote.media.remote.to_string())
        };
        assert_eq!(remote(v4, "127.0.0.1").unwrap(), "192.0.2.1:4");
        assert_eq!(remote(v6, "::1").unwrap(), "[2001:db8::1]:4");
        assert_eq!(remote(v6, "127.0.0.1").unwrap_err(), SdpFault::NoCommonMedia);
        assert_eq!(remote(v4, "::1").unwrap_err(), SdpFault::NoCommonMedia);
        let mapped = "v=0\nc=IN IP6 ::ffff:192.0.2.1\nm=audio 4 RTP/AVP 0\n";
        assert_eq!(remote(mapped, "127.0.0.1").unwrap(), "192.0.2.1:4");
        let both = "v=0\nm=audio 4 RTP/AVP 0\nc=IN IP6 2001:db8::1\nm=audio 6 RTP/AVP 0\nc=IN IP4 192.0.2.1\n";
        assert_eq!(remote(both, "127.0.0.1").unwrap(), "192.0.2.1:6", "the stream that we can reach");
        assert!(remote("v=0\nc=IN IP4 0.0.0.0\nm=audio 4 RTP/AVP 0\n", "::1").is_ok(), "hold is of no family");
    }

    #[test]
    fn telephone_event_needs_a_number_that_is_free() {
        let keys = |number: u32| {
            let text = format!(
                "v=0\nc=IN IP4 192.0.2.1\nm=audio 4 RTP/AVP 0 8 {number}\na=rtpmap:{number} telephone-event/8000\n"
            );
            parse(text.as_bytes(), LOCAL.ip()).unwrap().media.dtmf_payload_type
        };
        for number in [35, 71, 77, 96, 127] {
            assert_eq!(keys(number).map(u32::from), Some(number));
        }
        for number in [0, 8, 34, 72, 76, 128, 255] {
            assert_eq!(keys(number), None);
        }
        check(
            "v=0\nc=IN IP4 192.0.2.1\nm=audio 4 RTP/AVP 0\na=rtpmap:0 telephone-event/8000\n",
            Err(SdpFault::NoCommonMedia),
        );
    }

    #[test]
    fn media_lines_are_bounded() {
        let text = |count: usize| format!("v=0\nc=IN IP4 192.0.2.1\n{}", "m=audio 4 RTP/AVP 0\n".repeat(count));
        assert!(parse(text(MEDIA_LINES_MAX).as_bytes(), LOCAL.ip()).is_ok());
        assert_eq!(parse(text(MEDIA_LINES_MAX + 1).as_bytes(), LOCAL.ip()).unwrap_err(), SdpFault::Malformed);
    }

    #[test]
    fn hold_and_packet_time() {
        let spec = |text: &str| parse(text.as_bytes(), LOCAL.ip()).unwrap().media;
        let held = spec("v=0\nc=IN IP4 0.0.0.0\nm=audio 4 RTP/AVP 0\na=ptime:30\n");
        assert_eq!((held.send, held.receive, held.ptime_ms), (false, true, 30));
        let silent = spec("v=0\nc=IN IP4 192.0.2.1\na=inactive\nm=audio 4 RTP/AVP 0\na=ptime:7\n");
        assert_eq!((silent.send, silent.receive, silent.ptime_ms), (false, false, 20));
        let local: SocketAddr = "[::1]:4000".parse().unwrap();
        let own = parse(&offer(&Ours { local, ..OURS }, None), local.ip()).unwrap().media;
        assert_eq!((own.remote, own.codec, own.dtmf_payload_type), (local, Codec::Pcmu, Some(101)));
    }

    fn spec(lines: &str) -> MediaSpec {
        let text = format!("v=0\nc=IN IP4 192.0.2.1\nm=audio 4 RTP/AVP 0 8\n{lines}");
        parse(text.as_bytes(), LOCAL.ip()).unwrap().media
    }

    #[test]
    fn packets_are_no_longer_than_the_far_side_takes() {
        let ptime_ms = |lines: &str| spec(lines).ptime_ms;
        assert_eq!(ptime_ms("a=maxptime:60\n"), 20);
        assert_eq!(ptime_ms("a=ptime:60\na=maxptime:40\n"), 40);
        assert_eq!(ptime_ms("a=maxptime:15\na=ptime:30\n"), 10);
        assert_eq!(ptime_ms("a=maxptime:0\n"), 20, "nobody can send that");
        assert_eq!(ptime_ms("a=maxptime:150\na=ptime:60\n"), 60);
    }

    #[test]
    fn where_rtcp_goes() {
        let rtcp = |lines: &str| spec(lines).rtcp.map(|rtcp| rtcp.to_string());
        for above in
            ["", "a=rtcp:5\n", "a=rtcp:0\n", "a=rtcp:x\n", "a=rtcp:9 IN IP4 192.0.2.7\n", "a=rtcp:9 IN IP4 h\n"]
        {
            assert_eq!(rtcp(above), None, "{above}");
        }
        assert_eq!(rtcp("a=rtcp:9\n").unwrap(), "192.0.2.1:9");
        assert_eq!(rtcp("a=rtcp:9 IN IP4 192.0.2.1\n").unwrap(), "192.0.2.1:9");
        assert_eq!(rtcp("a=rtcp:9\na=rtcp-mux\n").unwrap(), "192.0.2.1:4");
        check(
            "v=0\nc=IN IP4 192.0.2.1\nm=audio 4 RTP/AVP 0\na=rtcp-mux\n",
            Ok(&format!("{HEAD}m=audio 4000 RTP/AVP 0\na=rtpmap:0 PCMU/8000\na=rtcp-mux\na=ptime:20\na=sendrecv\n")),
        );
    }

    #[test]
    fn a_static_number_with_another_meaning_is_not_ours() {
        assert_eq!(spec("a=rtpmap:0 G729/8000\n").codec, Codec::Pcma);
        assert_eq!(spec("a=rtpmap:0 pcmu/8000/1\na=rtpmap:8 PCMA/8000\n").codec, Codec::Pcmu);
        assert_eq!(spec("a=rtpmap:0 PCMU/16000\n").codec, Codec::Pcma);
        check("v=0\nc=IN IP4 192.0.2.1\nm=audio 4 RTP/AVP 0\na=rtpmap:0 L16/8000\n", Err(SdpFault::NoCommonMedia));
    }

    #[test]
    fn a_later_offer_keeps_lines_numbers_and_codec() {
        let text = "v=0\nc=IN IP4 192.0.2.1\nm=video 6 RTP/AVP 31\nm=audio 4 RTP/AVP 8 97\n\
            a=rtpmap:97 telephone-event/8000\nm=text 9 RTP/AVP 98\n";
        let settled = parse(text.as_bytes(), LOCAL.ip()).unwrap().settled();
        let again = String::from_utf8(offer(&Ours { holding: true, ..OURS }, Some(settled))).unwrap();
        let lines: Vec<_> = again.lines().filter(|line| line.starts_with("m=") || line.contains("only")).collect();
        assert_eq!(lines, ["m=audio 0 RTP/AVP 0", "m=audio 4000 RTP/AVP 8 0 97", "a=sendonly", "m=audio 0 RTP/AVP 0"]);
    }
}
