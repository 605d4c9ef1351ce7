//! What a call that waits in a menu weighs: the first example, compiled, with 50 000 sessions driven to its main
//! menu. SIP and media are apart; `cargo xtask bench prompts` weighs a whole call.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark may stop at the first surprise"
)]

use std::path::Path;
use std::sync::Arc;

use lang_compiler::{Colours, Engine, Project, compile};
use runtime_contract::program::SiteNames;
use runtime_contract::record::CallId;
use runtime_contract::value::Phone;
use runtime_contract::{FlowProgram, Now, Tick, Time};
use runtime_session::{Input, LineCommand, LineEvent, Output, Session, Start};

const SESSIONS: usize = 50_000;
/// Monday 2026-03-02 10:00 in Shanghai: the office is open.
const NOW: Now = Now { tick: Tick(0), time: Time(1_772_416_800_000) };
const MENU: &str = "first_call.first_call.main/menu#1";

fn main() {
    let program = first_call();
    let before = resident_bytes();
    let sessions: Vec<Box<Session>> = (0..SESSIONS).map(|n| Box::new(in_main_menu(&program, n))).collect();
    let after = resident_bytes();
    let held: usize = sessions.iter().map(|session| session.memory_bytes()).sum();
    let largest = sessions.iter().map(|session| session.memory_bytes()).max().unwrap_or(0);
    println!("{:<46} {:>10} {:>14}", "", "measured", "mark");
    println!("{:<46} {:>8} B {:>14}", "frame and session, as counted (mean)", held / SESSIONS, "below 2 048 B");
    println!("{:<46} {largest:>8} B {:>14}", "frame and session, as counted (largest)", "below 2 048 B");
    println!("{:<46} {:>8} B", "of it the session's own fields", size_of::<Session>());
    println!("{:<46} {:>8} B", "resident memory a session", (after - before) / SESSIONS);
    let million = |bytes: usize| bytes as f64 / 1e6;
    println!("{:<46} {:>7.1} MB {:>14}", "resident memory of 50 000 sessions", million(after - before), "below 150 MB");
    println!("{:<46} {:>7.1} MB", "resident memory of the whole process", million(after));
    drop(sessions);
}

fn first_call() -> Arc<dyn FlowProgram> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/01-first-call");
    let mut project = Project::default();
    project.add_flow("first_call.flow", std::fs::read_to_string(folder.join("first_call.flow")).expect("the example"));
    match compile(&project, &SiteNames::default(), Engine::Native) {
        Ok(compiled) => compiled.program,
        Err(analysis) => panic!("the example does not compile:\n{}", analysis.report(Colours::Off, 100).text),
    }
}

/// A call that has heard the welcome, chosen its language and heard the question of the main menu.
fn in_main_menu(program: &Arc<dyn FlowProgram>, n: usize) -> Session {
    let mut session = Session::new(Arc::clone(program));
    let mut call = [0; 16];
    call[..8].copy_from_slice(&(n as u64).to_le_bytes());
    let inbound = program.meta().inbound("+864008100000").expect("the example's number");
    let start = Start {
        caller: Phone::parse(&format!("+86138{n:08}"), true),
        called: program.meta().called("+864008100000"),
        ..Start::ringing(CallId(call), inbound.flow)
    };
    give(&mut session, Input::Start(start));
    let welcome = give(&mut session, Input::Line(LineEvent::Answered));
    give(&mut session, Input::Line(LineEvent::PlayDone { token: welcome }));
    let question = give(&mut session, Input::Line(LineEvent::Key('2')));
    give(&mut session, Input::Line(LineEvent::PlayDone { token: question }));
    assert_eq!(program.meta().site(session.site()).expect("a site").key, MENU);
    session
}

/// Token of the prompt that plays now.
fn give(session: &mut Session, input: Input) -> u32 {
    let mut playing = 0;
    for output in session.handle(NOW, input) {
        if let Output::Line(LineCommand::Play { token, .. }) = output {
            playing = token;
        }
    }
    playing
}

/// Of this process (Linux).
fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line for resident memory");
    line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") * 1_024
}
