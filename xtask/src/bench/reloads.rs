//! Versions that take calls one after the other while SIPp calls: what became of the calls, whether each ran on the
//! version that took calls when it began, how long a reload takes, and what all of it leaves in memory.

use std::collections::{BTreeSet, HashMap};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use super::served::{self, CALLERS_CORE, Folder, SERVER_CORE, Served, material};
use super::sipp::Callers;
use super::usage::{resident_mb, spread};

const RATE: f64 = 500.0;
const COUNT: usize = 1_000;
const NUMBER: &str = "+864008100010";
/// How long a caller stays: calls of many versions are live at a time.
const HOLD_MS: &str = "500";
/// Before memory is read for the first time: 40 s, until ended transactions are forgotten as fast as new ones come (32 s,
/// RFC 3261 timer J).
const WARM: usize = 400;
/// From the begin of one reload to that of the next; one that takes longer is followed at once.
const EVERY: Duration = Duration::from_millis(100);
/// The records' clock and ours are the same, read at other times.
const CLOCKS_MS: i64 = 50;

pub fn measure(words: &[&str]) -> Result<String, String> {
    let wrong = |word: &&str| format!("`{word}` is no number");
    let rate = words.first().map_or(Ok(RATE), |word| word.parse().map_err(|_| wrong(word)))?;
    let count = words.get(1).map_or(Ok(COUNT), |word| word.parse().map_err(|_| wrong(word)))?;
    let folder = Folder::new("reloads")?;
    let (project, data) = (folder.0.join("project"), folder.0.join("data"));
    write_version(&project, 0)?;
    let mut lines = Vec::new();
    let mut say = |line: String| {
        println!("{line}");
        lines.push(line);
    };
    let served = Served::start(&project, &data, SERVER_CORE)?;
    let mut versions = Versions { project: &project, taken: vec![(served.version()?, now_ms())] };
    let scenario = ["-sn", "uac", "-d", HOLD_MS];
    // More than there is time for: they are stopped.
    let calls = (rate * 3_600.0) as u64;
    let callers = Callers { scenario: &scenario, to: served.sip, number: NUMBER, rate, calls, core: CALLERS_CORE };
    let calling = callers.start(&folder.0)?;
    versions.reload(&served, WARM, |_| Ok(()))?;
    let before = steady_mb(&served)?;
    let mut between = Vec::new();
    let begun = Instant::now();
    let mut took = versions.reload(&served, count, |done| {
        if done % (count / 4).max(1) == 0 && done < count {
            between.push(resident_mb(served.id())?);
        }
        Ok(())
    })?;
    let seconds = begun.elapsed().as_secs_f64();
    let after = steady_mb(&served)?;
    let load = calling.stop()?;
    served.wait_until_idle(60)?;
    drop(served);
    took.sort_by(f64::total_cmp);
    let at = |share: f64| took.get(((took.len() as f64 * share) as usize).min(took.len().saturating_sub(1)));
    let ms = |share: f64| at(share).copied().unwrap_or(f64::NAN);
    say(format!("{rate:.0} calls/s of {HOLD_MS} ms, {count} reloads in {seconds:.1} s, {WARM} before them"));
    say(format!(
        "a reload: half within {:.0} ms, 99 of 100 within {:.0} ms, all within {:.0} ms",
        ms(0.5),
        ms(0.99),
        ms(1.0)
    ));
    let kept = versions.look_at(&data)?;
    say(format!(
        "calls: {:.0} done, {:.0} failed, {:.0} packets sent again; {} records, {} on a wrong version, {} versions took calls",
        load.done, load.failed, load.retransmissions, kept.calls, kept.wrong, kept.used
    ));
    let between: Vec<String> = between.iter().map(|mb| format!("{mb:.1}")).collect();
    say(format!(
        "resident memory, MB: {before:.1} before, {} between, {after:.1} after: {:.3} times (mark: 1.02)",
        between.join(", "),
        after / before
    ));
    Ok(lines.join("\n"))
}

/// The middle of some looks: a reload takes some memory for a moment.
fn steady_mb(served: &Served) -> Result<f64, String> {
    let look = |_| {
        sleep(Duration::from_millis(400));
        resident_mb(served.id())
    };
    Ok(spread(&(0..5).map(look).collect::<Result<Vec<_>, _>>()?).1)
}

