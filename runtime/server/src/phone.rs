//! The built-in phone: places real SIP calls with real RTP, hears what comes, presses keys by RFC 4733. It uses
//! the same cores as the server and shares nothing else with it.

use std::collections::HashMap;
use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use runtime_contract::Redacted;
use runtime_contract::leg::{GoneCause, LegCommand, LegEvent, LegId, Target};
use runtime_media::{Command, Key, Media, MediaConfig, MediaEvent, Prompt};
use runtime_sip::{Endpoint, Input, Output};

use crate::clock::Clock;
use crate::inbox::{Door, Inbox};
use crate::socket::{BATCH_MAX, BatchSocket, BoundSocket};

/// What a phone keeps of one call: an hour at 8 kHz.
pub const HEARD_SAMPLES_MAX: usize = 8_000 * 3_600;
/// Calls of one phone at one time.
pub const CALLS_MAX: usize = 1_000;
const SIP_PORT: u16 = 5060;
/// How long the other side may ring (RFC 3261 §16.6 timer C has 3 minutes).
const RING_MS_MAX: u32 = 180_000;
/// Legs that the endpoint itself would number; nobody calls this phone.
const INCOMING_FIRST: u64 = 1 << 32;

/// Why there is no phone, or no call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneError {
    pub message: String,
    pub help: String,
}

impl PhoneError {
    fn system(error: impl fmt::Display) -> PhoneError {
        PhoneError {
            message: format!("the system refused the phone a socket or thread: {error}"),
            help: "check that the network is up, and the limits on open files (`ulimit -n`)".into(),
        }
    }
}

impl fmt::Display for PhoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.message, self.help)
    }
}

impl std::error::Error for PhoneError {}

/// What happens on a call, in order. After `Gone` nothing comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhoneEvent {
    /// The other side rings (180 or 183).
    Ringing,
    /// The call is up; audio is kept from here on.
    Up,
    /// The first voice packet came.
    FirstPacket,
    /// All keys pressed so far were sent.
    KeysSent,
    /// No audio was agreed yet.
    KeysRefused,
    Gone(GoneCause),
}

enum Order {
    Call { leg: LegId, target: String, peer: SocketAddr, from: Option<String>, line: Line },
    Press(LegId, Vec<Key>),
    Speak(LegId, Arc<Prompt>),
    HangUp(LegId),
    Media(LegId, MediaEvent),
    Quit,
}

/// The phone's end of one call.
struct Line {
    events: Sender<PhoneEvent>,
    heard: Arc<Heard>,
    /// Why the call is over, while the rest of its sound is still on its way.
    gone: Option<GoneCause>,
}

/// A phone. Dropping it ends its calls.
pub struct Phone {
    door: Door<Order>,
    next_leg: AtomicU64,
    thread: Option<JoinHandle<()>>,
    /// Where its SIP comes from.
    pub sip_addr: SocketAddr,
}

/// One call of a phone. Dropping it hangs up.
pub struct PhoneCall {
    leg: LegId,
    door: Door<Order>,
    events: Receiver<PhoneEvent>,
    heard: Arc<Heard>,
}

/// What one call has heard, and a bell for those who wait for more.
#[derive(Default)]
struct Heard {
    samples: Mutex<Vec<i16>>,
    more: Condvar,
}

