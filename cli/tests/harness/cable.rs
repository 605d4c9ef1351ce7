//! A phone's place at the other end of a cable that can be pulled: a network namespace with a pair of virtual Ethernet
//! ports. It needs root, and `ip` (Debian's iproute2).

use std::net::Ipv4Addr;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

pub struct Cable {
    name: String,
    /// Our end, where a server may listen.
    pub here: Ipv4Addr,
    /// The phone's.
    pub there: Ipv4Addr,
}

impl Cable {
    pub fn plug() -> Cable {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let (process, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        // Names of ports have 15 letters at most; 60 networks of four addresses for each of 250 processes.
        let name = format!("sw{process}-{count}");
        let network = |host| Ipv4Addr::new(10, 213, (process % 250) as u8, (count % 60 * 4 + host) as u8);
        let cable = Cable { name, here: network(1), there: network(2) };
        let Cable { name, here, there } = &cable;
        ip(&format!("netns add {name}"));
        ip(&format!("link add {name} type veth peer name far netns {name}"));
        ip(&format!("addr add {here}/30 dev {name}"));
        ip(&format!("link set {name} up"));
        ip(&format!("-n {name} addr add {there}/30 dev far"));
        ip(&format!("-n {name} link set lo up"));
        cable.put_back();
        cable
    }

    /// A program at the far end.
    pub fn program(&self, program: &std::path::Path) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command
    }

    pub fn pull(&self) {
        ip(&format!("-n {} link set far down", self.name));
    }

    pub fn put_back(&self) {
        ip(&format!("-n {} link set far up", self.name));
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        // The pair goes with the namespace.
        let _ = Command::new("ip").args(["netns", "del", &self.name]).status();
    }
}

fn ip(words: &str) {
    let output = Command::new("ip").args(words.split(' ')).output().expect("`ip` runs (Debian's iproute2)");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "`ip {words}` failed; this test needs root for network namespaces: {said}");
}
