//! What is known of each trunk beside what the operator wrote: its registration, whether it answers, how its calls fared,
//! where it was, and the nonces that it gave us. It sends nothing.

use std::collections::BTreeMap;
use std::net::IpAddr;

use runtime_contract::time::Tick;

use crate::site::{Site, Trunk};

/// How long a trunk comes last after a call that it did not take.
pub const AVOIDED_MS: u64 = 30_000;
/// First pause after a registration that failed, doubled each time.
pub const RETRY_S: u64 = 30;
pub const RETRY_S_MAX: u64 = 1_800;
/// Hosts of a trunk's past that are remembered.
const FORMER_MAX: usize = 16;

/// Names a trunk for as long as the endpoint lives, whatever the operator does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TrunkId(pub u32);

/// What an operator wants to know of a trunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrunkStatus {
    pub name: String,
    /// False: it is tried last. True also of one of which nobody asks anything.
    pub up: bool,
    /// We are registered there; `None` where we need not be.
    pub registered: Option<bool>,
    /// Why it is down, in words; empty when it is up.
    pub why: String,
}

/// One trunk.
pub struct TrunkState {
    pub name: String,
    /// Counts changes of its settings: alarms and answers of before are overtaken.
    pub epoch: u32,
    /// Of our REGISTERs: one Call-ID and From for as long as the process lives (RFC 3261 §10.2).
    pub call_id: Vec<u8>,
    pub tag: Vec<u8>,
    pub cseq: u32,
    /// Seconds that we ask for: more than configured, where the trunk wants that (423).
    pub expires_s: u32,
    pub registered: Option<bool>,
    /// Registrations that failed one after the other.
    pub failures: u32,
    /// The last OPTIONS has no answer yet.
    pub asked: bool,
    pub answers: Option<bool>,
    /// The last call that it did not take.
    pub failed: Option<Tick>,
    /// Why the registration or the probe failed last.
    pub why: String,
    /// What was last said of it.
    pub said: Option<bool>,
    /// Hosts where it was before its name led elsewhere, the oldest first: what began there may go on there.
    former: Vec<IpAddr>,
}

impl TrunkState {
    pub fn new(name: &str, call_id: Vec<u8>, tag: Vec<u8>) -> Self {
        Self {
            name: name.to_owned(),
            epoch: 0,
            call_id,
            tag,
            cseq: 0,
            expires_s: 0,
            registered: None,
            failures: 0,
            asked: false,
            answers: None,
            failed: None,
            why: String::new(),
            said: None,
            former: Vec::new(),
        }
    }

    /// The site has it anew. Another account is nothing for those who asked for the one before.
    pub fn replaced(&mut self, old: &Trunk, new: &Trunk) {
        if old.account != new.account {
            self.former.clear();
        } else if old.addresses != new.addresses {
            for host in old.addresses.iter().map(|address| address.ip()) {
                self.former.retain(|known| *known != host);
                self.former.push(host);
            }
            self.former.drain(..self.former.len().saturating_sub(FORMER_MAX));
        }
    }

    pub fn next_cseq(&mut self) -> u32 {
        self.cseq = self.cseq.saturating_add(1);
        self.cseq
    }

    /// Nothing that we asked of it has failed, nor is unknown. `None`: nothing is known yet.
    pub fn is_up(&self, trunk: &Trunk) -> Option<bool> {
        let asked = [trunk.register_s.map(|_| self.registered), trunk.probe_s.map(|_| self.answers)];
        let known: Vec<Option<bool>> = asked.into_iter().flatten().collect();
        if trunk.addresses.is_empty() || known.contains(&Some(false)) {
            return Some(false);
        }
        known.iter().all(Option::is_some).then_some(true)
    }
}

/// Of all trunks, by name.
#[derive(Default)]
pub struct Trunks {
    states: BTreeMap<TrunkId, TrunkState>,
    next_id: u32,
    /// The nonce that a trunk gave last, and how often it was used.
    nonces: BTreeMap<String, (Vec<u8>, u32)>,
}

impl Trunks {
    pub fn find(&self, name: &str) -> Option<TrunkId> {
        self.states.iter().find(|(_, state)| state.name == name).map(|(id, _)| *id)
    }

    /// Name of the trunk that was at a host.
    pub fn formerly_at(&self, host: IpAddr) -> Option<&str> {
        self.states.values().find(|state| state.former.contains(&host)).map(|state| state.name.as_str())
    }

    pub fn get(&self, id: TrunkId) -> Option<&TrunkState> {
        self.states.get(&id)
    }

    pub fn get_mut(&mut self, id: TrunkId) -> Option<&mut TrunkState> {
        self.states.get_mut(&id)
    }

    pub fn ids(&self) -> Vec<TrunkId> {
        self.states.keys().copied().collect()
    }

    pub fn add(&mut self, state: TrunkState) -> TrunkId {
        let id = TrunkId(self.next_id);
        self.next_id = self.next_id.wrapping_add(1);
        self.states.insert(id, state);
        id
    }

    pub fn remove(&mut self, id: TrunkId) {
        if let Some(state) = self.states.remove(&id) {
            self.nonces.remove(&state.name);
        }
    }

    /// A call was not taken (false), or was.
    pub fn note_call(&mut self, now: Tick, name: &str, taken: bool) {
        if let Some(state) = self.states.values_mut().find(|state| state.name == name) {
            state.failed = (!taken).then_some(now);
        }
    }

