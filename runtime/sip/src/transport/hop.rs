//! One step of a message's way: to whom, and over what. It does not know what is sent.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use crate::dialog::sip_uri;

/// Names a connection for as long as the endpoint lives. The driver numbers those that it accepts from 0 up, the
/// endpoint those that it asks for from [`ConnectionId::OURS_FIRST`] up; none is used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

impl ConnectionId {
    /// First id of the connections that the endpoint opens.
    pub const OURS_FIRST: u64 = 1 << 63;
}

/// Who counts as one where the number of something is bounded: an IPv4 address, also one behind NAT64 (RFC 6052 §2.1), or
/// an IPv6 network of 64 bits, since whoever has one address of it has them all (RFC 4291 §2.5.4). On our own link each
/// address is somebody.
pub fn network(host: IpAddr) -> IpAddr {
    match host.to_canonical() {
        IpAddr::V6(address) if address.to_bits() >> 32 == NAT64 => Ipv4Addr::from_bits(address.to_bits() as u32).into(),
        IpAddr::V6(address) if !address.is_unicast_link_local() => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
        other => other,
    }
}

/// First 96 bits of `64:ff9b::/96`.
const NAT64: u128 = 0x0064_ff9b << 64;

/// `transport` of a Via or URI (RFC 3261 §20.42, §19.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    Udp,
    Tcp,
}

impl Transport {
    /// As a Via writes it.
    pub fn name(self) -> &'static str {
        match self {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
        }
    }

    /// What a URI of ours says of it: UDP is what is meant without a word.
    pub fn uri_parameter(self) -> &'static str {
        match self {
            Transport::Udp => "",
            Transport::Tcp => ";transport=tcp",
        }
    }
}

/// The carrier of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Over {
    Udp,
    /// The connection that it came by, as long as that lives; else one to the address.
    Tcp(Option<ConnectionId>),
}

/// Where a message goes, or where it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hop {
    pub address: SocketAddr,
    pub over: Over,
    /// A phone behind a NAT, or one that may be: within a call it is reached here, whatever its Contact says.
    pub pinned: bool,
}

impl Hop {
    pub fn udp(address: SocketAddr) -> Self {
        Self { address, over: Over::Udp, pinned: false }
    }

    pub fn new(address: SocketAddr, transport: Transport) -> Self {
        match transport {
            Transport::Udp => Self::udp(address),
            Transport::Tcp => Self { address, over: Over::Tcp(None), pinned: false },
        }
    }

    /// The same place by another transport.
    pub fn over_anew(self, transport: Transport) -> Self {
        Self { over: Self::new(self.address, transport).over, ..self }
    }

    pub fn transport(&self) -> Transport {
        match self.over {
            Over::Udp => Transport::Udp,
            Over::Tcp(_) => Transport::Tcp,
        }
    }

    /// Where a pinned peer over TCP listens, should its connection end: at its Contact's port, if that is of the same
    /// host, for the port that it came from takes no connections.
    pub fn reached(self, contact: Option<&[u8]>) -> Self {
        let named = contact.and_then(sip_uri).and_then(|uri| uri.socket());
        match named.filter(|named| self.pinned && self.is_reliable() && named.ip() == self.ip()) {
            Some(address) => Self { address, ..self },
            None => self,
        }
    }

    /// Nothing needs to be sent twice, and nothing lingers in the network.
    pub fn is_reliable(&self) -> bool {
        self.transport() == Transport::Tcp
    }

    pub fn connection(&self) -> Option<ConnectionId> {
        match self.over {
            Over::Udp => None,
            Over::Tcp(connection) => connection,
        }
    }

    pub fn ip(&self) -> IpAddr {
        self.address.ip()
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }
}

/// `192.0.2.1:5060`, and behind it `;transport=tcp`. The connection is not told: it does not outlive the process.
impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.address, self.transport().uri_parameter())
    }
}

impl FromStr for Hop {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (address, transport) = match text.strip_suffix(Transport::Tcp.uri_parameter()) {
            Some(address) => (address, Transport::Tcp),
            None => (text, Transport::Udp),
        };
        Ok(Self::new(address.parse().map_err(|_| ())?, transport))
    }
}
