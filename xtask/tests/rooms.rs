//! The rooms import what `docs/ARCHITECTURE.md` allows, and nothing else; the rooms without input and
//! output have the lint file that keeps them so.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the project").to_owned()
}

/// Crate → crates of the project that it may depend on, from the table of rooms.
fn allowed() -> BTreeMap<String, BTreeSet<String>> {
    let text = std::fs::read_to_string(root().join("docs/ARCHITECTURE.md")).expect("the architecture is written down");
    let table = text.split("## Rooms").nth(1).and_then(|rest| rest.split("## To change").next()).expect("a table");
    let names = |cell: &str| -> BTreeSet<String> {
        cell.split('`').skip(1).step_by(2).map(|path| path.replace('/', "-")).collect()
    };
    table
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            let cells: Vec<_> = line.trim_matches('|').split('|').collect();
            (names(cells[0]).pop_first().expect("a room"), names(cells[2]))
        })
        .collect()
}

/// Crate → crates of the project that it does depend on, tests apart.
fn imported() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().expect("dependencies").iter();
            let ours = dependencies.filter(|d| d["path"].is_string() && d["kind"].is_null());
            let names = ours.map(|d| d["name"].as_str().expect("a name").to_owned()).collect();
            (package["name"].as_str().expect("a name").to_owned(), names)
        })
        .collect()
}

#[test]
fn rooms_import_only_what_the_architecture_allows() {
    let (allowed, imported) = (allowed(), imported());
    let names = |map: &BTreeMap<String, BTreeSet<String>>| map.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&allowed), names(&imported), "every crate has its row, every row its crate");
    for (room, imports) in &imported {
        let more: Vec<_> = imports.difference(&allowed[room]).collect();
        assert!(more.is_empty(), "`{room}` imports {more:?}; change the code, or the table with a reason");
    }
}

#[test]
fn rooms_without_input_and_output_have_their_lints() {
    for room in ["contract", "session", "acd", "exchange", "sip", "outbound", "simulator"] {
        let file = root().join("runtime").join(room).join("clippy.toml");
        assert!(file.exists(), "{} is missing", file.display());
    }
    for room in ["diagnostics", "syntax", "semantics", "flowgraph", "codegen", "compiler"] {
        let file = root().join("lang").join(room).join("clippy.toml");
        assert!(file.exists(), "{} is missing", file.display());
    }
}
