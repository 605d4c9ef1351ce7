//! The reference: as many lines of Rust as the project has, of functions of the same kinds, read and checked by `rustc`.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

const HEAD: &str = "\
pub enum Outcome { One, Two, Silence, Other, After }
pub struct Customer { pub id: String, pub name: String }
pub struct Call { pub customer: Option<Customer>, pub zh: bool, pub tries: u32 }
pub fn ask(_: &mut Call, _: &str) -> Outcome { Outcome::One }
pub fn say(_: &mut Call, _: &str) {}
";

/// A file of that many lines, 13 for each function.
pub fn write(lines: usize, folder: &Path) -> Result<(), String> {
    let mut text = HEAD.to_owned();
    let steps = lines / 13;
    for step in 0..steps {
        let next = (step + 1) % steps;
        let _ = write!(
            text,
            "
pub fn step_{step}(call: &mut Call) {{
    match ask(call, \"For orders of desk {step} press 1.\") {{
        Outcome::One => return step_{next}(call),
        Outcome::Two => say(call, &format!(\"rest {step} {{}}\", call.tries)),
        Outcome::Silence | Outcome::Other if call.tries < 3 => call.tries += 1,
        Outcome::Silence | Outcome::Other | Outcome::After => say(call, \"Goodbye from desk {step}.\"),
    }}
    match &call.customer {{
        Some(known) => {{ let said = format!(\"Good day {{}}\", known.name); say(call, &said) }}
        None => say(call, \"Good day from desk {step}.\"),
    }}
}}
"
        );
    }
    std::fs::create_dir_all(folder).map_err(|cause| format!("{}: {cause}", folder.display()))?;
    std::fs::write(folder.join("line.rs"), text).map_err(|cause| format!("{}: {cause}", folder.display()))
}

pub fn rustc(folder: &Path) -> Command {
    let mut command = Command::new("rustc");
    command.args(["--edition", "2024", "--crate-type", "lib", "--emit", "metadata", "-A", "warnings", "line.rs"]);
    command.current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
    command
}
