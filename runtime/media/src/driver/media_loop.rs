//! One media thread: a grid of 1 ms slots; each leg has its slot and is served every 20 ms.
//!
//! Every leg has a port of its own, for only then nobody can be taken for somebody else; `sendmmsg` batches
//! packets of one socket and thus gains nothing here. What is batched is the waking: no poll, no epoll, one
//! visit to each leg in 20 ms that reads what came and sends what is due.

use std::net::UdpSocket;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use runtime_contract::leg::LegId;
use runtime_contract::time::Tick;

use super::ports::{Bound, Ports};
use super::writer::Writer;
use super::{Counters, MediaEvent, OnEvent};
use crate::recording::RecordSpec;
use crate::stream::{Command, Event, Input, Output, Outputs, Stream};

/// Slots of 1 ms on the grid; one packet time.
const SLOTS: u64 = 20;
/// A packet that leaves later than this behind its slot counts as late.
const LATE: Duration = Duration::from_millis(5);
/// A loop further behind than this (ms) gives up the slots between.
const BEHIND_MS_MAX: u64 = 200;
/// Packets read from one leg in one visit: a flood on one port must not delay the others.
const READS_MAX: usize = 8;
/// Messages handled before a slot: a flood of them must not delay it by much.
const MESSAGES_MAX: usize = 1_024;
/// Longest datagram that is looked at: 60 ms of G.711 and any sane header; longer ones are cut and refused.
const DATAGRAM_BYTES_MAX: usize = 2_048;

pub enum ToLoop {
    Open { leg: LegId, bound: Bound, stream: Box<Stream> },
    Command { leg: LegId, command: Command },
    Record { leg: LegId, spec: RecordSpec, file: PathBuf },
    Close { leg: LegId },
}

pub struct MediaLoop {
    pub from: Receiver<ToLoop>,
    pub origin: Instant,
    pub ports: Arc<Ports>,
    pub counters: Arc<Counters>,
    pub writer: Writer,
    pub on_event: OnEvent,
}

struct Leg {
    leg: LegId,
    bound: Bound,
    stream: Box<Stream>,
}

/// Legs by slot.
#[derive(Default)]
struct Grid {
    slots: [Vec<Leg>; SLOTS as usize],
    legs: usize,
}

impl Grid {
    /// Into the emptiest slot.
    fn insert(&mut self, leg: Leg) {
        if let Some(slot) = self.slots.iter_mut().min_by_key(|slot| slot.len()) {
            slot.push(leg);
            self.legs += 1;
        }
    }

    fn find(&mut self, leg: LegId) -> Option<&mut Leg> {
        self.slots.iter_mut().flatten().find(|open| open.leg == leg)
    }

    fn remove(&mut self, leg: LegId) -> Option<Leg> {
        for slot in &mut self.slots {
            if let Some(at) = slot.iter().position(|open| open.leg == leg) {
                self.legs -= 1;
                return Some(slot.swap_remove(at));
            }
        }
        None
    }

    /// The first slot with legs, not before `slot`.
    fn next_used(&self, slot: u64) -> Option<u64> {
        (slot..slot + SLOTS).find(|slot| self.slot(*slot).is_some_and(|legs| !legs.is_empty()))
    }

    fn slot(&self, slot: u64) -> Option<&Vec<Leg>> {
        self.slots.get((slot % SLOTS) as usize)
    }

    fn slot_mut(&mut self, slot: u64) -> impl Iterator<Item = &mut Leg> {
        self.slots.get_mut((slot % SLOTS) as usize).into_iter().flatten()
    }
}

impl MediaLoop {
    /// Until the door is dropped; then all legs are closed.
    pub fn run(self) {
        let mut grid = Grid::default();
        let mut slot = self.current_slot();
        let mut datagram = [0; DATAGRAM_BYTES_MAX];
        loop {
            let Some(next) = grid.next_used(slot) else {
                let Ok(message) = self.from.recv() else { return };
                slot = self.current_slot();
                self.handle(&mut grid, slot, message);
                continue;
            };
            slot = next;
            if !self.handle_until(&mut grid, slot) {
                break;
            }
            slot = self.skip_stall(slot);
            self.serve(&mut grid, slot, &mut datagram);
            slot += 1;
        }
        for leg in grid.slots.into_iter().flatten() {
            self.close(leg, slot);
        }
    }

