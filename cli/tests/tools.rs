//! The commands of the desk: what they print, write and leave alone, and how they end. What the README shows is true.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop at the first surprise"
)]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

/// Exit code, standard output, standard error.
fn strowger(folder: &Path, words: &[&str], input: &str) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_strowger"));
    command.current_dir(folder).args(words).env_remove("COLUMNS");
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    // A command that reads no input may be gone by now.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

const LOOSE: &str = "languages en\nflow  main {\n  hang up }\n";
const CANONICAL: &str = "languages en\n\nflow main {\n    hang up\n}\n";

#[test]
fn the_flow_of_the_readme_compiles() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
    let text = fs::read_to_string(readme).unwrap();
    let flow = text.split("```flow\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a flow in the README");
    let folder = project(&[("readme.flow", flow)]);
    let (code, said, _) = strowger(folder.path(), &["check", "readme.flow"], "");
    assert!(code == 0 && said.contains("no problems"), "{said}");
    assert_eq!(strowger(folder.path(), &["fmt", "--check", "readme.flow"], "").0, 0);
}

#[test]
fn fmt_changes_what_is_loose_and_leaves_what_is_broken() {
    let broken = "flow  main {\n  wiat 2s\n}\n";
    let folder = project(&[("a.flow", LOOSE), ("sub/b.flow", CANONICAL), ("c.flow", broken), ("d.txt", LOOSE)]);
    fs::set_permissions(folder.path().join("a.flow"), fs::Permissions::from_mode(0o640)).unwrap();
    let (code, said, _) = strowger(folder.path(), &["fmt"], "");
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("changed a.flow\n") && said.contains("F0001") && said.contains("c.flow does not read"),
        "{said}"
    );
    assert!(said.ends_with("3 files, 1 changed, 1 left as they are\n"), "{said}");
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!((read("a.flow"), read("c.flow"), read("d.txt")), (CANONICAL.into(), broken.into(), LOOSE.into()));
    assert_eq!(fs::metadata(folder.path().join("a.flow")).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4, "no other file is left behind");
    let (code, said, _) = strowger(folder.path(), &["fmt", "a.flow", "sub"], "");
    assert_eq!((code, said.as_str()), (0, "2 files, all in canonical form\n"));
}

#[test]
fn fmt_check_shows_what_would_change_and_writes_nothing() {
    let folder = project(&[("a.flow", LOOSE)]);
    let (code, said, _) = strowger(folder.path(), &["fmt", "--check"], "");
    assert_eq!(code, 1);
    assert!(
        said.contains("--- a/a.flow\n") && said.contains("-flow  main {\n-  hang up }\n+\n+flow main {\n"),
        "{said}"
    );
    assert_eq!(fs::read_to_string(folder.path().join("a.flow")).unwrap(), LOOSE);
    let (_, said, _) = strowger(folder.path(), &["fmt", "--check", "--json"], "");
    let lines: Vec<serde_json::Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["outcome"], &lines[1]["changed"]), (&"would change".into(), &1.into()), "{said}");
}

#[test]
fn fmt_of_standard_input_writes_only_the_text() {
    let folder = project(&[]);
    assert_eq!(strowger(folder.path(), &["fmt", "-"], LOOSE).1, CANONICAL);
    let (code, said, problems) = strowger(folder.path(), &["fmt", "-"], "flow main {\n");
    assert_eq!((code, said.as_str()), (1, ""));
    assert!(problems.contains("F0003"), "{problems}");
}

#[test]
fn fmt_writes_through_a_link() {
    let folder = project(&[("real/a.flow", LOOSE)]);
    symlink("real/a.flow", folder.path().join("link.flow")).unwrap();
    assert_eq!(strowger(folder.path(), &["fmt", "link.flow"], "").0, 0);
    assert!(fs::symlink_metadata(folder.path().join("link.flow")).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(folder.path().join("real/a.flow")).unwrap(), CANONICAL);
}

