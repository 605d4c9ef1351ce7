//! One media thread: a grid of 1 ms slots; each leg has its slot and is visited every 20 ms, in a bridge every 5 ms.
//!
//! Every leg has a port of its own, for only then nobody can be taken for somebody else; `sendmmsg` batches
//! packets of one socket and thus gains nothing here. What is batched is the waking, and the question who has something
//! to read: one visit to each leg in 20 ms that reads what came and sends what is due (decision 0031).

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SendError, Sender, TryRecvError};
use std::time::{Duration, Instant};

use runtime_contract::leg::LegId;
use runtime_contract::time::Tick;

use super::grid::{Grid, Leg, SLOTS};
use super::places::Places;
use super::ports::{Bound, Ports};
use super::readiness::{Marks, Readiness};
use super::writer::{End, Take, Writer};
use super::{Counters, MediaEvent, OnEvent};
use crate::recording::RecordSpec;
use crate::stream::{Command, Event, Input, Output, Outputs, Relayed, Stream};

/// A packet that leaves later than this behind its slot counts as late.
const LATE: Duration = Duration::from_millis(5);
/// A loop further behind than this (ms) gives up the slots between.
const BEHIND_MS_MAX: u64 = 200;
/// Packets taken from one leg in one visit, and packets read, strangers' among them: a flood on one port must neither
/// delay the others nor drown the far side.
const TAKEN_MAX: u64 = 8;
const READS_MAX: usize = 64;
/// Reports read from one leg in one visit.
const REPORTS_MAX: usize = 2;
/// Messages handled before a slot: a flood of them must not delay it by much.
const MESSAGES_MAX: usize = 1_024;
/// Longest datagram that is looked at: 60 ms of G.711 and any sane header; longer ones are cut and refused.
const DATAGRAM_BYTES_MAX: usize = 2_048;

#[derive(Debug)]
pub enum ToLoop {
    Open {
        leg: LegId,
        bound: Bound,
        stream: Box<Stream>,
    },
    Command {
        leg: LegId,
        command: Command,
    },
    Record {
        leg: LegId,
        spec: RecordSpec,
        file: PathBuf,
    },
    RecordCall {
        leg: LegId,
        file: PathBuf,
    },
    Bridge {
        legs: [LegId; 2],
    },
    Unbridge {
        leg: LegId,
    },
    /// The leg goes on at another thread, to be bridged there.
    Leave {
        leg: LegId,
        thread: usize,
        door: Sender<ToLoop>,
    },
    /// It came from another thread.
    Arrive {
        leg: Leg,
    },
    Close {
        leg: LegId,
    },
}

pub struct MediaLoop {
    pub from: Receiver<ToLoop>,
    pub origin: Instant,
    pub ports: Arc<Ports>,
    pub places: Arc<Places>,
    pub counters: Arc<Counters>,
    pub writer: Writer,
    pub on_event: OnEvent,
}

/// The legs of this thread.
struct Legs {
    grid: Grid,
    readiness: Readiness,
    /// Bridges of which a leg is still on its way from another thread.
    wanted: Vec<[LegId; 2]>,
}

/// What one visit did, for the counters.
#[derive(Default)]
struct Tally {
    sent: u64,
    received: u64,
    refused: u64,
    late: u64,
    skipped: u64,
}

/// What the visits of one slot share.
struct Visits<'a> {
    slot: u64,
    datagram: &'a mut [u8],
    readiness: &'a mut Readiness,
    tally: Tally,
}

impl MediaLoop {
    /// Until the door is dropped; then all legs are closed.
    pub fn run(self, readiness: Readiness) {
        let mut legs = Legs { grid: Grid::default(), readiness, wanted: Vec::new() };
        let mut slot = self.current_slot();
        let mut datagram = [0; DATAGRAM_BYTES_MAX];
        loop {
            let Some(next) = legs.grid.next_used(slot) else {
                let Ok(message) = self.from.recv() else { return };
                slot = self.current_slot();
                self.handle(&mut legs, slot, message);
                continue;
            };
            slot = next;
            if !self.handle_until(&mut legs, slot) {
                break;
            }
            slot = self.skip_stall(slot);
            legs.readiness.look();
            self.serve(&mut legs, slot, &mut datagram);
            slot += 1;
        }
        for leg in legs.grid.into_legs() {
            self.close(leg, slot);
        }
    }

