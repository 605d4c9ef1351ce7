//! Which sockets have something to read, asked once for many legs. It reads none of them.

use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use super::ports::Bound;

/// Events taken at once; the rest is taken by the next question.
const EVENTS_MAX: usize = 1_024;

/// The marks of a leg that is watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watched(usize);

/// Something may be there to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    pub voice: bool,
    pub reports: bool,
}

/// Marks are set once for what comes (edge-triggered): whoever clears one has read until nothing was left.
pub struct Readiness {
    poll: Poll,
    events: Events,
    /// RTP of the leg at `place` has token `2 * place`, RTCP the next.
    marks: Vec<Marks>,
    free: Vec<usize>,
    /// Sockets that the system would not watch: they are marked each time.
    unwatched: Vec<usize>,
}

impl Readiness {
    pub fn new() -> io::Result<Readiness> {
        Ok(Readiness {
            poll: Poll::new()?,
            events: Events::with_capacity(EVENTS_MAX),
            marks: Vec::new(),
            free: Vec::new(),
            unwatched: Vec::new(),
        })
    }

    pub fn watch(&mut self, bound: &Bound) -> Watched {
        let place = self.free.pop().unwrap_or_else(|| {
            self.marks.push(Marks::default());
            self.marks.len() - 1
        });
        let register =
            |fd: RawFd, token| self.poll.registry().register(&mut SourceFd(&fd), Token(token), Interest::READABLE);
        let voice = register(bound.socket.as_raw_fd(), 2 * place);
        if voice.and(register(bound.reports.as_raw_fd(), 2 * place + 1)).is_err() {
            self.unwatched.push(place);
        }
        Watched(place)
    }

    /// Before the sockets are closed or go to another thread.
    pub fn unwatch(&mut self, Watched(place): Watched, bound: &Bound) {
        for fd in [bound.socket.as_raw_fd(), bound.reports.as_raw_fd()] {
            // Where it was never watched there is nothing to end.
            let _ = self.poll.registry().deregister(&mut SourceFd(&fd));
        }
        self.unwatched.retain(|unwatched| *unwatched != place);
        if let Some(marks) = self.marks.get_mut(place) {
            *marks = Marks::default();
            self.free.push(place);
        }
    }

    /// Marks what has come since the last question. One that fails is asked again for the next slot.
    pub fn look(&mut self) {
        if self.poll.poll(&mut self.events, Some(Duration::ZERO)).is_err() {
            return;
        }
        for event in &self.events {
            let Token(token) = event.token();
            if let Some(marks) = self.marks.get_mut(token / 2) {
                let mark = if token.is_multiple_of(2) { &mut marks.voice } else { &mut marks.reports };
                *mark = true;
            }
        }
        for place in &self.unwatched {
            if let Some(marks) = self.marks.get_mut(*place) {
                *marks = Marks { voice: true, reports: true };
            }
        }
    }

    /// What may be there; both marks are cleared.
    pub fn take(&mut self, Watched(place): Watched) -> Marks {
        self.marks.get_mut(place).map(std::mem::take).unwrap_or_default()
    }

    /// Not all was read.
    pub fn mark(&mut self, Watched(place): Watched, left: Marks) {
        if let Some(marks) = self.marks.get_mut(place) {
            marks.voice |= left.voice;
            marks.reports |= left.reports;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, UdpSocket};

    use super::super::ports::Ports;
    use super::*;

    const NONE: Marks = Marks { voice: false, reports: false };

    #[test]
    fn what_comes_is_marked_once_and_a_place_is_used_again() {
        let ports = Ports::new(Ipv4Addr::LOCALHOST.into(), None);
        let [first, second] = [(); 2].map(|()| ports.bind().unwrap().unwrap());
        let far = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut readiness = Readiness::new().unwrap();
        // What came before somebody watched is marked too.
        far.send_to(b"early", first.socket.local_addr().unwrap()).unwrap();
        let [a, b] = [&first, &second].map(|bound| readiness.watch(bound));
        readiness.look();
        assert_eq!([readiness.take(a), readiness.take(b)], [Marks { voice: true, reports: false }, NONE]);
        readiness.look();
        assert_eq!(readiness.take(a), NONE, "it is the reader's to say that something is left");
        far.send_to(b"report", second.reports.local_addr().unwrap()).unwrap();
        far.send_to(b"more", first.socket.local_addr().unwrap()).unwrap();
        readiness.look();
        assert_eq!(readiness.take(b), Marks { voice: false, reports: true });
        readiness.unwatch(a, &first);
        let third = ports.bind().unwrap().unwrap();
        let c = readiness.watch(&third);
        assert_eq!(c, a);
        readiness.look();
        assert_eq!(readiness.take(c), NONE, "what came for the first is not the third's");
        readiness.mark(c, Marks { voice: true, reports: false });
        assert!(readiness.take(c).voice);
    }
}
