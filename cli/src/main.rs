//! `strowger`: one binary to check, test, try, serve and call. Each command has its file; this one parses the
//! words, dispatches, and sets the exit code: 0 done, 1 the project or the call failed, 2 wrong usage.

mod answers;
mod build;
mod call;
mod call_log;
mod calls;
mod cases;
mod check;
mod completion;
mod demo;
mod deploy;
mod erase;
mod explain;
mod fmt;
mod graph;
mod http;
mod moment;
mod new;
mod paths;
mod project;
mod recording;
mod reload;
mod replay;
mod serve;
mod show;
mod source;
mod table;
mod talk;
mod test;
mod top;
mod versions;
mod watch;
mod worst_case;
mod write;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Trees and graphs are many small pieces, and a server is to give back what a busy hour took; see decision 0032.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[derive(Parser)]
#[command(name = "strowger", version, about = "Contact-centre flows: checked, compiled, tested, served")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Checks a project or a single flow file
    Check(check::Check),
    /// Writes flow files in their canonical form
    Fmt(fmt::Fmt),
    /// Says what a code of a problem means, with a wrong and a right example
    Explain(explain::Explain),
    /// Draws a project: steps, what callers hear, keys and outcomes
    Graph(graph::Graph),
    /// Makes a project that passes `check` and `test`
    New(new::New),
    /// Prints what a shell needs to complete these commands
    Completion(completion::Completion),
    /// Runs the tests of a project, in virtual time, on the code that would serve
    Test(test::Test),
    /// Tries every way through the flows, and prints few calls that come by all their steps and arms
    Paths(paths::Paths),
    /// Plays a flow in the terminal: type keys, read what the caller hears
    Talk(talk::Talk),
    /// Serves a project's numbers over SIP until it is told to stop
    Serve(serve::Serve),
    /// Makes a running server take the files as they are now, or say why not
    Reload(reload::Reload),
    /// Makes files take new calls on a running server: all of them, or a share of callers first
    Deploy(deploy::Deploy),
    /// Withdraws the version on trial, or goes back to the version before
    Rollback(deploy::Rollback),
    /// Lists versions: which takes calls, which is on trial, which came before
    Versions(versions::Versions),
    /// Lists who changed what on a server
    Audit(versions::Audit),
    /// Lists calls, going on and over
    Calls(calls::Calls),
    /// Lists what calls left for people to look into
    Cases(cases::Cases),
    /// Lists what callers answered in surveys
    Answers(answers::Answers),
    /// Tells a call again from its journal: steps, prompts, keys, services, outcomes
    CallLog(call_log::CallLog),
    /// Runs a call's journal again, in its own version or in other files, and says whether they do the same
    Replay(replay::Replay),
    /// Takes a person out of all that is kept
    Erase(erase::Erase),
    /// Shows what goes on in a running server, each second
    Top(top::Top),
    /// Gets a recording out of the server's folder
    Recording(recording::Recording),
    /// Calls a number over SIP from this terminal
    Call(call::Call),
    /// Serves the first example on loopback, calls it, and shows the call from the phone's side
    Demo(demo::Demo),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Check(command) => command.run(),
        Command::Fmt(command) => command.run(),
        Command::Explain(command) => command.run(),
        Command::Graph(command) => command.run(),
        Command::New(command) => command.run(),
        Command::Completion(command) => command.run(),
        Command::Test(command) => command.run(),
        Command::Paths(command) => command.run(),
        Command::Talk(command) => command.run(),
        Command::Serve(command) => command.run(),
        Command::Reload(command) => command.run(),
        Command::Deploy(command) => command.run(),
        Command::Rollback(command) => command.run(),
        Command::Versions(command) => command.run(),
        Command::Audit(command) => command.run(),
        Command::Calls(command) => command.run(),
        Command::Cases(command) => command.run(),
        Command::Answers(command) => command.run(),
        Command::CallLog(command) => command.run(),
        Command::Replay(command) => command.run(),
        Command::Erase(command) => command.run(),
        Command::Top(command) => command.run(),
        Command::Recording(command) => command.run(),
        Command::Call(command) => command.run(),
        Command::Demo(command) => command.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.show(),
    }
}
