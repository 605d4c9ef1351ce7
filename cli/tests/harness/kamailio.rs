//! Kamailio, somebody else's proxy, as the edge of a site: it stays in the way of each dialog (Record-Route) and speaks
//! UDP and TCP on one port.

use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::free_port;

pub struct Kamailio {
    child: Child,
    pub address: SocketAddr,
}

impl Kamailio {
    /// Relays to this server, over `udp` or `tcp`. Its configuration and log lie in the folder.
    pub fn start(folder: &Path, server: SocketAddr, transport: &str) -> Kamailio {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let config = folder.join("kamailio.cfg");
        std::fs::write(&config, configuration(address, server, transport)).expect("a configuration");
        let log = std::fs::File::create(folder.join("kamailio.log")).expect("a log");
        let child = Command::new("kamailio")
            .arg("-f")
            .arg(&config)
            .args(["-DD", "-E", "-n", "1", "-N", "1", "-m", "32", "-M", "8"])
            .args(["-Y".as_ref(), folder.as_os_str()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("kamailio runs");
        let kamailio = Kamailio { child, address };
        kamailio.wait_until_it_answers(folder);
        kamailio
    }

    fn wait_until_it_answers(&self, folder: &Path) {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.set_read_timeout(Some(Duration::from_millis(200))).expect("a timeout");
        let (local, until) = (socket.local_addr().expect("its address"), Instant::now() + Duration::from_secs(30));
        let ask = format!(
            "OPTIONS sip:edge@{edge} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bKup\r\nFrom: <sip:t@{local}>;tag=1\r\n\
             To: <sip:edge@{edge}>;tag=2\r\nCall-ID: up@{local}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 9\r\n\
             Content-Length: 0\r\n\r\n",
            edge = self.address
        );
        while Instant::now() < until {
            socket.send_to(ask.as_bytes(), self.address).expect("it is sent");
            if socket.recv(&mut [0; 2_048]).is_ok() {
                return;
            }
        }
        panic!(
            "kamailio does not answer:\n{}",
            std::fs::read_to_string(folder.join("kamailio.log")).unwrap_or_default()
        );
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        // Its children end with it.
        let _ = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

fn configuration(address: SocketAddr, server: SocketAddr, transport: &str) -> String {
    format!(
        r#"
debug=0
log_stderror=yes
auto_aliases=no
children=1
listen=udp:{address}
listen=tcp:{address}
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "siputils.so"
loadmodule "textops.so"

request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (has_totag()) {{
        if (loose_route()) {{ t_relay(); exit; }}
        if (is_method("ACK")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
        sl_send_reply("404", "Not Here");
        exit;
    }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
    t_check_trans();
    record_route();
    $du = "sip:{server};transport={transport}";
    t_relay();
}}
"#
    )
}
