//! Two endpoints on a virtual wire that loses, repeats, delays and overtakes. Both sides of every call must come
//! to the same end and, when they had time for it, to the same media; nothing may be left after the last timer. A side
//! may die, and another process takes up what it kept.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::SocketAddr;
use std::sync::Arc;

use runtime_contract::Redacted;
use runtime_contract::leg::{GoneCause, LegCommand, LegEvent, LegId, MediaSpec, RejectCause, Target};
use runtime_contract::time::Tick;
use runtime_sip::{Config, Endpoint, Input, Load, Output};

use crate::bench::address;
use crate::noise::{Random, for_seeds};

const CALLS: u64 = 40;

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Packet { to: usize, bytes: Arc<[u8]> },
    Command { side: usize, leg: u64, what: What },
    Restart { side: usize },
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Dial,
    Ring,
    Progress,
    Answer,
    Reject,
    Hold(bool),
    Transfer,
    HangUp,
}

#[derive(Default)]
struct LegLog {
    up: Option<Tick>,
    gone: Option<GoneCause>,
    gone_at: Tick,
    caller: Option<u64>,
    media: Option<MediaSpec>,
    /// When it was last told to hold or to take back.
    changed: Tick,
    /// Transfers without an outcome.
    transfers: u32,
    /// What another process needs to take it up.
    dialog: Vec<u8>,
    /// It was not up when its process died.
    lost: bool,
}

/// The process that has the address, for the nth time.
fn endpoint(address: SocketAddr, seed: u64, life: u64) -> Endpoint {
    let mut entropy = [0; 32];
    entropy[..8].copy_from_slice(&seed.to_be_bytes());
    entropy[8..10].copy_from_slice(&address.port().to_be_bytes());
    entropy[10] = life as u8;
    let mut config = Config::new(address);
    // So that calls of two minutes are refreshed.
    config.session_expires_s = 90;
    config.leg_first = life * 1_000;
    Endpoint::new(config, entropy)
}

struct Wire {
    random: Random,
    loss: u64,
    now: Tick,
    sides: [Endpoint; 2],
    addresses: [SocketAddr; 2],
    agenda: BinaryHeap<Reverse<(Tick, u64, Due)>>,
    count: u64,
    /// How often each kind of message went over the wire.
    seen: BTreeMap<&'static str, u64>,
    logs: [BTreeMap<u64, LegLog>; 2],
}

impl Wire {
    fn new(seed: u64, loss: u64) -> Self {
        let addresses = [address("127.0.0.1:5060"), address("127.0.0.1:5070")];
        let sides = addresses.map(|address| endpoint(address, seed, 1));
        Self {
            random: Random(seed),
            loss,
            now: Tick(0),
            sides,
            addresses,
            agenda: BinaryHeap::new(),
            count: 0,
            seen: BTreeMap::new(),
            logs: Default::default(),
        }
    }

    fn put(&mut self, delay_ms: u64, due: Due) {
        self.count += 1;
        self.agenda.push(Reverse((self.now.plus_ms(delay_ms), self.count, due)));
    }

    fn later(&mut self, side: usize, leg: u64, what: What) {
        let delay_ms = self.random.below(3_000);
        self.put(delay_ms, Due::Command { side, leg, what });
    }

    fn input(&mut self, side: usize, input: Input<'_>) {
        let outputs: Vec<Output> = self.sides[side].handle(self.now, input).collect();
        for output in outputs {
            match output {
                Output::Send { destination, bytes, .. } => {
                    assert_eq!(destination, self.addresses[1 - side]);
                    if let Some(kind) = kind(&bytes) {
                        *self.seen.entry(kind).or_default() += 1;
                    }
                    let copies = if self.random.chance(5) { 2 } else { 1 };
                    for _ in 0..copies {
                        if !self.random.chance(self.loss) {
                            let delay_ms =
                                if self.random.chance(5) { self.random.below(900) } else { self.random.below(30) };
                            self.put(delay_ms, Due::Packet { to: 1 - side, bytes: Arc::clone(&bytes) });
                        }
                    }
                }
                Output::Connect { .. }
                | Output::Write { .. }
                | Output::Close { .. }
                | Output::Bindings { .. }
                | Output::Trunk { .. } => {
                    panic!("no connections here")
                }
                Output::Event(event) => self.event(side, event),
            }
        }
    }

