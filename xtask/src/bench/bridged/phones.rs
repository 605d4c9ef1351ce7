//! Both ends of many calls: every call has a stream of voice each way (G.711, a packet each 20 ms), sent to the relay's
//! ports and read where the relay sends it on. It knows neither who relays nor how the calls were made.

use std::io::{IoSlice, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::socket::{
    ControlMessage, MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, sendmmsg, setsockopt, sockopt,
};
use nix::unistd::Pid;

use super::super::served::CALLERS_CORE;
use super::super::usage::cpu_seconds;

/// Heard, but not counted: until caches are warm and both sides have learnt where the other is.
const WARM_S: u64 = 2;
const COUNTED_S: u64 = 5;
/// From the first packet to the last.
const TALK_S: u64 = WARM_S + COUNTED_S;
/// Packets that come later than this after the last was sent are lost.
const TAIL: Duration = Duration::from_millis(500);
const PTIME_MS: u64 = 20;
/// RTP's head (RFC 3550 §5.1) and 20 ms of G.711.
const PACKET_BYTES: usize = 12 + 160;
const PCMA: u8 = 8;
/// Datagrams of one system call.
const BATCH_MAX: usize = 64;
/// Read at once, so that sending is not held up.
const BATCHES_MAX: usize = 64;
const TURN: Duration = Duration::from_millis(1);
const KERNEL_BUFFER_BYTES: usize = 64 << 20;
const LATE: Duration = Duration::from_millis(5);
/// Width of a step in the table of transit times, and how many there are.
const STEP: Duration = Duration::from_micros(100);
const STEPS: usize = 2_000;

/// Where all callers are, where all callees are, and where nobody reads the reports that are sent to them.
pub struct Phones {
    callers: UdpSocket,
    callees: UdpSocket,
    reports: UdpSocket,
}

/// The relay's ports, by those who send to them.
#[derive(Default)]
pub struct Ways {
    pub callers: Vec<u16>,
    pub callees: Vec<u16>,
}

/// What came of it, in the seconds that count.
#[derive(Clone, Copy, Debug, Default)]
pub struct Talk {
    pub sent: f64,
    pub received: f64,
    /// More than 5 ms later than the fastest packet of its stream.
    pub late: f64,
    /// Half of the packets were through after so many milliseconds; 99 of 100.
    pub transit_ms: (f64, f64),
    pub relay_cpu_s: f64,
    /// What the phones themselves took of their core.
    pub own_cpu_s: f64,
    /// Packets that the relay had sent, and that found no room here.
    pub dropped_here: f64,
    pub seconds: f64,
}

impl Phones {
    pub fn open() -> Result<Phones, String> {
        Ok(Phones { callers: socket()?, callees: socket()?, reports: socket()? })
    }

    /// Ports of the callers' voice, of the callees', and of the reports of both (RFC 3605).
    pub fn ports(&self) -> Result<[u16; 3], String> {
        Ok([port(&self.callers)?, port(&self.callees)?, port(&self.reports)?])
    }

    /// All talk at once, both ways; `relay` is the process whose time is counted.
    pub fn talk(&self, ways: &Ways, relay: u32) -> Result<Talk, String> {
        let core = || {
            let mut core = CpuSet::new();
            core.set(CALLERS_CORE)?;
            sched_setaffinity(Pid::from_raw(0), &core)
        };
        std::thread::scope(|scope| {
            let talking = scope.spawn(|| {
                core().map_err(|cause| format!("core {CALLERS_CORE}: {cause}"))?;
                let mut ends = [End::new(&self.callers, &ways.callers, 0), End::new(&self.callees, &ways.callees, 1)];
                talk(&mut ends, relay)
            });
            talking.join().map_err(|_| "the phones' thread")?
        })
    }
}

fn socket() -> Result<UdpSocket, String> {
    let open = || {
        let socket = UdpSocket::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        socket.set_nonblocking(true)?;
        // Past the system's limit where we may (root), else up to it.
        if setsockopt(&socket, sockopt::RcvBufForce, &KERNEL_BUFFER_BYTES).is_err() {
            setsockopt(&socket, sockopt::RcvBuf, &KERNEL_BUFFER_BYTES)?;
        }
        Ok(socket)
    };
    open().map_err(|cause: std::io::Error| format!("a socket for voice: {cause}"))
}

fn port(socket: &UdpSocket) -> Result<u16, String> {
    Ok(socket.local_addr().map_err(|cause| format!("a socket for voice: {cause}"))?.port())
}

fn talk(ends: &mut [End<'_>; 2], relay: u32) -> Result<Talk, String> {
    let origin = Instant::now();
    let (warm, whole) = (Duration::from_secs(WARM_S), Duration::from_secs(TALK_S));
    let mut heard = Heard::new(ends.iter().map(|end| end.ways.len()).max().unwrap_or(0) * ends.len());
    let mut cpu_before = None;
    let mut dropped_before = 0.0;
    let mut turn = origin;
    let mut begun = origin;
    while origin.elapsed() < whole {
        if cpu_before.is_none() && origin.elapsed() >= warm {
            cpu_before = Some((cpu_seconds(relay)?, cpu_seconds(std::process::id())?));
            dropped_before = dropped(ends)?;
            begun = Instant::now();
        }
        for end in ends.iter_mut() {
            end.send(origin)?;
            end.receive(origin, &mut heard)?;
        }
        turn = (turn + TURN).max(Instant::now());
        std::thread::sleep(turn.saturating_duration_since(Instant::now()));
    }
    let (relay_before, own_before) = cpu_before.ok_or("the phones' core had no time for them")?;
    let seconds = begun.elapsed().as_secs_f64();
    let (relay_cpu_s, own_cpu_s) = (cpu_seconds(relay)? - relay_before, cpu_seconds(std::process::id())? - own_before);
    let until = Instant::now() + TAIL;
    while Instant::now() < until {
        std::thread::sleep(TURN);
        for end in ends.iter_mut() {
            end.receive(origin, &mut heard)?;
        }
    }
    Ok(Talk {
        sent: ends.iter().map(|end| end.counted).sum(),
        received: heard.received,
        late: heard.late,
        transit_ms: (heard.transit_ms(0.5), heard.transit_ms(0.99)),
        relay_cpu_s,
        own_cpu_s,
        dropped_here: dropped(ends)? - dropped_before,
        seconds,
    })
}

/// All callers, or all callees.
struct End<'a> {
    socket: &'a UdpSocket,
    ways: Vec<SocketAddr>,
    /// 0 or 1; streams of one are even, those of the other are odd.
    number: u32,
    /// Packets made until now: one for each way in turn, spread evenly over 20 ms.
    made: u64,
    /// Those of them that left and count.
    counted: f64,
    packets: Vec<[u8; PACKET_BYTES]>,
    send_headers: MultiHeaders<SockaddrStorage>,
    room: Vec<u8>,
    receive_headers: MultiHeaders<()>,
}

impl End<'_> {
    fn new<'a>(socket: &'a UdpSocket, ports: &[u16], number: u32) -> End<'a> {
        // Any sound but silence.
        let packet = std::array::from_fn(|at| (at as u8).wrapping_mul(37) ^ 0x55);
        End {
            socket,
            ways: ports.iter().map(|port| SocketAddr::from(([127, 0, 0, 1], *port))).collect(),
            number,
            made: 0,
            counted: 0.0,
            packets: vec![packet; BATCH_MAX],
            send_headers: MultiHeaders::preallocate(BATCH_MAX, None),
            room: vec![0; BATCH_MAX * PACKET_BYTES],
            receive_headers: MultiHeaders::preallocate(BATCH_MAX, None),
        }
    }

    /// All that is due.
    fn send(&mut self, origin: Instant) -> Result<(), String> {
        let ways = self.ways.len() as u64;
        let due = origin.elapsed().as_micros() as u64 * ways / (PTIME_MS * 1_000);
        while self.made < due {
            let count = (due - self.made).min(BATCH_MAX as u64) as usize;
            let now = origin.elapsed();
            let numbers = self.made..self.made + count as u64;
            for (packet, number) in self.packets.iter_mut().zip(numbers.clone()) {
                write(packet, number / ways, (number % ways) as u32 * 2 + self.number, now);
            }
            let to = numbers.clone().map(|number| self.ways.get((number % ways) as usize).map(|way| (*way).into()));
            let to: Vec<Option<SockaddrStorage>> = to.collect();
            let slices: Vec<[IoSlice<'_>; 1]> =
                self.packets.iter().take(count).map(|packet| [IoSlice::new(packet)]).collect();
            let none: [ControlMessage<'_>; 0] = [];
            let fd = self.socket.as_raw_fd();
            let sent = match sendmmsg(fd, &mut self.send_headers, &slices, to, none, MsgFlags::MSG_DONTWAIT) {
                Ok(sent) => sent.count(),
                // What the system does not take now waits until it does.
                Err(Errno::EAGAIN | Errno::ENOBUFS | Errno::EINTR) => return Ok(()),
                Err(cause) => return Err(format!("sendmmsg: {cause}")),
            };
            let counted = numbers.take(sent).filter(|number| counts(number / ways)).count();
            self.counted += counted as f64;
            self.made += sent as u64;
        }
        Ok(())
    }

    fn receive(&mut self, origin: Instant, heard: &mut Heard) -> Result<(), String> {
        for _ in 0..BATCHES_MAX {
            let mut slices: Vec<[IoSliceMut<'_>; 1]> =
                self.room.chunks_exact_mut(PACKET_BYTES).map(|chunk| [IoSliceMut::new(chunk)]).collect();
            let (fd, flags) = (self.socket.as_raw_fd(), MsgFlags::MSG_DONTWAIT);
            let lengths: Vec<usize> = match recvmmsg(fd, &mut self.receive_headers, slices.iter_mut(), flags, None) {
                Ok(messages) => messages.map(|message| message.bytes).collect(),
                Err(Errno::EAGAIN | Errno::EINTR | Errno::ECONNREFUSED) => return Ok(()),
                Err(cause) => return Err(format!("recvmmsg: {cause}")),
            };
            let now = origin.elapsed();
            for (packet, length) in self.room.chunks_exact(PACKET_BYTES).zip(&lengths) {
                if let Some((round, stream, sent)) = packet.get(..*length).and_then(read) {
                    heard.packet(round, stream, now.saturating_sub(sent));
                }
            }
            if lengths.len() < BATCH_MAX {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// Whether packets of this round of 20 ms are counted.
fn counts(round: u64) -> bool {
    round >= WARM_S * 1_000 / PTIME_MS
}

/// Number, stream and time stand in the head, where the relay may put others, and in the sound, which it may not touch.
fn write(packet: &mut [u8; PACKET_BYTES], round: u64, stream: u32, now: Duration) {
    let sequence = (round as u16).to_be_bytes();
    let timestamp = (round as u32).wrapping_mul(160).to_be_bytes();
    let head = [&[0x80, PCMA][..], &sequence, &timestamp, &stream.to_be_bytes()];
    let sound = [&round.to_be_bytes()[..], &stream.to_be_bytes(), &(now.as_nanos() as u64).to_be_bytes()];
    let bytes = head.into_iter().chain(sound).flatten();
    packet.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
}

/// Round, stream and when it was sent; nothing for a packet that is not one of ours (a relay may send silence).
fn read(packet: &[u8]) -> Option<(u64, u32, Duration)> {
    let sound = packet.get(12..)?;
    let (round, rest) = sound.split_first_chunk()?;
    let (stream, rest) = rest.split_first_chunk()?;
    let (nanos, rest) = rest.split_first_chunk()?;
    // Silence of G.711 has one code word alone.
    let is_ours = rest.last() != rest.get(rest.len().checked_sub(2)?);
    is_ours.then(|| {
        (u64::from_be_bytes(*round), u32::from_be_bytes(*stream), Duration::from_nanos(u64::from_be_bytes(*nanos)))
    })
}

/// What came through.
struct Heard {
    received: f64,
    late: f64,
    /// The fastest packet of each stream.
    fastest: Vec<Duration>,
    /// Packets by their transit times, in steps of [`STEP`].
    transits: Vec<u64>,
}

impl Heard {
    fn new(streams: usize) -> Heard {
        Heard { received: 0.0, late: 0.0, fastest: vec![Duration::MAX; streams], transits: vec![0; STEPS] }
    }

    fn packet(&mut self, round: u64, stream: u32, transit: Duration) {
        let Some(fastest) = self.fastest.get_mut(stream as usize) else { return };
        *fastest = transit.min(*fastest);
        if !counts(round) {
            return;
        }
        self.received += 1.0;
        if transit > *fastest + LATE {
            self.late += 1.0;
        }
        let step = ((transit.as_micros() / STEP.as_micros()) as usize).min(STEPS - 1);
        if let Some(count) = self.transits.get_mut(step) {
            *count += 1;
        }
    }

    /// Upper end of the step in which this share of the packets is reached.
    fn transit_ms(&self, share: f64) -> f64 {
        let mut left = self.received * share;
        let step = self.transits.iter().position(|count| {
            left -= *count as f64;
            left <= 0.0
        });
        step.map_or(f64::NAN, |step| (step + 1) as f64 * STEP.as_secs_f64() * 1e3)
    }
}

/// Datagrams that found no room in the ends' sockets until now (the last field of `/proc/net/udp`).
fn dropped(ends: &[End<'_>; 2]) -> Result<f64, String> {
    let table = std::fs::read_to_string("/proc/net/udp").map_err(|cause| format!("/proc/net/udp: {cause}"))?;
    let mut sum = 0.0;
    for end in ends {
        let local = format!(" 0100007F:{:04X} ", port(end.socket)?);
        let row = table.lines().find(|line| line.contains(&local));
        sum += row.and_then(|row| row.split_whitespace().next_back()?.parse::<f64>().ok()).unwrap_or(0.0);
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_read_as_it_was_written_and_silence_is_not_ours() {
        let mut packet = std::array::from_fn(|at| at as u8);
        write(&mut packet, 70_000, 5, Duration::from_nanos(123_456_789));
        assert_eq!(read(&packet), Some((70_000, 5, Duration::from_nanos(123_456_789))));
        assert_eq!(read(&[0xd5; PACKET_BYTES]), None);
        assert_eq!(read(&packet[..20]), None);
    }

    #[test]
    fn late_is_what_is_behind_the_fastest_of_its_stream() {
        let mut heard = Heard::new(2);
        let ms = Duration::from_millis;
        // The first two rounds are not counted, but known.
        for (round, stream, transit) in
            [(0, 0, ms(10)), (0, 1, ms(1)), (100, 0, ms(14)), (100, 1, ms(7)), (101, 1, ms(5)), (101, 9, ms(1))]
        {
            heard.packet(round, stream, transit);
        }
        assert_eq!((heard.received, heard.late), (3.0, 1.0));
        assert!((heard.transit_ms(0.5) - 7.1).abs() < 1e-9, "{}", heard.transit_ms(0.5));
        assert!((heard.transit_ms(0.99) - 14.1).abs() < 1e-9);
    }

    #[test]
    fn phones_that_talk_to_themselves_lose_nothing() {
        let phones = Phones::open().expect("sockets");
        let [callers, callees, _] = phones.ports().expect("ports");
        let ways = Ways { callers: vec![callees; 3], callees: vec![callers; 3] };
        let mut ends = [End::new(&phones.callers, &ways.callers, 0), End::new(&phones.callees, &ways.callees, 1)];
        let mut heard = Heard::new(6);
        // As if the second round that counts were due now.
        let origin = Instant::now() - Duration::from_millis(WARM_S * 1_000 + PTIME_MS * 2);
        for end in &mut ends {
            end.send(origin).expect("sent");
        }
        for end in &mut ends {
            end.receive(origin, &mut heard).expect("received");
        }
        let sent: f64 = ends.iter().map(|end| end.counted).sum();
        assert!(sent >= 12.0, "{sent}");
        assert_eq!(heard.received, sent);
        assert_eq!(dropped(&ends), Ok(0.0));
    }
}
