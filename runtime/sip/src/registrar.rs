//! Where phones are: bindings by extension (RFC 3261 §10.3 steps 7 and 8). It knows no message and asks for no password.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::IpAddr;

use runtime_contract::time::Tick;

use crate::transport::{ConnectionId, Hop, network};

/// Bindings of one phone. Over it: 403.
pub const BINDINGS_MAX: usize = 10;
/// Shortest time for which a phone may register. Below it: 423.
pub const EXPIRES_S_MIN: u32 = 60;
/// Longest; a phone that wants more gets this.
pub const EXPIRES_S_MAX: u32 = 7_200;
/// When it does not say.
pub const EXPIRES_S: u32 = 3_600;
/// `q` of a contact that has none, in thousandths (§10.2.1.2).
pub const Q: u16 = 1_000;

/// One contact of a phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// As the phone wrote it: request URI of what it gets.
    pub uri: Box<[u8]>,
    /// Where it came from, and so where it is reached, whatever a NAT made of its own address.
    pub hop: Hop,
    /// Preference in thousandths.
    pub q: u16,
    pub expires: Tick,
    call_id: Box<[u8]>,
    cseq: u32,
}

/// What a REGISTER asks for.
#[derive(Clone, Debug)]
pub struct Wish<'a> {
    pub uri: &'a [u8],
    pub hop: Hop,
    pub q: u16,
    /// 0: remove it.
    pub expires_s: u32,
}

/// Which REGISTER.
#[derive(Clone, Copy)]
pub struct Order<'a> {
    pub call_id: &'a [u8],
    pub cseq: u32,
}

#[derive(Default)]
pub struct Registrar {
    /// Phones without a binding are not in it.
    phones: BTreeMap<String, Vec<Binding>>,
    /// Bindings by the host that they came from; none has 0.
    hosts: BTreeMap<IpAddr, usize>,
}

impl Registrar {
    /// Phones with a binding.
    pub fn len(&self) -> usize {
        self.phones.len()
    }

    pub fn bindings(&self, phone: &str) -> &[Binding] {
        self.phones.get(phone).map_or(&[], Vec::as_slice)
    }

    pub fn phones(&self) -> impl Iterator<Item = (&str, &[Binding])> {
        self.phones.iter().map(|(phone, bindings)| (phone.as_str(), bindings.as_slice()))
    }

    /// Whether some phone is registered from there, or from the same [`network`].
    pub fn has_host(&self, host: IpAddr) -> bool {
        self.hosts.contains_key(&network(host))
    }

    /// Those over which phones are reached.
    pub fn connections(&self) -> impl Iterator<Item = ConnectionId> {
        self.phones.values().flatten().filter_map(|binding| binding.hop.connection())
    }

