//! What a newcomer runs first: `strowger demo` hears every prompt, with a speech engine and without.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may stop at the first surprise")]

use std::process::{Command, Output};

fn demo(change: impl FnOnce(&mut Command)) -> (Output, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_strowger"));
    command.arg("demo");
    change(&mut command);
    let output = command.output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output, said)
}

#[test]
fn the_demo_hears_every_prompt_and_keeps_its_files_where_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (output, said) = demo(|command| {
        command.arg("--data").arg(folder.path());
    });
    assert!(output.status.success(), "{said}");
    assert!(said.contains("Welcome") || said.contains("欢迎"), "{said}");
    assert!(said.contains("12 of 12 prompts heard as they should be"), "{said}");
    assert!(!said.contains("4111111111111111\n"), "the card is not in the record: {said}");
    assert!(folder.path().join("first_call.flow").exists());
}

#[test]
fn without_a_speech_engine_the_demo_names_the_package_and_goes_on() {
    let (output, said) = demo(|command| {
        command.env("PATH", "/nowhere");
    });
    assert!(output.status.success(), "{said}");
    assert!(said.contains("`espeak-ng`"), "{said}");
    assert!(said.contains("12 of 12 prompts heard as they should be"), "{said}");
}