    fn event(&mut self, side: usize, event: LegEvent) {
        let id = event.leg().0;
        let log = self.logs[side].entry(id).or_default();
        assert_eq!(log.gone, None, "{event:?} after the end");
        match event {
            LegEvent::Incoming(incoming) => {
                log.dialog = incoming.dialog.clone();
                log.caller = incoming.caller.map(|caller| caller.reveal().parse().unwrap());
                let plan: &[What] = match self.random.below(7) {
                    0 => &[What::Reject],
                    1 => &[What::Ring],
                    2 => &[What::Answer, What::HangUp],
                    3 | 4 => &[What::Ring, What::Progress, What::Answer],
                    _ => &[What::Ring, What::Answer],
                };
                for what in plan {
                    self.later(side, id, *what);
                }
                // A caller that dies says nothing more.
                self.put(170_000, Due::Command { side, leg: id, what: What::HangUp });
            }
            LegEvent::Up { .. } => {
                if log.up.replace(self.now).is_some() {
                    *self.seen.entry("revived").or_default() += 1;
                }
                let lasts = self.random.chance(60);
                if lasts {
                    for _ in 0..self.random.below(4) {
                        let what = match self.random.below(5) {
                            0 => What::Transfer,
                            1 | 2 => What::Hold(true),
                            _ => What::Hold(false),
                        };
                        // Often at the same time as the other side.
                        let delay_ms = 1_000 * self.random.below(8);
                        self.put(delay_ms, Due::Command { side, leg: id, what });
                    }
                }
                let delay_ms = if lasts { 70_000 + self.random.below(60_000) } else { 1 + self.random.below(20_000) };
                self.put(delay_ms, Due::Command { side, leg: id, what: What::HangUp });
            }
            LegEvent::Media { media, .. } => log.media = Some(media),
            LegEvent::Dialog { dialog, .. } => log.dialog = dialog.into_inner(),
            LegEvent::TransferFailed { .. } => log.transfers -= 1,
            LegEvent::Gone { cause, .. } => {
                log.gone = Some(cause);
                log.gone_at = self.now;
            }
            _ => {}
        }
    }

    /// A process dies with everything that it did not keep, and the next one takes up what was up.
    fn restart(&mut self, side: usize, seed: u64) {
        self.sides[side] = endpoint(self.addresses[side], seed, 2);
        let mut up = Vec::new();
        for (leg, log) in &mut self.logs[side] {
            (log.transfers, log.changed) = (0, self.now);
            if log.gone.is_none() && log.up.is_some() {
                up.push((*leg, log.dialog.clone()));
            } else if log.gone.is_none() {
                (log.lost, log.gone, log.gone_at) = (true, Some(GoneCause::Failed), self.now);
            }
        }
        for (leg, dialog) in up {
            let (leg, dialog) = (LegId(leg), Redacted::new(dialog));
            let media = address("127.0.0.1:4002");
            self.input(side, Input::Command(LegCommand::Revive { leg, dialog, media }));
        }
    }

    fn command(&mut self, side: usize, id: u64, what: What) {
        let leg = LegId(id);
        let media = address("127.0.0.1:4000");
        let command = match what {
            What::Ring => LegCommand::Ring { leg },
            What::Progress => LegCommand::Progress { leg, media },
            What::Hold(on) => {
                self.logs[side].get_mut(&id).unwrap().changed = self.now;
                LegCommand::Hold { leg, on }
            }
            What::Transfer => {
                let log = self.logs[side].get_mut(&id).unwrap();
                log.transfers += u32::from(log.gone.is_none());
                LegCommand::Transfer { leg, target: Target::Number(Redacted::new("+441".to_owned())) }
            }
            What::Answer => LegCommand::Answer { leg, media },
            What::Reject => LegCommand::Reject { leg, cause: RejectCause::Busy },
            What::HangUp => LegCommand::HangUp { leg },
            What::Dial => {
                let peer = self.addresses[1 - side];
                let from = Some(Redacted::new(id.to_string()));
                let target = Target::Address { uri: Redacted::new(format!("sip:x@{peer}")), peer };
                LegCommand::Dial { leg, target, from, ring_ms: 180_000, media }
            }
        };
        self.input(side, Input::Command(command));
    }

    /// Runs until both sides are at rest.
    fn run(&mut self, seed: u64) {
        loop {
            let deadlines = [self.sides[0].next_deadline(), self.sides[1].next_deadline()];
            let timer = deadlines.iter().flatten().min().copied();
            let next = self.agenda.peek().map(|Reverse((tick, ..))| *tick);
            match (timer, next) {
                (None, None) => return,
                (Some(timer), next) if next.is_none_or(|next| timer <= next) => {
                    self.now = self.now.max(timer);
                    for (side, deadline) in deadlines.into_iter().enumerate() {
                        if deadline == Some(timer) {
                            self.input(side, Input::Timeout);
                        }
                    }
                }
                _ => {
                    let Reverse((tick, _, due)) = self.agenda.pop().unwrap();
                    self.now = self.now.max(tick);
                    match due {
                        Due::Packet { to, bytes } => {
                            let (source, local) = (self.addresses[1 - to], self.addresses[to]);
                            self.input(to, Input::Datagram { source, local, bytes: &bytes, trusted: true });
                        }
                        Due::Command { side, leg, what } => self.command(side, leg, what),
                        Due::Restart { side } => self.restart(side, seed),
                    }
                }
            }
        }
    }
}

/// What of the newer kinds a message is.
fn kind(bytes: &[u8]) -> Option<&'static str> {
    let kinds = ["PRACK", "UPDATE", "REFER", "SIP/2.0 491", "SIP/2.0 183"];
    if bytes.starts_with(b"INVITE ") {
        let text = String::from_utf8_lossy(bytes);
        return text.lines().any(|line| line.starts_with("To: ") && line.contains(";tag=")).then_some("re-INVITE");
    }
    kinds.into_iter().find(|kind| bytes.starts_with(kind.as_bytes()))
}