    /// Sleeps until the slot is due, then handles what came meanwhile; false when there will be no more. Nobody has to
    /// wake us for a message: it would wait for its leg's slot anyway.
    fn handle_until(&self, legs: &mut Legs, slot: u64) -> bool {
        let due = self.origin + Duration::from_millis(slot);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        for _ in 0..MESSAGES_MAX {
            match self.from.try_recv() {
                Ok(message) => self.handle(legs, slot, message),
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

    fn handle(&self, legs: &mut Legs, slot: u64, message: ToLoop) {
        let now = slot_tick(slot);
        match message {
            ToLoop::Open { leg, bound, stream } => {
                let watched = legs.readiness.watch(&bound);
                legs.grid.insert(Leg { leg, bound, watched, stream });
            }
            ToLoop::Command { leg, command } => {
                if let Some(open) = legs.grid.find(leg) {
                    self.tell(open, now, Input::Command(command));
                }
            }
            ToLoop::Record { leg, spec, file } => {
                if let Some(open) = legs.grid.find(leg) {
                    // An earlier recording ends before the next one is made.
                    self.tell(open, now, Input::Command(Command::StopRecord));
                    self.writer.create(leg, Take::Far, file);
                    self.tell(open, now, Input::Command(Command::Record(spec)));
                }
            }
            ToLoop::RecordCall { leg, file } => {
                if let Some(open) = legs.grid.find(leg) {
                    self.tell(open, now, Input::Command(Command::StopRecordCall));
                    self.writer.create(leg, Take::Call, file);
                    self.tell(open, now, Input::Command(Command::RecordCall));
                }
            }
            ToLoop::Bridge { legs: pair } => {
                pair.iter().for_each(|leg| self.unbridge(legs, now, *leg));
                legs.wanted.push(pair);
                self.bridge_wanted(legs, now);
            }
            ToLoop::Unbridge { leg } => self.unbridge(legs, now, leg),
            ToLoop::Leave { leg, thread, door } => {
                self.unbridge(legs, now, leg);
                let Some(open) = legs.grid.remove(leg) else { return };
                legs.readiness.unwatch(open.watched, &open.bound);
                if let Err(SendError(ToLoop::Arrive { leg })) = door.send(ToLoop::Arrive { leg: open }) {
                    return self.close(leg, slot);
                }
                self.places.moved(leg, thread, &door);
            }
            ToLoop::Arrive { mut leg } => {
                leg.watched = legs.readiness.watch(&leg.bound);
                legs.grid.insert(leg);
                self.bridge_wanted(legs, now);
            }
            ToLoop::Close { leg } => {
                self.unbridge(legs, now, leg);
                if let Some(open) = legs.grid.remove(leg) {
                    legs.readiness.unwatch(open.watched, &open.bound);
                    self.close(open, slot);
                }
            }
        }
    }

    fn bridge_wanted(&self, legs: &mut Legs, now: Tick) {
        let Legs { grid, wanted, .. } = legs;
        wanted.retain(|[a, b]| {
            let (first, second) = match (grid.remove(*a), grid.remove(*b)) {
                (Some(first), Some(second)) => (first, second),
                (first, second) => {
                    first.into_iter().chain(second).for_each(|leg| grid.insert(leg));
                    return true;
                }
            };
            let mut pair = [first, second];
            for leg in &mut pair {
                self.tell(leg, now, Input::Bridged(true));
            }
            grid.insert_bridge(pair);
            false
        });
    }

    fn unbridge(&self, legs: &mut Legs, now: Tick, leg: LegId) {
        legs.wanted.retain(|pair| !pair.contains(&leg));
        for mut single in legs.grid.remove_bridge(leg).into_iter().flatten() {
            self.tell(&mut single, now, Input::Bridged(false));
            legs.grid.insert(single);
        }
    }

    fn close(&self, mut open: Leg, slot: u64) {
        let now = slot_tick(slot);
        // What came since the leg's last slot was said before the end.
        let mut datagram = [0; DATAGRAM_BYTES_MAX];
        for _ in 0..READS_MAX {
            let Ok((length, from)) = open.bound.socket.recv_from(&mut datagram) else { break };
            let bytes = datagram.get(..length).unwrap_or_default();
            self.tell(&mut open, now, Input::Packet { from, bytes });
        }
        self.tell(&mut open, now, Input::Command(Command::StopRecord));
        // One packet more for the listener: the last one that arrived may lie a little in the future.
        self.tell(&mut open, slot_tick(slot + SLOTS), Input::Command(Command::Listen(false)));
        self.tell(&mut open, now, Input::End);
        let leg = open.leg;
        self.ports.release(open.bound);
        // Last, so that whoever sees the count fall finds the port free.
        self.counters.legs.fetch_sub(1, Ordering::Release);
        (self.on_event)(leg, MediaEvent::Closed);
    }

    fn serve(&self, legs: &mut Legs, slot: u64, datagram: &mut [u8]) {
        let Legs { grid, readiness, .. } = legs;
        let mut visits = Visits { slot, datagram, readiness, tally: Tally::default() };
        for leg in grid.legs_mut(slot) {
            self.visit(leg, None, &mut visits);
        }
        for [a, b] in grid.bridges_mut(slot) {
            self.visit(a, Some(b), &mut visits);
            self.visit(b, Some(a), &mut visits);
        }
        let tally = visits.tally;
        self.counters.sent.fetch_add(tally.sent, Ordering::Relaxed);
        self.counters.refused.fetch_add(tally.refused, Ordering::Relaxed);
        self.counters.late.fetch_add(tally.late, Ordering::Relaxed);
        self.counters.skipped.fetch_add(tally.skipped, Ordering::Relaxed);
        // Last, and read first: whoever sees a packet counted finds what became of it counted too.
        self.counters.received.fetch_add(tally.received, Ordering::Release);
    }

    /// Reads what came for a leg, hands it on to the other leg of its bridge, and sends what is due.
    fn visit(&self, leg: &mut Leg, mut other: Option<&mut Leg>, visits: &mut Visits<'_>) {
        let Visits { slot, datagram, readiness, tally } = visits;
        let now = slot_tick(*slot);
        let Leg { leg, bound, watched, stream } = leg;
        let (refused, skipped) = (stream.packets_refused(), stream.packets_skipped());
        let mut ready = readiness.take(*watched);
        let mut reads = 0;
        while ready.voice && reads < READS_MAX && (reads as u64) < TAKEN_MAX + (stream.packets_refused() - refused) {
            let Ok((length, from)) = bound.socket.recv_from(datagram) else {
                ready.voice = false;
                break;
            };
            reads += 1;
            let bytes = datagram.get(..length).unwrap_or_default();
            let outputs = stream.handle(now, Input::Packet { from, bytes });
            tally.sent += self.drain(*leg, bound, outputs, |relayed| {
                other.as_deref_mut().map_or(0, |other| self.tell(other, now, Input::Relayed(relayed)))
            });
        }
        tally.received += reads as u64;
        for _ in 0..REPORTS_MAX {
            if !ready.reports {
                break;
            }
            let Ok((length, from)) = bound.reports.recv_from(datagram) else {
                ready.reports = false;
                break;
            };
            let bytes = datagram.get(..length).unwrap_or_default();
            self.drain(*leg, bound, stream.handle(now, Input::Report { from, bytes }), |_| 0);
        }
        if ready != Marks::default() {
            readiness.mark(*watched, ready);
        }
        let packets = self.drain(*leg, bound, stream.handle(now, Input::Tick), |_| 0);
        tally.sent += packets;
        tally.refused += stream.packets_refused() - refused;
        tally.skipped += stream.packets_skipped() - skipped;
        if packets > 0 && (self.origin + Duration::from_millis(*slot)).elapsed() > LATE {
            tally.late += packets;
        }
    }

    /// Hands an input to a leg for which nothing is to be relayed; how many packets were sent.
    fn tell(&self, leg: &mut Leg, now: Tick, input: Input<'_>) -> u64 {
        self.drain(leg.leg, &leg.bound, leg.stream.handle(now, input), |_| 0)
    }

    /// Does what the stream says; how many packets were sent, by it or for what it relays.
    fn drain(
        &self,
        leg: LegId,
        bound: &Bound,
        mut outputs: Outputs<'_>,
        mut relay: impl FnMut(Relayed<'_>) -> u64,
    ) -> u64 {
        let mut packets = 0;
        while let Some(output) = outputs.poll() {
            match output {
                Output::Send { to, packet } => {
                    // A packet that the system cannot take now is a lost packet, as on any network.
                    packets += u64::from(bound.socket.send_to(packet, to).is_ok());
                }
                Output::SendReport { to, packet, on_rtp_port } => {
                    let socket = if on_rtp_port { &bound.socket } else { &bound.reports };
                    let _ = socket.send_to(packet, to);
                }
                Output::Event(event) => self.handle_event(leg, event),
                Output::Relay(relayed) => packets += relay(relayed),
            }
        }
        packets
    }

    fn handle_event(&self, leg: LegId, event: Event) {
        let event = match event {
            Event::Recorded(samples) => return self.writer.append(leg, Take::Far, samples),
            Event::RecordDone(summary) => return self.writer.finish(leg, End::Far(summary)),
            Event::CallRecorded(samples) => return self.writer.append(leg, Take::Call, samples),
            Event::CallRecordDone { length_ms } => return self.writer.finish(leg, End::Call { length_ms }),
            Event::FirstPacket => MediaEvent::FirstPacket,
            Event::Key(key) => MediaEvent::Key(key),
            Event::PlayDone { token } => MediaEvent::PlayDone { token },
            Event::KeysSent => MediaEvent::KeysSent,
            Event::KeysRefused => MediaEvent::KeysRefused,
            Event::Heard(samples) => MediaEvent::Heard(samples),
            Event::Quality(quality) => MediaEvent::Quality(quality),
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
    use std::net::{Ipv4Addr, UdpSocket};
    use std::sync::mpsc::channel;

    use runtime_contract::leg::{Codec, MediaSpec};

    use super::*;
    use crate::stream::StreamSeed;

    /// A loop that begins a long stall behind its time.
    #[test]
    fn what_is_never_sent_is_not_late() {
        let stall = Duration::from_secs(10);
        let on_event: OnEvent = Arc::new(|_, _| {});
        let (writer, writing) = Writer::start(Arc::clone(&on_event), None).unwrap();
        let (door, from) = channel();
        let media_loop = MediaLoop {
            from,
            origin: Instant::now().checked_sub(stall).unwrap(),
            ports: Arc::new(Ports::new(Ipv4Addr::LOCALHOST.into(), None)),
            places: Arc::default(),
            counters: Arc::default(),
            writer,
            on_event,
        };
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        let reports = UdpSocket::bind("127.0.0.1:0").unwrap();
        reports.set_nonblocking(true).unwrap();
        let (codec, remote) = (Codec::Pcma, socket.local_addr().unwrap());
        let spec =
            MediaSpec { remote, codec, dtmf_payload_type: None, ptime_ms: 20, rtcp: None, send: true, receive: true };
        let mut stream = Box::new(Stream::new(StreamSeed { ssrc: 1, sequence: 1, timestamp: 1 }, None));
        while stream.handle(slot_tick(0), Input::Command(Command::Connect(spec))).poll().is_some() {}
        let mut legs = Legs { grid: Grid::default(), readiness: Readiness::new().unwrap(), wanted: Vec::new() };
        let bound = Bound { port: remote.port(), socket, reports };
        media_loop.handle(&mut legs, 0, ToLoop::Open { leg: LegId(1), bound, stream });
        let mut datagram = [0; DATAGRAM_BYTES_MAX];
        media_loop.serve(&mut legs, 0, &mut datagram);
        let slot = legs.grid.next_used(media_loop.skip_stall(SLOTS)).unwrap();
        media_loop.serve(&mut legs, slot, &mut datagram);
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
