//! Benchmarks that are bench targets of a crate.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// Shows each line as it comes, and gives all of them.
pub fn bench(package: &str, target: &str, words: &[&str]) -> Result<String, String> {
    let mut child = Command::new(env!("CARGO"))
        .args(["bench", "--quiet", "--package", package, "--bench", target, "--"])
        .args(words)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|cause| format!("cargo: {cause}"))?;
    let mut said = String::new();
    let lines = child.stdout.take().map(|out| BufReader::new(out).lines());
    for line in lines.into_iter().flatten().map_while(Result::ok) {
        println!("{line}");
        said.push_str(&line);
        said.push('\n');
    }
    let status = child.wait().map_err(|cause| format!("cargo: {cause}"))?;
    if status.success() { Ok(said) } else { Err(format!("the benchmark `{target}` of {package} failed")) }
}
