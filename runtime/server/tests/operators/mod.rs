//! What operators do with a running server: see calls, change versions, take people out.

use std::time::{Duration, Instant};

use runtime_server::{Phone, PhoneEvent};
use serde_json::{Value, json};

use crate::kit::{PATIENCE, Site, gone, wait_for, write};

/// Makes one call and waits for its end.
fn call_once(site: &Site, phone: &Phone, from: &str) -> PhoneEvent {
    let call = phone.call(&format!("sip:{}@{}", crate::kit::NUMBER, site.server().sip_addr), Some(from)).unwrap();
    wait_for(&call, |event| event == PhoneEvent::Up);
    call.press("2");
    gone(&call)
}

/// Asks again until it is so.
pub fn until(what: &str, so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

fn states(site: &Site) -> Vec<String> {
    let versions = site.json("/versions");
    let state = |version: &Value| version["state"].as_str().unwrap().to_owned();
    versions["versions"].as_array().unwrap().iter().map(state).collect()
}

fn current(site: &Site) -> String {
    site.json("/versions")["current"].as_str().unwrap().to_owned()
}

fn audit(site: &Site) -> Vec<String> {
    let entries = site.json("/audit")["audit"].as_array().unwrap().clone();
    entries.iter().rev().map(|e| format!("{}: {}", e["who"].as_str().unwrap(), e["what"].as_str().unwrap())).collect()
}

#[test]
fn calls_are_seen_while_they_go_on_and_afterwards_without_their_numbers() {
    let site = Site::start("welcome", "");
    let phone = site.phone();
    let call = site.call(&phone);
    site.hears(&call, "offer");
    let live = site.json("/calls?live=true")["calls"][0].clone();
    assert_eq!((live["step"].as_str(), live["caller"].as_str()), (Some("main.main/main"), Some("•••0000")));
    assert_eq!((live["end"].clone(), live["line"].as_str()), (Value::Null, Some("up")));
    let id = live["call"].as_str().unwrap().to_owned();
    assert_eq!(site.json(&format!("/calls/{}", &id[24..]))["call"], live["call"]);
    call.press("2");
    gone(&call);
    until("the call is kept", || site.json("/calls")["calls"][0]["end"].is_string());
    let over = site.json("/calls?flow=main&caller=0000&end=hung&limit=5")["calls"].as_array().unwrap().clone();
    assert_eq!(
        (over.len(), over[0]["caller"].as_str(), &over[0]["notes"]),
        (1, Some("•••0000"), &json!({ "outcome": "•••" }))
    );
    assert!(site.json("/calls?caller=0001")["calls"].as_array().unwrap().is_empty());
    let revealed = site.json(&format!("/calls/{id}?reveal=true"));
    assert_eq!(
        (revealed["caller"].as_str(), revealed["notes"]["outcome"].as_str()),
        (Some("+8613800000000"), Some("noted"))
    );
    assert!(site.get(&format!("/calls/{id}/journal")).0 == 200 && site.get("/calls/0000").0 == 404);
    let version = revealed["version"].as_str().unwrap();
    assert_eq!(site.get(&format!("/versions/{version}/graph")), (200, "welcome".to_owned()));
    let page = |head: &str| crate::kit::http(site.server().http_addr, head).0;
    assert_eq!(page("GET /calls HTTP/1.1\r\nOrigin: http://example.com\r\n"), 403);
    assert_eq!(site.get("/calls?reveal=perhaps").0, 400);
}

#[test]
fn a_rollback_serves_the_version_before_whatever_became_of_the_files() {
    let mut site = Site::start("first", "");
    let first = current(&site);
    write(site.folder.path(), "main.flow", "second");
    assert_eq!(site.post("/deploy", "").0, 200);
    let second = current(&site);
    assert_eq!(states(&site), ["stable", "retired"]);
    write(site.folder.path(), "main.flow", "broken");
    let (status, text) = site.post("/rollback", "");
    assert_eq!((status, current(&site)), (200, first.clone()), "{text}");
    assert_eq!(states(&site), ["withdrawn", "stable"]);
    let (status, text) = site.post("/rollback", "");
    assert_eq!(status, 409);
    assert!(text.contains("there is no version before this one"), "{text}");
    // A restart changes nothing by itself.
    site.restart(false);
    assert_eq!(current(&site), first);
    let said = &site.server().first.report.text;
    assert!(said.contains("goes on with version") && said.contains("the project's files are not those"), "{said}");
    // Files that were read before and rolled back from are no news either.
    write(site.folder.path(), "main.flow", "second");
    site.restart(true);
    assert_eq!(current(&site), first);
    write(site.folder.path(), "main.flow", "third");
    site.restart(false);
    assert_eq!(current(&site), first);
    // Where files are watched, what changed while nobody looked is taken.
    site.restart(true);
    assert!(![first, second].contains(&current(&site)));
    let acts = audit(&site);
    assert_eq!(
        acts,
        ["strowger: start", "anna: deploy", "anna: rollback", "anna: refused", "strowger: start"],
        "{acts:?}"
    );
}

#[test]
fn files_that_are_refused_at_a_restart_leave_what_served_before() {
    let mut site = Site::start("first", "");
    let first = current(&site);
    write(site.folder.path(), "main.flow", "broken");
    site.restart(true);
    let said = &site.server().first.report.text;
    assert!(said.contains("main.flow:1: broken") && said.contains("what served before goes on"), "{said}");
    assert_eq!(current(&site), first);
    assert!(site.json("/versions")["refused"]["text"].as_str().unwrap().contains("broken"));
    std::fs::remove_file(site.folder.path().join("main.flow")).unwrap();
    for watch in [true, false] {
        site.restart(watch);
        let said = &site.server().first.report.text;
        assert!(said.contains("has no flow file; what served before goes on"), "{said}");
        assert_eq!(current(&site), first);
    }
    let (status, text) = site.post("/reload", "");
    assert_eq!((status, current(&site)), (409, first), "{text}");
}

#[test]
fn a_canary_takes_its_share_until_it_is_promoted_or_withdrawn() {
    let mut site = Site::start("first", "");
    let first = current(&site);
    assert_eq!(site.post("/deploy", r#"{ "promote": true }"#).0, 409);
    let (status, text) = site.post("/deploy", r#"{ "canary": 0.5 }"#);
    assert_eq!(status, 409);
    assert!(text.contains("takes all calls already"), "{text}");
    assert_eq!(site.post("/deploy", r#"{ "canary": 1.0 }"#).0, 400);
    write(site.folder.path(), "main.flow", "second");
    assert_eq!(site.post("/deploy", r#"{ "canary": 0.5 }"#).0, 200);
    let canary = site.json("/versions")["canary"].as_str().unwrap().to_owned();
    assert_eq!((states(&site), current(&site)), (vec!["canary".to_owned(), "stable".to_owned()], first.clone()));
    assert_eq!(site.json("/versions")["versions"][0]["share"], 0.5);
    let phone = site.phone();
    for n in 0..12 {
        call_once(&site, &phone, &format!("+86138000000{n:02}"));
    }
    let versions = || -> Vec<Value> {
        let calls = site.json("/calls?reveal=true")["calls"].as_array().unwrap().clone();
        calls.iter().map(|call| call["version"].clone()).collect()
    };
    until("all calls are kept", || versions().len() == 12 && site.json("/top")["calls"] == 0);
    let on_trial = versions().iter().filter(|version| **version == json!(canary)).count();
    assert!((1..12).contains(&on_trial), "{on_trial} of 12 on the canary");
    // It goes on over a restart, and a rollback withdraws it alone.
    site.restart(false);
    assert_eq!(site.json("/versions")["canary"], json!(canary));
    assert_eq!(site.post("/rollback", "").0, 200);
    assert_eq!((states(&site), current(&site)), (vec!["withdrawn".to_owned(), "stable".to_owned()], first));
    assert_eq!(site.post("/deploy", r#"{ "canary": 0.01 }"#).0, 200);
    assert_eq!(site.post("/deploy", r#"{ "promote": true }"#).0, 200);
    assert_eq!((states(&site), current(&site)), (vec!["stable".to_owned(), "retired".to_owned()], canary));
}

#[test]
fn a_young_version_with_too_many_faults_is_taken_back() {
    let site = Site::start("first", "versions: { faults_per_minute_max: 2 }\n");
    let first = current(&site);
    write(site.folder.path(), "main.flow", "fault");
    assert_eq!(site.post("/deploy", "").0, 200);
    let phone = site.phone();
    for n in 0..2 {
        call_once(&site, &phone, &format!("+861380000000{n}"));
    }
    assert_ne!(current(&site), first, "as many as may be");
    call_once(&site, &phone, "+8613800000009");
    until("the version before is back", || current(&site) == first);
    until("it is noted", || audit(&site).last().is_some_and(|act| act == "strowger: automatic rollback"));
    let versions = site.json("/versions");
    assert!(
        versions["taken_back"]["why"].as_str().unwrap().starts_with("more than 2 faults within a minute"),
        "{versions}"
    );
    let (_, metrics) = site.get("/metrics");
    assert!(metrics.contains("strowger_rollbacks_total{why=\"faults\"} 1"), "{metrics}");
    assert!(metrics.contains("strowger_calls_ended_total{flow=\"main.main\",end=\"fault: overflow\"} 3"), "{metrics}");
    assert!(!site.server().reload().is_err_and(|report| report.text.is_empty()));
}

#[test]
fn a_person_is_taken_out_of_a_running_server() {
    let mut site = Site::start("welcome", "");
    let phone = site.phone();
    call_once(&site, &phone, "+8613912345678");
    until("the call is kept", || site.json("/calls")["calls"][0]["end"].is_string());
    let (status, body) = site.post("/erase", r#"{ "number": "+86 139 1234 5678" }"#);
    let counts: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, counts), (200, json!({ "calls": 1, "mentions": 0, "recordings": 0, "going_on": 0 })));
    let call = site.json("/calls?reveal=true")["calls"][0].clone();
    assert_eq!((&call["caller"], &call["notes"]), (&Value::Null, &json!({ "outcome": "" })));
    assert_eq!(audit(&site).last().unwrap(), "anna: erase");
    assert!(!site.get("/audit").1.contains("12345678"));
    site.server = None;
    for entry in std::fs::read_dir(site.folder.path().join("data")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = if path.is_file() { std::fs::read(&path).unwrap() } else { Vec::new() };
        assert!(!bytes.windows(11).any(|window| window == b"13912345678"), "in {}", path.display());
    }
}

#[test]
fn a_full_database_refuses_new_calls_and_lets_others_go_on_until_there_is_room() {
    let site = Site::start("welcome", "storage: { database_mb_max: 1 }\n");
    let phone = site.phone();
    let going_on = site.call(&phone);
    site.hears(&going_on, "offer");
    // Something else has taken the room; the bound counts it too.
    let other = rusqlite::Connection::open(site.folder.path().join("data/strowger.db")).unwrap();
    other.busy_timeout(PATIENCE).unwrap();
    other.execute_batch("CREATE TABLE room (bytes); INSERT INTO room VALUES (zeroblob(2000000));").unwrap();
    let target = format!("sip:{}@{}", crate::kit::NUMBER, site.server().sip_addr);
    let refused = PhoneEvent::Gone(runtime_contract::leg::GoneCause::Refused(503));
    until("new calls are refused", || {
        // What is left of pages in use may hold a call or two.
        let call = phone.call(&target, Some("+8613800000001")).unwrap();
        let event = wait_for(&call, |event| event == PhoneEvent::Up || matches!(event, PhoneEvent::Gone(_)));
        call.press("2");
        event == refused || gone(&call) == refused
    });
    let (status, body) = site.get("/healthz");
    assert!(status == 503 && body.contains("the store cannot write: database or disk is full"), "{body}");
    assert_eq!(site.json("/top")["store"]["stalled"], true);
    going_on.press("1");
    site.hears(&going_on, "sorry");
    gone(&going_on);
    other.execute_batch("DROP TABLE room").unwrap();
    until("it is healthy again", || site.get("/healthz").0 == 200);
    assert_eq!(
        call_once(&site, &phone, "+8613800000002"),
        PhoneEvent::Gone(runtime_contract::leg::GoneCause::RemoteHungUp)
    );
    until("both are kept", || site.json("/calls?end=hung")["calls"].as_array().unwrap().len() >= 2);
}

#[test]
fn what_is_over_its_time_is_forgotten_and_the_rest_is_kept() {
    let mut site = Site::start("welcome", "storage: { journal_days: 30, recording_days: 7 }\n");
    let phone = site.phone();
    call_once(&site, &phone, "+8613800000001");
    call_once(&site, &phone, "+8613800000002");
    until("both calls are kept", || site.json("/calls?end=hung")["calls"].as_array().unwrap().len() == 2);
    site.server = None;
    // One call grows old, and two recordings beside it.
    let data = site.folder.path().join("data");
    let day_ms = 86_400_000_i64;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64;
    let ago = |days: i64| now - days * day_ms;
    let store = rusqlite::Connection::open(data.join("strowger.db")).unwrap();
    let oldest = "UPDATE calls SET ended_ms = ?1 WHERE seq = (SELECT MIN(seq) FROM calls)";
    store.execute(oldest, [ago(31)]).unwrap();
    for (id, days) in [(900, 8), (901, 6)] {
        let file = format!("recordings/{id}.wav");
        std::fs::write(data.join(&file), "voice").unwrap();
        let row = "INSERT INTO recordings (id, call, file, ms, created_ms) VALUES (?1, x'00', ?2, 1, ?3)";
        store.execute(row, (id, file, ago(days))).unwrap();
    }
    drop(store);
    site.restart(false);
    until("the old call is gone", || site.json("/calls")["calls"].as_array().unwrap().len() == 1);
    until("the old recording is gone", || !data.join("recordings/900.wav").exists());
    assert!(data.join("recordings/901.wav").exists());
    assert_eq!(site.json("/calls?reveal=true")["calls"][0]["caller"], "+8613800000002");
}

#[test]
fn prompts_of_versions_that_are_gone_are_gone() {
    const RELOADS: usize = 300;
    let site = Site::start("version 0", "");
    let (first, _) = site.server().prompts();
    assert!(first >= 3, "greeting, offer and excuse are ready");
    for version in 1..=RELOADS {
        write(site.folder.path(), "main.flow", &format!("version {version}"));
        assert_eq!(site.post("/reload", "").0, 200);
    }
    until("only those of the last version are left", || site.server().prompts().0 == first);
    let (_, entries) = site.server().prompts();
    assert!(entries < RELOADS / 2, "{entries} entries for {first} prompts");
}