    /// Sleeps until the slot is due, then handles what came meanwhile; false when there will be no more. Nobody has to
    /// wake us for a message: it would wait for its leg's slot anyway.
    fn handle_until(&self, grid: &mut Grid, slot: u64) -> bool {
        let due = self.origin + Duration::from_millis(slot);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        for _ in 0..MESSAGES_MAX {
            match self.from.try_recv() {
                Ok(message) => self.handle(grid, slot, message),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
        true
    }

    fn current_slot(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The process stood still (suspended, starved): what is too old is not sent at all. The streams count it.
    fn skip_stall(&self, slot: u64) -> u64 {
        let current = self.current_slot();
        if current.saturating_sub(slot) <= BEHIND_MS_MAX { slot } else { current }
    }

    fn handle(&self, grid: &mut Grid, slot: u64, message: ToLoop) {
        let now = slot_tick(slot);
        match message {
            ToLoop::Open { leg, bound, stream } => grid.insert(Leg { leg, bound, stream }),
            ToLoop::Command { leg, command } => {
                if let Some(open) = grid.find(leg) {
                    self.drain(leg, &open.bound.socket, open.stream.handle(now, Input::Command(command)));
                }
            }
            ToLoop::Record { leg, spec, file } => {
                if let Some(open) = grid.find(leg) {
                    // An earlier recording ends before the next one is made.
                    self.drain(leg, &open.bound.socket, open.stream.handle(now, Input::Command(Command::StopRecord)));
                    self.writer.create(leg, file);
                    self.drain(leg, &open.bound.socket, open.stream.handle(now, Input::Command(Command::Record(spec))));
                }
            }
            ToLoop::Close { leg } => {
                if let Some(open) = grid.remove(leg) {
                    self.close(open, slot);
                }
            }
        }
    }

    fn close(&self, mut open: Leg, slot: u64) {
        let now = slot_tick(slot);
        // What came since the leg's last slot was said before the end.
        let mut datagram = [0; DATAGRAM_BYTES_MAX];
        for _ in 0..READS_MAX {
            let Ok((length, from)) = open.bound.socket.recv_from(&mut datagram) else { break };
            let bytes = datagram.get(..length).unwrap_or_default();
            self.drain(open.leg, &open.bound.socket, open.stream.handle(now, Input::Packet { from, bytes }));
        }
        // One packet more for the listener: the last one that arrived may lie a little in the future.
        for (now, command) in [(now, Command::StopRecord), (slot_tick(slot + SLOTS), Command::Listen(false))] {
            self.drain(open.leg, &open.bound.socket, open.stream.handle(now, Input::Command(command)));
        }
        let leg = open.leg;
        self.ports.release(open.bound);
        // Last, so that whoever sees the count fall finds the port free.
        self.counters.legs.fetch_sub(1, Ordering::Release);
        (self.on_event)(leg, MediaEvent::Closed);
    }

    fn serve(&self, grid: &mut Grid, slot: u64, datagram: &mut [u8]) {
        let now = slot_tick(slot);
        let due = self.origin + Duration::from_millis(slot);
        let (mut sent, mut received, mut refused, mut late, mut skipped) = (0, 0, 0, 0, 0);
        for Leg { leg, bound: Bound { socket, .. }, stream } in grid.slot_mut(slot) {
            let refused_before = stream.packets_refused();
            for _ in 0..READS_MAX {
                let Ok((length, from)) = socket.recv_from(datagram) else { break };
                received += 1;
                let bytes = datagram.get(..length).unwrap_or_default();
                self.drain(*leg, socket, stream.handle(now, Input::Packet { from, bytes }));
            }
            refused += stream.packets_refused() - refused_before;
            let skipped_before = stream.packets_skipped();
            let packets = self.drain(*leg, socket, stream.handle(now, Input::Tick));
            skipped += stream.packets_skipped() - skipped_before;
            sent += packets;
            if packets > 0 && due.elapsed() > LATE {
                late += packets;
            }
        }
        self.counters.sent.fetch_add(sent, Ordering::Relaxed);
        self.counters.received.fetch_add(received, Ordering::Relaxed);
        self.counters.refused.fetch_add(refused, Ordering::Relaxed);
        self.counters.late.fetch_add(late, Ordering::Relaxed);
        self.counters.skipped.fetch_add(skipped, Ordering::Relaxed);
    }

    /// Does what the stream says; how many packets were sent.
    fn drain(&self, leg: LegId, socket: &UdpSocket, mut outputs: Outputs<'_>) -> u64 {
        let mut packets = 0;
        while let Some(output) = outputs.poll() {
            match output {
                Output::Send { to, packet } => {
                    // A packet that the system cannot take now is a lost packet, as on any network.
                    packets += u64::from(socket.send_to(packet, to).is_ok());
                }
                Output::Event(event) => self.handle_event(leg, event),
            }
        }
        packets
    }

    fn handle_event(&self, leg: LegId, event: Event) {
        let event = match event {
            Event::Recorded(samples) => return self.writer.append(leg, samples),
            Event::RecordDone(summary) => return self.writer.finish(leg, summary),
            Event::FirstPacket => MediaEvent::FirstPacket,
            Event::Key(key) => MediaEvent::Key(key),
            Event::PlayDone { token } => MediaEvent::PlayDone { token },
            Event::KeysSent => MediaEvent::KeysSent,
            Event::KeysRefused => MediaEvent::KeysRefused,
            Event::Heard(samples) => MediaEvent::Heard(samples),
        };
        (self.on_event)(leg, event);
    }
}

/// Streams live on the grid, not on the clock: a slot served late is still its own time.
fn slot_tick(slot: u64) -> Tick {
    Tick::default().plus_ms(slot)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::mpsc::channel;

    use runtime_contract::leg::{Codec, MediaSpec};

    use super::*;
    use crate::stream::StreamSeed;

    /// A loop that begins a long stall behind its time.
    #[test]
    fn what_is_never_sent_is_not_late() {
        let stall = Duration::from_secs(10);
        let on_event: OnEvent = Arc::new(|_, _| {});
        let (writer, writing) = Writer::start(Arc::clone(&on_event)).unwrap();
        let (door, from) = channel();
        let media_loop = MediaLoop {
            from,
            origin: Instant::now().checked_sub(stall).unwrap(),
            ports: Arc::new(Ports::new(Ipv4Addr::LOCALHOST.into(), None)),
            counters: Arc::default(),
            writer,
            on_event,
        };
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        let (codec, remote) = (Codec::Pcma, socket.local_addr().unwrap());
        let spec = MediaSpec { remote, codec, dtmf_payload_type: None, ptime_ms: 20, send: true, receive: true };
        let mut stream = Box::new(Stream::new(StreamSeed { ssrc: 1, sequence: 1, timestamp: 1 }, None));
        while stream.handle(slot_tick(0), Input::Command(Command::Connect(spec))).poll().is_some() {}
        let mut grid = Grid::default();
        grid.insert(Leg { leg: LegId(1), bound: Bound { port: remote.port(), socket }, stream });
        let mut datagram = [0; DATAGRAM_BYTES_MAX];
        media_loop.serve(&mut grid, 0, &mut datagram);
        let slot = grid.next_used(media_loop.skip_stall(SLOTS)).unwrap();
        media_loop.serve(&mut grid, slot, &mut datagram);
        let read = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        let counters = &media_loop.counters;
        assert_eq!(read(&counters.sent), 2, "one before the stall, one behind it");
        assert!(read(&counters.late) <= 2);
        assert_eq!(read(&counters.skipped), slot / SLOTS - 1, "one for each packet time between");
        assert!(slot >= 10_000);
        drop((door, media_loop));
        writing.join().unwrap();
    }
}
