//! New versions under load: every call ends on the version on which it began, none is lost, and a version that
//! does not compile leaves the old one serving and says why.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop at the first surprise"
)]

mod harness;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use harness::served::Served;
use runtime_contract::leg::GoneCause;
use runtime_server::{Phone, PhoneEvent};
use runtime_store::{Options, Store};
use serde_json::Value;

const SWAPS: u32 = 200;
const CALLERS: u64 = 8;

/// The brief project, saying which version it is.
fn write_version(folder: &Path, version: u32) {
    let project = harness::project("cli/tests/projects/brief");
    let text = std::fs::read_to_string(project.join("brief.flow")).unwrap();
    std::fs::write(folder.join("brief.flow"), text.replace("version = 1", &format!("version = {version}"))).unwrap();
    std::fs::copy(project.join("strowger.yaml"), folder.join("strowger.yaml")).unwrap();
}

#[test]
fn two_hundred_versions_under_load_lose_no_call_and_mix_none() {
    let (project, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write_version(project.path(), 0);
    let served = Served::start(project.path(), data.path(), &["--no-watch"]);
    let phone = Phone::start(served.sip).unwrap();
    let (stop, placed) = (AtomicBool::new(false), AtomicU64::new(0));
    let target = format!("sip:+864008100002@{}", served.sip);
    let mut graphs: BTreeMap<String, u32> = BTreeMap::new();
    std::thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let number = placed.fetch_add(1, Ordering::Relaxed);
                    let call = phone.call(&target, Some(&format!("+861380{number:07}"))).unwrap();
                    let end = call.events().last();
                    assert_eq!(end, Some(PhoneEvent::Gone(GoneCause::RemoteHungUp)), "call {number}");
                }
            });
        }
        for version in 1..=SWAPS {
            // A call at least between two swaps: calls set the pace, however fast the machine swaps.
            let before = placed.load(Ordering::Relaxed);
            let until = Instant::now() + Duration::from_secs(60);
            while placed.load(Ordering::Relaxed) == before {
                stop.fetch_or(Instant::now() > until, Ordering::Relaxed);
                assert!(!stop.load(Ordering::Relaxed), "no call was placed for a minute");
                std::thread::park_timeout(Duration::from_millis(1));
            }
            write_version(project.path(), version);
            let (status, body) = served.http("POST", "/reload");
            if status != 200 {
                stop.store(true, Ordering::Relaxed);
                panic!("version {version} was refused: {body}");
            }
            let (_, versions) = served.http("GET", "/versions");
            let versions: Value = serde_json::from_str(&versions).unwrap();
            graphs.insert(versions["current"].as_str().unwrap().to_owned(), version);
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(graphs.len(), SWAPS as usize, "each version has its own graph");
    served.settles("strowger_calls_live", 0.0);
    assert_eq!(served.stop(), 0);

    let store = Store::open(data.path(), Options::default(), |_| ()).unwrap();
    let calls = store.calls(1_000_000).unwrap();
    assert_eq!(calls.len() as u64, placed.load(Ordering::Relaxed), "every call has its record");
    let mut used = std::collections::BTreeSet::new();
    for call in &calls {
        let noted = call.record.notes.iter().find(|(key, _)| key == "version").unwrap().1.reveal().clone();
        let graph = graphs.get(&call.record.graph.hex()).copied().unwrap_or(0);
        assert_eq!(noted, graph.to_string(), "a call ran code of another version than its record names");
        used.insert(graph);
    }
    assert!(used.len() > SWAPS as usize / 4, "the load met only {} versions", used.len());
}

