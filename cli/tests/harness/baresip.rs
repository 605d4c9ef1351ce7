//! baresip, somebody else's softphone, without an audio device: dials, and takes key presses over UDP.

use std::fs::File;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::free_port;

pub struct Baresip {
    child: Child,
    console: SocketAddr,
    socket: UdpSocket,
    said: PathBuf,
}

impl Baresip {
    /// Starts it with its configuration in a folder of its own, and dials.
    pub fn dial(folder: &Path, target: &str) -> Baresip {
        let account = "<sip:anna@127.0.0.1>;regint=0;audio_codecs=PCMA\n";
        Baresip::start(folder, account, &["-e", &format!("/dial {target}")])
    }

    /// Starts it as a phone that registers there and answers every call.
    pub fn register(folder: &Path, user: &str, password: &str, registrar: SocketAddr, transport: &str) -> Baresip {
        let account = format!(
            "<sip:{user}@{registrar};transport={transport}>;auth_user={user};auth_pass={password};regint=60;\
             answermode=auto;audio_codecs=PCMA\n"
        );
        Baresip::start(folder, &account, &[])
    }

    /// Hangs up what is going on.
    pub fn hang_up(&self) {
        self.socket.send_to(b"/hangup\n", self.console).expect("the console takes it");
    }

    /// What it has said so far.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.said).unwrap_or_default()
    }

    fn start(folder: &Path, account: &str, more: &[&str]) -> Baresip {
        let console = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let config = format!(
            "sip_listen 127.0.0.1:0\naudio_player aufile,{folder}/heard.wav\naudio_source ausine,400\n\
             audio_alert aufile,{folder}/alert.wav\nausrc_srate 48000\nauplay_srate 8000\nausrc_channels 2\n\
             auplay_channels 1\nmodule_path /usr/lib/baresip/modules\nmodule g711.so\nmodule ausine.so\n\
             module aufile.so\nmodule cons.so\nmodule_tmp account.so\nmodule_app menu.so\ncons_listen {console}\n",
            folder = folder.display()
        );
        std::fs::write(folder.join("config"), config).expect("a config");
        std::fs::write(folder.join("contacts"), "").expect("contacts");
        std::fs::write(folder.join("accounts"), account).expect("an account");
        let said = folder.join("said.log");
        let child = Command::new("baresip")
            .arg("-f")
            .arg(folder)
            .args(more)
            .stdin(Stdio::null())
            .stdout(File::create(&said).expect("a file"))
            .stderr(Stdio::null())
            .spawn()
            .expect("baresip runs");
        Baresip { child, console, socket: UdpSocket::bind("127.0.0.1:0").expect("a port"), said }
    }

    /// One key: it is sent as an RFC 4733 event.
    pub fn press(&self, key: char) {
        self.socket.send_to(key.to_string().as_bytes(), self.console).expect("the console takes it");
    }
}

impl Drop for Baresip {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
