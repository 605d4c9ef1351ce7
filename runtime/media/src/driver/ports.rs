//! RTP ports: which are free, and their binding. It knows no legs.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::{Mutex, PoisonError};

/// How often the system is asked for an even port before an odd one is taken.
const EVEN_TRIES: usize = 8;

#[derive(Debug)]
pub struct Ports {
    address: IpAddr,
    /// Free ports, longest free first, so that late packets of an ended call meet nobody; `None` when the
    /// system chooses.
    free: Option<Mutex<VecDeque<u16>>>,
}

impl Ports {
    /// Only even ports are used: the odd ones belong to RTCP (RFC 3550 §11).
    pub fn new(address: IpAddr, range: Option<RangeInclusive<u16>>) -> Ports {
        let even = |range: RangeInclusive<u16>| range.filter(|port| port % 2 == 0 && *port > 0).collect();
        Ports { address, free: range.map(|range| Mutex::new(even(range))) }
    }

    /// A bound socket that never blocks; `None` when no port is free.
    pub fn bind(&self) -> io::Result<Option<UdpSocket>> {
        let Some(free) = &self.free else { return self.bind_any().map(Some) };
        let mut free = free.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..free.len() {
            let Some(port) = free.pop_front() else { break };
            match self.bind_port(port) {
                Ok(socket) => return Ok(Some(socket)),
                // Somebody else's: try it again later.
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => free.push_back(port),
                Err(error) => {
                    free.push_back(port);
                    return Err(error);
                }
            }
        }
        Ok(None)
    }

    /// Gives a port back, once its socket is closed.
    pub fn release(&self, port: u16) {
        if let Some(free) = &self.free {
            free.lock().unwrap_or_else(PoisonError::into_inner).push_back(port);
        }
    }

    fn bind_any(&self) -> io::Result<UdpSocket> {
        let mut odd = Vec::new();
        for _ in 0..EVEN_TRIES {
            let socket = self.bind_port(0)?;
            if socket.local_addr()?.port() % 2 == 0 {
                return Ok(socket);
            }
            // Kept until the end, so that the system offers another.
            odd.push(socket);
        }
        odd.pop().ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
    }

    fn bind_port(&self, port: u16) -> io::Result<UdpSocket> {
        let socket = UdpSocket::bind(SocketAddr::new(self.address, port))?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_free_even_port_is_next_and_none_is_given_twice() {
        let ports = Ports::new("127.0.0.1".parse().unwrap(), Some(27_711..=27_716));
        let port = |socket: &UdpSocket| socket.local_addr().unwrap().port();
        let first = ports.bind().unwrap().unwrap();
        let second = ports.bind().unwrap().unwrap();
        let third = ports.bind().unwrap().unwrap();
        assert_eq!([port(&first), port(&second), port(&third)], [27_712, 27_714, 27_716]);
        assert!(ports.bind().unwrap().is_none());
        drop(second);
        ports.release(27_714);
        drop(first);
        ports.release(27_712);
        assert_eq!(port(&ports.bind().unwrap().unwrap()), 27_714);
    }

    #[test]
    fn a_port_in_use_by_others_is_passed_over() {
        let other = UdpSocket::bind("127.0.0.1:27720").unwrap();
        let ports = Ports::new("127.0.0.1".parse().unwrap(), Some(27_720..=27_722));
        let socket = ports.bind().unwrap().unwrap();
        assert_eq!(socket.local_addr().unwrap().port(), 27_722);
        assert!(ports.bind().unwrap().is_none());
        drop(other);
        assert!(ports.bind().unwrap().is_some());
    }
}