#[test]
fn a_refused_version_leaves_the_old_one_serving_and_says_why() {
    let (project, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write_version(project.path(), 7);
    let served = Served::start(project.path(), data.path(), &["--no-watch"]);
    let flow = project.path().join("brief.flow");
    let text = std::fs::read_to_string(&flow).unwrap();
    std::fs::write(&flow, text.replace("hang up\n", "go nowhere\n")).unwrap();
    let (status, body) = served.http("POST", "/reload");
    assert_eq!(status, 409, "{body}");
    assert!(body.contains("F0101") && body.contains("nowhere"), "{body}");
    served.settles("strowger_calls_live", 0.0);
    let phone = Phone::start(served.sip).unwrap();
    let call = phone.call(&format!("sip:+864008100002@{}", served.sip), Some("+8613800000001")).unwrap();
    assert_eq!(call.events().last(), Some(PhoneEvent::Gone(GoneCause::RemoteHungUp)));
    let (_, versions) = served.http("GET", "/versions");
    assert!(versions.contains("F0101"), "the refusal is on the page: {versions}");
    let log = served.log();
    let refused: Vec<&str> = log.lines().filter(|line| line.contains("refused")).collect();
    let [line] = refused.as_slice() else { panic!("{log}") };
    let line: Value = serde_json::from_str(line).unwrap();
    let fields = &line["fields"];
    assert_eq!((&fields["errors"], &fields["code"]), (&1.into(), &"F0101".into()), "{line}");
    assert!(fields["place"].as_str().unwrap().starts_with("brief.flow:"), "{line}");
    assert!(!log.contains("×"), "what is wrong is shown where somebody looks: {log}");
    std::fs::write(&flow, text.replace("version = 7", "version = 8")).unwrap();
    assert_eq!(served.http("POST", "/reload").0, 200);
    assert_eq!(served.stop(), 0);
}

#[test]
fn files_are_watched() {
    let (project, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write_version(project.path(), 1);
    let served = Served::start(project.path(), data.path(), &[]);
    let before = served.http("GET", "/versions").1;
    write_version(project.path(), 2);
    let current = |page: &str| serde_json::from_str::<Value>(page).unwrap()["current"].clone();
    let changed = (0..600).any(|_| {
        std::thread::park_timeout(Duration::from_millis(50));
        current(&served.http("GET", "/versions").1) != current(&before)
    });
    assert!(changed, "{}", served.log());
}

/// Runs a command of an operator; gives its exit code and what it printed.
fn strowger(arguments: &[&str]) -> (i32, String) {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_strowger")).args(arguments).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

fn call_once(served: &Served, from: &str) {
    let phone = Phone::start(served.sip).unwrap();
    let call = phone.call(&format!("sip:+864008100002@{}", served.sip), Some(from)).unwrap();
    assert_eq!(call.events().last(), Some(PhoneEvent::Gone(GoneCause::RemoteHungUp)));
}

/// `replay ID FOLDER` of a call of version 1: the same, another, and folders that are none.
fn given_to_other_files(replay: &[&str], project: &Path) {
    let run = |folder: &Path, more: &[&str]| strowger(&[replay, &[folder.to_str().unwrap()], more].concat());
    let (code, said) = run(project, &[]);
    assert!(code == 0 && said.contains("the same: ") && said.contains("brief.flow:"), "{said}");
    let other = tempfile::tempdir().unwrap();
    write_version(other.path(), 2);
    let (code, said) = run(other.path(), &[]);
    assert!(code == 1 && said.contains("a value is another; `--reveal` shows it"), "{said}");
    let (_, said) = run(other.path(), &["--reveal"]);
    assert!(said.contains("then  notes    version = 1") && said.contains("now   notes    version = 2"), "{said}");
    let (code, said) = run(other.path(), &["--reveal", "--json"]);
    let told: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        (code, &told["verdict"], &told["lost"], &told["assumed"]),
        (1, &"differs".into(), &Value::Null, &0.into())
    );
    assert_eq!(
        (&told["first"]["then"]["text"], &told["first"]["now"]["text"]),
        (&"version = 1".into(), &"version = 2".into())
    );
    assert!(told["first"]["now"]["place"].as_str().unwrap().starts_with("brief.flow:"), "{said}");
    let flow = other.path().join("brief.flow");
    let text = std::fs::read_to_string(&flow).unwrap();
    std::fs::write(&flow, text.replace("400 810 0002", "400 810 0003")).unwrap();
    let (code, said) = run(other.path(), &[]);
    assert!(code == 1 && said.contains("nobody answers the number that was called"), "{said}");
    std::fs::write(&flow, text.replace("hang up\n", "go nowhere\n")).unwrap();
    let (code, said) = run(other.path(), &[]);
    assert!(code == 1 && said.contains("F0101") && said.contains("does not check"), "{said}");
    let (code, said) = run(&other.path().join("none"), &[]);
    assert!(code == 1 && said.contains("name a folder with `.flow` files"), "{said}");
}

#[test]
fn an_operator_sees_calls_tells_them_again_and_takes_people_out() {
    let (project, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write_version(project.path(), 1);
    let served = Served::start(project.path(), data.path(), &["--no-watch"]);
    call_once(&served, "+8613912345678");
    let http = served.http.to_string();
    let folder = data.path().to_str().unwrap().to_owned();
    let until = Instant::now() + Duration::from_secs(30);
    while strowger(&["calls", "--http", &http, "--end", "hung", "--json"]).1.is_empty() {
        assert!(Instant::now() < until, "the call is kept");
    }
    // A server that runs, and its folder beside it.
    for source in [["--http", &http], ["--data", &folder]] {
        let (code, table) = strowger(&[&["calls", "--caller", "5678"][..], &source].concat());
        assert!(code == 0 && table.contains("•••5678") && table.contains("1 call\n"), "{table}");
        let (_, json) = strowger(&[&["calls", "--json", "--reveal"][..], &source].concat());
        let call: Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
        assert_eq!((call["caller"].as_str(), call["notes"]["version"].as_str()), (Some("+8613912345678"), Some("1")));
        let id = call["call"].as_str().unwrap().get(24..).unwrap().to_owned();
        let (code, log) = strowger(&[&["call-log", &id][..], &source].concat());
        assert!(code == 0 && log.contains("brief.flow:") && log.contains("version = •••"), "{log}");
        assert!(!log.contains("12345678"), "{log}");
        let (code, log) = strowger(&[&["call-log", &id, "--reveal"][..], &source].concat());
        assert!(code == 0 && log.contains("version = 1") && log.contains("+8613912345678"), "{log}");
        assert!(log.contains("packets lost (") || log.contains("packet lost ("), "{log}");
        let (_, lines) = strowger(&[&["call-log", &id, "--json"][..], &source].concat());
        let quality: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
        assert!(quality["kind"] == "quality" && quality["quality"]["received"].is_u64(), "{lines}");
        let (code, verdict) = strowger(&[&["replay", &id][..], &source].concat());
        assert!(code == 0 && verdict.starts_with("same: version"), "{verdict}");
        given_to_other_files(&[&["replay", &id][..], &source].concat(), project.path());
    }
    let (code, picture) = strowger(&["top", "--once", "--http", &http]);
    assert!(code == 0 && picture.contains("1 started, 1 ended"), "{picture}");
    let (code, refused) = strowger(&["erase", "--data", &folder, "+8613912345678"]);
    assert!(code == 1 && refused.contains("a server keeps its data in"), "{refused}");
    let (code, said) = strowger(&["erase", "--http", &http, "+86 139 1234 5678"]);
    assert_eq!((code, said.as_str()), (0, "erased: 1 call, 0 recordings, 0 mentions in calls of others\n"));
    assert_eq!(served.stop(), 0);
    let (code, said) = strowger(&["erase", "--data", &folder, "--json", "+8613912345678"]);
    assert_eq!((code, said.trim_end()), (0, r#"{"calls":0,"going_on":0,"mentions":0,"recordings":0}"#));
    let (code, table) = strowger(&["calls", "--data", &folder, "--limit", "1000000"]);
    assert!(code == 0 && table.contains("hung up") && !table.contains("5678"), "{table}");
    let (code, why) = strowger(&["replay", "--data", &folder, "0000"]);
    assert!(code == 1 && why.contains("there is no call `0000`"), "{why}");
}

#[test]
fn an_operator_deploys_on_trial_promotes_and_rolls_back() {
    let (project, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write_version(project.path(), 1);
    let served = Served::start(project.path(), data.path(), &["--no-watch"]);
    let http = served.http.to_string();
    let run = |words: &[&str]| strowger(&[words, &["--http", &http]].concat());
    write_version(project.path(), 2);
    let (code, said) = run(&["deploy", "--canary", "25%"]);
    assert!(code == 0 && said.contains("takes calls"), "{said}");
    let (_, table) = run(&["versions"]);
    assert!(table.contains("canary 25%") && table.contains("stable"), "{table}");
    assert_eq!(run(&["deploy", "--promote"]).0, 0);
    call_once(&served, "+8613800000001");
    assert_eq!(run(&["rollback"]).0, 0);
    call_once(&served, "+8613800000002");
    let (code, said) = run(&["rollback"]);
    assert!(code == 1 && said.contains("there is no version before this one"), "{said}");
    let (_, audit) = run(&["audit", "--json"]);
    let acts: Vec<String> = audit
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["what"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(acts, ["refused", "rollback", "promote", "canary", "start"]);
    assert_eq!(served.stop(), 0);
    let store = Store::open(data.path(), Options::default(), |_| ()).unwrap();
    let noted: Vec<String> =
        store.calls(10).unwrap().iter().map(|call| call.record.notes[0].1.reveal().clone()).collect();
    assert_eq!(noted, ["1", "2"], "newest first");
}
