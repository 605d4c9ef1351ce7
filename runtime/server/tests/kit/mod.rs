//! A project folder, a pretended compiler, and a browser, for tests of the whole server.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use runtime_contract::program::{Build, Built, Bundle, Report, SiteNames};
use runtime_contract::request::{Request, ServiceCall};
use runtime_contract::{FaultKind, FlowProgram, Type};
use runtime_media::{Portion, find_prompt};
use runtime_server::config::VoiceEngine;
use runtime_server::{Config, Options, Phone, PhoneCall, PhoneEvent, RunningServer, Server, StartError};
use runtime_session::testkit::{Kit, Op, Source, Variable, ask_digits, menu, payloads, prompts};
use tempfile::TempDir;

/// The number that the flow answers.
pub const NUMBER: &str = "+864008100000";
/// Longer than anything here takes on a busy machine; a test that needs it has failed.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Takes the greeting out of the one `.flow` file. `broken` is refused, `panic` is a bug in a pass.
pub struct PretendedCompiler;

impl Build for PretendedCompiler {
    fn build(&self, bundle: &Bundle, _names: &SiteNames) -> Result<Built, Report> {
        let source = bundle.files.iter().find(|(name, _)| name == "main.flow").map(|(_, bytes)| bytes.clone());
        let source = source.unwrap_or_default();
        match source.as_ref() {
            b"panic" => panic!("a pass fails"),
            b"broken" => Err(Report { text: "main.flow:1: broken".into(), json: r#"{"code":"F0001"}"#.into() }),
            _ => Ok(Built {
                program: program(&String::from_utf8_lossy(&source)),
                graph: source,
                report: Report { text: "2 tests passed".into(), json: String::new() },
            }),
        }
    }

    fn load(&self, graph: &[u8]) -> Result<Arc<dyn FlowProgram>, Report> {
        Ok(program(&String::from_utf8_lossy(graph)))
    }
}

/// Answers, says the greeting, then offers: 1 asks the service and says its number, 2 hangs up. `finally` notes.
fn program(greeting: &str) -> Arc<dyn FlowProgram> {
    if greeting.starts_with("recorded") {
        return recorded(greeting);
    }
    let mut kit = Kit::new(&["noted"]);
    let hello = kit.prompt(greeting, greeting, &[]);
    let offer = kit.prompt("offer", "offer", &[]);
    let number = kit.prompt("n ", "n ", &[Type::Int]);
    let sorry = kit.prompt("sorry", "sorry", &[]);
    kit.service("crm", &[Type::Text], Some(Type::Int), false);
    let say = |prompt, at| {
        let mut prompts = prompts(&[prompt], false);
        if let Some(runtime_contract::request::PromptUse::Prompt { arguments_at, .. }) = prompts.items.first_mut() {
            *arguments_at = at;
        }
        Request::Play(prompts)
    };
    let ask = Request::Service(ServiceCall { service: 0, operation: 0 });
    let choice = menu(offer, &["1", "2"]);
    let service_payloads = payloads(&ask, Some(Type::Int));
    let menu_payloads = payloads(&choice, None);
    // A flow called so fails as soon as it has answered.
    let answered = if greeting.starts_with("fault") { 9 } else { 1 };
    kit.request("main", Request::Answer, &[], vec![None], vec![answered], None);
    kit.request("main", say(hello, 0), &[], vec![None], vec![2], None);
    kit.request("main", choice, &[], menu_payloads, vec![3, 6, 6, 6], None);
    let argument = kit.constant("noted");
    kit.request("lookup", ask, &[(Type::Text, argument)], service_payloads, vec![4, 5], Some(Variable::Word(0)));
    let found = [(Type::Int, Source::Variable(Variable::Word(0)))];
    kit.request("lookup", say(number, 0), &found, vec![None], vec![6], None);
    kit.request("lookup", say(sorry, 0), &[], vec![None], vec![6], None);
    kit.request("end", Request::HangUp, &[], Vec::new(), Vec::new(), None);
    let note = Request::Note { key: "outcome".into(), r#type: Type::Text };
    let finally = kit.request("", note, &[(Type::Text, argument)], vec![None], vec![8], None);
    kit.push(Op::End);
    kit.push(Op::Fault { kind: FaultKind::Overflow, place: 0 });
    let flow = kit.flow("main.main", 0, None, Some(finally));
    kit.inbound(NUMBER.trim_start_matches('+'), flow);
    kit.build()
}

/// What the caller of `recorded` hears while he is recorded, while he keys what is private, and then.
pub const ON_THE_RECORD: &str = "what is said from here on is kept in both ears";
pub const PRIVATELY: &str = "now key the four digits of the code that nobody else may know";
/// Begins with silence: around a key nothing is recorded.
pub const AT_LAST: &str = "… … … … thanks and goodbye";

/// Answers, says the greeting; records while it speaks, asks for a private code, and speaks again.
fn recorded(greeting: &str) -> Arc<dyn FlowProgram> {
    let mut kit = Kit::new(&[]);
    let [hello, kept, private, last] =
        [greeting, ON_THE_RECORD, PRIVATELY, AT_LAST].map(|text| kit.prompt(text, text, &[]));
    let say = |prompt| Request::Play(prompts(&[prompt], false));
    let ask = ask_digits(private, 4, 4, true);
    let asked = payloads(&ask, None);
    kit.request("main", Request::Answer, &[], vec![None], vec![1], None);
    kit.request("main", say(hello), &[], vec![None], vec![2], None);
    kit.request("main", Request::Recording { on: true }, &[], vec![None], vec![3], None);
    kit.request("main", say(kept), &[], vec![None], vec![4], None);
    kit.request("main", ask, &[], asked, vec![5, 7, 7], Some(Variable::Vault(0)));
    kit.request("main", say(last), &[], vec![None], vec![6], None);
    kit.request("main", Request::Recording { on: false }, &[], vec![None], vec![7], None);
    kit.request("end", Request::HangUp, &[], Vec::new(), Vec::new(), None);
    let flow = kit.flow("main.main", 0, None, None);
    kit.inbound(NUMBER.trim_start_matches('+'), flow);
    kit.build()
}

/// A project folder with its server.
pub struct Site {
    pub folder: TempDir,
    pub server: Option<RunningServer>,
}

pub fn folder(greeting: &str, yaml: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "main.flow", greeting);
    write(folder.path(), "strowger.yaml", yaml);
    folder
}

pub fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}

/// Free ports, and marked tones for voices.
pub fn start(folder: &Path, watch: bool) -> Result<RunningServer, StartError> {
    if std::env::var_os("TEST_LOG").is_some() {
        runtime_server::start_logging(runtime_server::LogFormat::Human, true);
    }
    let adjust = |config: &mut Config| {
        config.listen.sip.set_port(0);
        config.listen.http.set_port(0);
        config.voices.engine = VoiceEngine::Tones;
    };
    let mut config = Config::from_folder(folder).unwrap();
    adjust(&mut config);
    let options = Options { watch, adjust: Arc::new(adjust), ..Options::new(folder) };
    Server::start(config, Arc::new(PretendedCompiler), options)
}

impl Site {
    pub fn start(greeting: &str, yaml: &str) -> Site {
        let folder = folder(greeting, yaml);
        let server = start(folder.path(), false).unwrap();
        Site { folder, server: Some(server) }
    }

