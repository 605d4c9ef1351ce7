//! Who may come in: challenges to phones and what they make of them (RFC 7616 §3.3–§3.4), patience with wrong passwords,
//! and silence towards those who only try. Every table has a bound. It knows no binding and sends nothing.

use std::collections::BTreeMap;
use std::net::IpAddr;

use runtime_contract::time::Tick;

use super::algorithm::{Algorithm, Proof, is_same};
use super::params::Params;
use crate::Site;
use crate::entropy::{Digest, DigestMap, Entropy, Token};
use crate::message::write::Writer;
use crate::transport::network;

/// How long a nonce may be used.
pub const NONCE_MS: u64 = 300_000;
/// Wrong passwords of one user from one host, or of one host, that cost nothing but the try.
pub const WRONG_FREE: u32 = 4;
/// Longest pause after a wrong password.
pub const PAUSE_S_MAX: u32 = 600;
/// What one host may try with nothing granted in between: at it the host hears nothing more but what its phones need
/// to register. A whole office may switch its phones on at once, each of which asks without a password first; so that
/// counts little.
pub const REFUSED_MAX: u32 = 1_000;
/// What a request without credentials counts that was challenged, and one that was refused or had wrong ones.
pub const CHALLENGED: u32 = 1;
pub const REFUSED: u32 = 10;
/// A silent network is asked for a password once in so long.
pub const ASKED_MS: u64 = 1_000;
/// After so long without a try, all is forgotten.
pub const FORGET_MS: u64 = 600_000;
/// Entries of each table. Over it the new ones are not kept: nobody shall push out who is known to be bad.
pub const ENTRIES_MAX: usize = 16_384;
/// Users of one network who are no phones of the site share so many entries of wrong passwords.
const UNKNOWN: Digest = 64;
/// Whoever finds no room among the wrong passwords shares one of so many entries, and with them a pause.
const CROWDED: Digest = 1_024;
/// That pause.
const CROWDED_MS: u64 = 1_000;
/// Pause between two sweeps of a full table.
const SWEEP_MS: u64 = 1_000;

/// Who wants to be let in: his host, and whether some phone is registered from there.
#[derive(Clone, Copy)]
pub struct Asker {
    pub host: IpAddr,
    pub registered: bool,
}

/// What to do with a request that wants to be let in.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is this extension's.
    Known(String),
    /// 401. `stale`: the password was right, or nothing was made of it, for the nonce is none of ours.
    Challenge { stale: bool },
    /// 403, and nothing is looked at for so long.
    Wait { seconds: u32 },
}

#[derive(Clone, Copy, Default)]
struct Tries {
    count: u32,
    last: Tick,
    /// Of a silent network: when its next REGISTER is heard.
    heard: Tick,
}

#[derive(Default)]
pub struct Guard {
    /// Wrong passwords by [`network`], and by user and network together.
    wrong: DigestMap<Tries>,
    /// The last wrong password of those for whom that has no room, by a part of their digest.
    crowded: DigestMap<Tick>,
    /// By [`network`].
    refused: BTreeMap<IpAddr, Tries>,
    /// Highest count of each nonce that was used, and until when it must be known.
    counts: DigestMap<(u32, Tick)>,
    swept: Tick,
}

impl Guard {
    /// This host has had its chances: it is answered nothing, but see [`Guard::hears_register`].
    pub fn is_silent(&self, now: Tick, host: IpAddr) -> bool {
        self.refused.get(&network(host)).is_some_and(|tries| tries.count >= REFUSED_MAX && !tries.is_old(now))
    }