/// The project, saying which version it is.
fn write_version(project: &Path, version: usize) -> Result<(), String> {
    let write = || {
        std::fs::create_dir_all(project)?;
        let from = material("projects/versions");
        let text = std::fs::read_to_string(from.join("versions.flow"))?;
        std::fs::copy(from.join("strowger.yaml"), project.join("strowger.yaml"))?;
        std::fs::write(project.join("versions.flow"), text.replace("version = 0", &format!("version = {version}")))
    };
    write().map_err(|cause: std::io::Error| format!("{}: {cause}", project.display()))
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

/// What took calls, by the number that it notes: its id, and when it surely had all new ones.
struct Versions<'a> {
    project: &'a Path,
    taken: Vec<(String, i64)>,
}

/// What the records say.
#[derive(Debug, Default, PartialEq)]
struct Kept {
    calls: usize,
    wrong: usize,
    /// Versions that any call ran on.
    used: usize,
}

impl Versions<'_> {
    /// So many more, each followed by `look` with how many there were; how many milliseconds each took.
    fn reload(
        &mut self,
        served: &Served,
        count: usize,
        mut look: impl FnMut(usize) -> Result<(), String>,
    ) -> Result<Vec<f64>, String> {
        let mut took = Vec::new();
        let mut next = Instant::now();
        for done in 1..=count {
            sleep(next.saturating_duration_since(Instant::now()));
            next = (next + EVERY).max(Instant::now());
            write_version(self.project, self.taken.len())?;
            let begun = Instant::now();
            let version = served.reload()?;
            took.push(begun.elapsed().as_secs_f64() * 1e3);
            self.taken.push((version, now_ms()));
            look(done)?;
        }
        Ok(took)
    }

    /// Every record of a run that is over.
    fn look_at(&self, data: &Path) -> Result<Kept, String> {
        let mut child = Command::new(served::build()?)
            .args(["calls", "--json", "--reveal", "--limit", &u32::MAX.to_string(), "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|cause| format!("strowger calls: {cause}"))?;
        let lines = child.stdout.take().map(|out| BufReader::new(out).lines()).into_iter().flatten();
        let kept = self.judge(lines.map_while(Result::ok));
        match child.wait() {
            Ok(status) if status.success() => Ok(kept),
            _ => Err("`strowger calls` failed".to_owned()),
        }
    }

    fn judge(&self, lines: impl Iterator<Item = String>) -> Kept {
        let numbers: HashMap<&str, usize> =
            self.taken.iter().enumerate().map(|(number, (id, _))| (id.as_str(), number)).collect();
        let mut used = BTreeSet::new();
        let mut kept = Kept::default();
        for line in lines {
            let call: Value = serde_json::from_str(&line).unwrap_or_default();
            let number = call.get("version").and_then(|id| numbers.get(id.as_str()?)).copied();
            let is_right = number.is_some_and(|number| self.is_right(&call, number));
            kept.calls += 1;
            kept.wrong += usize::from(!is_right);
            used.extend(number);
        }
        kept.used = used.len();
        kept
    }

    /// The code that ran is that of the version in the record, and no later version had all new calls when it began.
    fn is_right(&self, call: &Value, number: usize) -> bool {
        let noted = call.pointer("/notes/version").and_then(Value::as_str);
        let began = call.get("started_ms").and_then(Value::as_i64);
        let replaced = self.taken.get(number + 1).map_or(i64::MAX, |(_, at)| at + CLOCKS_MS);
        noted == Some(number.to_string().as_str()) && began.is_some_and(|began| began <= replaced)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_tells_whether_its_version_was_right() {
        let taken = [("aa", 1_000), ("bb", 2_000), ("cc", 3_000)].map(|(id, at)| (id.to_owned(), at)).to_vec();
        let versions = Versions { project: Path::new("."), taken };
        let call = |id: &str, noted: &str, began: i64| {
            format!(r#"{{"version":"{id}","notes":{{"version":"{noted}"}},"started_ms":{began}}}"#)
        };
        let right = [call("aa", "0", 1_500), call("aa", "0", 2_000), call("cc", "2", 900_000)];
        let wrong = [
            // Code of another version; one that was replaced; one that nobody deployed; no note at all.
            call("aa", "1", 1_500),
            call("bb", "1", 3_200),
            call("dd", "1", 1_500),
            r#"{"version":"aa","notes":{},"started_ms":1500}"#.to_owned(),
        ];
        let kept = versions.judge(right.into_iter().chain(wrong));
        assert_eq!(kept, Kept { calls: 7, wrong: 4, used: 3 });
    }
}
