//! Random bytes, mutated messages, commands at odd times: no panic, bounds kept, nothing left at the end.

use runtime_contract::Redacted;
use runtime_contract::leg::{LegCommand, LegEvent, LegId, RejectCause, Target};
use runtime_sip::Input;

use crate::bench::{Bench, MEDIA, SDP, address, crlf, request, response};

/// SplitMix64 (Steele, Lea, Flood 2014).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// Runs `check` for each seed, and says which one failed and how to run it alone.
pub fn for_seeds(name: &str, count: u64, check: impl Fn(u64)) {
    let (first, count) = match std::env::var("SIP_SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => (seed, 1),
        None => (0, count),
    };
    for seed in first..first + count {
        struct OnPanic<'a>(&'a str, u64);
        impl Drop for OnPanic<'_> {
            fn drop(&mut self) {
                if std::thread::panicking() {
                    eprintln!("replay: SIP_SEED={} cargo test -p runtime-sip --test sip {}", self.1, self.0);
                }
            }
        }
        let _on_panic = OnPanic(name, seed);
        check(seed);
    }
}

pub fn mutate(random: &mut Random, bytes: &mut Vec<u8>) {
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() as u64 + 1) as usize;
        let end = (at + random.below(20) as usize).min(bytes.len());
        match random.below(5) {
            0 => drop(bytes.drain(at..end)),
            1 => bytes.insert(at, random.next() as u8),
            2 => {
                bytes.splice(at..at, b"\r\n ;,<>\":@%[]".iter().copied().skip(random.below(13) as usize)).for_each(drop)
            }
            3 => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece).for_each(drop);
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = random.next() as u8;
                }
            }
        }
    }
}

pub fn corpus() -> Vec<Vec<u8>> {
    let mut corpus: Vec<Vec<u8>> = ["rfc4475", "rfc5118"]
        .iter()
        .flat_map(|name| {
            let folder = format!("{}/tests/data/sip-torture/{name}", env!("CARGO_MANIFEST_DIR"));
            std::fs::read_dir(folder).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
        })
        .collect();
    corpus.sort();
    for cseq in 1..6 {
        for method in ["INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "INFO", "UPDATE", "PRACK", "REFER", "NOTIFY"] {
            for body in ["", SDP] {
                corpus.push(crlf(&request(method, cseq, &format!("b{}", cseq / 2), "", "", body)).into_bytes());
            }
        }
    }
    corpus
}

