//! Nothing of a person and nothing private reaches a log, a trace, a metric or a page, even at the finest level: whole
//! calls with numbers and cards are made while every line is kept. In a process of its own, for the log is the process's.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop at the first surprise"
)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use runtime_contract::program::{Build, Built, Bundle, Report, SiteNames};
use runtime_contract::request::{Request, ServiceCall};
use runtime_contract::{FlowProgram, Type};
use runtime_server::config::VoiceEngine;
use runtime_server::{Config, Options, Phone, PhoneEvent, Responder, RunningServer, Server};
use runtime_session::testkit::{Kit, Op, Source, Variable, ask_digits, payloads};
use serde_json::{Value, json};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

const TOKEN: &str = "s3cret-token";
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Kept {
    type Writer = Kept;

    fn make_writer(&'a self) -> Kept {
        self.clone()
    }
}

struct OneProgram;

impl Build for OneProgram {
    fn build(&self, _: &Bundle, _: &SiteNames) -> Result<Built, Report> {
        let graph: Arc<[u8]> = Arc::from(b"graph".as_slice());
        Ok(Built { program: program(), graph, report: Report::default() })
    }

    fn load(&self, _: &[u8]) -> Result<Arc<dyn FlowProgram>, Report> {
        Ok(program())
    }
}

/// Asks for a card and gives it to the service twice: it answers, then refuses.
fn program() -> Arc<dyn FlowProgram> {
    let mut kit = Kit::new(&[]);
    let hello = kit.prompt("card", "card", &[]);
    let private = Type::Private(Box::new(Type::Digits));
    kit.service("bank", std::slice::from_ref(&private), None, true);
    kit.request("", Request::Answer, &[], vec![None], vec![1], None);
    let ask = ask_digits(hello, 16, 16, true);
    let asked = payloads(&ask, None);
    kit.request("", ask, &[], asked, vec![2, 4, 4], Some(Variable::Vault(0)));
    for next in [3, 4] {
        let charge = Request::Service(ServiceCall { service: 0, operation: 0 });
        let card = [(private.clone(), Source::Variable(Variable::Vault(0)))];
        let paid = payloads(&charge, None);
        kit.request("", charge, &card, paid, vec![next, next], None);
    }
    kit.request("", Request::HangUp, &[], Vec::new(), Vec::new(), None);
    let flow = kit.flow("bank.pay", 0, None, None);
    kit.inbound("100100", flow);
    kit.push(Op::End);
    kit.build()
}

/// Cards and callers of this seed; a failure shows them, and they are the same in each run.
fn people() -> Vec<(String, String)> {
    let mut state = 20_261_122_u64;
    let mut digits = |count: usize| -> String {
        let draw = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b'0' + ((state >> 33) % 10) as u8)
        };
        std::iter::repeat_with(draw).take(count).collect()
    };
    (0..3).map(|_| (format!("4{}", digits(15)), format!("86139{}", digits(8)))).collect()
}

/// A page of the server as it is sent.
fn page(server: &RunningServer, path: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(server.http_addr).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{path}: {}", String::from_utf8_lossy(&answer));
    answer
}

/// The secret must not stand in these bytes, which are called so.
fn is_absent(secret: &str, bytes: &[u8], what: &str) {
    let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
    assert!(!found, "`{secret}` is in {what}:\n{}", String::from_utf8_lossy(bytes));
}

/// A whole call: the card is keyed, and given to the service twice.
fn pay(phone: &Phone, server: &RunningServer, (card, caller): &(String, String), asked: &mpsc::Receiver<Value>) {
    let call = phone.call(&format!("sip:100100@{}", server.sip_addr), Some(&format!("+{caller}"))).unwrap();
    // What is keyed before the question is asked is private too.
    let up = std::iter::from_fn(|| call.next_event(PATIENCE)).any(|event| event == PhoneEvent::FirstPacket);
    assert!(up);
    call.press(card);
    for _ in 0..2 {
        assert_eq!(asked.recv_timeout(PATIENCE).unwrap(), json!({ "p": card }));
    }
    assert!(std::iter::from_fn(|| call.next_event(PATIENCE)).any(|event| matches!(event, PhoneEvent::Gone(_))));
}