#[test]
fn check_fix_repairs_what_is_certain_and_shows_the_rest() {
    let wrong = "use std.voicemail\n\nlanguages en\n\nflow main {\n    answer\n    say \"A\", wait 2sec\n    go closde\n\n    step closed { hang up }\n}\n";
    let folder = project(&[("a.flow", wrong)]);
    let (code, said, _) = strowger(folder.path(), &["check", "--fix", "--dry-run"], "");
    assert!(code == 1 && said.contains("+    say \"A\" then wait 2s\n"), "{said}");
    assert_eq!(fs::read_to_string(folder.path().join("a.flow")).unwrap(), wrong);
    let (code, said, _) = strowger(folder.path(), &["check", "--fix"], "");
    assert!(code == 1 && said.contains("fixed a.flow:7") && said.contains("F0101"), "{said}");
    let text = fs::read_to_string(folder.path().join("a.flow")).unwrap();
    assert!(text.contains("say \"A\" then wait 2s\n") && text.contains("go closde"), "{text}");
    fs::write(folder.path().join("a.flow"), text.replace("closde", "closed")).unwrap();
    let (code, said, _) = strowger(folder.path(), &["check", "--fix"], "");
    assert!(code == 0 && said.contains("never used") || said.contains("nothing of `voicemail` is used"), "{said}");
    assert!(!fs::read_to_string(folder.path().join("a.flow")).unwrap().contains("use"), "{said}");
    assert_eq!(strowger(folder.path(), &["check", "--dry-run"], "").0, 2);
}

#[test]
fn check_reports_the_worst_case_of_each_flow() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/07-asterisk-port");
    let folder = Path::new(example);
    let (code, said, _) = strowger(folder, &["check", "--on", "2026-03-02", "--report"], "");
    assert_eq!(code, 0, "{said}");
    let part = said.split("reception  reception.flow:41\n").nth(1).expect(&said);
    let lines: Vec<&str> = part.lines().map(str::trim).take(8).collect();
    assert_eq!(lines[0], "most prompts             48   main ×4, service ×4, ring, message");
    assert_eq!(lines[1], "30 by `* => go main up to 3 times else go ring(OPERATOR)`, reception.flow:71");
    assert!(lines[4].starts_with("deepest menu              2   in `service`, reception.flow:66"), "{part}");
    assert_eq!(lines[5], "until a person       6m 54s   main ×4, service ×4, ring");
    assert_eq!(lines[7], "rung by `connect to extension number ring 20s {`, reception.flow:80");
    let (_, said, _) = strowger(folder, &["check", "--on", "2026-03-02", "--report", "--json"], "");
    let flows: Vec<serde_json::Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let worst = &flows[2]["worst_case"];
    assert_eq!((&worst["flow"], &worst["menus"]["count"]), (&"reception.reception".into(), &2.into()));
    assert_eq!((&worst["person"]["rung_at"]["line"], &worst["person"]["wait"]["ms"]), (&80.into(), &413_660.into()));
    assert_eq!(flows.last().unwrap()["errors"], 0);
}

#[test]
fn check_on_a_day_says_what_it_would_say_then() {
    let hours = "languages en\n\nhours office in \"Europe/London\" {\n    mon..fri  09:00..17:30\n    closed    holidays \"gb\"\n    closed    2030-05-01\n}\n";
    let folder = project(&[("a.flow", hours)]);
    let on = |day: &str| strowger(folder.path(), &["check", "--on", day], "");
    assert!(on("2026-03-02").1.contains("no problems"));
    assert!(on("2031-01-01").1.contains("F0805"));
    let (code, said, _) = on("2050-12-15");
    assert!(code == 0 && said.contains("known from 2024 to 2050, and 2050 is soon over"), "{said}");
    let (code, _, said) = on("tomorrow");
    assert!(code == 2 && said.contains("is not a date like `2026-03-02`"), "{said}");
}

#[test]
fn every_template_passes_check_test_and_fmt() {
    let folder = project(&[]);
    for (template, stem) in [("hello", "hello"), ("menu", "menu")] {
        let (code, said, _) = strowger(folder.path(), &["new", template, "--template", template], "");
        assert!(code == 0 && said.contains("strowger check") && said.contains(&format!("cd {template}")), "{said}");
        let made = folder.path().join(template);
        let (code, said, _) = strowger(&made, &["check"], "");
        assert!(code == 0 && said.contains("no problems"), "{said}");
        let (code, said, _) = strowger(&made, &["test"], "");
        assert!(code == 0 && said.contains("0 failed"), "{said}");
        assert_eq!(strowger(&made, &["fmt", "--check"], "").0, 0);
        fs::write(made.join(format!("{stem}.flow")), "mine").unwrap();
        let (code, _, said) = strowger(folder.path(), &["new", template], "");
        assert!(code == 1 && said.contains("is there already"), "{said}");
        assert_eq!(fs::read_to_string(made.join(format!("{stem}.flow"))).unwrap(), "mine");
    }
}