fn noise(seed: u64) {
    let mut random = Random(seed);
    let corpus = corpus();
    let mut bench = Bench::with(|config| {
        config.legs_max = 8;
        config.transactions_max = 30;
        config.unacknowledged_max = 3;
    });
    let mut heard: Vec<String> = Vec::new();
    for _ in 0..400 {
        let load = bench.endpoint.load();
        assert!(load.legs <= 8 && load.transactions <= 30 && load.unacknowledged <= 3, "{load:?}");
        let leg = LegId(if random.chance(50) { 1 + random.below(12) } else { (1 << 63) + random.below(4) });
        match random.below(12) {
            0 => bench.bytes(&(0..random.below(200)).map(|_| random.next() as u8).collect::<Vec<_>>()),
            1..=5 => {
                let mut bytes = corpus[random.below(corpus.len() as u64) as usize].clone();
                if random.chance(70) {
                    mutate(&mut random, &mut bytes);
                }
                bench.bytes(&bytes);
            }
            6 => bench.answer(leg.0),
            7 => bench.command(LegCommand::HangUp { leg }),
            8 => bench.command(match random.below(6) {
                0 => LegCommand::Ring { leg },
                1 => LegCommand::Progress { leg, media: address(MEDIA) },
                2 | 3 => LegCommand::Hold { leg, on: random.chance(50) },
                4 => LegCommand::Transfer { leg, target: Target::Number(Redacted::new("+441".to_owned())) },
                _ => LegCommand::Reject { leg, cause: RejectCause::Busy },
            }),
            9 => bench.dial((1 << 63) + random.below(4)),
            10 => bench.wait_ms(random.below(5_000)),
            _ => {
                // A dialog-aware far side: answers, or repeats our tag in requests of its own.
                if let Some(text) = heard.get(random.below(heard.len().max(1) as u64) as usize) {
                    let reply = match text.starts_with("SIP/2.0") {
                        true if text.contains("\nTo: ") => {
                            let methods = ["ACK", "BYE", "INVITE", "OPTIONS", "PRACK", "UPDATE", "NOTIFY", "INFO"];
                            let method = methods[random.below(8) as usize];
                            let tag = crate::bench::to_tag(text).to_owned();
                            let extra = match method {
                                "PRACK" => format!("RAck: {} 1 INVITE\n", 1 + random.below(3)),
                                "NOTIFY" => "Event: refer\nSubscription-State: active\n".to_owned(),
                                "INVITE" | "UPDATE" if random.chance(50) => {
                                    format!("Supported: timer, 100rel\nSession-Expires: {}\n", 80 + random.below(100))
                                }
                                _ => String::new(),
                            };
                            request(method, 1 + random.below(5) as u32, &random.next().to_string(), &tag, &extra, SDP)
                        }
                        true => continue,
                        false => {
                            let code = [100, 180, 200, 200, 302, 422, 481, 486, 487, 491][random.below(10) as usize];
                            let answer = response(text, code, ["", "x", "y"][random.below(3) as usize], SDP);
                            match code {
                                180 if random.chance(50) => {
                                    let reliably = format!("Require: 100rel\nRSeq: {}\nContact", 1 + random.below(3));
                                    answer.replacen("Contact", &reliably, 1)
                                }
                                422 => answer.replacen("Contact", "Min-SE: 3600\nContact", 1),
                                _ => answer,
                            }
                        }
                    };
                    let mut bytes = crlf(&reply).into_bytes();
                    if random.chance(20) {
                        mutate(&mut random, &mut bytes);
                    }
                    bench.bytes(&bytes);
                }
            }
        }
        heard.extend(bench.sent.drain(..).map(|(_, text)| text.replace("\r\n", "\n")).filter(|_| random.chance(20)));
    }
    let mut gone = std::collections::BTreeMap::new();
    for event in bench.events.drain(..) {
        match event {
            LegEvent::Incoming(incoming) => assert!(gone.insert(incoming.leg, false).is_none()),
            LegEvent::Gone { leg, .. } => _ = gone.insert(leg, true),
            LegEvent::Ringing { leg } | LegEvent::Media { leg, .. } | LegEvent::Up { leg } if leg.0 < 1 << 63 => {
                assert_eq!(gone.get(&leg), Some(&false), "{leg:?} spoke after its end");
            }
            _ => {}
        }
    }
    for leg in (1..500).chain((0..4).map(|leg| (1 << 63) + leg)) {
        bench.command(LegCommand::HangUp { leg: LegId(leg) });
    }
    bench.assert_empties();
}

#[test]
fn noise_does_no_harm() {
    for_seeds("noise_does_no_harm", 150, noise);
}

#[test]
fn restored_dialogs_may_be_any_bytes() {
    for_seeds("restored_dialogs_may_be_any_bytes", 50, |seed| {
        let mut random = Random(seed);
        let mut bench = Bench::new();
        bench.say(&request("INVITE", 1, "i", "", "", SDP));
        let Some(LegEvent::Incoming(incoming)) = bench.events.pop() else { panic!() };
        for _ in 0..50 {
            let mut bytes = incoming.dialog.clone();
            mutate(&mut random, &mut bytes);
            bench.input(Input::EndRestored { dialog: &bytes });
        }
        bench.command(LegCommand::HangUp { leg: LegId(1) });
        bench.assert_empties();
    });
    assert_eq!(address(MEDIA).port(), 4000);
}
