//! SIP's connections on this machine: accepted, made, read and written without ever waiting. It does not know what is
//! said on them, nor which of them there should be.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};
use runtime_sip::ConnectionId;
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};

use crate::inbox::{FIRST_FREE, Happened};

const LISTENER: Token = FIRST_FREE;
/// Token of the connection with id 0; ids of ours follow those of peers by their lowest bit.
const FIRST: usize = FIRST_FREE.0 + 1;
/// Connections that the system keeps until we take them.
const BACKLOG: i32 = 1_024;
/// Bytes of one read.
const READ_BYTES: usize = 16 * 1_024;
/// Connections served in one round, each with one read, so that others have their turn.
const SERVED_ROUND_MAX: usize = 64;
/// Connections taken in one round.
const ACCEPTS_ROUND_MAX: usize = 64;
/// What a write costs beside its bytes: a peer that reads nothing may be owed many of two bytes.
const ENTRY_BYTES: usize = 64;
/// Bytes that wait for a peer to read. Over it the connection is closed: it does not read.
pub const QUEUE_BYTES_MAX: usize = 256 * 1_024;
/// The same on connections that we opened, to trunks and phones of ours: all their calls may have to be asked at once.
const OUR_QUEUE_BYTES_MAX: usize = 4 * 1_024 * 1_024;
/// Silence after which the system asks whether the peer is still there, and how often it asks until it gives up.
const KEEPALIVE: Duration = Duration::from_secs(60);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);
const KEEPALIVE_TRIES: u32 = 4;
/// How long what we wrote may stay without the peer's acknowledgement.
const UNACKNOWLEDGED_MAX: Duration = Duration::from_secs(30);

/// What happened on connections, in order for each of them.
pub enum Arrived {
    Accepted(ConnectionId, SocketAddr),
    Connected(ConnectionId),
    Bytes(ConnectionId, SocketAddr, Vec<u8>),
    Closed(ConnectionId),
}

struct Stream {
    socket: TcpStream,
    peer: SocketAddr,
    connecting: bool,
    /// Something may be there to read.
    readable: bool,
    /// The kernel takes bytes.
    writable: bool,
    /// To be closed: the core has forgotten it.
    closing: bool,
    /// It stands in `due`.
    due: bool,
    queue: VecDeque<Arc<[u8]>>,
    /// Of the first in `queue`, bytes written.
    written: usize,
    queued_bytes: usize,
}

pub struct Connections {
    registry: Registry,
    listener: TcpListener,
    /// The listener may have more.
    listening: bool,
    streams: BTreeMap<ConnectionId, Stream>,
    /// Those with something to do.
    due: VecDeque<ConnectionId>,
    accepted: u64,
    /// Those that failed while they were written to or made; to be told.
    failed: Vec<ConnectionId>,
    buffer: Box<[u8]>,
}