#[test]
fn examples_and_the_library_pass_check_and_fmt_and_are_tested_whole() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let entries = fs::read_dir(root.join("examples")).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    assert!(folders.len() >= 8, "{folders:?}");
    folders.push(root.join("stdlib/tests"));
    for folder in &folders {
        let (code, said, _) = strowger(folder, &["check", "--on", "2026-03-02"], "");
        assert!(code == 0 && said.contains("no problems"), "{}\n{said}", folder.display());
        let (code, said, _) = strowger(folder, &["fmt", "--check"], "");
        assert_eq!(code, 0, "{}\n{said}", folder.display());
        let mut words = vec!["test", "--coverage", "--coverage-min"];
        // The first call speaks before its caller has chosen a language, so that two texts are heard in Chinese only.
        words.push(if folder.ends_with("01-first-call") { "96" } else { "100" });
        words.extend(folder.ends_with("stdlib/tests").then_some("--coverage-std"));
        let (code, said, wrong) = strowger(folder, &words, "");
        assert_eq!(code, 0, "{}\n{said}{wrong}", folder.display());
    }
}

#[test]
fn explain_takes_numbers_and_names_and_offers_the_nearest() {
    let folder = project(&[]);
    let say = |word: &str| strowger(folder.path(), &["explain", word], "");
    assert_eq!(say("f0101").1, say("Unknown-Name").1);
    assert!(say("F0101").1.starts_with("# F0101 unknown-name\n"));
    assert!(say("F1105").1.contains("not compiled yet"));
    let (code, _, said) = say("unknown-nmae");
    assert!(code == 1 && said.contains("`strowger explain unknown-name`"), "{said}");
    let (_, said, _) = strowger(folder.path(), &["explain"], "");
    assert!(said.starts_with("F00  syntax\n") && said.contains("F0501  unreachable-step"), "{said}");
    let (_, said, _) = strowger(folder.path(), &["explain", "F0101", "--json"], "");
    let page: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert!(page["wrong"].as_str().unwrap().contains("go closde"), "{said}");
}

#[test]
fn completion_knows_commands_and_codes() {
    let folder = project(&[]);
    for shell in ["bash", "zsh", "fish"] {
        let (code, said, _) = strowger(folder.path(), &["completion", shell], "");
        assert!(
            code == 0 && ["explain", "F0101", "unknown-name", "dry-run"].iter().all(|word| said.contains(word)),
            "{shell}"
        );
    }
}

#[test]
fn the_map_leads_from_a_queue_or_cadence_to_its_rule_and_on_to_a_cadence() {
    let leads = [
        ("13-missed-calls", "queue support", "when missed in support"),
        ("13-missed-calls", "when missed in support", "cadence call_back"),
        ("13-missed-calls", "queue support", "when support.longest_wait > 2m over 15m"),
        ("12-clinic-reminders", "cadence by_text", "when undelivered in by_text"),
        ("12-clinic-reminders", "cadence by_phone", "when undelivered in by_phone"),
    ];
    for (example, from, to) in leads {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(example);
        let (code, said, _) = strowger(&folder, &["graph", "--map", "--json"], "");
        assert_eq!(code, 0, "{said}");
        let drawn: serde_json::Value = serde_json::from_str(&said).unwrap();
        let at =
            |title: &str| drawn["nodes"].as_array().unwrap().iter().position(|node| node["title"] == title).unwrap();
        let (from, to) = (at(from), at(to));
        let is_it = |edge: &serde_json::Value| edge["from"] == from && edge["to"] == to;
        assert!(drawn["edges"].as_array().unwrap().iter().any(is_it), "{said}");
    }
}

