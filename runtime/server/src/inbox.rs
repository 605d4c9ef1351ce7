//! Where a loop sleeps: until a message comes, a datagram arrives, or a tick is due. Any thread may hold a
//! [`Door`]; a message wakes the loop with at most one system call for each of its rounds.

use std::io;
use std::os::fd::RawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token, Waker};

const SOCKET: Token = Token(0);
const MESSAGE: Token = Token(1);
/// First token for whatever else is registered with [`Inbox::registry`].
pub const FIRST_FREE: Token = Token(2);
/// Events taken in one sleep; what is left ends the next one at once.
const EVENTS_MAX: usize = 256;

/// Something became possible at a token that is not the inbox's own.
#[derive(Clone, Copy, Debug)]
pub struct Happened {
    pub token: Token,
    pub readable: bool,
    pub writable: bool,
}

/// The sleeping side; one for each loop.
pub struct Inbox<T> {
    poll: Poll,
    events: Events,
    happened: Vec<Happened>,
    queue: Receiver<T>,
    /// Taken while looking whether one is there.
    next: Option<T>,
    shared: Arc<Shared>,
}

/// The other side, for any thread.
pub struct Door<T> {
    queue: mpsc::Sender<T>,
    shared: Arc<Shared>,
}

struct Shared {
    waker: Waker,
    /// The loop will look into the queue before it sleeps.
    awake: AtomicBool,
}

impl<T> Inbox<T> {
    pub fn new() -> io::Result<(Inbox<T>, Door<T>)> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), MESSAGE)?;
        let shared = Arc::new(Shared { waker, awake: AtomicBool::new(true) });
        let (sender, queue) = mpsc::channel();
        let events = Events::with_capacity(EVENTS_MAX);
        let inbox = Inbox { poll, events, happened: Vec::new(), queue, next: None, shared: Arc::clone(&shared) };
        Ok((inbox, Door { queue: sender, shared }))
    }

    /// From now on a datagram at this socket ends [`Inbox::wait`], once: it must be read until it has no more.
    pub fn watch(&self, socket: RawFd) -> io::Result<()> {
        self.poll.registry().register(&mut SourceFd(&socket), SOCKET, Interest::READABLE)
    }

    /// For other things that may end [`Inbox::wait`], by tokens from [`FIRST_FREE`] on.
    pub fn registry(&self) -> io::Result<Registry> {
        self.poll.registry().try_clone()
    }

    /// What happened at those during the last sleep.
    pub fn happened(&self) -> &[Happened] {
        &self.happened
    }

    pub fn next(&mut self) -> Option<T> {
        self.next.take().or_else(|| self.queue.try_recv().ok())
    }

    /// Sleeps until something happens, at most for this time. True when the socket has datagrams.
    pub fn wait(&mut self, longest: Option<Duration>) -> io::Result<bool> {
        // A sender that saw `awake` before this store has its message in the queue already.
        self.shared.awake.store(false, Ordering::SeqCst);
        if self.next.is_none() {
            self.next = self.queue.try_recv().ok();
        }
        let longest = if self.next.is_some() { Some(Duration::ZERO) } else { longest };
        self.happened.clear();
        self.events.clear();
        match self.poll.poll(&mut self.events, longest) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        self.shared.awake.store(true, Ordering::SeqCst);
        let mut datagrams = false;
        for event in &self.events {
            match event.token() {
                SOCKET => datagrams = true,
                MESSAGE => {}
                token => {
                    let over = event.is_error() || event.is_read_closed() || event.is_write_closed();
                    let (readable, writable) = (event.is_readable() || over, event.is_writable() || over);
                    self.happened.push(Happened { token, readable, writable });
                }
            }
        }
        Ok(datagrams)
    }
}

impl<T> Door<T> {
    /// Never blocks. A message to a loop that is over is dropped.
    pub fn send(&self, message: T) {
        if self.queue.send(message).is_ok() && !self.shared.awake.swap(true, Ordering::SeqCst) {
            // Without a waker the loop still comes round at its next deadline.
            let _ = self.shared.waker.wake();
        }
    }
}

impl<T> Clone for Door<T> {
    fn clone(&self) -> Self {
        Door { queue: self.queue.clone(), shared: Arc::clone(&self.shared) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_message_is_slept_through() {
        let (mut inbox, door) = Inbox::new().unwrap();
        let sender = std::thread::spawn(move || (0..20_000u32).for_each(|n| door.send(n)));
        let mut taken = 0;
        while taken < 20_000 {
            while let Some(n) = inbox.next() {
                assert_eq!(n, taken);
                taken += 1;
            }
            if taken < 20_000 {
                // Without a time limit: a lost wake-up would hang here.
                inbox.wait(None).unwrap();
            }
        }
        sender.join().unwrap();
        assert_eq!(inbox.next(), None);
    }
}
