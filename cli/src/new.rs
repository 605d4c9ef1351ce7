//! `strowger new`: a project that passes `check` and `test` as it is made.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::show::{Failure, Result};
use crate::write::unwritable;

const README: &str = include_str!("../templates/README.md");
const SITE: &str = include_str!("../templates/strowger.yaml");

#[derive(Args)]
pub struct New {
    /// The folder to make
    #[arg(value_hint = clap::ValueHint::DirPath)]
    name: PathBuf,
    /// What to begin with
    #[arg(long, value_enum, default_value_t)]
    template: Template,
    /// One JSON object: the folder and its files
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum Template {
    /// One greeting
    Hello,
    /// Two languages, business hours, a menu, a message box
    #[default]
    Menu,
}

impl Template {
    fn name(self) -> &'static str {
        match self {
            Template::Hello => "hello",
            Template::Menu => "menu",
        }
    }

    fn flow_and_test(self) -> (&'static str, &'static str) {
        match self {
            Template::Hello => (include_str!("../templates/hello.flow"), include_str!("../templates/hello_test.flow")),
            Template::Menu => (include_str!("../templates/menu.flow"), include_str!("../templates/menu_test.flow")),
        }
    }
}

impl New {
    pub fn run(&self) -> Result {
        let folder = &self.name;
        let taken = folder.symlink_metadata().is_ok();
        let empty = || std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
        if taken && !empty() {
            let message = format!("`{}` is there already", folder.display());
            return Err(Failure::new(message, "choose another name, or empty it; nothing is ever overwritten"));
        }
        let title = folder.file_name().map_or_else(|| "A new line".into(), |name| name.to_string_lossy().into_owned());
        let stem = self.template.name();
        let (flow, test) = self.template.flow_and_test();
        let files = [
            ("README.md".to_owned(), README.replace("{name}", &title).replace("{file}", stem)),
            ("strowger.yaml".to_owned(), SITE.to_owned()),
            (format!("{stem}.flow"), flow.to_owned()),
            (format!("{stem}_test.flow"), test.to_owned()),
        ];
        std::fs::create_dir_all(folder).map_err(|cause| unwritable(folder, &cause))?;
        for (name, text) in &files {
            write_new(&folder.join(name), text)?;
        }
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        if self.json {
            println!("{}", json!({ "folder": folder, "template": stem, "files": names }));
            return Ok(());
        }
        println!("made {}: {}\n\nnext:", folder.display(), names.join(", "));
        if folder != Path::new(".") {
            println!("  cd {}", folder.display());
        }
        println!("  strowger check\n  strowger test\n  strowger talk\n  strowger serve");
        Ok(())
    }
}

/// Fails where something is.
fn write_new(path: &Path, text: &str) -> Result {
    let file = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
    let written = file.and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()));
    written.map_err(|cause| unwritable(path, &cause))
}
