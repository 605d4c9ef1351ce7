//! The package in a Debian of its own: installed, looked at, run as its user on its own configuration, called once,
//! removed and purged. As root; systemd does not run there, so the unit is read by `systemd-analyze` and not started.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::debian::Debian;

/// How long the server may take until it answers, and to stop.
const PATIENCE: Duration = Duration::from_secs(30);
const UNIT: &str = "lib/systemd/system/strowger.service";

/// Mode, owner and path of what the package brings, as `stat` says it.
const FILES: &str = "\
755 root:root /usr/bin/strowger
644 root:root /etc/strowger/strowger.yaml
644 root:root /etc/strowger/hello.flow
644 root:root /lib/systemd/system/strowger.service
644 root:root /usr/share/doc/strowger/site.md
700 strowger:strowger /var/lib/strowger";

pub fn run(package: &Path) -> Result<(), String> {
    let debian = Debian::make("bookworm", "bookworm")?;
    if !debian.has("usr/bin/systemd-analyze") || !debian.has("usr/sbin/adduser") {
        debian.install(&["adduser", "systemd"])?;
    }
    // What an earlier trial left.
    debian.run("dpkg --purge strowger; ! getent passwd strowger || deluser --quiet --system strowger")?;
    std::fs::copy(package, debian.root.join("tmp/strowger.deb"))
        .map_err(|cause| format!("{}: {cause}", package.display()))?;
    say("installed", || is_installed(&debian))?;
    say("its unit is sound", || {
        // The package of manual pages is not there.
        debian.run(&format!("systemd-analyze verify --man=no /{UNIT}"))?;
        let security =
            format!("systemd-analyze security --no-pager --offline=true --threshold={}", super::EXPOSURE_MAX);
        debian.run(&format!("{security} /{UNIT}"))
    })?;
    say("serves and is called as its user", || is_called(&debian))?;
    say("upgraded; what people wrote stays", || is_upgraded(&debian))?;
    say("removed; what people wrote and what was kept stays", || {
        debian.run("dpkg --remove strowger")?;
        holds(!debian.has("usr/bin/strowger"), "the program is still there")?;
        holds(debian.has("etc/strowger/strowger.yaml"), "the configuration is gone")?;
        holds(debian.has("var/lib/strowger/strowger.db"), "the calls are gone")
    })?;
    say("purged", || {
        debian.run("dpkg --purge strowger")?;
        let left = debian.said("find / -xdev -path /proc -prune -o -path /tmp -prune -o -path '*strowger*' -print")?;
        let left: Vec<&str> = left.lines().filter(|path| *path != "/etc/strowger-made").collect();
        holds(left.is_empty(), &format!("it left {}", left.join(", ")))
    })
}

fn say(what: &str, step: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    step().map_err(|why| format!("the package is not `{what}`: {why}"))?;
    println!("ok  {what}");
    Ok(())
}

fn holds(condition: bool, else_why: &str) -> Result<(), String> {
    if condition { Ok(()) } else { Err(else_why.to_owned()) }
}

fn is_installed(debian: &Debian) -> Result<(), String> {
    debian.run("dpkg -i /tmp/strowger.deb")?;
    let paths: Vec<&str> = FILES.lines().filter_map(|line| line.rsplit(' ').next()).collect();
    let found = debian.said(&format!("stat -c '%a %U:%G %n' {}", paths.join(" ")))?;
    holds(found == FILES, &format!("expected\n{FILES}\nfound\n{found}"))?;
    let user = debian.said("getent passwd strowger")?;
    holds(user.ends_with(":/var/lib/strowger:/usr/sbin/nologin"), &format!("its user is `{user}`"))?;
    let kept = debian.said("dpkg-query -W -f '${Conffiles}' strowger")?;
    holds(kept.matches("/etc/strowger/").count() == 2, &format!("files kept over an upgrade are {kept}"))?;
    debian.run("strowger check /etc/strowger")
}

/// The same version once more takes the way of an upgrade.
fn is_upgraded(debian: &Debian) -> Result<(), String> {
    debian.run("echo '# mine' >>/etc/strowger/strowger.yaml && dpkg -i --force-confold /tmp/strowger.deb")?;
    debian.run("grep -q '^# mine' /etc/strowger/strowger.yaml && strowger check /etc/strowger")?;
    let found = debian.said("stat -c '%a %U' /var/lib/strowger /var/lib/strowger/strowger.db")?;
    holds(found == "700 strowger\n600 strowger", &format!("the data are {found}"))
}

/// Ends its network and its server.
struct Network {
    name: String,
    server: Option<Child>,
}

impl Network {
    /// A network with nothing but a loopback, so that the ports of the packaged configuration are free.
    fn new() -> Result<Network, String> {
        let network = Network { name: format!("strowger-{}", std::process::id()), server: None };
        ip(&["netns", "add", &network.name])?;
        ip(&["-n", &network.name, "link", "set", "lo", "up"])?;
        Ok(network)
    }

    /// A program of that Debian, as the package's user, with the umask that the unit sets.
    fn program(&self, debian: &Debian, line: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, "chroot", "--userspec=strowger:strowger"]).arg(&debian.root);
        command.args(["/bin/sh", "-c", &format!("umask 0077; exec {line}")]);
        command.stdin(Stdio::null());
        command
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            let _ = server.kill();
            let _ = server.wait();
        }
        let _ = ip(&["netns", "del", &self.name]);
    }
}

fn ip(words: &[&str]) -> Result<(), String> {
    let output = Command::new("ip").args(words).output().map_err(|cause| format!("ip (iproute2): {cause}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(format!("ip {}: {}", words.join(" "), said.trim())) }
}

fn is_called(debian: &Debian) -> Result<(), String> {
    let mut network = Network::new()?;
    let serve = "/usr/bin/strowger serve /etc/strowger --data /var/lib/strowger";
    let server = network.program(debian, serve).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let server = server.map_err(|cause| format!("ip: {cause}"))?;
    let process = server.id();
    network.server = Some(server);
    let said = |line: &str| {
        let output = network.program(debian, line).output().map_err(|cause| format!("ip: {cause}"))?;
        let text = String::from_utf8_lossy(if output.status.success() { &output.stdout } else { &output.stderr });
        Ok::<_, String>((output.status.success(), text.into_owned()))
    };
    let until = Instant::now() + PATIENCE;
    while !said("/usr/bin/strowger calls --live")?.0 {
        holds(Instant::now() < until, "the server does not answer")?;
        std::thread::sleep(Duration::from_millis(100));
    }
    let (called, events) = said("/usr/bin/strowger call sip:1000@127.0.0.1:5060 --seconds 30 --json")?;
    holds(called, &format!("the call failed: {events}"))?;
    let (_, calls) = said("/usr/bin/strowger calls --json")?;
    let record: serde_json::Value = serde_json::from_str(calls.trim()).map_err(|_| format!("its calls are {calls}"))?;
    holds(record["end"] == "hung up", &format!("the call ended so: {record}"))?;
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let user = debian.said("id -u strowger")?;
    let runs_as = status.lines().find_map(|line| line.strip_prefix("Uid:")?.split_whitespace().next());
    holds(runs_as == Some(&user), "it does not run as its user")?;
    let stopped = Command::new("kill").arg("-TERM").arg(process.to_string()).status();
    holds(stopped.is_ok_and(|status| status.success()), "it cannot be stopped")?;
    let ended = network.server.as_mut().and_then(|server| server.wait().ok());
    holds(ended.is_some_and(|status| status.success()), "it did not stop cleanly")
}