/// Ends of the two sides of one call that belong together, caller first.
fn agree(caller: GoneCause, callee: GoneCause) -> bool {
    use GoneCause::{Cancelled, Failed, LocalHungUp, NoAck, Refused, RemoteHungUp};
    matches!(
        (caller, callee),
        // Any hang-up may cross another one.
        (LocalHungUp, RemoteHungUp | Cancelled | LocalHungUp)
            | (RemoteHungUp, LocalHungUp)
            | (Refused(486 | 480), LocalHungUp)
            // All repetitions of a request in the call were lost, or of a PRACK.
            | (Failed, RemoteHungUp | Failed | LocalHungUp)
            | (RemoteHungUp | LocalHungUp, Failed)
            | (Refused(504), NoAck)
    )
}

/// What each hears of the other, if both had 40 s for it since the last change: more than any request may take.
fn check_media(one: &LegLog, other: &LegLog) {
    let first_gone = one.gone_at.min(other.gone_at);
    let quiet_since = [one.up, other.up, Some(one.changed), Some(other.changed)].into_iter().flatten().max().unwrap();
    let (Some(mine), Some(theirs)) = (one.media, other.media) else { return };
    if one.up.is_none() || other.up.is_none() || first_gone.saturating_since(quiet_since).as_secs() < 40 {
        return;
    }
    assert_eq!((mine.send, mine.receive), (theirs.receive, theirs.send), "{mine:?} {theirs:?}");
    assert_eq!((mine.codec, mine.dtmf_payload_type), (theirs.codec, theirs.dtmf_payload_type));
}

fn calls(seed: u64, loss: u64, restart: bool) -> BTreeMap<&'static str, u64> {
    let mut wire = Wire::new(seed, loss);
    for call in 0..CALLS {
        let side = wire.random.below(2) as usize;
        let leg = (1 << 63) + call;
        let delay_ms = wire.random.below(5_000);
        wire.put(delay_ms, Due::Command { side, leg, what: What::Dial });
        // The caller's patience: some give up before, some after the answer.
        if wire.random.chance(60) {
            let delay_ms = delay_ms + 1 + wire.random.below(6_000);
            wire.put(delay_ms, Due::Command { side, leg, what: What::HangUp });
        } else {
            wire.put(delay_ms + 150_000, Due::Command { side, leg, what: What::HangUp });
        }
    }
    if restart {
        let delay_ms = 20_000 + wire.random.below(40_000);
        wire.put(delay_ms, Due::Restart { side: seed as usize % 2 });
    }
    wire.run(seed);
    for side in 0..2 {
        assert_eq!(wire.sides[side].load(), Load::default());
        for (leg, log) in &wire.logs[side] {
            assert!(log.gone.is_some(), "leg {leg} of side {side} never ended");
            let Some(caller) = log.caller else { continue };
            let Some(other) = wire.logs[1 - side].get(&caller) else {
                assert!(restart, "call {caller:x}: nothing was ever said of it");
                continue;
            };
            if log.lost || other.lost {
                continue;
            }
            let ends = (other.gone.unwrap(), log.gone.unwrap());
            assert!(agree(ends.0, ends.1), "call {caller:x}: {ends:?}");
            assert!(log.up.is_none() || !matches!(ends.0, GoneCause::Refused(_)), "call {caller:x}: {ends:?}");
            // Each repeated 200 gets its ACK again, so that both sides know of a call that lasts.
            let lasted = other.up.is_some_and(|up| (other.gone_at - up).as_secs() >= 15);
            assert!(!lasted || log.up.is_some(), "call {caller:x}: {ends:?}, the callee never saw the ACK");
            check_media(log, other);
        }
        for (leg, log) in &wire.logs[side] {
            // The end of a leg ends its transfers, too.
            assert!(log.transfers == 0 || log.gone.is_some(), "a transfer of leg {leg} has no outcome");
        }
    }
    wire.seen
}

/// Runs all seeds, and sees to it that they have tried everything.
fn all(name: &str, count: u64, loss: u64, restart: bool) {
    let seen = RefCell::new(BTreeMap::new());
    for_seeds(name, count, |seed| {
        for (kind, times) in calls(seed, loss, restart) {
            *seen.borrow_mut().entry(kind).or_insert(0) += times;
        }
    });
    if std::env::var("SIP_SEED").is_err() {
        let kinds: Vec<_> = seen.borrow().keys().copied().collect();
        let expected = ["PRACK", "REFER", "SIP/2.0 183", "SIP/2.0 491", "UPDATE", "re-INVITE", "revived"];
        assert_eq!(kinds, expected[..expected.len() - usize::from(!restart)], "{seen:?}");
    }
}

#[test]
fn without_loss() {
    all("without_loss", 20, 0, false);
}

#[test]
fn with_loss() {
    all("with_loss", 40, 12, false);
}

#[test]
fn with_loss_and_a_death() {
    all("with_loss_and_a_death", 30, 6, true);
}