    /// All or nothing; the error is a status code.
    pub fn register(&mut self, now: Tick, phone: &str, order: Order<'_>, wishes: &[Wish<'_>]) -> Result<(), u16> {
        let mut bindings = self.bindings(phone).to_vec();
        for wish in wishes {
            let known = bindings.iter().position(|binding| *binding.uri == *wish.uri);
            if let Some(known) = known {
                if bindings.get(known).is_some_and(|binding| binding.is_after(order)) {
                    return Err(500);
                }
                bindings.remove(known);
            }
            if wish.expires_s > 0 {
                bindings.push(Binding {
                    uri: wish.uri.into(),
                    hop: wish.hop,
                    q: wish.q,
                    expires: now.plus_ms(u64::from(wish.expires_s) * 1_000),
                    call_id: order.call_id.into(),
                    cseq: order.cseq,
                });
            }
        }
        if bindings.len() > BINDINGS_MAX {
            return Err(403);
        }
        self.replace(phone, bindings);
        Ok(())
    }

    /// `Contact: *`
    pub fn remove_all(&mut self, phone: &str, order: Order<'_>) -> Result<(), u16> {
        if self.bindings(phone).iter().any(|binding| binding.is_after(order)) {
            return Err(500);
        }
        self.replace(phone, Vec::new());
        Ok(())
    }

    /// When the next binding ends.
    pub fn next_end(&self) -> Option<Tick> {
        self.phones.values().flatten().map(|binding| binding.expires).min()
    }

    /// Takes out what has ended, or belongs to a phone that is no more; gives the phones that lost something.
    pub fn expire(&mut self, now: Tick, exists: impl Fn(&str) -> bool) -> Vec<String> {
        let ended = |phone: &str, binding: &Binding| binding.expires <= now || !exists(phone);
        let changed: Vec<String> = self
            .phones()
            .filter(|(phone, bindings)| bindings.iter().any(|binding| ended(phone, binding)))
            .map(|(phone, _)| phone.to_owned())
            .collect();
        for phone in &changed {
            let left = self.bindings(phone).iter().filter(|binding| !ended(phone, binding)).cloned().collect();
            self.replace(phone, left);
        }
        changed
    }

    fn replace(&mut self, phone: &str, bindings: Vec<Binding>) {
        for binding in &bindings {
            *self.hosts.entry(network(binding.hop.ip())).or_default() += 1;
        }
        let old = match bindings.is_empty() {
            true => self.phones.remove(phone),
            false => self.phones.insert(phone.to_owned(), bindings),
        };
        for binding in old.into_iter().flatten() {
            let host = network(binding.hop.ip());
            if let Some(count) = self.hosts.get_mut(&host) {
                *count -= 1;
                if *count == 0 {
                    self.hosts.remove(&host);
                }
            }
        }
    }

    /// A phone's bindings for another process: a line each, parts with tabs between them.
    pub fn snapshot(&self, now: Tick, phone: &str) -> Vec<u8> {
        let mut text = String::new();
        for binding in self.bindings(phone) {
            let left_s = binding.expires.saturating_since(now).as_secs();
            // A URI is printable ASCII: no tab or line end can stand in it.
            let (uri, call_id) = (String::from_utf8_lossy(&binding.uri), binding.call_id.escape_ascii());
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{uri}\t{}\t{}\t{left_s}\t{call_id}\t{}", binding.hop, binding.q, binding.cseq);
        }
        text.into_bytes()
    }

    /// Takes up what [`Registrar::snapshot`] wrote so many milliseconds ago. What cannot be read, or has ended, is left
    /// out.
    pub fn restore(&mut self, now: Tick, phone: &str, snapshot: &[u8], age_ms: u64) {
        let text = String::from_utf8_lossy(snapshot);
        let bindings = text.lines().filter_map(|line| read_binding(line, now, age_ms)).take(BINDINGS_MAX);
        let bindings: Vec<Binding> = bindings.collect();
        if self.bindings(phone).is_empty() {
            self.replace(phone, bindings);
        }
    }
}

impl Binding {
    /// A REGISTER that came earlier, or is this one again (§10.3 step 7).
    fn is_after(&self, order: Order<'_>) -> bool {
        *self.call_id == *order.call_id && order.cseq <= self.cseq
    }
}

