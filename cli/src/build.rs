//! How the server builds a version: check, compile, and the project's own tests; nothing takes calls that did
//! not pass all three.

use std::collections::BTreeSet;
use std::sync::Arc;

use lang_compiler::{Colours, Engine};
use runtime_contract::program::{Build, Built, Bundle, FlowProgram, Place, ProgramMeta, Report, SiteKind, SiteNames};
use runtime_contract::request::{Channel, Request};

use crate::project::of_bundle;
use crate::test::play::{Playing, play};
use crate::test::report::results;

/// Columns of a report that goes to a log or over HTTP.
const REPORT_COLUMNS: usize = 100;

pub struct Compiler {
    pub engine: Engine,
}

impl Build for Compiler {
    fn build(&self, bundle: &Bundle, names: &SiteNames) -> Result<Built, Report> {
        let project = of_bundle(bundle);
        let compiled = lang_compiler::compile(&project, names, self.engine)
            .map_err(|analysis| analysis.report(Colours::Off, REPORT_COLUMNS))?;
        let mut report = compiled.analysis.report(Colours::Off, REPORT_COLUMNS);
        let played = play(&compiled.program, &compiled.tests.iter().collect::<Vec<_>>(), &Playing::default());
        let tests = results(&compiled, &played, false, Colours::Off);
        report.text.push_str(&tests.text);
        report.json.push_str(&tests.json);
        if let Some(refused) = not_served(compiled.program.meta()) {
            return Err(refused);
        }
        if played.iter().all(|test| test.result.passed()) {
            Ok(Built { program: compiled.program, graph: compiled.graph, report })
        } else {
            Err(report)
        }
    }

    fn load(&self, graph: &[u8]) -> Result<Arc<dyn FlowProgram>, Report> {
        lang_compiler::load(graph, self.engine)
    }
}

/// What compiles and is tested, and what this version cannot carry out on a telephone line, with its place.
fn not_served(meta: &ProgramMeta) -> Option<Report> {
    let mut report = Report::default();
    for inbound in meta.inbounds.iter().filter(|inbound| inbound.channel.is_written()) {
        let (word, address) = (inbound.channel.word(), inbound.example());
        let message = format!("`inbound {word} \"{address}\"` cannot be served by this version, only tested");
        let help = "leave the line out until then; `strowger test` and `talk` play it";
        report.text.push_str(&format!("{message}\n  help: {help}\n"));
        let json = serde_json::json!({ "severity": "error", "message": message, "help": help });
        report.json.push_str(&format!("{json}\n"));
    }
    let reached = reached(meta);
    for site in meta.sites.iter().filter(|site| reached.contains(&site.flow)) {
        let SiteKind::Request(request) = &site.kind else { continue };
        let Some((message, help)) = unserved(meta, request) else { continue };
        refuse(&mut report, meta, site.place, &message, &help);
    }
    for cadence in &meta.cadences {
        let name = cadence.name.rsplit('.').next().unwrap_or_default();
        let message = format!("`{name}` is a cadence, and `serve` does not call anybody by itself yet");
        refuse(&mut report, meta, cadence.place, &message, "`test` plays it; leave it out of what is served");
    }
    for rule in &meta.rules {
        let message = format!("`{}` is a rule, and `serve` does not carry rules out yet", rule.head);
        refuse(&mut report, meta, rule.place, &message, "`test` plays it; leave it out of what is served");
    }
    for survey in &meta.surveys {
        let name = survey.name.rsplit('.').next().unwrap_or_default();
        let message = format!("`{name}` is a survey, and `serve` has nobody talk with an agent yet");
        refuse(&mut report, meta, survey.place, &message, "`test` and `talk` play it; leave it out of what is served");
    }
    (!report.text.is_empty()).then_some(report)
}

fn refuse(report: &mut Report, meta: &ProgramMeta, place: Place, message: &str, help: &str) {
    let file = meta.files.get(place.file as usize).map_or("?", String::as_str);
    let Place { line, column, .. } = place;
    report.text.push_str(&format!("{file}:{line}:{column}: {message}\n  help: {help}\n"));
    let json = serde_json::json!({
        "severity": "error", "message": message, "file": file, "line": line, "column": column, "help": help,
    });
    report.json.push_str(&format!("{json}\n"));
}

/// Why a request cannot be carried out, and what to do about it.
fn unserved(meta: &ProgramMeta, request: &Request) -> Option<(String, String)> {
    match request {
        Request::Menu(menu) => {
            let name = menu.choice_name(menu.choices.iter().position(String::is_empty)?);
            let message =
                format!("the choice “{name}” of this menu can only be said, and `serve` does not hear words yet");
            Some((message, format!("give it a key too: `9 or \"{name}\"`")))
        }
        Request::Send(message) => {
            let what = match &message.channel {
                Channel::Notify(_) => "notify".to_owned(),
                channel => format!("send {}", channel.name()),
            };
            let message = format!("nothing here delivers what `{what}` writes yet");
            Some((message, "leave it out, or let a service of your own do it".to_owned()))
        }
        // Nothing says yet which agents are there, nor keeps over a crash who was promised a call.
        Request::Queue { queue } => {
            let name = meta.queues.get(*queue as usize).map_or("?", |queue| queue.name.as_str());
            let message = format!("callers wait in the queue `{name}`, and `serve` does not run queues yet");
            let help =
                "`test` and `talk` play it; on a telephone line, `connect to extension \"1001\"` rings one agent";
            Some((message, help.to_owned()))
        }
        _ => None,
    }
}

