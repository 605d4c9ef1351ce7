//! One UDP socket, read and written in batches (`recvmmsg`, `sendmmsg`): a system call for up to 32 datagrams.
//! It does not know what they say.

use std::collections::VecDeque;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;

use nix::errno::Errno;
use nix::sys::socket::{
    ControlMessage, MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, sendmmsg, setsockopt, sockopt,
};
use socket2::{Domain, Protocol, Socket, Type};

/// Datagrams of one system call.
pub const BATCH_MAX: usize = 32;
/// Bytes of one datagram; UDP has no longer ones.
const DATAGRAM_BYTES_MAX: usize = 65_535;
/// Errors of one read that stand for datagrams sent before.
const ERRORS_MAX: usize = 16;
/// Kernel buffer each way; the default of 212 KB halves the throughput.
const KERNEL_BUFFER_BYTES: usize = 4 << 20;
/// Datagrams that wait because the kernel takes no more. Over it the oldest are dropped: UDP may lose, and
/// SIP sends again.
pub const SEND_QUEUE_MAX: usize = 8_192;

pub struct BatchSocket {
    socket: UdpSocket,
    address: SocketAddr,
    buffer: Box<[u8]>,
    arrived: Vec<(SocketAddr, usize)>,
    receive_headers: MultiHeaders<SockaddrStorage>,
    send_headers: MultiHeaders<SockaddrStorage>,
    leaving: VecDeque<(SocketAddr, Arc<[u8]>)>,
    /// Datagrams that could not be sent.
    pub send_failures: u64,
}

/// A bound socket on its way to the thread that will use it.
pub struct BoundSocket {
    socket: UdpSocket,
    address: SocketAddr,
}

impl BoundSocket {
    pub fn bind(address: SocketAddr) -> io::Result<BoundSocket> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        // Past the system's limit where we may (root), else up to it.
        if setsockopt(&socket, sockopt::RcvBufForce, &KERNEL_BUFFER_BYTES).is_err() {
            socket.set_recv_buffer_size(KERNEL_BUFFER_BYTES)?;
        }
        if setsockopt(&socket, sockopt::SndBufForce, &KERNEL_BUFFER_BYTES).is_err() {
            socket.set_send_buffer_size(KERNEL_BUFFER_BYTES)?;
        }
        socket.bind(&address.into())?;
        let socket = UdpSocket::from(socket);
        let address = socket.local_addr()?;
        Ok(BoundSocket { socket, address })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Allocates the buffers; they stay on this thread.
    pub fn into_batches(self) -> BatchSocket {
        BatchSocket {
            socket: self.socket,
            address: self.address,
            buffer: vec![0; BATCH_MAX * DATAGRAM_BYTES_MAX].into_boxed_slice(),
            arrived: Vec::with_capacity(BATCH_MAX),
            receive_headers: MultiHeaders::preallocate(BATCH_MAX, None),
            send_headers: MultiHeaders::preallocate(BATCH_MAX, None),
            leaving: VecDeque::new(),
            send_failures: 0,
        }
    }
}

impl BatchSocket {
    pub fn fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Reads what has arrived, up to a batch; gives how many. Fewer than [`BATCH_MAX`]: there is no more.
    pub fn receive(&mut self) -> usize {
        self.arrived.clear();
        for _ in 0..ERRORS_MAX {
            match self.receive_batch() {
                Ok(()) | Err(Errno::EAGAIN) => break,
                // Of earlier datagrams that we sent (ICMP): there may be more to read behind it.
                Err(_) => {}
            }
        }
        self.arrived.len()
    }

