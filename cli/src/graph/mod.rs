//! `strowger graph`: a picture of a project's calls, for the wall or for a page.

mod measure;
mod mermaid;
mod place;
mod seen;
mod svg;

pub use seen::{Seen, State};
pub use svg::svg;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use lang_compiler::picture::{LineKind, NodeKind, Picture, picture};
use serde_json::{Value, json};

use crate::show::{self, Failure, Result};
use crate::write::unwritable;

#[derive(Args)]
pub struct Graph {
    /// A project's folder, or one `.flow` file
    #[arg(default_value = ".", value_hint = clap::ValueHint::AnyPath)]
    path: PathBuf,
    /// What to draw it as
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// The file to write; standard output otherwise
    #[arg(short, long, value_hint = clap::ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// The language in which texts are shown; otherwise the first of the files
    #[arg(long)]
    language: Option<String>,
    /// Numbers, flows and queues alone, without the steps of flows
    #[arg(long)]
    map: bool,
    /// The same as `--format json`
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    #[default]
    Svg,
    Mermaid,
    Json,
}

impl Graph {
    pub fn run(&self) -> Result {
        let opened = crate::project::open(&self.path)?;
        let format = if self.json { Format::Json } else { self.format };
        let project = crate::project::of_bundle(&opened.bundle);
        let drawn = picture(&project, self.language.as_deref(), show::colours(), show::width());
        let drawn = drawn.map_err(|report| {
            show::print(&report, format == Format::Json);
            Failure::Shown
        })?;
        let is_empty = drawn.groups.is_empty();
        let drawn = if self.map { drawn.map() } else { drawn };
        if is_empty {
            return Err(Failure::new("there is no flow to draw", "name a folder or a file with a `flow`"));
        }
        let text = match format {
            Format::Svg => svg(&drawn, &self.title(), &Seen::nothing(&drawn)),
            Format::Mermaid => mermaid::mermaid(&drawn),
            Format::Json => format!("{}\n", as_json(&drawn)),
        };
        match &self.output {
            None => show::say(&text),
            Some(path) => {
                std::fs::write(path, text).map_err(|cause| unwritable(path, &cause))?;
                eprintln!("drawn: {}", path.display());
            }
        }
        Ok(())
    }

    /// The name of the folder or file.
    fn title(&self) -> String {
        let path = self.path.canonicalize().unwrap_or_else(|_| self.path.clone());
        path.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }
}

fn as_json(picture: &Picture) -> Value {
    let kind = |kind| match kind {
        NodeKind::Entry => "entry",
        NodeKind::Top => "top",
        NodeKind::Step => "step",
        NodeKind::Handler => "handler",
        NodeKind::Queue => "queue",
        NodeKind::Rule => "rule",
        NodeKind::End => "end",
    };
    let line = |line: &lang_compiler::picture::Line| {
        let kind = match line.kind {
            LineKind::Hears => "hears",
            LineKind::Asks => "asks",
            LineKind::Does => "does",
        };
        json!({ "kind": kind, "when": line.when, "text": line.text })
    };
    let nodes: Vec<Value> = (0..)
        .zip(&picture.nodes)
        .map(|(id, node)| {
            let flow = node.group.and_then(|group| picture.groups.get(group)).map(|group| &group.name);
            let lines: Vec<Value> = node.lines.iter().map(line).collect();
            json!({ "id": id, "kind": kind(node.kind), "title": node.title, "flow": flow, "lines": lines })
        })
        .collect();
    let edges: Vec<Value> = picture
        .edges
        .iter()
        .map(|edge| {
            let labels: Vec<Value> =
                edge.labels.iter().map(|label| json!({ "key": label.key, "text": label.text })).collect();
            json!({ "from": edge.from, "to": edge.to, "labels": labels, "runs": edge.runs })
        })
        .collect();
    json!({ "language": picture.language, "nodes": nodes, "edges": edges })
}
