//! Kills at random instants under load, in a row, in one data folder: what was said to be kept is there afterwards, and
//! nothing is there or was asked twice. `KILLS=1000 SEED=n cargo test -p cli --test kill rounds` runs more of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use runtime_contract::record::{CallId, CallRecord};
use runtime_media::Prompt;
use runtime_server::{Phone, PhoneEvent, Responder};
use runtime_session::journal::{Record, decode};
use runtime_store::{Options, Store};

use crate::harness;
use crate::harness::served::Served;

const CALLERS: u64 = 8;
/// A server that died after its 100 or 180 never answers: callers hang up and call again.
const PATIENCE: Duration = Duration::from_secs(1);

/// One request that the desk got: of which operation, under which key, of which caller.
struct Asked {
    operation: String,
    key: Option<String>,
    who: String,
}

#[test]
fn rounds_of_kills_lose_nothing_that_was_kept() {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |time| time.subsec_nanos().into());
    let (kills, seed) = (number("KILLS").unwrap_or(50), number("SEED").unwrap_or(clock));
    println!("SEED={seed}");
    let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
    let log = Arc::clone(&asked);
    let desk = Responder::start(move |ask| {
        let who = ask.arguments["who"].as_str().unwrap_or_default().to_owned();
        let key = ask.idempotency_key.map(str::to_owned);
        log.lock().unwrap().push(Asked { operation: ask.operation.to_owned(), key, who });
        (200, "ok".into())
    })
    .unwrap();
    let project = harness::project("cli/tests/projects/kept");
    let data = tempfile::tempdir().unwrap();
    let service = format!("desk=http://{}", desk.address);
    let options = ["--no-watch", "--service", &service];
    let (stop, placed, finished) = (AtomicBool::new(false), AtomicU64::new(0), Mutex::new(Vec::new()));
    let mut served = Served::start(&project, data.path(), &options);
    let sip = served.sip.to_string();
    let phone = Phone::start(served.sip).unwrap();
    let voice = Arc::new(Prompt::from_pcm(&(0..480_000).map(|n| ((n % 40) * 400) as i16).collect::<Vec<_>>()));
    std::thread::scope(|scope| {
        for _ in 0..CALLERS {
            let caller = Caller { phone: &phone, sip: &sip, voice: &voice, placed: &placed, finished: &finished };
            let stop = &stop;
            scope.spawn(move || caller.calls_until(stop));
        }
        let mut random = seed | 1;
        for _ in 0..kills {
            // xorshift64. Most die while they take up what the one before left, some after a while.
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let longest_ms = if random % 4 == 0 { 3_000 } else { 400 };
            std::thread::park_timeout(Duration::from_millis((random >> 8) % longest_ms));
            served.signal("KILL");
            served.child.wait().unwrap();
            served = Served::start_at(&project, data.path(), &sip, &options);
        }
        stop.store(true, Ordering::Relaxed);
    });
    harness::until("all calls are over", || served.metric("strowger_calls_live") == 0.0);
    assert_eq!(served.stop(), 0);
    let store = Store::open(data.path(), Options::default(), |_| ()).unwrap();
    assert!(store.open_calls().unwrap().is_empty(), "every call is ended");
    let calls = store.calls(1_000_000).unwrap();
    let revived = calls.iter().filter(|call| was_revived(&call.journal)).count();
    let records: Vec<CallRecord> = calls.into_iter().map(|call| call.record).collect();
    println!("{} records of {} calls, {revived} revived", records.len(), placed.load(Ordering::Relaxed));
    assert!(revived > 0, "no call outlived its server");
    assert_kept(&records, &asked.lock().unwrap(), &finished.into_inner().unwrap(), data.path());
}

fn was_revived(journal: &[u8]) -> bool {
    decode(journal).unwrap().iter().any(|(_, record)| matches!(record, Record::Revived))
}

fn assert_kept(records: &[CallRecord], asked: &[Asked], finished: &[String], data: &std::path::Path) {
    let calls: BTreeSet<CallId> = records.iter().map(|record| record.call).collect();
    assert_eq!(calls.len(), records.len(), "a call is there twice");
    let mut answered: BTreeMap<&str, &CallRecord> = BTreeMap::new();
    for record in records.iter().filter(|record| record.answered.is_some()) {
        let caller = record.caller.as_ref().unwrap().reveal().as_str();
        assert!(answered.insert(caller, record).is_none(), "{caller} was answered twice");
        assert!(record.notes.iter().any(|(key, _)| key == "left"), "`finally` did not run: {record:?}");
    }
    for caller in finished {
        let his = records.iter().filter(|record| record.caller.as_ref().is_some_and(|his| his.reveal() == caller));
        let his: Vec<_> = his.collect();
        // A server that died before its answer was durable left an INVITE, and the next one has ended that dialog.
        let told = his.iter().any(|record| record.answered.is_some() || record.end == "crash");
        assert!(told, "{caller} was served to the end, and no record says so: {his:?}");
    }
    let mut keys = BTreeSet::new();
    for ask in asked.iter().filter(|ask| ask.operation == "order") {
        let key = ask.key.as_deref().expect("a writing operation has a key");
        assert!(keys.insert(key), "{key} was ordered twice");
        let call = CallId::parse(&key[..32]).expect("the key names the call");
        assert!(calls.contains(&call), "{key} was ordered by a call that is nowhere");
    }
    let told: Vec<&Asked> = asked.iter().filter(|ask| ask.operation == "told").collect();
    assert!(!keys.is_empty() && !told.is_empty() && !finished.is_empty(), "nothing was kept at all");
    for ask in told {
        let record = answered.get(ask.who.as_str()).unwrap_or_else(|| panic!("{} was told, and is nowhere", ask.who));
        let [recording, ..] = record.recordings[..] else { panic!("told that it is kept, and it is not: {record:?}") };
        let file = data.join(runtime_store::recording_file(recording));
        assert!(file.metadata().is_ok_and(|file| file.len() > 44), "{} is empty", file.display());
    }
}

struct Caller<'t> {
    phone: &'t Phone,
    sip: &'t str,
    voice: &'t Arc<Prompt>,
    placed: &'t AtomicU64,
    /// Numbers whose calls the server ended by itself.
    finished: &'t Mutex<Vec<String>>,
}

impl Caller<'_> {
    fn calls_until(&self, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            let number = format!("+861380{:07}", self.placed.fetch_add(1, Ordering::Relaxed));
            let call = self.phone.call(&format!("sip:+864008100004@{}", self.sip), Some(&number)).unwrap();
            let (mut up, since) = (false, Instant::now());
            loop {
                match call.next_event(Duration::from_millis(20)) {
                    Some(PhoneEvent::Up) => {
                        up = true;
                        call.speak(Arc::clone(self.voice));
                    }
                    Some(PhoneEvent::Gone(runtime_contract::leg::GoneCause::RemoteHungUp)) => {
                        self.finished.lock().unwrap().push(number);
                        break;
                    }
                    Some(PhoneEvent::Gone(_)) => break,
                    None if stop.load(Ordering::Relaxed) || (!up && since.elapsed() > PATIENCE) => break,
                    _ => {}
                }
            }
        }
    }
}
