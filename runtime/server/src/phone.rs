//! The built-in phone: one SIP call placed over real sockets, with RTP both ways and keys by RFC 4733. `call`
//! and `demo` use it; it knows nothing of flows.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use runtime_contract::leg::{GoneCause, LegCommand, LegEvent, LegId, MediaSpec};
use runtime_contract::{Redacted, Tick};
use runtime_media::{Command, Key, Media, MediaConfig, MediaError, MediaEvent, Prompt};
use runtime_sip::{Config, Endpoint, Input, Output};

/// The phone has one leg.
const LEG: LegId = LegId(1);
/// Longest wait for a packet, so that orders are taken soon.
const PAUSE_MAX: Duration = Duration::from_millis(5);
/// Audio that is kept of a call: an hour at 8 kHz.
const HEARD_SAMPLES_MAX: usize = 8_000 * 3_600;
/// How long after the end the last BYE or ACK may be repeated.
const LINGER: Duration = Duration::from_millis(200);

/// Whom to call, and as whom.
#[derive(Clone, Debug)]
pub struct Dial {
    /// Address of our sockets; one that reaches the target.
    pub local: IpAddr,
    /// Where the INVITE goes.
    pub peer: SocketAddr,
    /// `sip:+864008100000@127.0.0.1:5060`
    pub target: String,
    /// User part of From; anonymous when left out.
    pub from: Option<Redacted<String>>,
}

/// What happens to the call, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum PhoneEvent {
    Ringing,
    /// Offer and answer are done.
    Media(MediaSpec),
    Up,
    /// All keys that were pressed have left.
    KeysSent,
    /// The far side takes no key events.
    KeysRefused,
    /// What was spoken has left.
    Spoken,
    /// The call is over, or never came about. Nothing follows.
    Gone(GoneCause),
}

/// Why no call could be placed.
#[derive(Debug, thiserror::Error)]
pub enum PhoneError {
    #[error("no socket for the phone at {0}: {1}")]
    Socket(IpAddr, io::Error),
    #[error(transparent)]
    Media(#[from] MediaError),
}

enum Order {
    Press(Vec<Key>),
    Speak(Arc<Prompt>),
    HangUp,
}

/// A call that was placed. Dropping it hangs up.
pub struct PhoneCall {
    orders: Sender<Order>,
    pub events: Receiver<PhoneEvent>,
    heard: Arc<Mutex<Vec<i16>>>,
    thread: Option<JoinHandle<()>>,
}

impl PhoneCall {
    /// Places the call and returns at once.
    pub fn place(dial: Dial) -> Result<PhoneCall, PhoneError> {
        let socket = UdpSocket::bind((dial.local, 0)).map_err(|cause| PhoneError::Socket(dial.local, cause))?;
        let local = socket.local_addr().map_err(|cause| PhoneError::Socket(dial.local, cause))?;
        let (to_line, from_media) = channel();
        let media_config = MediaConfig { address: dial.local, ports: None, threads: 1, legs_max: 1 };
        let media = Media::start(media_config, move |_, event| drop(to_line.send(event)))?;
        let rtp = media.open(LEG, Some(dial.peer.ip()))?;
        media.tell(LEG, Command::Listen(true));
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|cause| PhoneError::Socket(dial.local, io::Error::other(cause)))?;
        let mut config = Config::new(local);
        config.user_agent = "strowger phone".to_owned();
        let (orders, taken) = channel();
        let (said, events) = channel();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let line = Line {
            socket,
            local,
            endpoint: Endpoint::new(config, seed),
            media,
            from_media,
            orders: taken,
            events: said,
            heard: Arc::clone(&heard),
            began: Instant::now(),
            gone: None,
        };
        let dial = LegCommand::Dial { leg: LEG, target: dial.target, peer: dial.peer, from: dial.from, media: rtp };
        let thread = std::thread::Builder::new()
            .name("phone".into())
            .spawn(move || line.run(dial))
            .map_err(|cause| PhoneError::Socket(local.ip(), cause))?;
        Ok(PhoneCall { orders, events, heard, thread: Some(thread) })
    }

    /// Presses keys, one after the other.
    pub fn press(&self, keys: Vec<Key>) {
        let _ = self.orders.send(Order::Press(keys));
    }