/// The flows to which a call by voice may come.
fn reached(meta: &ProgramMeta) -> BTreeSet<u32> {
    let mut reached: BTreeSet<u32> =
        meta.inbounds.iter().filter(|inbound| !inbound.channel.is_written()).map(|inbound| inbound.flow).collect();
    loop {
        let runs = meta.sites.iter().filter(|site| reached.contains(&site.flow)).filter_map(|site| match site.kind {
            SiteKind::Run { flow } => Some(flow),
            SiteKind::Request(_) => None,
        });
        let more: BTreeSet<u32> = runs.filter(|flow| !reached.contains(flow)).collect();
        if more.is_empty() {
            return reached;
        }
        reached.extend(more);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]
mod tests {
    use super::*;

    fn built(choice: &str) -> Result<Built, Report> {
        built_with("answer", choice)
    }

    fn built_with(statement: &str, choice: &str) -> Result<Built, Report> {
        let flow = format!(
            "languages en\n\ninbound \"+86 400 810 0000\" => f\n\nflow f {{\n    {statement}\n    run m()\n    hang up\n}}\n\n\
             flow m {{\n    menu {{\n        say \"Orders?\"\n        {choice} => continue\n        \
             silence, other => continue\n    }}\n    return\n}}\n"
        );
        let bundle = Bundle { files: vec![("f.flow".to_owned(), flow.as_bytes().into())] };
        Compiler { engine: Engine::Interpreter }.build(&bundle, &SiteNames::default())
    }

    #[test]
    fn a_choice_that_can_only_be_said_is_refused_by_name_and_place() {
        let report = built("\"yes\", \"yeah\"").err().unwrap();
        let wanted = "f.flow:12:5: the choice “yes” of this menu can only be said, and `serve` does not hear words yet\n  \
                      help: give it a key too: `9 or \"yes\"`\n";
        assert_eq!(report.text, wanted);
        assert_eq!(report.json.lines().count(), 1);
        assert!(built("1 or \"yes\"").is_ok());
    }

    #[test]
    fn what_nothing_delivers_is_refused_and_a_case_is_served() {
        for (statement, named) in [
            ("send sms \"Hello.\"", "`send sms`"),
            ("send email to \"ann@acme.example\" \"Hello.\"", "`send email`"),
            ("notify \"ops\" \"A storm.\"", "`notify`"),
        ] {
            let report = built_with(&format!("answer\n    {statement}"), "1").err().unwrap();
            assert!(report.text.starts_with("f.flow:7:5: ") && report.text.contains(named), "{}", report.text);
        }
        assert!(built_with("answer\n    open case complaint", "1").is_ok());
    }

    #[test]
    fn a_queue_is_refused_by_name_and_place() {
        let flow = "languages en\n\ninbound \"+86 400 810 0000\" => f\n\nqueue office {\n    timeout  3m\n}\n\nflow f {\n    \
                    answer\n    queue office {\n        served, timeout, unstaffed => hang up\n    }\n}\n";
        let bundle = Bundle { files: vec![("f.flow".to_owned(), flow.as_bytes().into())] };
        let built = Compiler { engine: Engine::Interpreter }.build(&bundle, &SiteNames::default());
        let text = built.err().unwrap().text;
        let wanted = "f.flow:11:5: callers wait in the queue `f.office`, and `serve` does not run queues yet\n";
        assert!(text.starts_with(wanted), "{text}");
    }

    #[test]
    fn a_rule_is_refused_by_name_and_place() {
        let flow = "languages en\n\nqueue office {\n    timeout  3m\n}\n\nwhen office.waiting > 5 over 15m => \
                    open case busy\n\nflow f {\n    answer\n    queue office else hang up\n    hang up\n}\n";
        let bundle = Bundle { files: vec![("f.flow".to_owned(), flow.as_bytes().into())] };
        let built = Compiler { engine: Engine::Interpreter }.build(&bundle, &SiteNames::default());
        let wanted = "f.flow:7:1: `when office.waiting > 5 over 15m` is a rule, and `serve` does not carry rules out yet\n  \
                      help: `test` plays it; leave it out of what is served\n";
        let text = built.err().unwrap().text;
        assert!(text.contains(wanted), "{text}");
    }

    #[test]
    fn who_writes_is_refused_by_name() {
        let flow = "languages en\n\ninbound chat \"web\" => f\n\nflow f {\n    answer\n    menu {\n        \
                    say \"Orders?\"\n        \"yes\" => hang up\n        silence, other => hang up\n    }\n}\n";
        let bundle = Bundle { files: vec![("f.flow".to_owned(), flow.as_bytes().into())] };
        let report = Compiler { engine: Engine::Interpreter }.build(&bundle, &SiteNames::default()).err().unwrap();
        let wanted = "`inbound chat \"web\"` cannot be served by this version, only tested\n  \
                      help: leave the line out until then; `strowger test` and `talk` play it\n";
        assert_eq!(report.text, wanted, "and nothing of its phrases, which can be written");
    }
}
