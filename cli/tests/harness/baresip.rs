//! baresip, somebody else's softphone, without an audio device: dials, and takes key presses over UDP.

use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::free_port;

pub struct Baresip {
    child: Child,
    console: SocketAddr,
    socket: UdpSocket,
}

impl Baresip {
    /// Starts it with its configuration in a folder of its own, and dials.
    pub fn dial(folder: &Path, target: &str) -> Baresip {
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
        let account = "<sip:anna@127.0.0.1>;regint=0;audio_codecs=PCMA\n";
        std::fs::write(folder.join("accounts"), account).expect("an account");
        let child = Command::new("baresip")
            .arg("-f")
            .arg(folder)
            .args(["-e", &format!("/dial {target}")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("baresip runs");
        Baresip { child, console, socket: UdpSocket::bind("127.0.0.1:0").expect("a port") }
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
