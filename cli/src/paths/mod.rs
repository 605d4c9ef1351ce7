//! `strowger paths`: tries all that callers, services and the clock may do to a project's flows, and prints few calls that
//! come by all arms that were reached.

mod found;
#[cfg(test)]
mod tests;
mod written;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use lang_compiler::{Compiled, Engine, Project, ReachedKind};
use runtime_contract::channel::Channel;
use runtime_contract::limits::EXPLORE_STATES_MAX;
use runtime_contract::program::{Inbound, ProgramMeta};
use runtime_contract::script::TestScript;
use runtime_simulator::Bound;
use serde_json::json;

use self::found::{Entries, Found, explore};
use self::written::{Lines, use_lines};
use crate::show::{self, Failure, Paint, Result, paint, plural};
use crate::test::coverage::Coverage;
use crate::write::unwritable;

/// By which a file is known that may be written anew.
const HEADER: &str = "//! Written by `strowger paths`; another run replaces it.";

/// Names of flows that an error lists.
const NAMES_SHOWN_MAX: usize = 8;

#[derive(Args)]
pub struct Paths {
    /// A project's folder, or one `.flow` file
    #[arg(default_value = ".", value_hint = clap::ValueHint::AnyPath)]
    path: PathBuf,
    /// Only calls that this flow, number or extension takes, or that this cadence makes
    #[arg(long, value_name = "FLOW|NUMBER|CADENCE")]
    flow: Option<String>,
    /// Write the calls as tests into this file, which is new or was written so before
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    write: Option<PathBuf>,
    /// Fail when an arm is not shown reachable
    #[arg(long)]
    strict: bool,
    /// Look at no more states than that
    #[arg(long, value_name = "N", default_value_t = EXPLORE_STATES_MAX)]
    states_max: usize,
    /// One JSON object for each call, and one with the sums and all that was not reached
    #[arg(long)]
    json: bool,
}

