//! RTP ports: which are free, and their binding. It knows no legs.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::{Mutex, PoisonError};

/// Ports when none are given.
const ANY: RangeInclusive<u16> = 16_384..=65_535;

/// Sockets that never block: RTP on an even port, RTCP on the one behind it (RFC 3550 §11).
#[derive(Debug)]
pub struct Bound {
    pub socket: UdpSocket,
    pub reports: UdpSocket,
    pub port: u16,
}

#[derive(Debug)]
pub struct Ports {
    address: IpAddr,
    /// Longest free first, so that late packets of an ended call meet nobody.
    free: Mutex<VecDeque<u16>>,
}

impl Ports {
    /// A leg has an even port and the odd one behind it (RFC 3550 §11); an even one at the end of the range is left out. Without a range, those of [`ANY`] from
    /// somewhere on, so that processes side by side seldom try the same.
    pub fn new(address: IpAddr, range: Option<RangeInclusive<u16>>) -> Ports {
        let even = |range: RangeInclusive<u16>| -> VecDeque<u16> {
            let end = *range.end();
            range.filter(|port| port % 2 == 0 && *port > 0 && *port < end).collect()
        };
        let free = range.map_or_else(
            || {
                let mut free = even(ANY);
                free.rotate_left(RandomState::new().build_hasher().finish() as usize % free.len().max(1));
                free
            },
            even,
        );
        Ports { address, free: Mutex::new(free) }
    }

    /// `None` when no port is free.
    pub fn bind(&self) -> io::Result<Option<Bound>> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..free.len() {
            let Some(port) = free.pop_front() else { break };
            match self.bind_port(port) {
                Ok((socket, reports)) => return Ok(Some(Bound { socket, reports, port })),
                // Somebody else's: it is tried again later.
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => free.push_back(port),
                Err(error) => {
                    free.push_back(port);
                    return Err(error);
                }
            }
        }
        Ok(None)
    }

    /// Gives an ended leg's port back.
    pub fn release(&self, bound: Bound) {
        let Bound { socket, reports, port } = bound;
        drop((socket, reports));
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push_back(port);
    }

    fn bind_port(&self, port: u16) -> io::Result<(UdpSocket, UdpSocket)> {
        let bind = |port| -> io::Result<UdpSocket> {
            let socket = UdpSocket::bind(SocketAddr::new(self.address, port))?;
            socket.set_nonblocking(true)?;
            Ok(socket)
        };
        Ok((bind(port)?, bind(port.saturating_add(1))?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ports(range: RangeInclusive<u16>) -> Ports {
        Ports::new("127.0.0.1".parse().unwrap(), Some(range))
    }

    #[test]
    fn the_longest_free_even_port_is_next_and_none_is_given_twice() {
        let ports = ports(27_711..=27_718);
        let [first, second, third] = [(); 3].map(|()| ports.bind().unwrap().unwrap());
        for bound in [&first, &second, &third] {
            assert_eq!(bound.socket.local_addr().unwrap().port(), bound.port);
        }
        assert_eq!([first.port, second.port, third.port], [27_712, 27_714, 27_716]);
        assert!(ports.bind().unwrap().is_none());
        ports.release(second);
        ports.release(first);
        assert_eq!(ports.bind().unwrap().unwrap().port, 27_714);
    }

    #[test]
    fn a_port_in_use_by_others_is_passed_over() {
        let other = UdpSocket::bind("127.0.0.1:27721").unwrap();
        let ports = ports(27_720..=27_723);
        let bound = ports.bind().unwrap().unwrap();
        assert_eq!(bound.port, 27_722);
        assert!(ports.bind().unwrap().is_none());
        drop(other);
        assert!(ports.bind().unwrap().is_some());
    }

    /// So late packets of an ended call meet nobody for as long as the range allows.
    #[test]
    fn all_other_ports_come_before_one_that_was_used() {
        let ports = Ports::new("127.0.0.1".parse().unwrap(), None);
        let first = ports.bind().unwrap().unwrap();
        let (port, others) = (first.port, ports.free.lock().unwrap().len());
        ports.release(first);
        assert!(others > 20_000);
        assert!(port.is_multiple_of(2));
        assert_eq!(ports.free.lock().unwrap().back(), Some(&port));
    }
}
