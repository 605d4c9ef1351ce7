//! RTP ports: which are free, and their binding. It knows no legs.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::{Mutex, PoisonError};

/// How often the system is asked for an even port before an odd one is taken.
const EVEN_TRIES: usize = 8;
/// Sockets of ended legs that rest before one is used again, so that late packets of its call meet nobody.
const RESTING: usize = 64;
/// Sockets of ended legs that are kept: making one costs as much as all SIP of a short call.
const RESTING_MAX: usize = 256;
/// Late packets thrown away before a socket is used again; one that holds more is being flooded and is closed.
const LATE_PACKETS_MAX: usize = 256;

/// A socket that never blocks, and its port.
#[derive(Debug)]
pub struct Bound {
    pub socket: UdpSocket,
    pub port: u16,
}

#[derive(Debug)]
pub struct Ports {
    address: IpAddr,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Free ports, longest free first; `None` when the system chooses.
    free: Option<VecDeque<u16>>,
    /// Longest at rest first.
    resting: VecDeque<Bound>,
}

impl Ports {
    /// Only even ports are used: the odd ones belong to RTCP (RFC 3550 §11).
    pub fn new(address: IpAddr, range: Option<RangeInclusive<u16>>) -> Ports {
        let even = |range: RangeInclusive<u16>| range.filter(|port| port % 2 == 0 && *port > 0).collect();
        Ports { address, state: Mutex::new(State { free: range.map(even), resting: VecDeque::new() }) }
    }

    /// `None` when no port is free.
    pub fn bind(&self) -> io::Result<Option<Bound>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.resting.len() > RESTING
            && let Some(bound) = state.rested()
        {
            return Ok(Some(bound));
        }
        let State { free: Some(free), .. } = &mut *state else { return self.bind_any().map(Some) };
        for _ in 0..free.len() {
            let Some(port) = free.pop_front() else { break };
            match self.bind_port(port) {
                Ok(bound) => return Ok(Some(bound)),
                // Somebody else's: try it again later.
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => free.push_back(port),
                Err(error) => {
                    free.push_back(port);
                    return Err(error);
                }
            }
        }
        Ok(state.rested())
    }

    /// Gives an ended leg's socket back.
    pub fn release(&self, bound: Bound) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).rest(bound);
    }

    fn bind_any(&self) -> io::Result<Bound> {
        let mut odd = Vec::new();
        for _ in 0..EVEN_TRIES {
            let bound = self.bind_port(0)?;
            if bound.port.is_multiple_of(2) {
                return Ok(bound);
            }
            // Kept until the end, so that the system offers another.
            odd.push(bound);
        }
        odd.pop().ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
    }

    /// Port 0: any.
    fn bind_port(&self, port: u16) -> io::Result<Bound> {
        let socket = UdpSocket::bind(SocketAddr::new(self.address, port))?;
        socket.set_nonblocking(true)?;
        let port = if port == 0 { socket.local_addr()?.port() } else { port };
        Ok(Bound { socket, port })
    }
}

impl State {
    fn rest(&mut self, bound: Bound) {
        self.resting.push_back(bound);
        if self.resting.len() > RESTING_MAX
            && let Some(Bound { port, .. }) = self.resting.pop_front()
        {
            self.close(port);
        }
    }

    /// The socket that has rested longest, emptied.
    fn rested(&mut self) -> Option<Bound> {
        while let Some(bound) = self.resting.pop_front() {
            let late = std::iter::repeat_with(|| bound.socket.recv_from(&mut [0; 1])).take(LATE_PACKETS_MAX);
            if late.take_while(Result::is_ok).count() < LATE_PACKETS_MAX {
                return Some(bound);
            }
            self.close(bound.port);
        }
        None
    }

    /// Its socket is closed.
    fn close(&mut self, port: u16) {
        if let Some(free) = &mut self.free {
            free.push_back(port);
        }
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
        let ports = ports(27_711..=27_716);
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
        let other = UdpSocket::bind("127.0.0.1:27720").unwrap();
        let ports = ports(27_720..=27_722);
        let bound = ports.bind().unwrap().unwrap();
        assert_eq!(bound.port, 27_722);
        assert!(ports.bind().unwrap().is_none());
        drop(other);
        assert!(ports.bind().unwrap().is_some());
    }

    /// Late packets of the call before are gone, and a flooded port goes to nobody until it is made anew.
    #[test]
    fn a_socket_used_again_is_empty() {
        let ports = ports(27_740..=27_743);
        let [first, second] = [(); 2].map(|()| ports.bind().unwrap().unwrap());
        let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
        for _ in 0..LATE_PACKETS_MAX + 1 {
            // What the system's buffer cannot hold is dropped; it holds more small ones than the bound.
            stranger.send_to(&[7], ("127.0.0.1", first.port)).unwrap();
        }
        stranger.send_to(&[7], ("127.0.0.1", second.port)).unwrap();
        ports.release(first);
        ports.release(second);
        let again = ports.bind().unwrap().unwrap();
        assert_eq!(again.port, 27_742);
        assert_eq!(again.socket.recv_from(&mut [0; 8]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert_eq!(ports.bind().unwrap().unwrap().port, 27_740);
    }

    #[test]
    fn so_many_sockets_are_kept_and_no_more() {
        let ports = Ports::new("127.0.0.1".parse().unwrap(), None);
        let bound: Vec<Bound> = (0..RESTING_MAX + 1).map(|_| ports.bind().unwrap().unwrap()).collect();
        let longest = bound[1].port;
        bound.into_iter().for_each(|bound| ports.release(bound));
        assert_eq!(ports.state.lock().unwrap().resting.len(), RESTING_MAX);
        assert_eq!(ports.bind().unwrap().unwrap().port, longest);
    }
}
