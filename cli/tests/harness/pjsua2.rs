//! pjsua2, somebody else's phone: registers and takes calls as it is told (`tests/phones/desk_phone.py`). Its wheel is put
//! into a Python environment of its own below `target`.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

pub struct Pjsua2 {
    child: Child,
    events: Receiver<Value>,
}

impl Pjsua2 {
    /// A phone that does with each call what `mode` says: `answer`, `busy`, `decline`, `ring`. It has registered, or
    /// was refused with the code that is given back.
    pub fn start(
        server: SocketAddr,
        account: (&str, &str),
        transport: &str,
        mode: &str,
        heard: &Path,
    ) -> (Pjsua2, u64) {
        let script = super::project("cli/tests/phones/desk_phone.py");
        let mut child = Command::new(python())
            .arg(script)
            .args([&server.to_string(), account.0, account.1, transport, mode])
            .arg(heard)
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

fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pjsua2");
        let python = folder.join("bin/python");
        let works = || {
            let import = Command::new(&python).args(["-c", "import pjsua2"]).stderr(Stdio::null()).status();
            import.is_ok_and(|status| status.success())
        };
        if !works() {
            run(Command::new("python3").args(["-m", "venv"]).arg(&folder));
            run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "pjsua2-python"]));
            assert!(works(), "pjsua2 does not load in {}", folder.display());
        }
        python
    })
}

fn run(command: &mut Command) {
    let status = command.stdout(Stdio::null()).status().expect("python3 with venv");
    assert!(status.success(), "{command:?}");
}
