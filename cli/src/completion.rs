//! `strowger completion`: a script for the shell, which completes commands, options, files and codes.

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Args, CommandFactory, ValueEnum};
use clap_complete::{Shell, generate};
use lang_compiler::Code;

use crate::Arguments;
use crate::show::{self, Result};

#[derive(Args)]
pub struct Completion {
    /// The shell that reads it
    #[arg(value_enum)]
    shell: ShellName,
}

#[derive(Clone, Copy, ValueEnum)]
enum ShellName {
    Bash,
    Zsh,
    Fish,
}

impl Completion {
    pub fn run(&self) -> Result {
        let shell = match self.shell {
            ShellName::Bash => Shell::Bash,
            ShellName::Zsh => Shell::Zsh,
            ShellName::Fish => Shell::Fish,
        };
        // `explain` takes what people type and offers the nearest; a shell is told what there is.
        let codes = Code::ALL.iter().flat_map(|code| [code.number(), code.name()]).map(PossibleValue::new);
        let codes = PossibleValuesParser::new(codes);
        let with_codes = |explain: clap::Command| explain.mut_arg("code", |code| code.value_parser(codes.clone()));
        let mut command = Arguments::command().mut_subcommand("explain", with_codes);
        let mut script = Vec::new();
        generate(shell, &mut command, "strowger", &mut script);
        let mut script = String::from_utf8_lossy(&script).into_owned();
        if shell == Shell::Fish {
            // The generator leaves values of plain arguments out for fish.
            let words: Vec<&str> = Code::ALL.iter().flat_map(|code| [code.number(), code.name()]).collect();
            let condition = "__fish_strowger_using_subcommand explain";
            script.push_str(&format!("complete -c strowger -n \"{condition}\" -f -a \"{}\"\n", words.join(" ")));
        }
        show::say(&script);
        Ok(())
    }
}
