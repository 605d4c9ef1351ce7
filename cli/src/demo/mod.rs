//! `strowger demo`: the whole product on one screen. It checks and compiles the first example, serves it on
//! loopback, calls it with the built-in phone, and shows the call from the phone's side: each prompt is looked
//! for in the sound that came in, and one that is missing or wrong is a failure.

mod caller;
mod rehearsal;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use lang_compiler::Engine;
use runtime_contract::calendar::local_text;
use runtime_contract::record::CallId;
use runtime_contract::spoken::decimal_figures;
use runtime_media::MediaStatistics;
use runtime_server::config::{Config, ServiceSite};
use runtime_server::{LogFormat, Options, Responder, RunningServer, Server, start_logging};
use runtime_store::StoredCall;
use serde_json::json;

use crate::build::Compiler;
use crate::moment::Moment;
use crate::project;
use crate::show::{self, Failure, Result};

/// The example as it stands in the repository, so that the program shows itself wherever it is.
const FILES: &[(&str, &str)] = &[
    ("first_call.flow", include_str!("../../../examples/01-first-call/first_call.flow")),
    ("first_call_test.flow", include_str!("../../../examples/01-first-call/first_call_test.flow")),
    ("strowger.yaml", include_str!("../../../examples/01-first-call/strowger.yaml")),
];
/// A Monday morning, so that the office is open whenever the demo is run.
const CLOCK: &str = "2026-03-02 10:00 in Asia/Shanghai";
const ZONE: &str = "Asia/Shanghai";
const NUMBER: &str = "+864008100000";

/// A machine that has no time for the first call may have it for one of the next.
const CALLS_MAX: usize = 3;
/// One packet in so many leaves late on a machine that has time.
const LATE_SHARE: u64 = 100;

#[derive(Args)]
pub struct Demo {
    /// Keep the example, its database and the recording here, instead of a temporary folder
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Log what the server does
    #[arg(long)]
    debug: bool,
}

impl Demo {
    pub fn run(&self) -> Result {
        if self.debug {
            start_logging(LogFormat::Human, true);
        }
        let temporary = tempfile::tempdir().map_err(|cause| no_folder(&std::env::temp_dir(), &cause))?;
        let folder = self.data.clone().unwrap_or_else(|| temporary.path().to_owned());
        write_example(&folder)?;
        let compiled = check(&folder)?;
        let bank = bank()?;
        let (server, began) = serve(&folder, &bank)?;
        let plan = rehearsal::plan(&compiled, &began)?;
        let (heard, record) = call(&server, &plan)?;
        show_record(&record);
        server.stop();
        server.wait().map_err(|cause| Failure::new(format!("the server failed: {cause}"), "run it with `--debug`"))?;
        println!("\n{} of {} prompts heard as they should be", heard.found, heard.expected);
        if heard.found < heard.expected {
            return Err(Failure::Shown);
        }
        try_next(&folder, self.data.is_some());
        Ok(())
    }
}

fn no_folder(folder: &Path, cause: &std::io::Error) -> Failure {
    Failure::new(
        format!("cannot write in `{}`: {cause}", folder.display()),
        "name a folder that you may write, with `--data`",
    )
}

fn write_example(folder: &Path) -> Result {
    std::fs::create_dir_all(folder).map_err(|cause| no_folder(folder, &cause))?;
    for (name, text) in FILES {
        std::fs::write(folder.join(name), text).map_err(|cause| no_folder(folder, &cause))?;
    }
    Ok(())
}

/// The first minute of an operator's day: does it compile, and do its tests pass?
fn check(folder: &Path) -> Result<lang_compiler::Compiled> {
    let opened = project::open(folder)?;
    let began = Instant::now();
    let compiled = lang_compiler::compile(&project::of_bundle(&opened.bundle), &opened.names, Engine::Native).map_err(
        |analysis| {
            show::print(&analysis.report(show::colours(), show::width()), false);
            Failure::Shown
        },
    )?;
    let meta = compiled.program.meta();
    println!(
        "checked and compiled first_call.flow in {} ms: {} segments of native code, {} prompts, languages {}",
        began.elapsed().as_millis(),
        meta.segments.len(),
        meta.prompts.len(),
        meta.languages.join(" and "),
    );
    Ok(compiled)
}