impl Paths {
    pub fn run(&self) -> Result {
        let mut opened = crate::project::open(&self.path)?;
        let own = self.write.as_deref().map(|file| self.target(file)).transpose()?.flatten();
        // What was written before may not fit the flows any more.
        opened.bundle.files.retain(|(name, _)| own.as_ref() != Some(name));
        let project = Project::from_bundle(&opened.bundle);
        let compiled = lang_compiler::compile(&project, &opened.names, Engine::Native).map_err(|analysis| {
            show::print(&analysis.report(show::colours(), show::width()), self.json);
            Failure::Shown
        })?;
        let entries = self.entries(compiled.program.meta())?;
        let shown = explore(&compiled, entries, self.states_max).map_err(|problem| Failure::new(problem, ""))?;
        for (name, why) in &shown.left_out {
            eprintln!("strowger: left out, for it does not play as it was found: `{name}`{why}");
        }
        let services = project.service_modules();
        let mut lines = Lines::new(compiled.program.meta(), &services);
        self.print(&compiled, &shown, &mut lines);
        if let Some(file) = &self.write {
            let text = test_file(&mut lines, &shown.scripts);
            let mut whole = project.clone();
            whole.add_flow(file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into()), &text);
            lang_compiler::compile(&whole, &opened.names, Engine::Interpreter).map_err(|analysis| {
                show::print(&analysis.report(show::colours(), show::width()), self.json);
                Failure::new("these tests do not compile, so they are not written", "report this")
            })?;
            std::fs::write(file, text).map_err(|cause| unwritable(file, &cause))?;
            eprintln!("written: {} to {}", plural(shown.scripts.len(), "test"), file.display());
        }
        let missed = shown.reached.iter().any(|reached| reached.count == 0);
        if self.strict && (missed || shown.bound.is_some()) { Err(Failure::Shown) } else { Ok(()) }
    }

    /// Name in the project of a file that was written before; no other file is touched.
    fn target(&self, file: &Path) -> Result<Option<String>> {
        if file.extension().is_none_or(|ending| ending != "flow") {
            let help = "tests stand in files like `paths_test.flow`";
            return Err(Failure::new(format!("`{}` does not end in `.flow`", file.display()), help));
        }
        let Ok(text) = std::fs::read_to_string(file) else { return Ok(None) };
        if !text.starts_with(HEADER) {
            let message = format!("`{}` is there already, and not by this command", file.display());
            return Err(Failure::new(message, "choose another name, or remove it"));
        }
        let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let within = whole(file);
        Ok(within.strip_prefix(whole(&self.path)).ok().map(|name| name.to_string_lossy().replace('\\', "/")))
    }

    /// Whose calls are tried, and which cadences.
    fn entries(&self, meta: &ProgramMeta) -> Result<Entries> {
        let all = Entries::all(meta);
        let Some(wanted) = &self.flow else {
            if all.inbounds.is_empty() && all.cadences.is_empty() {
                let help = "`inbound \"+86 400 810 0000\" => main` lets calls in";
                return Err(Failure::new("no flow takes calls", help));
            }
            return Ok(all);
        };
        let digits: String = wanted.chars().filter(|sign| !sign.is_whitespace()).collect();
        let name = |inbound: &Inbound| meta.flow(inbound.flow).map_or("", |flow| flow.name.as_str()).to_owned();
        let is_named = |name: &str| name == wanted || name.rsplit('.').next() == Some(wanted);
        let is_wanted = |inbound: &Inbound| inbound.takes(Channel::Voice, &digits) || is_named(&name(inbound));
        let cadence = |cadence: u32| meta.cadences.get(cadence as usize).map_or("", |table| table.name.as_str());
        let found = Entries {
            inbounds: all.inbounds.iter().filter(|inbound| is_wanted(inbound)).cloned().collect(),
            cadences: all.cadences.iter().copied().filter(|own| is_named(cadence(*own))).collect(),
        };
        if found.inbounds.is_empty() && found.cadences.is_empty() {
            let cadences = all.cadences.iter().map(|own| cadence(*own).to_owned());
            let names: BTreeSet<String> = all.inbounds.iter().map(name).chain(cadences).collect();
            let names: Vec<String> = names.iter().take(NAMES_SHOWN_MAX).map(|name| format!("`{name}`")).collect();
            let help = format!("calls come to {}", names.join(", "));
            return Err(Failure::new(format!("no call comes to `{wanted}`"), help));
        }
        Ok(found)
    }

    fn print(&self, compiled: &Compiled, shown: &Found, lines: &mut Lines<'_>) {
        let coverage = Coverage::new(compiled, shown.reached.clone(), shown.scripts.len());
        let total = coverage.total();
        let bound = match shown.bound {
            None => String::new(),
            Some(Bound::States(max)) => format!("stopped at {max} states; --states-max looks at more, --flow at less"),
            Some(Bound::Bytes(max)) => format!("stopped at {} MiB of states; --flow looks at less", max >> 20),
        };
        if self.json {
            for script in &shown.scripts {
                show::say(&format!("{}\n", json!({ "call": script.name, "lines": lines.of(script) })));
            }
            let sums = json!({
                "calls": shown.scripts.len(),
                "reached": total.reached,
                "all": total.all,
                "states": shown.states,
                "stopped": !bound.is_empty(),
                "not_shown_reachable": coverage.missed_to_json(|_| Some(why(shown))),
            });
            return show::say(&format!("{sums}\n"));
        }
        let mut text = String::new();
        for script in &shown.scripts {
            let _ = writeln!(text, "{}", paint(&script.name, Paint::Strong, show::colours()));
            lines.of(script).into_iter().flatten().for_each(|line| {
                let _ = writeln!(text, "    {line}");
            });
            text.push('\n');
        }
        let (calls, states) = (plural(shown.scripts.len(), "call"), plural(shown.states, "state"));
        let _ = writeln!(text, "{calls} reach {} of {} steps and arms; {states} looked at", total.reached, total.all);
        let missing =
            coverage.missing("Not shown reachable", &[ReachedKind::Part, ReachedKind::Arm], |_| Some(why(shown)));
        text.push_str(&missing);
        if !bound.is_empty() {
            let _ = writeln!(text, "\n{bound}");
        }
        show::say(&text);
    }
}

/// Why no call comes there, as far as anybody can say.
fn why(shown: &Found) -> &'static str {
    match shown.bound {
        Some(_) => "the search stopped before",
        None => "no answer, key or time that was tried leads there",
    }
}

/// The file with these tests, in its canonical form.
fn test_file(lines: &mut Lines<'_>, scripts: &[TestScript]) -> String {
    let blocks: Vec<String> = scripts.iter().filter_map(|script| lines.block(script)).collect();
    let text = [HEADER.to_owned(), use_lines(&lines.uses), blocks.join("\n")].join("\n");
    lang_compiler::format(&text)
}