fn read_binding(line: &str, now: Tick, age_ms: u64) -> Option<Binding> {
    let mut parts = line.split('\t');
    let mut next = || parts.next();
    let (uri, hop, q, left_s, call_id, cseq) = (next()?, next()?, next()?, next()?, next()?, next()?);
    let left_ms = left_s.parse::<u64>().ok()?.min(u64::from(EXPIRES_S_MAX)).checked_mul(1_000)?.checked_sub(age_ms)?;
    let readable = matches!(
        crate::message::uri::parse_uri(uri.as_bytes()),
        Some(crate::message::uri::Uri::Sip(uri)) if !uri.has_headers
    );
    readable.then_some(())?;
    Some(Binding {
        uri: uri.as_bytes().into(),
        hop: Hop { pinned: true, ..hop.parse().ok()? },
        q: q.parse().ok().filter(|q| *q <= Q)?,
        expires: now.plus_ms(left_ms),
        // Escapes of bytes that no Call-ID should have are no loss: it is compared with itself alone.
        call_id: call_id.as_bytes().into(),
        cseq: cseq.parse().ok()?,
    })
    .filter(|binding| binding.expires > now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(uri: &str, expires_s: u32) -> Wish<'_> {
        let hop = Hop::udp("192.0.2.1:5062".parse().unwrap());
        Wish { uri: uri.as_bytes(), hop, q: Q, expires_s }
    }

    fn order(cseq: u32) -> Order<'static> {
        Order { call_id: b"c", cseq }
    }

    #[test]
    fn bindings_come_grow_old_and_go() {
        let mut registrar = Registrar::default();
        let now = Tick(0);
        registrar.register(now, "1001", order(1), &[wish("sip:a@h", 60), wish("sip:b@h", 120)]).unwrap();
        assert_eq!((registrar.len(), registrar.bindings("1001").len()), (1, 2));
        let has = |registrar: &Registrar, host: &str| registrar.has_host(host.parse().unwrap());
        assert!(has(&registrar, "192.0.2.1") && !has(&registrar, "192.0.2.2"));
        let six = Wish { hop: Hop::udp("[2001:db8::1]:5062".parse().unwrap()), ..wish("sip:a@h", 60) };
        registrar.register(now, "1002", order(1), &[six]).unwrap();
        assert!(has(&registrar, "2001:db8::2") && !has(&registrar, "2001:db8:0:1::1"), "a whole network of IPv6");
        registrar.remove_all("1002", order(2)).unwrap();
        assert!(!has(&registrar, "2001:db8::1"));
        assert_eq!(registrar.register(now, "1001", order(1), &[wish("sip:c@h", 60), wish("sip:a@h", 0)]), Err(500));
        assert_eq!(registrar.bindings("1001").len(), 2, "all or nothing");
        registrar.register(now, "1001", order(2), &[wish("sip:a@h", 0)]).unwrap();
        assert_eq!(registrar.next_end(), Some(now.plus_ms(120_000)));
        assert!(registrar.expire(now.plus_ms(119_999), |_| true).is_empty());
        assert_eq!(registrar.expire(now.plus_ms(120_000), |_| true), ["1001"]);
        assert_eq!((registrar.len(), registrar.hosts.len()), (0, 0));
        registrar.register(now, "1001", order(3), &[wish("sip:a@h", 60)]).unwrap();
        assert_eq!(registrar.remove_all("1001", order(3)), Err(500));
        assert_eq!(registrar.remove_all("1001", order(4)), Ok(()));
        registrar.register(now, "1001", order(5), &[wish("sip:a@h", 60)]).unwrap();
        assert_eq!(registrar.expire(now, |_| false), ["1001"], "a phone that is no more has no bindings");
    }

    #[test]
    fn contacts_of_one_phone_are_bounded() {
        let mut registrar = Registrar::default();
        let uris: Vec<String> = (0..=BINDINGS_MAX).map(|n| format!("sip:{n}@h")).collect();
        let wishes: Vec<Wish<'_>> = uris.iter().map(|uri| wish(uri, 60)).collect();
        assert_eq!(registrar.register(Tick(0), "1001", order(1), &wishes), Err(403));
        assert_eq!(registrar.register(Tick(0), "1001", order(1), &wishes[1..]), Ok(()));
    }

    #[test]
    fn bindings_outlive_the_process() {
        let mut first = Registrar::default();
        let now = Tick(0).plus_ms(777_000);
        first.register(now, "1001", order(1), &[wish("sip:a@h;x=y", 60), wish("sip:b@h", 100)]).unwrap();
        let snapshot = first.snapshot(now, "1001");
        let mut second = Registrar::default();
        second.restore(Tick(0), "1001", &snapshot, 60_000);
        let left = second.bindings("1001");
        assert_eq!((left.len(), &*left[0].uri, left[0].expires), (1, &b"sip:b@h"[..], Tick(0).plus_ms(40_000)));
        assert_eq!(second.register(Tick(0), "1001", order(1), &[wish("sip:b@h", 60)]), Err(500));
        first.register(now, "1002", order(1), &[wish("sip:o'neil@h", 60)]).unwrap();
        second.restore(now, "1002", &first.snapshot(now, "1002"), 0);
        assert_eq!(&*second.bindings("1002")[0].uri, b"sip:o'neil@h");
        for at in 0..snapshot.len() {
            let mut broken = snapshot.clone();
            broken[at] = b'\t';
            Registrar::default().restore(Tick(0), "1001", &broken, 0);
        }
    }
}
