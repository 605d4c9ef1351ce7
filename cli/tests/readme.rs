//! What the README shows is true: its flow compiles without a warning.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may stop at the first surprise")]

use std::process::Command;

#[test]
fn the_flow_of_the_readme_compiles() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
    let text = std::fs::read_to_string(readme).unwrap();
    let flow = text.split("```flow\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a flow in the README");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("readme.flow");
    std::fs::write(&file, flow).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_strowger")).arg("check").arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("no problems"), "{said}");
}
