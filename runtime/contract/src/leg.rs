//! What the signalling and media rooms say about a leg, and what they are told to do with it (part of
//! seam 3). A leg is one side of one call. Nothing here knows SIP: a chat socket is a leg too.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::Redacted;
use crate::channel::Channel;

/// Names a leg on this node for as long as the process lives. Chosen by whoever creates the leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LegId(pub u64);

/// ITU-T G.711, the two laws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// µ-law, static RTP payload type 0.
    Pcmu,
    /// A-law, static RTP payload type 8.
    Pcma,
}

impl Codec {
    /// Static payload type of RFC 3551 §6.
    pub fn payload_type(self) -> u8 {
        match self {
            Codec::Pcmu => 0,
            Codec::Pcma => 8,
        }
    }
}

/// What offer and answer agreed for the one audio stream of a leg, from our side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaSpec {
    /// Where to send RTP (before symmetric RTP learns better).
    pub remote: SocketAddr,
    pub codec: Codec,
    /// Dynamic payload type of RFC 4733 telephone-event at 8 kHz, when both sides have it.
    pub dtmf_payload_type: Option<u8>,
    /// Length of one packet that we send, in milliseconds.
    pub ptime_ms: u16,
    /// Where to send RTCP: `remote` itself when both go through one port (RFC 5761), another place that the far side
    /// named (RFC 3605); none is the port above that of `remote`.
    pub rtcp: Option<SocketAddr>,
    /// We may send (false when the far side holds us).
    pub send: bool,
    /// We expect to receive.
    pub receive: bool,
}

/// Why an incoming leg is refused. SIP: 486, 603, 480, 503 (with Retry-After), 404, 403, 488.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectCause {
    Busy,
    Declined,
    Unavailable,
    Overloaded,
    NoSuchNumber,
    NotAllowed,
    NotAcceptable,
}

/// Why a leg ended or never began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GoneCause {
    /// The far side said BYE.
    RemoteHungUp,
    /// The far side gave up before the answer (CANCEL).
    Cancelled,
    /// Our 200 was never acknowledged (RFC 3261 §13.3.1.4), or a provisional response that must be (RFC 3262 §3).
    NoAck,
    /// We ended it.
    LocalHungUp,
    /// A leg that we placed was refused, with the SIP status code.
    Refused(u16),
    /// A leg that we placed rang, and was not answered in time.
    NoAnswer,
    /// A leg that we placed reached nobody: no such phone, none registered, no trunk, no response at all.
    Unreachable,
    /// Offer and answer found nothing in common, or the answer was unusable.
    NoCommonMedia,
    /// It was given away, and whoever took it has it now (REFER, RFC 5589 §6).
    Transferred,
    /// Transport or protocol failure.
    Failed,
}

/// A new leg that asks to be served.
#[derive(Clone)]
pub struct Incoming {
    pub leg: LegId,
    pub channel: Channel,
    /// Socket that the request came from.
    pub peer: SocketAddr,
    /// User part of the From header, as written; `None` when withheld or anonymous.
    pub caller: Option<Redacted<String>>,
    /// User part of the request URI, as written (`+864008100000`, `1001`); else the address that was written to.
    pub called: String,
    /// Call-ID of the dialog, for the call record and for logs.
    pub call_id: String,
    /// Everything that must be kept so that the dialog can be taken up by another process
    /// (tags, route set, target, CSeq). Opaque outside the signalling room.
    pub dialog: Vec<u8>,
}

/// Numbers, addresses of people, and the dialog that is full of both are not shown.
impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Incoming({}, from {})", self.leg.0, self.peer)
    }
}

/// Whom a leg that we place is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// E.164 with its `+`, through a trunk of the site.
    Number(Redacted<String>),
    /// A phone of the site, wherever it is registered.
    Extension(Redacted<String>),
    /// Whoever is at this address, like `sip:1001@127.0.0.1:5060`; sent to `peer`.
    Address { uri: Redacted<String>, peer: SocketAddr },
}