/// Spans as they came, until each of these calls has its own.
fn spans(collected: &mpsc::Receiver<Value>, calls: usize) -> Vec<Value> {
    let mut spans: Vec<Value> = Vec::new();
    let is_call = |span: &&Value| span.get("parentSpanId").is_none();
    while spans.iter().filter(is_call).count() < calls {
        let message = collected.recv_timeout(PATIENCE).unwrap();
        spans.extend(message["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().iter().cloned());
    }
    spans
}

#[test]
fn numbers_cards_and_secrets_stay_out_of_all_that_is_written_and_shown() {
    let kept = Kept::default();
    let people_read = tracing_subscriber::fmt::layer().with_writer(kept.clone());
    let machines_read = tracing_subscriber::fmt::layer().json().with_writer(kept.clone());
    tracing_subscriber::registry().with(LevelFilter::TRACE).with(people_read).with(machines_read).try_init().unwrap();
    let (send, asked) = mpsc::channel();
    let send = Mutex::new(send);
    let answer = people()[0].0.clone();
    let responder = Responder::start(move |request| {
        send.lock().unwrap().send(request.arguments).unwrap();
        (500, json!(answer))
    })
    .unwrap();
    let (send, collected) = mpsc::channel();
    let send = Mutex::new(send);
    let collector = Responder::start(move |request| {
        assert_eq!(request.operation, "v1/traces");
        send.lock().unwrap().send(request.arguments).unwrap();
        (200, json!({}))
    })
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("main.flow"), "").unwrap();
    let yaml = format!(
        "services:\n  bank: {{ base: \"http://{}\", headers: {{ Authorization: {TOKEN} }} }}\n\
         traces: {{ endpoint: \"http://{}\" }}\n",
        responder.address, collector.address
    );
    let mut config = Config::parse(&yaml).unwrap();
    config.listen.sip.set_port(0);
    config.listen.http.set_port(0);
    config.voices.engine = VoiceEngine::Tones;
    let server = Server::start(config, Arc::new(OneProgram), Options::new(folder.path())).unwrap();
    let phone = Phone::start(server.sip_addr).unwrap();
    let people = people();
    people.iter().for_each(|person| pay(&phone, &server, person, &asked));
    let spans = spans(&collected, people.len());
    let pages: Vec<(&str, Vec<u8>)> = ["/metrics", "/calls", "/versions", "/top", "/audit", "/healthz"]
        .into_iter()
        .map(|path| (path, page(&server, path)))
        .collect();
    let calls = server.store().calls(10).unwrap();
    let shown = format!("{calls:?}");
    let journals: Vec<Vec<u8>> =
        calls.iter().map(|call| page(&server, &format!("/calls/{}/journal", call.record.call.hex()))).collect();
    server.stop();
    server.wait().unwrap();
    drop(server);

    let log = kept.0.lock().unwrap().clone();
    let text = String::from_utf8_lossy(&log);
    assert!(text.contains("call begins") && text.contains("refused") && text.contains("{\"timestamp\""), "{text}");
    let traces = json!(spans).to_string();
    for (card, caller) in &people {
        for secret in [card.as_str(), caller.as_str(), TOKEN] {
            is_absent(secret, &log, "the log");
            is_absent(secret, traces.as_bytes(), "the traces");
            is_absent(secret, shown.replace(|c: char| !c.is_ascii_digit(), "").as_bytes(), "a record");
            pages.iter().for_each(|(path, bytes)| is_absent(secret, bytes, path));
        }
        journals.iter().for_each(|journal| is_absent(card, journal, "a journal"));
    }
    for entry in std::fs::read_dir(folder.path().join("data")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            people.iter().for_each(|(card, _)| is_absent(card, &bytes, &path.display().to_string()));
        }
    }
    are_whole(&spans, &calls.iter().map(|call| call.record.call.hex()).collect::<Vec<_>>());
}

/// One trace a call with its requests below it, each with its place in the source.
fn are_whole(spans: &[Value], calls: &[String]) {
    for call in calls {
        let of_call: Vec<&Value> = spans.iter().filter(|span| span["traceId"] == json!(call)).collect();
        let root = of_call.iter().find(|span| span.get("parentSpanId").is_none()).unwrap();
        assert_eq!(root["name"], "call bank.pay");
        let below: Vec<&&Value> = of_call.iter().filter(|span| span.get("parentSpanId").is_some()).collect();
        assert!(below.len() >= 5, "answer, ask, twice the service, hang up: {of_call:?}");
        for span in below {
            assert_eq!(span["parentSpanId"], root["spanId"]);
            let keys: Vec<&str> =
                span["attributes"].as_array().unwrap().iter().map(|a| a["key"].as_str().unwrap()).collect();
            assert!(keys.contains(&"code.filepath") && keys.contains(&"code.lineno"), "{span}");
        }
    }
}