/// Listens on this address, which may be that of a UDP socket.
pub fn bind(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    // Connections of the last process may still linger.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

impl Connections {
    pub fn new(registry: Registry, listener: std::net::TcpListener) -> io::Result<Connections> {
        let mut listener = TcpListener::from_std(listener);
        registry.register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Connections {
            registry,
            listener,
            listening: true,
            streams: BTreeMap::new(),
            due: VecDeque::new(),
            accepted: 0,
            failed: Vec::new(),
            buffer: vec![0; READ_BYTES].into_boxed_slice(),
        })
    }

    /// Takes note of what the event queue said.
    pub fn happened(&mut self, happened: &[Happened]) {
        for happened in happened {
            if happened.token == LISTENER {
                self.listening = true;
                continue;
            }
            let id = id_of(happened.token);
            if let Some(stream) = self.streams.get_mut(&id) {
                stream.readable |= happened.readable;
                stream.writable |= happened.writable;
                self.make_due(id);
            }
        }
    }

    fn make_due(&mut self, id: ConnectionId) {
        if let Some(stream) = self.streams.get_mut(&id)
            && stream.is_due()
            && !std::mem::replace(&mut stream.due, true)
        {
            self.due.push_back(id);
        }
    }

    /// Does what can be done now, for a bounded while. True when there is more to do at once.
    pub fn round(&mut self, arrived: &mut Vec<Arrived>) -> bool {
        self.accept(arrived);
        for id in std::mem::take(&mut self.failed) {
            self.drop_stream(id, arrived);
        }
        for _ in 0..self.due.len().min(SERVED_ROUND_MAX) {
            let Some(id) = self.due.pop_front() else { break };
            if let Some(stream) = self.streams.get_mut(&id) {
                stream.due = false;
            }
            match self.serve(id, arrived) {
                Ok(()) => self.make_due(id),
                Err(_) => self.drop_stream(id, arrived),
            }
        }
        self.listening || !self.failed.is_empty() || !self.due.is_empty()
    }

    fn accept(&mut self, arrived: &mut Vec<Arrived>) {
        for _ in 0..ACCEPTS_ROUND_MAX {
            if !self.listening {
                return;
            }
            match self.listener.accept() {
                Ok((socket, peer)) => {
                    let id = ConnectionId(self.accepted);
                    self.accepted += 1;
                    if self.insert(id, socket, peer, false).is_ok() {
                        arrived.push(Arrived::Accepted(id, peer));
                    }
                }
                // Of a connection that is gone already: the next one may be well. Without descriptors, the listener
                // says so again with the next connection.
                Err(error) => self.listening = error.kind() == ErrorKind::ConnectionAborted,
            }
        }
    }

    fn insert(&mut self, id: ConnectionId, mut socket: TcpStream, peer: SocketAddr, ours: bool) -> io::Result<()> {
        let options = SockRef::from(&socket);
        let keepalive =
            TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE_INTERVAL).with_retries(KEEPALIVE_TRIES);
        options.set_tcp_keepalive(&keepalive)?;
        options.set_tcp_user_timeout(Some(UNACKNOWLEDGED_MAX))?;
        options.set_tcp_nodelay(true)?;
        self.registry.register(&mut socket, token_of(id), Interest::READABLE | Interest::WRITABLE)?;
        let stream = Stream {
            socket,
            peer,
            connecting: ours,
            readable: !ours,
            writable: !ours,
            closing: false,
            due: false,
            queue: VecDeque::new(),
            written: 0,
            queued_bytes: 0,
        };
        self.streams.insert(id, stream);
        self.make_due(id);
        Ok(())
    }

    /// Makes a connection. What becomes of it is told in a later round.
    pub fn connect(&mut self, id: ConnectionId, destination: SocketAddr) {
        let made = TcpStream::connect(destination).and_then(|socket| self.insert(id, socket, destination, true));
        if made.is_err() {
            self.failed.push(id);
        }
    }

    /// Takes bytes along; they leave with the next round.
    pub fn write(&mut self, id: ConnectionId, bytes: Arc<[u8]>) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.queued_bytes += bytes.len() + ENTRY_BYTES;
        stream.queue.push_back(bytes);
        let most = if id.0 < ConnectionId::OURS_FIRST { QUEUE_BYTES_MAX } else { OUR_QUEUE_BYTES_MAX };
        // Much may be said at once, and the kernel has not been asked yet.
        let stuck = stream.queued_bytes > most && (stream.connecting || stream.flush().is_err());
        if stuck || stream.queued_bytes > most {
            self.failed.push(id);
        }
        self.make_due(id);
    }

    /// What the kernel takes now of what is still to be written is written.
    pub fn close(&mut self, id: ConnectionId) {
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.closing = true;
        }
        self.make_due(id);
    }

    fn serve(&mut self, id: ConnectionId, arrived: &mut Vec<Arrived>) -> io::Result<()> {
        let Some(stream) = self.streams.get_mut(&id) else { return Ok(()) };
        if stream.connecting && !stream.closing {
            if !stream.is_connected()? {
                return Ok(());
            }
            stream.connecting = false;
            arrived.push(Arrived::Connected(id));
        }
        stream.flush()?;
        if stream.closing {
            return Err(ErrorKind::ConnectionAborted.into());
        }
        match stream.socket.read(&mut self.buffer) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(length) => {
                let bytes = self.buffer.get(..length).unwrap_or_default().to_vec();
                arrived.push(Arrived::Bytes(id, stream.peer, bytes));
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                stream.readable = false;
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn drop_stream(&mut self, id: ConnectionId, arrived: &mut Vec<Arrived>) {
        let told = match self.streams.remove(&id) {
            Some(mut stream) => {
                // A descriptor that is closed leaves the event queue by itself.
                let _ = self.registry.deregister(&mut stream.socket);
                !stream.closing
            }
            None => true,
        };
        if told {
            arrived.push(Arrived::Closed(id));
        }
    }
}

impl Stream {
    fn is_due(&self) -> bool {
        let connected = self.connecting && self.writable;
        let leaving = self.writable && !self.queue.is_empty();
        connected || self.closing || !self.connecting && (leaving || self.readable)
    }

    /// Whether the connection has come about; an error when it never will.
    fn is_connected(&mut self) -> io::Result<bool> {
        if let Some(error) = self.socket.take_error()? {
            return Err(error);
        }
        match self.socket.peer_addr() {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotConnected => {
                self.writable = false;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        while self.writable && !self.queue.is_empty() {
            let slices: Vec<IoSlice<'_>> = (self.queue.iter().take(32).enumerate())
                .map(|(at, bytes)| {
                    let written = if at == 0 { self.written } else { 0 };
                    IoSlice::new(bytes.get(written..).unwrap_or_default())
                })
                .collect();
            match self.socket.write_vectored(&slices) {
                Ok(length) => self.sent(length),
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.writable = false,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn sent(&mut self, mut length: usize) {
        self.queued_bytes = self.queued_bytes.saturating_sub(length);
        while let Some(first) = self.queue.front() {
            let left = first.len() - self.written;
            if length < left {
                self.written += length;
                return;
            }
            length -= left;
            self.written = 0;
            self.queue.pop_front();
            self.queued_bytes = self.queued_bytes.saturating_sub(ENTRY_BYTES);
        }
    }
}

/// Even for connections of peers, odd for ours: 2^62 of each.
fn token_of(id: ConnectionId) -> Token {
    let (number, ours) = match id.0.checked_sub(ConnectionId::OURS_FIRST) {
        Some(number) => (number, 1),
        None => (id.0, 0),
    };
    Token(FIRST + ((number as usize) << 1 | ours))
}

fn id_of(token: Token) -> ConnectionId {
    let number = token.0.saturating_sub(FIRST) as u64;
    ConnectionId(if number & 1 == 1 { ConnectionId::OURS_FIRST + (number >> 1) } else { number >> 1 })
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::inbox::Inbox;

    struct Side {
        inbox: Inbox<()>,
        connections: Connections,
        address: SocketAddr,
    }

    impl Side {
        fn new() -> Side {
            let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
            let address = listener.local_addr().unwrap();
            let (inbox, _door) = Inbox::new().unwrap();
            let connections = Connections::new(inbox.registry().unwrap(), listener).unwrap();
            Side { inbox, connections, address }
        }

        /// Works until something of this kind has arrived; gives all that did.
        fn until(&mut self, wanted: impl Fn(&Arrived) -> bool) -> Vec<Arrived> {
            let mut arrived = Vec::new();
            let end = Instant::now() + Duration::from_secs(30);
            while !arrived.iter().any(&wanted) {
                assert!(Instant::now() < end, "nothing of the kind arrived");
                if !self.connections.round(&mut arrived) {
                    self.inbox.wait(Some(Duration::from_millis(100))).unwrap();
                    self.connections.happened(self.inbox.happened());
                }
            }
            arrived
        }
    }

    const OURS: ConnectionId = ConnectionId(ConnectionId::OURS_FIRST);
    const THEIRS: ConnectionId = ConnectionId(0);

    #[test]
    fn bytes_come_and_go_in_order_and_the_end_is_told() {
        let (mut here, mut there) = (Side::new(), Side::new());
        here.connections.connect(OURS, there.address);
        here.connections.write(OURS, (*b"first ").into());
        here.connections.write(OURS, (*b"second").into());
        here.until(|arrived| matches!(arrived, Arrived::Connected(OURS)));
        let mut heard = Vec::new();
        while heard.len() < 12 {
            for arrived in there.until(|arrived| matches!(arrived, Arrived::Bytes(THEIRS, ..))) {
                if let Arrived::Bytes(_, _, bytes) = arrived {
                    heard.extend(bytes);
                }
            }
        }
        assert_eq!(heard, b"first second");
        there.connections.write(THEIRS, (*b"answer").into());
        there.connections.close(THEIRS);
        let mut arrived = Vec::new();
        while !there.connections.streams.is_empty() {
            there.connections.round(&mut arrived);
        }
        assert!(arrived.is_empty(), "whoever closes is not told so");
        let arrived = here.until(|arrived| matches!(arrived, Arrived::Closed(OURS)));
        assert!(matches!(&arrived[0], Arrived::Bytes(OURS, _, bytes) if bytes == b"answer"));
    }

    #[test]
    fn what_cannot_be_connected_is_told() {
        let mut here = Side::new();
        let free = bind("127.0.0.1:0".parse().unwrap()).unwrap().local_addr().unwrap();
        here.connections.connect(OURS, free);
        here.connections.write(OURS, (*b"x").into());
        here.until(|arrived| matches!(arrived, Arrived::Closed(OURS)));
        assert!(here.connections.streams.is_empty());
    }

    #[test]
    fn a_peer_that_does_not_read_is_closed() {
        let (mut here, there) = (Side::new(), Side::new());
        here.connections.connect(OURS, there.address);
        here.until(|arrived| matches!(arrived, Arrived::Connected(OURS)));
        let bytes: Arc<[u8]> = vec![0; 16 * 1_024].into();
        let mut arrived = Vec::new();
        // The kernels of both sides take some megabytes.
        for _ in 0..10_000 {
            here.connections.write(OURS, Arc::clone(&bytes));
            here.connections.round(&mut arrived);
            if let Some(stream) = here.connections.streams.get(&OURS) {
                assert!(stream.queued_bytes <= OUR_QUEUE_BYTES_MAX);
            } else {
                break;
            }
        }
        assert!(matches!(arrived.as_slice(), [Arrived::Closed(OURS)]));
    }

    /// Before it is connected nothing leaves, and each pong is more than its two bytes.
    #[test]
    fn many_small_writes_count_for_what_they_cost() {
        let (mut here, there) = (Side::new(), Side::new());
        here.connections.connect(OURS, there.address);
        let most = OUR_QUEUE_BYTES_MAX / (2 + ENTRY_BYTES);
        (0..most).for_each(|_| here.connections.write(OURS, (*b"\r\n").into()));
        assert!(here.connections.failed.is_empty());
        here.connections.write(OURS, (*b"\r\n").into());
        assert_eq!(here.connections.failed, [OURS]);
    }

    #[test]
    fn tokens_name_connections() {
        for id in [0, 1, 77, ConnectionId::OURS_FIRST, ConnectionId::OURS_FIRST + 9].map(ConnectionId) {
            assert_eq!(id_of(token_of(id)), id);
            assert!(token_of(id) > LISTENER);
        }
    }
}