    /// Whether a silent host's REGISTER is looked at, given the values of its Authorization headers. Whoever writes a
    /// foreign address into datagrams can have it silenced, but its phones come in: at once with a nonce of ours, which
    /// only who is there has, and now and then without, to get one. As long as a flood of forged REGISTERs lasts,
    /// phones that have no nonce get theirs by luck.
    pub fn hears_register<'a>(
        &mut self,
        entropy: &Entropy,
        now: Tick,
        host: IpAddr,
        values: impl Iterator<Item = &'a [u8]>,
    ) -> bool {
        let mut made = values.filter_map(|value| made_at(entropy, host, Credentials::parse(value)?.proof.nonce));
        if made.any(|made| made <= now && now < made.plus_ms(NONCE_MS)) {
            return true;
        }
        let Some(tries) = self.refused.get_mut(&network(host)).filter(|tries| now >= tries.heard) else { return false };
        tries.heard = now.plus_ms(ASKED_MS);
        true
    }

    /// A request of this host was not granted; it counts so much. What a silent one tries makes its silence no longer.
    pub fn refuse(&mut self, now: Tick, host: IpAddr, weight: u32) {
        if self.is_silent(now, host) {
            return;
        }
        self.sweep(now);
        let host = network(host);
        if self.refused.contains_key(&host) || self.refused.len() < ENTRIES_MAX {
            self.refused.entry(host).or_default().add(now, weight);
        }
    }

    /// Judges by the credentials of a request, given as the values of its Authorization headers. A wrong password counts
    /// only with a nonce of ours: whoever writes a foreign address into a datagram never sees one, so he can make nobody
    /// wait. Nor is a password looked at without one, else guesses would be free. Users who do not exist share pauses:
    /// who sits in the network of a registered phone and tries hundreds of names can tell them from phones.
    pub fn judge<'a>(
        &mut self,
        entropy: &Entropy,
        now: Tick,
        site: &Site,
        asker: Asker,
        method: &[u8],
        values: impl Iterator<Item = &'a [u8]>,
    ) -> Verdict {
        let credentials = values.filter_map(Credentials::parse).find(|found| {
            found.proof.realm == site.realm.as_bytes() && site.algorithms.contains(&found.proof.algorithm)
        });
        let Some(credentials) = credentials else { return Verdict::Challenge { stale: false } };
        let (host, user) = (asker.host, credentials.proof.user);
        let from = network(host).to_string();
        let phone = std::str::from_utf8(user).ok().and_then(|user| site.phone(user));
        let by_host = entropy.digest(&[b"wrong", from.as_bytes()]);
        let by_user = match phone {
            Some(_) => entropy.digest(&[b"wrong", from.as_bytes(), user]),
            // There is no end to names that nobody has.
            None => {
                let share = entropy.digest(&[b"unknown", user]) % UNKNOWN;
                entropy.digest(&[b"unknown", from.as_bytes(), &share.to_be_bytes()])
            }
        };
        // One phone with an old password does not shut out its neighbours.
        let pauses = [Some(by_user), (!asker.registered).then_some(by_host)];
        let pause_s = pauses.into_iter().flatten().filter_map(|key| self.pause_s(now, key)).max();
        if let Some(seconds) = pause_s {
            return Verdict::Wait { seconds };
        }
        let Some(made) = made_at(entropy, host, credentials.proof.nonce).filter(|made| *made <= now) else {
            return Verdict::Challenge { stale: true };
        };
        // Who does not exist is asked the same question, and takes as long to answer it.
        let password = phone.map_or("", |phone| phone.password.reveal());
        let right = credentials.is_right(method, password.as_bytes()) && !password.is_empty();
        let Some(phone) = phone.filter(|_| right) else {
            for key in [by_host, by_user] {
                self.add_wrong(now, key);
            }
            self.refuse(now, host, REFUSED);
            return Verdict::Challenge { stale: false };
        };
        if !self.is_fresh(entropy, now, made, &credentials) {
            return Verdict::Challenge { stale: true };
        }
        self.wrong.remove(&by_host);
        self.wrong.remove(&by_user);
        self.refused.remove(&network(host));
        Verdict::Known(phone.extension.clone())
    }

    fn has_room(&self, key: Digest) -> bool {
        self.wrong.contains_key(&key) || self.wrong.len() < ENTRIES_MAX
    }

    fn add_wrong(&mut self, now: Tick, key: Digest) {
        self.sweep(now);
        if self.has_room(key) {
            self.wrong.entry(key).or_default().add(now, 1);
        } else {
            self.crowded.insert(key % CROWDED, now);
        }
    }

    /// Without room nobody's tries are free; but right passwords come through, whoever fills the table.
    fn pause_s(&self, now: Tick, key: Digest) -> Option<u32> {
        if self.has_room(key) {
            return self.wrong.get(&key)?.pause_s(now);
        }
        let last = self.crowded.get(&(key % CROWDED))?;
        (now < last.plus_ms(CROWDED_MS)).then_some(1)
    }

    /// The nonce was made not long ago, and this count of it is the highest that was used.
    fn is_fresh(&mut self, entropy: &Entropy, now: Tick, made: Tick, credentials: &Credentials<'_>) -> bool {
        let end = made.plus_ms(NONCE_MS);
        let key = entropy.digest(&[b"count", credentials.proof.nonce]);
        let used = self.counts.get(&key).map_or(0, |(count, _)| *count);
        if now >= end || credentials.count <= used {
            return false;
        }
        self.sweep(now);
        if used == 0 && self.counts.len() >= ENTRIES_MAX {
            // What cannot be remembered could be said twice.
            return false;
        }
        self.counts.insert(key, (credentials.count, end));
        true
    }

    fn sweep(&mut self, now: Tick) {
        let full = [self.wrong.len(), self.refused.len(), self.counts.len()].into_iter().any(|len| len >= ENTRIES_MAX);
        if full && now >= self.swept.plus_ms(SWEEP_MS) {
            self.swept = now;
            self.wrong.retain(|_, tries| !tries.is_old(now));
            self.refused.retain(|_, tries| !tries.is_old(now));
            self.counts.retain(|_, (_, end)| now < *end);
        }
    }
}

