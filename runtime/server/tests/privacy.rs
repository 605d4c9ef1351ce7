//! Nothing of a person and nothing private reaches a log, even at the finest level: a whole call with a number
//! and a card is made while every line is kept. In a process of its own, for the log is the process's.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop at the first surprise"
)]

use std::io::Write;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use runtime_contract::program::{Build, Built, Bundle, Report, SiteNames};
use runtime_contract::request::{Request, ServiceCall};
use runtime_contract::{FlowProgram, Type};
use runtime_server::config::VoiceEngine;
use runtime_server::{Config, Options, Phone, PhoneEvent, Responder, Server};
use runtime_session::testkit::{Kit, Op, Source, Variable, ask_digits, payloads};
use serde_json::json;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

const CARD: &str = "4929130871652048";
const CALLER: &str = "8613912345678";
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

#[test]
fn numbers_cards_and_secrets_stay_out_of_logs_and_store() {
    let kept = Kept::default();
    let lines = tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_writer(kept.clone());
    lines.try_init().unwrap();
    let (send, asked) = mpsc::channel();
    let send = Mutex::new(send);
    let responder = Responder::start(move |request| {
        send.lock().unwrap().send(request.arguments).unwrap();
        (500, json!(CARD))
    })
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let base = responder.address;
    let yaml = format!("services:\n  bank: {{ base: \"http://{base}\", headers: {{ Authorization: {TOKEN} }} }}\n");
    let mut config = Config::parse(&yaml).unwrap();
    config.listen.sip.set_port(0);
    config.listen.http.set_port(0);
    config.voices.engine = VoiceEngine::Tones;
    let server = Server::start(config, Arc::new(OneProgram), Options::new(folder.path())).unwrap();
    let phone = Phone::start(server.sip_addr).unwrap();
    let call = phone.call(&format!("sip:100100@{}", server.sip_addr), Some(&format!("+{CALLER}"))).unwrap();
    assert!(call.next_event(PATIENCE).is_some());
    // What is keyed before the question is asked is private too.
    let up = std::iter::from_fn(|| call.next_event(PATIENCE)).any(|event| event == PhoneEvent::FirstPacket);
    assert!(up);
    call.press(CARD);
    for _ in 0..2 {
        assert_eq!(asked.recv_timeout(PATIENCE).unwrap(), json!({ "p": CARD }));
    }
    assert!(std::iter::from_fn(|| call.next_event(PATIENCE)).any(|event| matches!(event, PhoneEvent::Gone(_))));
    server.stop();
    server.wait().unwrap();
    let shown = format!("{:?}", server.store().calls(1).unwrap()[0].record);
    drop(server);

    let log = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("call begins") && log.contains("refused"), "the call is not in the log:\n{log}");
    for secret in [CARD, CALLER, TOKEN] {
        assert!(!log.contains(secret), "`{secret}` is in the log:\n{log}");
        assert!(!shown.contains(secret), "{shown}");
    }
    for entry in std::fs::read_dir(folder.path().join("data")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(CARD.len()).any(|window| window == CARD.as_bytes());
            assert!(!found, "the card is in {}", path.display());
        }
    }
}