/// The bank: a real HTTP service on loopback that knows one answer.
fn bank() -> Result<Responder> {
    let balance = json!({ "amount": decimal_figures(rehearsal::BALANCE.amount, 10_000), "currency": "CNY" });
    Responder::from_table([("balance".to_owned(), balance)].into())
        .map_err(|cause| Failure::new(format!("no port for the bank: {cause}"), ""))
}

fn serve(folder: &Path, bank: &Responder) -> Result<(RunningServer, Moment)> {
    let began: Moment = CLOCK.parse().map_err(|why: String| Failure::new(why, ""))?;
    let (_, base) =
        crate::serve::service(&format!("bank=http://{}", bank.address)).map_err(|why| Failure::new(why, ""))?;
    let adjust = move |config: &mut Config| {
        config.listen.sip = ([127, 0, 0, 1], 0).into();
        config.listen.http = ([127, 0, 0, 1], 0).into();
        let site = ServiceSite { base: base.clone(), headers: Default::default() };
        config.services.insert("bank".to_owned(), site);
    };
    let mut config = project::site(folder)?;
    adjust(&mut config);
    let mut options = Options::new(folder);
    options.at_start = Some(runtime_server::AtStart::Files);
    options.adjust = Arc::new(adjust);
    options.began = Some(began.time);
    let server = Server::start(config, Arc::new(Compiler { engine: Engine::Native }), options)
        .map_err(|error| crate::serve::refused(&error, false))?;
    print!("{}", server.first.report.text);
    for warning in &server.warnings {
        println!("warning: {warning}");
    }
    println!(
        "serving it on sip:{}; the bank answers on {}; the clock says {}",
        server.sip_addr,
        bank.address,
        local_text(began.time, ZONE)
    );
    Ok((server, began))
}

/// Calls, and calls again when something was missing while the machine stood still; what the last call heard, and its
/// record.
fn call(server: &RunningServer, plan: &[rehearsal::Stage]) -> Result<(caller::Heard, StoredCall)> {
    let mut calls = 1;
    loop {
        let (media, earlier) = (server.media(), newest(server)?);
        println!("\ncalling {NUMBER} at sip:{}\n", server.sip_addr);
        let heard = caller::call(server, plan)?;
        let record = record(server, earlier.map(|call| call.record.call))?;
        let now = server.media();
        let since = |count: fn(&MediaStatistics) -> u64| count(&now).saturating_sub(count(&media));
        let (late, skipped) = (since(|media| media.packets_late), since(|media| media.packets_skipped));
        let stood_still = skipped > 0 || late * LATE_SHARE > since(|media| media.packets_sent);
        if heard.found == heard.expected || !stood_still || calls == CALLS_MAX {
            return Ok((heard, record));
        }
        println!("\nthis machine stood still meanwhile: {late} packets left late, {skipped} never; calling again");
        calls += 1;
    }
}

fn newest(server: &RunningServer) -> Result<Option<StoredCall>> {
    let calls = server.store().calls(1).map_err(|error| Failure::new(error.to_string(), &error.help))?;
    Ok(calls.into_iter().next())
}

/// The record is durable a few milliseconds after the call is over.
fn record(server: &RunningServer, earlier: Option<CallId>) -> Result<StoredCall> {
    let until = Instant::now() + Duration::from_secs(5);
    loop {
        match newest(server)?.filter(|call| Some(call.record.call) != earlier) {
            Some(call) => return Ok(call),
            None if Instant::now() > until => return Err(Failure::new("the call was not written down", "")),
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

fn show_record(stored: &StoredCall) {
    let record = &stored.record;
    println!("\ncall record {}", record.call.hex());
    println!("  flow       {}, version {}", record.flow, record.graph.short());
    println!("  began      {}", local_text(record.started, ZONE));
    println!("  ended      {}, {}, in step {}", local_text(record.ended, ZONE), record.end, record.last_step);
    for (key, value) in &record.notes {
        println!("  note       {key} = {}", value.reveal());
    }
    println!("  recordings {}", record.recordings.len());
    println!("  journal    {} bytes, enough to play the call again", stored.journal.len());
}

fn try_next(folder: &Path, kept: bool) {
    let path = if kept { folder.display().to_string() } else { "examples/01-first-call".to_owned() };
    println!("\nwhat next:");
    println!("  strowger test {path}        its tests, in virtual time");
    println!("  strowger talk {path}        the same call in this terminal, keys by hand");
    println!("  strowger serve {path}       serve it; change a line while it runs");
    println!("  strowger call sip:{NUMBER}@127.0.0.1:5060   call it; or dial it from your own softphone");
}