impl Tries {
    fn is_old(&self, now: Tick) -> bool {
        now >= self.last.plus_ms(FORGET_MS)
    }

    fn add(&mut self, now: Tick, weight: u32) {
        let before = if self.is_old(now) { 0 } else { self.count };
        *self = Tries { count: before.saturating_add(weight), last: now, ..*self };
    }

    /// Seconds to wait; twice as long after each further wrong password.
    fn pause_s(&self, now: Tick) -> Option<u32> {
        let over = self.count.checked_sub(WRONG_FREE + 1)?;
        let pause_s = 1_u32.checked_shl(over.min(16)).unwrap_or(PAUSE_S_MAX).min(PAUSE_S_MAX);
        let end = self.last.plus_ms(u64::from(pause_s) * 1_000);
        (now < end).then(|| u32::try_from((end - now).as_secs()).unwrap_or(PAUSE_S_MAX) + 1)
    }
}

/// Header lines of a challenge: one for each hash, in the site's order (RFC 8760 §2.3).
pub fn put_challenges(writer: &mut Writer, entropy: &mut Entropy, now: Tick, site: &Site, host: IpAddr, stale: bool) {
    let salt = entropy.next_token();
    let nonce = nonce(entropy, now, salt.as_bytes(), host);
    for algorithm in &site.algorithms {
        writer.put(b"WWW-Authenticate: Digest realm=\"").put(site.realm.as_bytes()).put(b"\", nonce=\"").put(&nonce);
        writer.put(b"\", algorithm=").put(algorithm.name().as_bytes()).put(b", qop=\"auth\"");
        writer.put(if stale { b", stale=true\r\n" } else { b"\r\n" });
    }
}

/// When it was made, what tells it from others of that instant, and a seal that only we can make: no state is kept of
/// those that nobody answers.
fn nonce(entropy: &Entropy, made: Tick, salt: &[u8], host: IpAddr) -> Vec<u8> {
    let at = Token::new(made.0);
    let seal = entropy.digest(&[b"nonce", at.as_bytes(), salt, host.to_string().as_bytes()]);
    let (high, low) = (Token::new((seal >> 64) as u64), Token::new(seal as u64));
    [at.as_bytes(), salt, high.as_bytes(), low.as_bytes()].concat()
}

/// When a nonce of ours was made for this host.
fn made_at(entropy: &Entropy, host: IpAddr, text: &[u8]) -> Option<Tick> {
    let at = std::str::from_utf8(text.get(..16)?).ok()?;
    let made = Tick(u64::from_str_radix(at, 16).ok()?);
    is_same(&nonce(entropy, made, text.get(16..32)?, host), text).then_some(made)
}

/// An Authorization header.
struct Credentials<'a> {
    proof: Proof<'a>,
    response: &'a [u8],
    /// `nc`; without one the nonce is good for one use.
    count: u32,
}

impl<'a> Credentials<'a> {
    fn parse(value: &'a [u8]) -> Option<Self> {
        let params = Params::parse(value)?;
        let counted = match params.get(b"qop") {
            None => None,
            Some(qop) if qop.eq_ignore_ascii_case(b"auth") => Some((params.get(b"nc")?, params.get(b"cnonce")?)),
            Some(_) => return None,
        };
        let count = match counted {
            Some((nc, _)) => u32::from_str_radix(std::str::from_utf8(nc).ok().filter(|nc| nc.len() == 8)?, 16).ok()?,
            None => 1,
        };
        let proof = Proof {
            algorithm: Algorithm::named(params.get(b"algorithm"))?,
            user: params.get(b"username")?,
            realm: params.get(b"realm")?,
            nonce: params.get(b"nonce")?,
            counted,
            method: b"",
            uri: params.get(b"uri")?,
        };
        Some(Self { proof, response: params.get(b"response")?, count })
    }