/// Said by the signalling room about a leg.
#[derive(Clone, Debug)]
pub enum LegEvent {
    Incoming(Incoming),
    /// The far side of a leg that we placed rings (180, 183).
    Ringing {
        leg: LegId,
    },
    /// Offer and answer are done (again); media may flow by this specification. Of a leg that we placed it may come
    /// before `Up`: early media. `peer`: the host that the signalling comes from, which behind a NAT is where the voice
    /// comes from too, whatever the description says.
    Media {
        leg: LegId,
        media: MediaSpec,
        peer: IpAddr,
    },
    /// What must be kept so that another process can take the dialog up: of a leg that we placed, said before `Up`;
    /// of any leg, said again when it changes. Opaque outside the signalling room.
    Dialog {
        leg: LegId,
        dialog: Redacted<Vec<u8>>,
    },
    /// A key that came by signalling (INFO), once for each press.
    Key {
        leg: LegId,
        key: Redacted<char>,
    },
    /// Words of the caller, whole.
    Words {
        leg: LegId,
        words: Redacted<String>,
    },
    /// A transfer was refused or came to nothing; the leg goes on. A SIP status code. One that is taken ends the leg
    /// as [`GoneCause::Transferred`].
    TransferFailed {
        leg: LegId,
        status: u16,
    },
    /// The leg is up: our 200 was acknowledged, or the far side answered and we acknowledged.
    Up {
        leg: LegId,
    },
    /// The leg is over. Said exactly once for each leg; nothing follows it.
    Gone {
        leg: LegId,
        cause: GoneCause,
    },
}

impl LegEvent {
    pub fn leg(&self) -> LegId {
        match self {
            LegEvent::Incoming(incoming) => incoming.leg,
            LegEvent::Ringing { leg }
            | LegEvent::Media { leg, .. }
            | LegEvent::Dialog { leg, .. }
            | LegEvent::Key { leg, .. }
            | LegEvent::Words { leg, .. }
            | LegEvent::TransferFailed { leg, .. }
            | LegEvent::Up { leg }
            | LegEvent::Gone { leg, .. } => *leg,
        }
    }
}

/// Told to the signalling room.
#[derive(Clone, Debug)]
pub enum LegCommand {
    /// Tell the caller that we ring (180).
    Ring {
        leg: LegId,
    },
    /// Tell the caller that something is to be heard before the answer (183), with our media at this address.
    Progress {
        leg: LegId,
        media: SocketAddr,
    },
    /// Hold the far side, or take it back: it hears us, and we do not want to hear it. What comes of it is `Media`.
    Hold {
        leg: LegId,
        on: bool,
    },
    /// Accept (200) with our media at this address. The answer to an offer, or the offer when none came.
    Answer {
        leg: LegId,
        media: SocketAddr,
    },
    Reject {
        leg: LegId,
        cause: RejectCause,
    },
    /// End it, whatever its state: CANCEL, BYE, or BYE as soon as the dialog allows.
    HangUp {
        leg: LegId,
    },
    /// Place a leg. `from`: the user part that the far side is shown; none is anonymous. Not answered within
    /// `ring_ms`, it is `Gone { NoAnswer }`.
    Dial {
        leg: LegId,
        target: Target,
        from: Option<Redacted<String>>,
        ring_ms: u32,
        media: SocketAddr,
    },
    /// Begin a conversation in writing. What is played to the leg goes to this number; what comes back is `Words`. `Up`: it
    /// can be brought there; `Gone`: it cannot. Who does not wait for that may play at once.
    Write {
        leg: LegId,
        channel: Channel,
        to: Redacted<String>,
        /// As the other side reads it.
        from: Option<Redacted<String>>,
    },
    /// Give the far side of a leg that is up away to somebody else (REFER, RFC 3515). Ends in `Gone { Transferred }`
    /// or `TransferFailed`.
    Transfer {
        leg: LegId,
        target: Target,
    },
    /// Take up a dialog that another process held: re-INVITE with our media at this address. Ends in `Media` and `Up`,
    /// or in `Gone`.
    Revive {
        leg: LegId,
        dialog: Redacted<Vec<u8>>,
        media: SocketAddr,
    },
}
