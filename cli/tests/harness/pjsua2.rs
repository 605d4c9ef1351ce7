//! pjsua2, somebody else's phone: registers and takes calls as it is told (`tests/phones/desk_phone.py`).

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

use super::cable::Cable;

pub struct Pjsua2 {
    child: Child,
    events: Receiver<Value>,
}

impl Pjsua2 {
    /// A phone on this machine; see `start_beyond`.
    pub fn start(
        server: SocketAddr,
        account: (&str, &str),
        transport: &str,
        mode: &str,
        heard: &Path,
    ) -> (Pjsua2, u64) {
        Pjsua2::start_beyond(None, server, account, transport, mode, heard)
    }

    /// A phone that does with each call what `mode` says: `answer`, `busy`, `decline`, `ring`, or `stay`, which answers
    /// and never hangs up. It has registered, or was refused with the code that is given back.
    pub fn start_beyond(
        cable: Option<&Cable>,
        server: SocketAddr,
        account: (&str, &str),
        transport: &str,
        mode: &str,
        heard: &Path,
    ) -> (Pjsua2, u64) {
        let python = super::python::environment("pjsua2-python", "pjsua2").join("python");
        let (mut command, address) = match cable {
            Some(cable) => (cable.program(&python), cable.there),
            None => (Command::new(python), Ipv4Addr::LOCALHOST),
        };
        let script = super::project("cli/tests/phones/desk_phone.py");
        let mut child = command
            .arg(script)
            .args([&server.to_string(), account.0, account.1, transport, mode])
            .arg(heard)
            .arg(address.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python runs");
        let out = child.stdout.take().expect("stdout");
        let (sender, events) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if let Ok(event) = serde_json::from_str(&line)
                    && sender.send(event).is_err()
                {
                    return;
                }
            }
        });
        let phone = Pjsua2 { child, events };
        let registered = phone.wait_for(|event| event["event"] == "register");
        (phone, registered["code"].as_u64().expect("a status"))
    }

    /// The next event that is looked for.
    pub fn wait_for(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let event = self.events.recv_timeout(Duration::from_secs(60)).expect("the phone says something");
            if wanted(&event) {
                return event;
            }
        }
    }
}

impl Drop for Pjsua2 {
    fn drop(&mut self) {
        // It unregisters and ends when its standard input does.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