#[test]
fn what_a_channel_of_a_survey_leaves_out_is_said_everywhere() {
    let flow = r#"languages en

inbound "+44 20 7946 0000" => desk
inbound chat "web" => desk

queue tickets {
    timeout  3m
}

survey csat after tickets {
    by voice, sms
    question score 1..5 "From 1 to 5?"
    question reason voice up to 60s "Please tell us why."
    question words text up to 200 "What could we do better?"
}

flow desk {
    answer
    queue tickets {
        served, timeout, unstaffed => hang up
    }
}

test "on the line" {
    agent "ann" idle
    call from "+44 20 7946 0999" to "+44 20 7946 0000"
    hears "From 1 to 5?"
    hang up
}

test "in writing" {
    at 2026-03-02 10:00 in "Europe/London"
    agent "ann" idle
    call from "+44 20 7946 0999" to "+44 20 7946 0000"
    expect agent "ann"
    hang up
    hears "From 1 to 5?"
    says "4"
    hears "do better"
    says "Nothing."
    expect end
}

test "in a chat" {
    agent "ann" idle
    chat from "visitor" to "web"
    expect end
}
"#;
    let folder = project(&[("desk.flow", flow)]);
    let (code, said, _) = strowger(folder.path(), &["check", "desk.flow", "--report"], "");
    assert!(code == 0 && said.contains("no problems"), "{said}");
    assert!(said.contains("left out                  2   `words` by voice\n"), "{said}");
    let (_, said, _) = strowger(folder.path(), &["check", "desk.flow", "--report", "--json"], "");
    let left_out = r#""left_out":[{"by":"voice","question":"words"},{"by":"sms","question":"reason"}]"#;
    assert!(said.contains(left_out), "{said}");
    let (_, said, _) = strowger(folder.path(), &["graph", "desk.flow"], "");
    assert!(said.contains("reason (only by voice):") && said.contains("words (only by sms):"), "{said}");
    let (code, said, _) = strowger(folder.path(), &["test", "desk.flow", "--transcript"], "");
    assert_eq!(code, 0, "{said}");
    let told = [
        "leaves out words: only by sms",
        "follows in writing",
        "leaves out reason: only by voice",
        "who writes by chat or e-mail has no number",
    ];
    for what in told {
        assert!(said.contains(what), "{what} is not in\n{said}");
    }
}

#[test]
fn graph_draws_steps_keys_and_ends() {
    let folder = project(&[]);
    assert_eq!(strowger(folder.path(), &["new", "desk"], "").0, 0);
    let (code, svg, _) = strowger(folder.path(), &["graph", "desk"], "");
    assert_eq!(code, 0);
    for part in [
        "<svg",
        "prefers-color-scheme",
        ">desk</text>",
        "☎ +1 212 555 0100",
        ">opening_hours</text>",
        ">hang up</text>",
    ] {
        assert!(svg.contains(part), "{part}");
    }
    assert_eq!(svg.matches('<').count(), svg.matches('>').count());
    let (_, chinese, _) = strowger(folder.path(), &["graph", "desk", "--language", "zh"], "");
    assert!(chinese.contains("留言已收到") && !svg.contains("留言已收到"));
    let (_, mermaid, _) = strowger(folder.path(), &["graph", "desk", "--format", "mermaid"], "");
    assert!(mermaid.starts_with("flowchart TD\n") && mermaid.contains("|\"[2]\"|"), "{mermaid}");
    let (_, said, _) = strowger(folder.path(), &["graph", "desk", "--json"], "");
    let drawn: serde_json::Value = serde_json::from_str(&said).unwrap();
    let to_message = drawn["edges"].as_array().unwrap().iter().any(|edge| edge["labels"][0]["key"] == "2");
    assert!(to_message && drawn["nodes"][0]["title"] == "front_desk", "{said}");
    let (code, _, _) = strowger(folder.path(), &["graph", "desk", "-o", "desk.svg"], "");
    assert!(code == 0 && folder.path().join("desk.svg").is_file());
    let handled = "languages en\n\nflow f {\n    hang up\n\n    fault { hang up }\n\n    finally { note outcome = \"over\" }\n}\n";
    fs::write(folder.path().join("handled.flow"), handled).unwrap();
    let (_, said, _) = strowger(folder.path(), &["graph", "handled.flow", "--json"], "");
    let drawn: serde_json::Value = serde_json::from_str(&said).unwrap();
    let handlers: Vec<_> = drawn["nodes"].as_array().unwrap().iter().filter(|node| node["kind"] == "handler").collect();
    assert_eq!((&handlers[0]["title"], &handlers[1]["title"]), (&"fault".into(), &"finally".into()), "{said}");
    assert_eq!(handlers[1]["lines"][1]["text"], "note outcome = \"over\"");
    fs::write(folder.path().join("desk/menu.flow"), "flow {\n").unwrap();
    let (code, said, _) = strowger(folder.path(), &["graph", "desk"], "");
    assert!(code == 1 && said.contains("F000"), "{said}");
}