impl Heard {
    fn lock(&self) -> MutexGuard<'_, Vec<i16>> {
        self.samples.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Phone {
    /// A phone on the interface from which `toward` is reached.
    pub fn start(toward: SocketAddr) -> Result<Phone, PhoneError> {
        let any: SocketAddr = if toward.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
        // Connecting a UDP socket sends nothing; it only asks the routing table.
        let route = UdpSocket::bind(any).and_then(|probe| probe.connect(toward).and_then(|()| probe.local_addr()));
        let address = route.map_err(PhoneError::system)?.ip();
        let socket = BoundSocket::bind(SocketAddr::new(address, 0)).map_err(PhoneError::system)?;
        let sip_addr = socket.address();
        let (inbox, door) = Inbox::new().map_err(PhoneError::system)?;
        let media_door = door.clone();
        let config = MediaConfig {
            bind: address,
            advertise: None,
            ports: None,
            threads: 1,
            legs_max: CALLS_MAX,
            recording_key: None,
        };
        let media = Media::start(config, move |leg, event| media_door.send(Order::Media(leg, event)))
            .map_err(PhoneError::system)?;
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(PhoneError::system)?;
        let mut config = runtime_sip::Config::new(sip_addr);
        config.user_agent = "strowger phone".into();
        config.leg_first = INCOMING_FIRST;
        config.legs_max = CALLS_MAX;
        config.connections_max = 0;
        let run = move || {
            let mut exchange = PhoneLoop {
                endpoint: Endpoint::new(config, seed),
                socket: socket.into_batches(),
                media,
                lines: HashMap::new(),
            };
            // Without its event queue a phone is over, and each call hears that its events have ended.
            let _ = exchange.run(inbox);
        };
        let thread = std::thread::Builder::new().name("phone".into()).spawn(run).map_err(PhoneError::system)?;
        Ok(Phone { door, next_leg: AtomicU64::new(1), thread: Some(thread), sip_addr })
    }

    /// Places a call. `target` is like `sip:+864008100000@127.0.0.1:5060`; `from` a number, or withheld.
    pub fn call(&self, target: &str, from: Option<&str>) -> Result<PhoneCall, PhoneError> {
        let peer = resolve(target)?;
        let leg = LegId(self.next_leg.fetch_add(1, Ordering::Relaxed));
        let (events_in, events) = mpsc::channel();
        let heard = Arc::<Heard>::default();
        let line = Line { events: events_in, heard: Arc::clone(&heard), gone: None };
        let (target, from) = (target.to_owned(), from.map(str::to_owned));
        self.door.send(Order::Call { leg, target, peer, from, line });
        Ok(PhoneCall { leg, door: self.door.clone(), events, heard })
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        self.door.send(Order::Quit);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl PhoneCall {
    /// Blocks until something happens; ends when the call is over.
    pub fn events(&self) -> impl Iterator<Item = PhoneEvent> + '_ {
        self.events.iter()
    }

    /// What happens next; `None` when nothing does for so long, or the call is over.
    pub fn next_event(&self, within: Duration) -> Option<PhoneEvent> {
        self.events.recv_timeout(within).ok()
    }

    /// Presses keys one after the other, 100 ms each; `0`–`9`, `*`, `#`, `A`–`D`. False when one is no key.
    pub fn press(&self, keys: &str) -> bool {
        let keys: Option<Vec<Key>> = keys.chars().map(Key::from_char).collect();
        if let Some(keys) = keys {
            self.door.send(Order::Press(self.leg, keys));
            return true;
        }
        false
    }

    /// Says something into the call, in place of what it says still.
    pub fn speak(&self, prompt: Arc<Prompt>) {
        self.door.send(Order::Speak(self.leg, prompt));
    }

    pub fn hang_up(&self) {
        self.door.send(Order::HangUp(self.leg));
    }

    /// Everything heard since the call was up, 8 kHz linear PCM, gaps as silence.
    pub fn heard(&self) -> Vec<i16> {
        self.heard.lock().clone()
    }

    /// Blocks until more than this many samples were heard, at most for this time; gives how many were.
    pub fn wait_heard(&self, more_than: usize, within: Duration) -> usize {
        let heard = self.heard.lock();
        let waited = self.heard.more.wait_timeout_while(heard, within, |heard| heard.len() <= more_than);
        waited.unwrap_or_else(PoisonError::into_inner).0.len()
    }
}

impl Drop for PhoneCall {
    fn drop(&mut self) {
        self.hang_up();
    }
}

/// Host and port of a SIP address (RFC 3261 §19.1.1), for a phone without a proxy.
pub fn resolve(target: &str) -> Result<SocketAddr, PhoneError> {
    let wrong = || PhoneError {
        message: format!("`{target}` cannot be called"),
        help: "write it like `sip:+864008100000@127.0.0.1:5060`".into(),
    };
    let rest = target.strip_prefix("sip:").ok_or_else(wrong)?;
    let host = rest.rsplit('@').next().unwrap_or(rest);
    let host = host.split([';', '?']).next().unwrap_or(host);
    let has_port = host
        .rsplit_once(':')
        .is_some_and(|(before, port)| (!before.contains(':') || before.ends_with(']')) && port.parse::<u16>().is_ok());
    let full = if has_port { host.to_owned() } else { format!("{host}:{SIP_PORT}") };
    full.to_socket_addrs().ok().and_then(|mut found| found.next()).ok_or_else(wrong)
}

struct PhoneLoop {
    endpoint: Endpoint,
    socket: BatchSocket,
    media: Media,
    lines: HashMap<LegId, Line>,
}

impl PhoneLoop {
    fn run(&mut self, mut inbox: Inbox<Order>) -> std::io::Result<()> {
        inbox.watch(self.socket.fd())?;
        let mut clock = Clock::start();
        let mut readable = true;
        loop {
            let now = clock.now().tick;
            while let Some(order) = inbox.next() {
                if matches!(order, Order::Quit) {
                    self.hang_up_all(now);
                    return Ok(());
                }
                self.order(now, order);
            }
            while readable {
                let count = self.socket.receive();
                readable = count == BATCH_MAX;
                for at in 0..count {
                    let Some((source, bytes)) = self.socket.arrived(at) else { continue };
                    let input = Input::Datagram { source, local: self.socket.address(), bytes, trusted: false };
                    let outputs = self.endpoint.handle(now, input);
                    carry_out(outputs, &mut self.socket, &self.media, &mut self.lines);
                }
            }
            if self.endpoint.next_deadline().is_some_and(|deadline| deadline <= now) {
                self.sip(now, Input::Timeout);
            }
            self.socket.flush();
            let longest = self.endpoint.next_deadline().map(|deadline| clock.until(deadline));
            readable = inbox.wait(longest)?;
        }
    }

    fn order(&mut self, now: runtime_contract::Tick, order: Order) {
        match order {
            Order::Call { leg, target, peer, from, line } => {
                let Ok(media) = self.media.open(leg, Some(peer.ip()), None) else {
                    let _ = line.events.send(PhoneEvent::Gone(GoneCause::Failed));
                    return;
                };
                self.lines.insert(leg, line);
                let target = Target::Address { uri: Redacted::new(target), peer };
                let from = from.map(Redacted::new);
                self.sip(now, Input::Command(LegCommand::Dial { leg, target, from, ring_ms: RING_MS_MAX, media }));
            }
            Order::Press(leg, keys) => self.media.tell(leg, Command::SendKeys(keys)),
            Order::Speak(leg, prompt) => self.media.tell(leg, Command::Play { prompts: vec![prompt], token: 0 }),
            Order::HangUp(leg) => self.sip(now, Input::Command(LegCommand::HangUp { leg })),
            Order::Media(leg, event) => {
                let Some(line) = self.lines.get(&leg) else { return };
                if event == MediaEvent::Closed {
                    let _ = line.events.send(PhoneEvent::Gone(line.gone.unwrap_or(GoneCause::Failed)));
                    self.lines.remove(&leg);
                } else {
                    media_event(line, event);
                }
            }
            Order::Quit => {}
        }
    }

    fn hang_up_all(&mut self, now: runtime_contract::Tick) {
        let legs: Vec<LegId> = self.lines.keys().copied().collect();
        for leg in legs {
            self.sip(now, Input::Command(LegCommand::HangUp { leg }));
        }
        self.socket.flush();
    }

    fn sip(&mut self, now: runtime_contract::Tick, input: Input<'_>) {
        carry_out(self.endpoint.handle(now, input), &mut self.socket, &self.media, &mut self.lines);
    }
}

fn carry_out(
    outputs: runtime_sip::Outputs<'_>,
    socket: &mut BatchSocket,
    media: &Media,
    lines: &mut HashMap<LegId, Line>,
) {
    for output in outputs {
        match output {
            Output::Send { destination, bytes, .. } => socket.queue(destination, bytes),
            // It has no TCP: see `connections_max`.
            Output::Connect { .. }
            | Output::Write { .. }
            | Output::Close { .. }
            | Output::Bindings { .. }
            | Output::Trunk { .. } => {}
            Output::Event(event) => leg_event(event, media, lines),
        }
    }
}

fn leg_event(event: LegEvent, media: &Media, lines: &mut HashMap<LegId, Line>) {
    // Whoever does not listen to a call's events does not want them.
    let tell = |leg: &LegId, event| lines.get(leg).map(|line| line.events.send(event));
    match event {
        LegEvent::Ringing { leg } => drop(tell(&leg, PhoneEvent::Ringing)),
        LegEvent::Media { leg, media: spec, .. } => {
            media.tell(leg, Command::Connect(spec));
            media.tell(leg, Command::Listen(true));
        }
        LegEvent::Up { leg } => drop(tell(&leg, PhoneEvent::Up)),
        LegEvent::Gone { leg, cause } => {
            // The line ends when what was heard last has come: `MediaEvent::Closed`.
            if let Some(line) = lines.get_mut(&leg) {
                line.gone = Some(cause);
            }
            media.close(leg);
        }
        LegEvent::Incoming(_)
        | LegEvent::Dialog { .. }
        | LegEvent::Key { .. }
        | LegEvent::Words { .. }
        | LegEvent::TransferFailed { .. } => {}
    }
}

fn media_event(line: &Line, event: MediaEvent) {
    let told = match event {
        MediaEvent::Heard(samples) => {
            let mut heard = line.heard.lock();
            let room = HEARD_SAMPLES_MAX.saturating_sub(heard.len());
            heard.extend(samples.into_iter().take(room));
            line.heard.more.notify_all();
            return;
        }
        MediaEvent::FirstPacket => PhoneEvent::FirstPacket,
        MediaEvent::KeysSent => PhoneEvent::KeysSent,
        MediaEvent::KeysRefused => PhoneEvent::KeysRefused,
        _ => return,
    };
    let _ = line.events.send(told);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_name_a_host_and_perhaps_a_port() {
        let found = |target| resolve(target).map(|peer| peer.to_string()).map_err(|error| error.message);
        assert_eq!(found("sip:+86400@127.0.0.1:5070").unwrap(), "127.0.0.1:5070");
        assert_eq!(found("sip:127.0.0.1").unwrap(), "127.0.0.1:5060");
        assert_eq!(found("sip:a@127.0.0.1;transport=udp").unwrap(), "127.0.0.1:5060");
        assert_eq!(found("sip:a@[::1]:5070").unwrap(), "[::1]:5070");
        assert_eq!(found("sip:a@[::1]").unwrap(), "[::1]:5060");
        for wrong in ["", "127.0.0.1", "sip:", "sip:a@", "sip:a@127.0.0.1:99999", "tel:+86400"] {
            assert!(found(wrong).is_err(), "{wrong}");
        }
    }
}