    fn receive_batch(&mut self) -> nix::Result<()> {
        let mut slices: Vec<[IoSliceMut<'_>; 1]> =
            self.buffer.chunks_exact_mut(DATAGRAM_BYTES_MAX).map(|chunk| [IoSliceMut::new(chunk)]).collect();
        let (fd, flags) = (self.socket.as_raw_fd(), MsgFlags::MSG_DONTWAIT);
        for message in recvmmsg(fd, &mut self.receive_headers, slices.iter_mut(), flags, None)? {
            // A datagram without a usable source keeps its place, with no bytes.
            let source = message.address.as_ref().and_then(source_address);
            self.arrived.push(source.map_or((self.address, 0), |source| (source, message.bytes)));
        }
        Ok(())
    }

    /// Source and bytes of a datagram of the last [`BatchSocket::receive`].
    pub fn arrived(&self, at: usize) -> Option<(SocketAddr, &[u8])> {
        let (source, length) = self.arrived.get(at)?;
        let start = at * DATAGRAM_BYTES_MAX;
        Some((*source, self.buffer.get(start..start + length)?))
    }

    /// Takes a datagram along; it leaves with [`BatchSocket::flush`].
    pub fn queue(&mut self, destination: SocketAddr, bytes: Arc<[u8]>) {
        if self.leaving.len() >= SEND_QUEUE_MAX {
            self.leaving.pop_front();
            self.send_failures += 1;
        }
        self.leaving.push_back((destination, bytes));
    }

    /// Sends all that is queued. True when the kernel would not take everything: try again soon.
    pub fn flush(&mut self) -> bool {
        while !self.leaving.is_empty() {
            let batch = self.leaving.iter().take(BATCH_MAX);
            let slices: Vec<[IoSlice<'_>; 1]> = batch.clone().map(|(_, bytes)| [IoSlice::new(bytes)]).collect();
            let addresses: Vec<Option<SockaddrStorage>> = batch.map(|(to, _)| Some((*to).into())).collect();
            let none: [ControlMessage<'_>; 0] = [];
            let fd = self.socket.as_raw_fd();
            let sent = sendmmsg(fd, &mut self.send_headers, &slices, addresses, none, MsgFlags::MSG_DONTWAIT);
            let sent = sent.map(|results| results.count());
            match sent {
                Ok(sent) if sent > 0 => drop(self.leaving.drain(..sent.min(self.leaving.len()))),
                Err(Errno::EAGAIN | Errno::ENOBUFS) => return true,
                Err(Errno::EINTR) => {}
                // The first of the batch cannot be sent (no route, too long, refused before): the others may.
                _ => {
                    self.leaving.pop_front();
                    self.send_failures += 1;
                }
            }
        }
        false
    }
}

fn source_address(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in().map(|v4| SocketAddr::V4(SocketAddrV4::from(*v4)));
    v4.or_else(|| address.as_sockaddr_in6().map(|v6| SocketAddr::V6(SocketAddrV6::from(*v6))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_a_batch_comes_and_goes_in_order() {
        let loopback = "127.0.0.1:0".parse().unwrap();
        let mut here = BoundSocket::bind(loopback).unwrap().into_batches();
        let mut there = BoundSocket::bind(loopback).unwrap().into_batches();
        let wanted: Vec<Vec<u8>> = (0..=BATCH_MAX).map(|n| vec![n as u8; n * 100]).collect();
        for bytes in &wanted {
            here.queue(there.address(), bytes.as_slice().into());
        }
        assert!(!here.flush());
        let mut got = Vec::new();
        // On loopback a datagram is in the other socket's buffer when the send returns.
        while got.len() < wanted.len() {
            let count = there.receive();
            assert_ne!(count, 0, "only {} of {} arrived", got.len(), wanted.len());
            for at in 0..count {
                let (source, bytes) = there.arrived(at).unwrap();
                assert_eq!(source, here.address());
                got.push(bytes.to_vec());
            }
        }
        assert_eq!(got, wanted);
        assert_eq!(there.receive(), 0);
        assert!(there.arrived(0).is_none());
    }

    #[test]
    fn a_datagram_that_cannot_be_sent_does_not_hold_up_the_others() {
        let mut here = BoundSocket::bind("127.0.0.1:0".parse().unwrap()).unwrap().into_batches();
        let mut there = BoundSocket::bind("127.0.0.1:0".parse().unwrap()).unwrap().into_batches();
        here.queue(there.address(), vec![0; 70_000].into());
        here.queue(there.address(), b"second".as_slice().into());
        assert!(!here.flush());
        assert_eq!((here.send_failures, there.receive()), (1, 1));
        assert_eq!(there.arrived(0).unwrap().1, b"second");
    }

    #[test]
    fn the_send_queue_drops_the_oldest_at_its_bound() {
        let mut here = BoundSocket::bind("127.0.0.1:0".parse().unwrap()).unwrap().into_batches();
        let to = here.address();
        for n in 0..=SEND_QUEUE_MAX {
            here.queue(to, n.to_be_bytes().as_slice().into());
        }
        assert_eq!((here.leaving.len(), here.send_failures), (SEND_QUEUE_MAX, 1));
        assert_eq!(*here.leaving.front().unwrap().1, 1usize.to_be_bytes());
    }
}