    pub fn server(&self) -> &RunningServer {
        self.server.as_ref().unwrap()
    }

    /// A call to the number, not yet answered.
    pub fn call(&self, phone: &Phone) -> PhoneCall {
        phone.call(&format!("sip:{NUMBER}@{}", self.server().sip_addr), Some("+8613800000000")).unwrap()
    }

    pub fn phone(&self) -> Phone {
        Phone::start(self.server().sip_addr).unwrap()
    }

    /// Status and body.
    pub fn get(&self, path: &str) -> (u16, String) {
        http(self.server().http_addr, &format!("GET {path} HTTP/1.1\r\n"))
    }

    /// Status and body of a POST with a JSON body, as `anna`.
    pub fn post(&self, path: &str, body: &str) -> (u16, String) {
        let head = format!(
            "POST {path} HTTP/1.1\r\nStrowger-User: anna\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
            body.len()
        );
        http_with(self.server().http_addr, &head, body)
    }

    pub fn json(&self, path: &str) -> serde_json::Value {
        let (status, body) = self.get(path);
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// Ends the process' part and starts it again on the same folder.
    pub fn restart(&mut self, watch: bool) {
        self.server = None;
        self.server = Some(start(self.folder.path(), watch).unwrap());
    }

    pub fn reload(&self) -> (u16, String) {
        http(self.server().http_addr, "POST /reload HTTP/1.1\r\nContent-Length: 0\r\n")
    }

    /// Waits until this text was heard from its first sound to its last.
    pub fn hears(&self, call: &PhoneCall, text: &str) {
        self.hears_some(call, text, Portion::Whole);
    }

    pub fn hears_some(&self, call: &PhoneCall, text: &str, portion: Portion) {
        let prompt = self.server().prompt("zh", text).unwrap().pcm();
        let mut samples = 0;
        while find_prompt(&call.heard(), 0, &prompt, portion).is_none() {
            let more = call.wait_heard(samples, PATIENCE);
            assert!(more > samples, "`{text}` was not heard in {samples} samples");
            samples = more;
        }
    }
}

/// The next event that is this one; others before it are passed over.
pub fn wait_for(call: &PhoneCall, wanted: impl Fn(PhoneEvent) -> bool) -> PhoneEvent {
    loop {
        let event = call.next_event(PATIENCE).expect("the event that the test waits for");
        if wanted(event) {
            return event;
        }
    }
}

pub fn gone(call: &PhoneCall) -> PhoneEvent {
    wait_for(call, |event| matches!(event, PhoneEvent::Gone(_)))
}

/// One request; `head` lacks the headers that all have.
pub fn http(address: SocketAddr, head: &str) -> (u16, String) {
    http_with(address, head, "")
}

fn http_with(address: SocketAddr, head: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // Whoever has read enough to refuse it answers, and may close before all is written.
    let written = write!(stream, "{head}Host: {address}\r\nConnection: close\r\n\r\n{body}");
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    assert!(!answer.is_empty(), "{written:?}, {read:?}");
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.get(9..12).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status, body.to_owned())
}
