//! `docs/benchmarks.md`: where the last result of each benchmark stands, with machine, commit and date.

use std::path::{Path, PathBuf};
use std::process::Command;

/// One line: processors, system, commit, date (UTC) and the load before the run.
pub fn machine() -> String {
    let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let release = read("/etc/os-release");
    let system = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).unwrap_or("unknown system");
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or("?").to_owned();
    let commit = said("git", &["rev-parse", "--short", "HEAD"]);
    let date = said("date", &["-u", "+%F"]);
    format!("{processors} cores, {}; commit {commit}, {date}; load {load} before the run", system.trim_matches('"'))
}

fn said(program: &str, words: &[&str]) -> String {
    let output = Command::new(program).args(words).output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).trim().to_owned()
}

/// The project's folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_owned()
}

/// Puts the result in the place of the first block of code below the benchmark's heading.
pub fn keep(name: &str, machine: &str, result: &str) -> Result<(), String> {
    let file = root().join("docs/benchmarks.md");
    let page = std::fs::read_to_string(&file).map_err(|cause| format!("docs/benchmarks.md: {cause}"))?;
    let changed = put(&page, name, &format!("{machine}\n\n{}\n", result.trim_end()))
        .ok_or_else(|| format!("docs/benchmarks.md has no block of code below `## {name}`"))?;
    std::fs::write(&file, changed).map_err(|cause| format!("docs/benchmarks.md: {cause}"))
}

fn put(page: &str, name: &str, block: &str) -> Option<String> {
    let heading = format!("\n## {name}\n");
    let section = page.find(&heading)? + heading.len();
    let begin = section + page.get(section..)?.find("```text\n")? + "```text\n".len();
    let end = begin + page.get(begin..)?.find("```")?;
    let next = page.get(section..)?.find("\n## ").map_or(page.len(), |at| section + at);
    (end < next).then(|| format!("{}{block}{}", &page[..begin], &page[end..]))
}

#[cfg(test)]
mod tests {
    use super::put;

    const PAGE: &str = "# B\n\n## one\nwords\n```text\nold\n```\nmore\n\n## two\nno block\n\n## three\n```text\n```\n";

    #[test]
    fn a_result_takes_the_place_of_the_old_one() {
        let changed = put(PAGE, "one", "new\n").expect("a block");
        assert_eq!(changed, PAGE.replace("old", "new"));
        assert!(put(PAGE, "three", "new\n").is_some());
    }

    #[test]
    fn a_section_without_a_block_takes_no_others() {
        assert_eq!(put(PAGE, "two", "new\n"), None);
        assert_eq!(put(PAGE, "four", "new\n"), None);
    }
}