    /// Trunks for a number, best first: those that are well, then the longest prefix, then by name.
    pub fn for_number<'s>(&self, now: Tick, site: &'s Site, number: &str) -> Vec<&'s Trunk> {
        let mut found: Vec<(bool, usize, &Trunk)> = site
            .trunks
            .iter()
            .filter(|trunk| !trunk.addresses.is_empty())
            .filter_map(|trunk| Some((self.is_bad(now, trunk), prefix_length(trunk, number)?, trunk)))
            .collect();
        found.sort_by(|a, b| (a.0, b.1, &a.2.name).cmp(&(b.0, a.1, &b.2.name)));
        found.into_iter().map(|(_, _, trunk)| trunk).collect()
    }

    fn is_bad(&self, now: Tick, trunk: &Trunk) -> bool {
        let state = self.states.values().find(|state| state.name == trunk.name);
        state.is_some_and(|state| {
            state.is_up(trunk) == Some(false) || state.failed.is_some_and(|at| now < at.plus_ms(AVOIDED_MS))
        })
    }

    pub fn status<'a>(&'a self, site: &'a Site) -> impl Iterator<Item = TrunkStatus> + 'a {
        site.trunks.iter().map(|trunk| {
            let state = self.states.values().find(|state| state.name == trunk.name);
            let up = state.and_then(|state| state.is_up(trunk)) != Some(false) && !trunk.addresses.is_empty();
            let registered = state.and_then(|state| state.registered).unwrap_or(false);
            TrunkStatus {
                name: trunk.name.clone(),
                up,
                registered: trunk.register_s.map(|_| registered),
                why: if up { String::new() } else { why(trunk, state) },
            }
        })
    }

    /// `nc` of the next use of a nonce (RFC 7616 §3.4).
    pub fn count_nonce(&mut self, trunk: &str, nonce: &[u8]) -> u32 {
        let (known, count) = self.nonces.entry(trunk.to_owned()).or_default();
        if known != nonce {
            (*known, *count) = (nonce.to_vec(), 0);
        }
        *count = count.saturating_add(1);
        *count
    }
}

/// In words of an operator.
pub fn why(trunk: &Trunk, state: Option<&TrunkState>) -> String {
    match state {
        _ if trunk.addresses.is_empty() => "its host has no address".into(),
        Some(state) => state.why.clone(),
        None => String::new(),
    }
}

/// Digits of the longest prefix of a trunk that a number has, 0 for a trunk that takes all.
fn prefix_length(trunk: &Trunk, number: &str) -> Option<usize> {
    if trunk.prefixes.is_empty() {
        return Some(0);
    }
    trunk.prefixes.iter().filter(|prefix| number.starts_with(prefix.as_str())).map(String::len).max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Transport;

    fn trunk(name: &str, prefixes: &[&str]) -> Trunk {
        Trunk {
            name: name.into(),
            addresses: vec!["192.0.2.1:5060".parse().unwrap()],
            transport: Transport::Udp,
            host: "h".into(),
            account: None,
            register_s: None,
            probe_s: None,
            prefixes: prefixes.iter().map(|prefix| (*prefix).to_owned()).collect(),
            from: None,
            identity: false,
        }
    }

    #[test]
    fn a_trunk_is_known_where_it_was() {
        let at = |n: u8| Trunk { addresses: vec![([192, 0, 2, n], 5060).into()], ..trunk("a", &[]) };
        let mut state = TrunkState::new("a", Vec::new(), Vec::new());
        for n in 0..=20 {
            state.replaced(&at(n), &at(n + 1));
        }
        let mut trunks = Trunks::default();
        let id = trunks.add(state);
        let found = |trunks: &Trunks, n: u8| trunks.formerly_at([192, 0, 2, n].into()).is_some();
        assert!((5..=20).all(|n| found(&trunks, n)) && !found(&trunks, 4) && !found(&trunks, 21));
        let account = crate::auth::Account { user: "u".into(), password: runtime_contract::Redacted::new("p".into()) };
        let other = Trunk { account: Some(account), ..at(21) };
        trunks.get_mut(id).unwrap().replaced(&at(21), &other);
        assert!(!found(&trunks, 20), "another account");
    }

    #[test]
    fn the_longest_prefix_of_those_that_are_well() {
        let mut lost = trunk("lost", &["+8640"]);
        lost.addresses.clear();
        let all = vec![trunk("b", &[]), trunk("a", &[]), trunk("china", &["+1", "+86"]), trunk("gb", &["+44"]), lost];
        let site = Site { trunks: all, ..Site::default() };
        let mut trunks = Trunks::default();
        for name in ["a", "b", "china"] {
            trunks.add(TrunkState::new(name, Vec::new(), Vec::new()));
        }
        let names = |trunks: &Trunks, now| -> Vec<String> {
            trunks.for_number(now, &site, "+864008100000").into_iter().map(|trunk| trunk.name.clone()).collect()
        };
        let now = Tick(0);
        assert_eq!(names(&trunks, now), ["china", "a", "b"]);
        trunks.note_call(now, "china", false);
        assert_eq!(names(&trunks, now), ["a", "b", "china"]);
        assert_eq!(names(&trunks, now.plus_ms(AVOIDED_MS)), ["china", "a", "b"]);
        trunks.note_call(now, "china", true);
        assert_eq!(names(&trunks, now), ["china", "a", "b"]);
    }
}