#[test]
fn paths_are_found_shown_and_kept() {
    let never = "    if 1 == number { say \"Once.\" }\n";
    let flow = "languages en\n\ninbound \"+44 20 7946 0000\" => desk\n\nflow desk {\n    answer\n    menu {\n        \
                say \"Press 1.\"\n        1 => say \"One.\"\n        silence, other => again\n        \
                after 2 tries => continue\n    }\n    hang up\n}\n";
    let folder = project(&[("main.flow", flow)]);
    let (code, said, _) = strowger(folder.path(), &["paths", "--strict"], "");
    assert!(code == 0 && said.contains("    press 1\n    hears \"One.\"\n    expect end\n"), "{said}");
    assert!(said.contains("2 calls reach 4 of 4 steps and arms") && !said.contains("Not shown"), "{said}");
    let (code, _, told) = strowger(folder.path(), &["paths", "--write", "paths_test.flow"], "");
    assert!(code == 0 && told.contains("written: 2 tests to paths_test.flow"), "{told}");
    let (_, said, _) = strowger(folder.path(), &["test"], "");
    assert!(said.contains("2 passed, 0 failed"), "{said}");
    // The flow changes, and tests that were written before are in nobody's way.
    let changed = flow.replace("One.", "This is one.").replace(
        "hang up\n}",
        &format!(
            "go end\n\n    step end {{\n    {}    hang up\n    }}\n}}",
            never.replace("1 == number", "caller.language is not en")
        ),
    );
    fs::write(folder.path().join("main.flow"), changed).unwrap();
    let (code, said, told) =
        strowger(folder.path(), &["paths", "--write", "paths_test.flow", "--json", "--strict"], "");
    assert_eq!(code, 1, "an arm is not reached: {said}{told}");
    let lines: Vec<serde_json::Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let sums = lines.last().unwrap();
    assert_eq!(sums["not_shown_reachable"].as_array().unwrap().len(), 1, "{said}");
    assert!(lines[0]["lines"].as_array().unwrap().iter().any(|line| line == "hears \"This is one.\""), "{said}");
    assert!(strowger(folder.path(), &["test"], "").1.contains("0 failed"));
}

#[test]
fn paths_say_what_they_cannot_do() {
    let folder = project(&[("main.flow", CANONICAL), ("mine.flow", "")]);
    let (code, _, told) = strowger(folder.path(), &["paths"], "");
    assert!(code == 1 && told.contains("no flow takes calls") && told.contains("help: `inbound"), "{told}");
    let flow = format!("{CANONICAL}\ninbound \"+44 20 7946 0000\" => main\n");
    fs::write(folder.path().join("main.flow"), flow).unwrap();
    let (code, _, told) = strowger(folder.path(), &["paths", "--flow", "mian"], "");
    assert!(code == 1 && told.contains("no call comes to `mian`") && told.contains("`main.main`"), "{told}");
    let (code, _, told) = strowger(folder.path(), &["paths", "--write", "mine.flow"], "");
    assert!(code == 1 && told.contains("`mine.flow` is there already"), "{told}");
    let (code, _, told) = strowger(folder.path(), &["paths", "--write", "mine.txt"], "");
    assert!(code == 1 && told.contains("does not end in `.flow`"), "{told}");
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/04-clinic-appointments");
    let (code, said, _) = strowger(folder.path(), &["paths", example, "--states-max", "50"], "");
    assert!(code == 0 && said.contains("stopped at 50 states; --states-max looks at more"), "{said}");
    assert!(said.contains("\nNot shown reachable\n"), "{said}");
    for number in ["+44 20 7946 0000", "main", "main.main"] {
        assert_eq!(strowger(folder.path(), &["paths", "--flow", number], "").0, 0);
    }
}