    /// Says something into the call.
    pub fn speak(&self, prompt: Arc<Prompt>) {
        let _ = self.orders.send(Order::Speak(prompt));
    }

    pub fn hang_up(&self) {
        let _ = self.orders.send(Order::HangUp);
    }

    /// All that was received until now: 8 kHz, from the first packet on, gaps as silence.
    pub fn heard(&self) -> Vec<i16> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Number of samples received until now.
    pub fn heard_samples(&self) -> usize {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Drop for PhoneCall {
    fn drop(&mut self) {
        self.hang_up();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The thread's side of the call.
struct Line {
    socket: UdpSocket,
    local: SocketAddr,
    endpoint: Endpoint,
    media: Media,
    from_media: Receiver<MediaEvent>,
    orders: Receiver<Order>,
    events: Sender<PhoneEvent>,
    heard: Arc<Mutex<Vec<i16>>>,
    began: Instant,
    gone: Option<Instant>,
}

impl Line {
    fn run(mut self, dial: LegCommand) {
        self.handle(Input::Command(dial));
        let mut buffer = vec![0; 65_536];
        while self.gone.is_none_or(|since| since.elapsed() < LINGER) {
            self.take_orders();
            self.take_media();
            match self.receive(&mut buffer) {
                Some((length, source)) => {
                    let bytes = buffer.get(..length).unwrap_or_default();
                    self.handle(Input::Datagram { source, local: self.local, bytes, trusted: false });
                }
                None => self.handle(Input::Timeout),
            }
        }
    }

    /// The next datagram, or nothing when a timer or an order may be due.
    fn receive(&self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        let until = self.endpoint.next_deadline().map_or(PAUSE_MAX, |due| due.saturating_since(self.tick()));
        let pause = until.clamp(Duration::from_millis(1), PAUSE_MAX);
        self.socket.set_read_timeout(Some(pause)).ok()?;
        self.socket.recv_from(buffer).ok()
    }

    fn tick(&self) -> Tick {
        Tick(0) + self.began.elapsed()
    }

    fn handle(&mut self, input: Input<'_>) {
        let now = Tick(0) + self.began.elapsed();
        for output in self.endpoint.handle(now, input) {
            match output {
                // A packet that does not leave is a packet lost: SIP sends it again.
                Output::Send { destination, bytes, .. } => drop(self.socket.send_to(&bytes, destination)),
                Output::Event(event) => {
                    let said = match event {
                        LegEvent::Incoming(_) => continue,
                        LegEvent::Ringing { .. } => PhoneEvent::Ringing,
                        LegEvent::Media { media, .. } => {
                            self.media.tell(LEG, Command::Connect(media));
                            PhoneEvent::Media(media)
                        }
                        LegEvent::Up { .. } => PhoneEvent::Up,
                        LegEvent::Gone { cause, .. } => {
                            self.gone = Some(Instant::now());
                            self.media.close(LEG);
                            PhoneEvent::Gone(cause)
                        }
                    };
                    let _ = self.events.send(said);
                }
            }
        }
    }

    fn take_orders(&mut self) {
        while let Ok(order) = self.orders.try_recv() {
            match order {
                Order::Press(keys) => self.media.tell(LEG, Command::SendKeys(keys)),
                Order::Speak(prompt) => self.media.tell(LEG, Command::Play { prompts: vec![prompt], token: 1 }),
                Order::HangUp => self.handle(Input::Command(LegCommand::HangUp { leg: LEG })),
            }
        }
    }

    fn take_media(&self) {
        while let Ok(event) = self.from_media.try_recv() {
            let said = match event {
                MediaEvent::Heard(samples) => {
                    let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
                    let room = HEARD_SAMPLES_MAX.saturating_sub(heard.len());
                    heard.extend(samples.into_iter().take(room));
                    continue;
                }
                MediaEvent::KeysSent => PhoneEvent::KeysSent,
                MediaEvent::KeysRefused => PhoneEvent::KeysRefused,
                MediaEvent::PlayDone { .. } => PhoneEvent::Spoken,
                MediaEvent::FirstPacket | MediaEvent::Key(_) | MediaEvent::Recorded { .. } => continue,
            };
            let _ = self.events.send(said);
        }
    }
}
