//! `strowger serve` with a flow that connects its caller to a number outside: SIPp calls, and SIPp is the trunk; both
//! write down the ports to which the voice is to go.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::super::served::{CALLERS_CORE, Folder, SERVER_CORE, Served, material};
use super::super::sipp::{Callers, Uas};
use super::phones::{Phones, Talk, Ways};

const NUMBER: &str = "+864008100011";
/// New calls a second; those before them relay silence already.
const RATE: f64 = 250.0;
/// Longer than any talk: nobody hangs up in it.
const HOLD_MS: &str = "600000";
/// Calls that are not connected so long after the last was placed are not waited for.
const CONNECTED_MAX: Duration = Duration::from_secs(5);

/// How the phones talked, and how many calls were never connected or failed before the end of it.
pub fn round(folder: &Folder, phones: &Phones, pairs: usize) -> Result<(Talk, usize), String> {
    let wrong = |cause: std::io::Error| format!("{}: {cause}", folder.0.display());
    let [caller, callee, reports] = phones.ports()?.map(|port| port.to_string());
    for file in ["bridge_caller.xml", "bridge_callee.xml"] {
        std::fs::copy(material("sipp").join(file), folder.0.join(file)).map_err(wrong)?;
    }
    for file in ["caller.log", "callee.log"] {
        let _ = std::fs::remove_file(folder.0.join(file));
    }
    let words = ["-sf", "bridge_callee.xml", "-key", "voice_port", &callee, "-key", "reports_port", &reports];
    let logged = |file| ["-trace_logs", "-log_file", file];
    let trunk = Uas::start(&[&words[..], &logged("callee.log")].concat(), &folder.0, CALLERS_CORE)?;
    let project = folder.0.join("project");
    write_project(&project, &trunk, pairs).map_err(wrong)?;
    let data = folder.0.join("data");
    let _ = std::fs::remove_dir_all(&data);
    let served = Served::start(&project, &data, SERVER_CORE)?;
    let words =
        ["-sf", "bridge_caller.xml", "-key", "voice_port", &caller, "-key", "reports_port", &reports, "-d", HOLD_MS];
    let words = [&words[..], &logged("caller.log")].concat();
    let calls = pairs as u64;
    let callers = Callers { scenario: &words, to: served.sip, number: NUMBER, rate: RATE, calls, core: CALLERS_CORE };
    let calling = callers.start(&folder.0)?;
    let until = Instant::now() + Duration::from_secs_f64(pairs as f64 / RATE) + CONNECTED_MAX;
    let ways = loop {
        let ways = Ways { callers: ports(&folder.0, "caller.log"), callees: ports(&folder.0, "callee.log") };
        if ways.callers.len().min(ways.callees.len()) >= pairs || Instant::now() > until {
            break ways;
        }
        sleep(Duration::from_millis(100));
    };
    let talk = phones.talk(&ways, served.id())?;
    let failed = calling.until_now().map_or(0, |load| load.failed as usize);
    let missing = pairs.saturating_sub(ways.callers.len().min(ways.callees.len()));
    Ok((talk, missing.max(failed)))
}

/// The ports in what SIPp wrote until now, a line each; one that is not whole yet is not read.
fn ports(folder: &Path, file: &str) -> Vec<u16> {
    let text = std::fs::read_to_string(folder.join(file)).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| text.get(..end).unwrap_or_default());
    whole.lines().filter_map(|line| line.strip_prefix("port ")?.trim().parse().ok()).collect()
}

fn write_project(project: &Path, trunk: &Uas, calls_max: usize) -> std::io::Result<()> {
    std::fs::create_dir_all(project)?;
    std::fs::copy(material("projects/bridged/bridged.flow"), project.join("bridged.flow"))?;
    let site = format!(
        "limits:\n  calls_max: {}\n  drain_s: 1\nvoices:\n  engine: tones\ntrunks:\n  outside:\n    address: {}\n    \
         networks: 127.0.0.0/8\n",
        // Each leg counts.
        2 * calls_max + 2,
        trunk.sip
    );
    std::fs::write(project.join("strowger.yaml"), site)
}