    fn is_right(&self, method: &[u8], password: &[u8]) -> bool {
        let expected = Proof { method, ..self.proof }.response(password);
        is_same(expected.as_bytes(), &self.response.to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use runtime_contract::Redacted;

    use super::*;
    use crate::site::Phone;

    struct Bench {
        guard: Guard,
        entropy: Entropy,
        site: Site,
        now: Tick,
        host: IpAddr,
        registered: bool,
    }

    impl Bench {
        fn new() -> Bench {
            let phone = Phone { extension: "1001".into(), password: Redacted::new("secret".into()), name: None };
            Bench {
                guard: Guard::default(),
                entropy: Entropy::new([3; 32]),
                site: Site { phones: vec![phone], algorithms: vec![Algorithm::Sha256], ..Site::default() },
                now: Tick(0).plus_ms(5),
                host: "192.0.2.1".parse().unwrap(),
                registered: false,
            }
        }

        fn nonce(&self) -> String {
            String::from_utf8(nonce(&self.entropy, self.now, b"0123456789abcdef", self.host)).unwrap()
        }

        fn say(&mut self, user: &str, password: &str, nonce: &str, nc: u32) -> Verdict {
            let nc = format!("{nc:08x}");
            let proof = Proof {
                algorithm: Algorithm::Sha256,
                user: user.as_bytes(),
                realm: b"strowger",
                nonce: nonce.as_bytes(),
                counted: Some((nc.as_bytes(), b"c")),
                method: b"REGISTER",
                uri: b"sip:x",
            };
            let value = format!(
                "Digest username=\"{user}\", realm=\"strowger\", nonce=\"{nonce}\", uri=\"sip:x\", response=\"{}\", \
                 algorithm=SHA-256, cnonce=\"c\", qop=auth, nc={nc}",
                proof.response(password.as_bytes())
            );
            let Bench { guard, entropy, site, now, host, registered } = self;
            let asker = Asker { host: *host, registered: *registered };
            guard.judge(entropy, *now, site, asker, b"REGISTER", [value.as_bytes()].into_iter())
        }
    }

    const WRONG: Verdict = Verdict::Challenge { stale: false };
    const STALE: Verdict = Verdict::Challenge { stale: true };

    #[test]
    fn a_nonce_counts_up_and_grows_old() {
        let mut bench = Bench::new();
        let known = || Verdict::Known("1001".into());
        let nonce = bench.nonce();
        assert_eq!(bench.say("1001", "secret", &nonce, 1), known());
        assert_eq!(bench.say("1001", "secret", &nonce, 1), STALE, "said before");
        assert_eq!(bench.say("1001", "secret", &nonce, 3), known());
        assert_eq!(bench.say("1001", "secret", &nonce, 2), STALE);
        bench.now = bench.now.plus_ms(NONCE_MS - 1);
        assert_eq!(bench.say("1001", "secret", &nonce, 4), known());
        bench.now = bench.now.plus_ms(1);
        assert_eq!(bench.say("1001", "secret", &nonce, 5), STALE);
        let forged = nonce.replace(nonce.get(..16).unwrap(), &"f".repeat(16));
        assert_eq!(bench.say("1001", "secret", &forged, 1), STALE);
        let nonce = bench.nonce();
        bench.host = "192.0.2.2".parse().unwrap();
        assert_eq!(bench.say("1001", "secret", &nonce, 1), STALE, "given to another host");
    }

    #[test]
    fn wrong_passwords_cost_time_and_tell_nothing() {
        for user in ["1001", "nobody"] {
            let mut bench = Bench::new();
            for _ in 0..=WRONG_FREE {
                let nonce = bench.nonce();
                assert_eq!(bench.say(user, "", &nonce, 1), WRONG);
            }
            let nonce = bench.nonce();
            let password = if user == "1001" { "secret" } else { "" };
            assert_eq!(bench.say(user, password, &nonce, 1), Verdict::Wait { seconds: 2 }, "{user}");
            bench.now = bench.now.plus_ms(1_000);
            assert_eq!(bench.say(user, "x", &nonce, 1), WRONG);
            assert_eq!(bench.say("other", "x", &nonce, 1), Verdict::Wait { seconds: 3 }, "the whole host waits");
            bench.now = bench.now.plus_ms(FORGET_MS);
            let nonce = bench.nonce();
            assert_eq!(bench.say("1001", "secret", &nonce, 1), Verdict::Known("1001".into()));
        }
    }

    #[test]
    fn nobody_is_made_to_wait_in_anothers_name() {
        let mut bench = Bench::new();
        for password in ["x", "secret", "x", "secret", "x", "x", "x", "x", "x", "x"] {
            let forged = "0123456789abcdef".repeat(4);
            assert_eq!(bench.say("1001", password, &forged, 1), STALE, "nor is the password told");
        }
        let nonce = bench.nonce();
        assert_eq!(bench.say("1001", "secret", &nonce, 1), Verdict::Known("1001".into()));
    }

    #[test]
    fn one_old_password_shuts_out_no_neighbours() {
        let mut bench = Bench::new();
        bench.registered = true;
        for _ in 0..=WRONG_FREE {
            let nonce = bench.nonce();
            assert_eq!(bench.say("1002", "x", &nonce, 1), WRONG);
        }
        let nonce = bench.nonce();
        assert_eq!(bench.say("1002", "x", &nonce, 1), Verdict::Wait { seconds: 2 });
        assert_eq!(bench.say("1001", "secret", &nonce, 1), Verdict::Known("1001".into()));
    }

    #[test]
    fn users_who_do_not_exist_take_no_room_from_those_who_do() {
        let mut bench = Bench::new();
        bench.registered = true;
        for n in 0..ENTRIES_MAX {
            let nonce = bench.nonce();
            bench.say(&format!("x{n}"), "x", &nonce, 1);
        }
        assert!(bench.guard.wrong.len() <= 1 + UNKNOWN as usize, "{}", bench.guard.wrong.len());
        for _ in 0..=WRONG_FREE {
            let nonce = bench.nonce();
            assert_eq!(bench.say("1001", "x", &nonce, 1), WRONG);
        }
        let nonce = bench.nonce();
        assert_eq!(bench.say("1001", "secret", &nonce, 1), Verdict::Wait { seconds: 2 });
    }

    #[test]
    fn a_guess_costs_time_also_when_the_table_is_full() {
        let mut bench = Bench::new();
        for n in 0..ENTRIES_MAX {
            bench.guard.add_wrong(bench.now, n as u128);
        }
        let nonce = bench.nonce();
        assert_eq!(bench.say("1001", "x", &nonce, 1), WRONG);
        assert_eq!(bench.say("1001", "secret", &nonce, 1), Verdict::Wait { seconds: 1 });
        bench.now = bench.now.plus_ms(CROWDED_MS);
        assert_eq!(bench.say("1001", "secret", &nonce, 1), Verdict::Known("1001".into()));
    }

    #[test]
    fn who_only_tries_is_heard_no_more() {
        let mut bench = Bench::new();
        for _ in 1..REFUSED_MAX {
            bench.guard.refuse(bench.now, bench.host, CHALLENGED);
        }
        assert!(!bench.guard.is_silent(bench.now, bench.host));
        bench.guard.refuse(bench.now, bench.host, CHALLENGED);
        assert!(bench.guard.is_silent(bench.now, bench.host));
        bench.guard.refuse(bench.now.plus_ms(FORGET_MS - 1), bench.host, REFUSED);
        assert!(!bench.guard.is_silent(bench.now.plus_ms(FORGET_MS), bench.host), "it has an end, whatever comes");
    }

    #[test]
    fn the_addresses_of_an_ipv6_network_are_one_host() {
        let mut guard = Guard::default();
        let now = Tick(0).plus_ms(5_000);
        for n in 0..u128::from(REFUSED_MAX / REFUSED) {
            guard.refuse(now, std::net::Ipv6Addr::from_bits((0x2001_0db8_u128 << 96) + n * 7).into(), REFUSED);
        }
        let silent = |host: &str| guard.is_silent(now, host.parse().unwrap());
        assert!(silent("2001:db8::ffff:1") && !silent("2001:db8:0:1::1"));
    }

    #[test]
    fn tables_are_bounded() {
        let mut guard = Guard::default();
        let host = |n: usize| IpAddr::from((n as u32).to_be_bytes());
        let now = Tick(0).plus_ms(5_000);
        for n in 0..2 * ENTRIES_MAX {
            guard.refuse(now, host(n), REFUSED);
            guard.add_wrong(now, n as u128);
        }
        assert_eq!((guard.refused.len(), guard.wrong.len()), (ENTRIES_MAX, ENTRIES_MAX));
        assert_eq!(guard.crowded.len(), CROWDED as usize);
        let later = now.plus_ms(FORGET_MS);
        guard.refuse(later, host(0), REFUSED);
        assert_eq!((guard.refused.len(), guard.wrong.len()), (1, 0));
    }
}
