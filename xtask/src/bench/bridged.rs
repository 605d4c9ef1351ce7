//! Calls of two legs with voice both ways through `strowger serve`, and through rtpengine in userspace, each on one core:
//! the highest number that each holds, and the CPU of both at the highest that both hold.

mod ours;
mod phones;
mod rtpengine;

use self::phones::{Phones, Talk};
use self::rtpengine::Rtpengine;
use super::served::Folder;
use super::usage::spread;

/// Lost packets, of all, below which a number of calls is held.
const LOST_MAX: f64 = 0.001;
const PAIRS_FIRST: usize = 100;
/// A call needs four ports of a relay and as many open files, and 20 000 of these are usual.
const PAIRS_MAX: usize = 3_200;
/// The search ends when what is held and what is not are so near to each other (a tenth).
const NEAR: usize = 10;
/// Of those at the number that both hold.
const ROUNDS: usize = 3;

#[derive(Clone, Copy)]
enum Relay {
    Strowger,
    Rtpengine,
}

/// One number of calls through one relay.
struct Round {
    talk: Talk,
    pairs: usize,
    /// Calls that were not connected, or ended wrongly.
    failed: usize,
}

pub fn measure(words: &[&str]) -> Result<String, String> {
    let pairs: Vec<usize> =
        words.iter().map(|w| w.parse().map_err(|_| format!("`{w}` is no count"))).collect::<Result<_, _>>()?;
    let mut bench = Bench { folder: Folder::new("bridged")?, lines: Vec::new() };
    let version = rtpengine::install()?;
    bench.say(format!("{version}, one worker, no kernel module; calls are pairs of streams both ways"));
    bench.say(format!(
        "{:>6} {:>9} {:>8} {:>8} {:>16} {:>17} {:>10} {:>13} {:>12} {:>7}",
        "calls",
        "relay",
        "lost",
        "late",
        "transit 50, 99 %",
        "ms CPU/call-sec.",
        "core used",
        "phones' core",
        "dropped here",
        "failed"
    ));
    if pairs.is_empty() {
        let ours = bench.highest(Relay::Strowger)?;
        let theirs = bench.highest(Relay::Rtpengine)?;
        bench.say(format!("held below {} % lost: ours {ours}, rtpengine {theirs} calls", LOST_MAX * 100.0));
        match ours.min(theirs) {
            0 => bench.say("there is no number that both hold".to_owned()),
            both => bench.compare(both)?,
        }
    }
    pairs.into_iter().try_for_each(|pairs| bench.compare(pairs))?;
    Ok(bench.lines.join("\n"))
}

struct Bench {
    folder: Folder,
    lines: Vec<String>,
}

impl Bench {
    fn say(&mut self, line: String) {
        println!("{line}");
        self.lines.push(line);
    }

    /// The highest number that is held, found by doubling, then by halves. What is not held is tried twice: a moment's
    /// disturbance is not the relay's.
    fn highest(&mut self, relay: Relay) -> Result<usize, String> {
        let (mut held, mut broken) = (0, None);
        while let Some(pairs) = next(held, broken) {
            match self.round(relay, pairs)?.is_held() || self.round(relay, pairs)?.is_held() {
                true => held = pairs,
                false => broken = Some(pairs),
            }
        }
        Ok(held)
    }

    /// Both in turn, so often.
    fn compare(&mut self, pairs: usize) -> Result<(), String> {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            ours.push(self.round(Relay::Strowger, pairs)?.cpu_ms());
            theirs.push(self.round(Relay::Rtpengine, pairs)?.cpu_ms());
        }
        let three = |(low, middle, high): (f64, f64, f64)| format!("{middle:.3} ({low:.3}–{high:.3})");
        let (ours, theirs) = (spread(&ours), spread(&theirs));
        self.say(format!(
            "{pairs} calls, ms CPU a call and second: ours {}, rtpengine {}, ratio {:.2}",
            three(ours),
            three(theirs),
            ours.1 / theirs.1
        ));
        Ok(())
    }

    fn round(&mut self, relay: Relay, pairs: usize) -> Result<Round, String> {
        // New ones each time: what an earlier relay still had on its way is not heard.
        let phones = Phones::open()?;
        let (talk, failed) = match relay {
            Relay::Strowger => ours::round(&self.folder, &phones, pairs)?,
            Relay::Rtpengine => {
                let rtpengine = Rtpengine::start()?;
                let ways = rtpengine.connect(&phones, pairs)?;
                (phones.talk(&ways, rtpengine.id())?, 0)
            }
        };
        let round = Round { talk, pairs, failed };
        self.say(round.line(relay));
        Ok(round)
    }
}

/// What is tried after the highest number held and the lowest that was not; nothing when they are near to each other.
fn next(held: usize, broken: Option<usize>) -> Option<usize> {
    let pairs = match broken {
        None if held == 0 => PAIRS_FIRST,
        None => held * 2,
        Some(broken) if held == 0 || broken - held <= held / NEAR => return None,
        Some(broken) => usize::midpoint(held, broken),
    };
    (pairs <= PAIRS_MAX).then_some(pairs)
}

impl Round {
    fn is_held(&self) -> bool {
        self.failed == 0 && self.lost() < LOST_MAX
    }

    fn lost(&self) -> f64 {
        (self.talk.sent - self.talk.received) / self.talk.sent.max(1.0)
    }

    fn cpu_ms(&self) -> f64 {
        self.talk.relay_cpu_s * 1e3 / (self.pairs as f64 * self.talk.seconds)
    }

    fn line(&self, relay: Relay) -> String {
        let Talk { received, late, transit_ms, relay_cpu_s, own_cpu_s, dropped_here, seconds, .. } = self.talk;
        let who = match relay {
            Relay::Strowger => "ours",
            Relay::Rtpengine => "rtpengine",
        };
        format!(
            "{:>6} {who:>9} {:>6.3} % {:>6.3} % {:>16} {:>17.3} {:>8.0} % {:>11.0} % {dropped_here:>12.0} {:>7}",
            self.pairs,
            self.lost() * 100.0,
            late * 100.0 / received.max(1.0),
            format!("{:.1}, {:.1} ms", transit_ms.0, transit_ms.1),
            self.cpu_ms(),
            relay_cpu_s * 100.0 / seconds,
            own_cpu_s * 100.0 / seconds,
            self.failed,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_comes_near_to_any_limit_in_few_rounds() {
        for limit in [0, 99, 100, 101, 777, 1_250, 3_199, 3_200, 9_999] {
            let (mut held, mut broken, mut rounds) = (0, None, 0);
            while let Some(pairs) = next(held, broken) {
                rounds += 1;
                if pairs <= limit { held = pairs } else { broken = Some(pairs) }
            }
            assert!(rounds <= 10, "{rounds} rounds to {limit}");
            let reach = limit.min(PAIRS_MAX);
            assert!(held <= reach && (held >= reach - reach / NEAR || limit < PAIRS_FIRST), "{held} of {limit}");
        }
    }
}
