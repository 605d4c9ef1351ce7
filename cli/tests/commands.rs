//! Commands as people and scripts type them, from end to end.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests may stop at the first surprise"
)]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/01-first-call");
const MORNING: &str = "2026-03-02 10:00 in Asia/Shanghai";

/// What it says, and whether it succeeded.
fn strowger(arguments: &[&str], typed: &str) -> (String, bool) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_strowger"));
    command.args(arguments).env("NO_COLOR", "1").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    // Whoever fails at once reads nothing.
    let _ = input.write_all(typed.as_bytes());
    drop(input);
    let output = child.wait_with_output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (said, output.status.success())
}

/// Each of these stands behind the one before it.
#[track_caller]
fn in_order(said: &str, wanted: &[&str]) {
    let mut rest = said;
    for text in wanted {
        match rest.split_once(text) {
            Some((_, behind)) => rest = behind,
            None => assert!(rest.contains(text), "`{text}` is not behind what stands before it in\n{said}"),
        }
    }
}

#[test]
fn a_script_talks_to_a_flow() {
    let script = "2\n?\norders\nrepeat\n1\n4111111111111111#\nsay hello\n2\nplease call me\n#\n";
    let (said, passed) = strowger(&["talk", EXAMPLE, "--at", MORNING], script);
    assert!(passed, "{said}");
    in_order(
        &said,
        &[
            "10:00:00  calls   +864008100000",
            "hears   欢迎致电云海银行。",
            "> 2\n",
            "── first_call.first_call.main",
            "hears   For your balance press 1",
            "in `main` the menu takes 1, 2, 9",
            "`orders` is neither keys nor one of the words here",
            "> repeat\nhears   For your balance press 1",
            "presses ••••••••••••••••",
            "asks    bank.balance(•) → 1250.50 CNY",
            "nobody listens to words now",
            "says    please call me",
            "hears   (his recording)",
            "notes   outcome = first call",
            "the call is over",
        ],
    );
    assert!(!said.contains("4111"), "nobody sees the card: {said}");
}

#[test]
fn a_service_answers_what_it_is_told_to() {
    let script = "2\n1\n4111111111111111#\nhang up\n";
    let talk = |given: &[&str]| strowger(&[&["talk", EXAMPLE, "--at", MORNING][..], given].concat(), script);
    let (said, _) = talk(&["--given", "bank.balance=12.50 USD"]);
    assert!(said.contains("bank.balance(•) → 12.50 USD") && said.contains("twelve dollars fifty"), "{said}");
    let (said, _) = talk(&["--given", "bank.balance=failed"]);
    assert!(said.contains("I cannot reach your balance now."), "{said}");
    for wrong in ["bank.balance=7", "bank.balans=failed", "bank.balance", "nobody.knows=1"] {
        let (said, passed) = talk(&["--given", wrong]);
        assert!(!passed && said.starts_with(&format!("strowger: `--given {wrong}`: ")), "{said}");
    }
}

#[test]
fn what_nothing_says_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["first_call.flow", "strowger.yaml"] {
        std::fs::copy(Path::new(EXAMPLE).join(file), folder.path().join(file)).unwrap();
    }
    let path = folder.path().to_str().unwrap();
    let script = "2\n1\n4111111111111111#\n7\n12.50 USD\n";
    let (said, passed) = strowger(&["talk", path, "--at", MORNING], script);
    assert!(passed, "{said}");
    in_order(
        &said,
        &[
            "bank.balance(•) is asked; type an amount like `12.50 USD` or `failed`",
            "> 7\nthis is `Int`, where `Money` is wanted",
            "> 12.50 USD\n",
            "is twelve dollars fifty.",
        ],
    );
}

#[test]
fn the_clock_of_a_talk_is_that_of_its_zone() {
    let (said, _) = strowger(&["talk", EXAMPLE, "--at", "2026-03-02 20:00 in Asia/Shanghai"], "2\n");
    assert!(said.contains("20:00:00  calls") && said.contains("We are closed now."), "{said}");
    let (said, _) = strowger(&["talk", EXAMPLE, "--at", "2026-03-02 10:00", "--json"], "until 10:01\nquit\n");
    let events: Vec<serde_json::Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&events[0]["kind"], &events[0]["at"]), (&"calls".into(), &"2026-03-02 10:00:00".into()));
    assert!(events.iter().any(|event| event["kind"] == "hears" && event["language"] == "zh"), "{said}");
    let (said, passed) = strowger(&["talk", EXAMPLE, "--to", "+1 212 555 0100"], "");
    assert!(!passed && said.contains("does not answer +1 212 555 0100") && said.contains("+864008100000"), "{said}");
}

#[test]
fn an_agent_comes_while_a_caller_waits() {
    let sites = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/09-many-sites");
    let script = "\n?\nagent wang idle technical=4 mandarin\n?\n+5m\n";
    let (said, passed) = strowger(&["talk", sites, "--at", "2026-03-02 10:00 in Asia/Shanghai"], script);
    assert!(passed, "{said}");
    in_order(
        &said,
        &[
            "queued  in support (priority 20, 0 ahead)",
            "按1我们给您回电。",
            "he waits for an agent, or talks with one",
            "no agent is there",
            "wang is rung",
            "wang answers",
            "wang hears 贵宾",
            "agents: wang talks",
            "hears   感谢您的来电。",
            "the call is over",
        ],
    );
}

#[test]
fn who_is_served_in_the_end_has_missed_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let flow = r#"languages en

inbound "+1 212 555 0100" => desk

queue office {
    timeout  20s
}

flow desk {
    answer
    queue office {
        served, unstaffed => hang up
        timeout => go once_more
    }

    step once_more {
        say "We try once more."
        queue office {
            served, timeout, unstaffed => hang up
        }
    }
}

when missed in office as _contact => send sms "We missed your call."

test "served" {
    agent "eve" away
    call from "+1 212 555 0101" to "+1 212 555 0100"
    hears "once more"
    agent "eve" idle
    expect agent "eve"
    expect end
}

test "missed twice" {
    agent "eve" away
    call from "+1 212 555 0101" to "+1 212 555 0100"
    expect end
    expect sent sms "We missed your call."
}
"#;
    std::fs::write(folder.path().join("desk.flow"), flow).unwrap();
    let (said, passed) = strowger(&["test", folder.path().to_str().unwrap(), "--transcript"], "");
    assert!(passed, "{said}");
    let (served, missed) = said.split_once("ok      missed twice").unwrap();
    assert!(served.contains("eve leaves") && !served.contains("when missed"), "{said}");
    assert_eq!(missed.matches("rule    when missed in office").count(), 1, "{said}");
}

#[test]
fn tests_are_chosen_listed_written_out_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (xml, page) = (folder.path().join("out/junit.xml"), folder.path().join("cover"));
    let (xml_text, page_text) = (xml.to_str().unwrap(), page.to_str().unwrap());
    let (said, passed) =
        strowger(&["test", EXAMPLE, "--junit", xml_text, "--coverage", "--html", page_text, "--jobs", "2"], "");
    assert!(passed, "{said}");
    in_order(&said, &["15 passed, 0 failed: ", "coverage of 15 tests", "first_call.first_call", "No test hears"]);
    assert!(std::fs::read_to_string(&xml).unwrap().contains("<testsuite name=\"first_call_test.flow\" tests=\"6\""));
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/junit.xsd");
    let judged = Command::new("xmllint").args(["--noout", "--schema", schema, xml_text]).output();
    let judged = judged.expect("install the package `libxml2-utils`, or run `cargo xtask test`");
    assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stderr));
    assert!(std::fs::read_to_string(page.join("index.html")).unwrap().contains("<h2>first_call.flow</h2>"));

    let (said, passed) = strowger(&["test", EXAMPLE, "--filter", "CLOSED", "--filter", "bank", "--list"], "");
    assert!(passed && said.lines().count() == 2 && said.contains("first_call_test.flow:55  National Day"), "{said}");
    let (said, passed) = strowger(&["test", EXAMPLE, "--filter", "balence"], "");
    assert!(!passed && said.contains("the nearest is `--filter \"balance\"`"), "{said}");
    let (said, passed) = strowger(&["test", EXAMPLE, "--filter", "closed", "--coverage-min", "90"], "");
    assert!(!passed && said.contains("less than 90 %") && said.contains("1 passed"), "{said}");
    let (said, passed) = strowger(&["test", EXAMPLE, "--json", "--coverage"], "");
    let lines: Vec<serde_json::Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(passed && lines.len() == 17, "{said}");
    assert_eq!((&lines[15]["passed"], &lines[16]["coverage"]["counted_by"]), (&15.into(), &"interpreter".into()));
}

#[test]
fn a_watched_project_is_checked_after_each_change() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.flow");
    let right = "languages en\n\ninbound \"+86 400 810 0000\" => a\n\nflow a {\n    answer\n    hang up\n}\n";
    let put = |text: &str| {
        std::fs::write(folder.path().join("a.new"), text).unwrap();
        std::fs::rename(folder.path().join("a.new"), &file).unwrap();
    };
    put(right);
    let mut watch = Command::new(env!("CARGO_BIN_EXE_strowger"));
    watch.args(["check", "--watch", "--json"]).arg(folder.path()).stdout(Stdio::piped());
    let mut watch = watch.spawn().unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    let mut next = || -> serde_json::Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    let said = next();
    assert_eq!((&said["errors"], &said["problems"]), (&0.into(), &serde_json::json!([])), "{said}");
    assert!(said["ms"].is_f64(), "{said}");
    put(&right.replace("hang up", "go nowhere_at_all"));
    let said = next();
    assert_eq!((&said["errors"], &said["problems"][0]["code"]), (&1.into(), &"F0101".into()), "{said}");
    put(&format!("{right}// as before\n"));
    let said = next();
    assert_eq!((&said["errors"], &said["warnings"]), (&0.into(), &0.into()), "{said}");
    // As long as before and, as by `cp -p`, of the same time.
    let written = std::fs::metadata(&file).unwrap().modified().unwrap();
    let other = folder.path().join("a.new");
    std::fs::write(&other, format!("{}// as before\n", right.replace("hang up", "hung up"))).unwrap();
    std::fs::File::options().write(true).open(&other).unwrap().set_modified(written).unwrap();
    std::fs::rename(&other, &file).unwrap();
    assert_eq!(next()["errors"], 1);
    assert!(Command::new("kill").args(["-INT", &watch.id().to_string()]).status().unwrap().success());
    assert_eq!(watch.wait().unwrap().code(), Some(0));
}

#[test]
fn a_single_file_knows_the_recordings_of_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let prompts = folder.path().join("prompts");
    std::fs::create_dir(&prompts).unwrap();
    let file = folder.path().join("a.flow");
    let text = "languages en\n\ninbound \"+86 400 810 0000\" => a\n\nprompt hello {\n    en audio \"hello.wav\"\n}\n\n\
                flow a {\n    answer\n    play hello\n    hang up\n}\n";
    std::fs::write(&file, text).unwrap();
    let check = |more: &[&str]| {
        let [one, all] = [&file, &folder.path().to_owned()].map(|path| {
            let said = strowger(&[&["check", path.to_str().unwrap()], more].concat(), "");
            (said.0.replace(" (version", "\n(version").lines().next().unwrap_or_default().to_owned(), said)
        });
        assert_eq!((one.0, one.1.1), (all.0, all.1.1), "{} {}", one.1.0, all.1.0);
        one.1
    };
    let (said, passed) = check(&[]);
    assert!(!passed && said.contains("F0702") && said.contains("prompts/hello.wav"), "{said}");
    // 8 kHz, 16 bits: 98 761 samples are 12 345.125 ms.
    let data = 8_000i16.to_le_bytes().repeat(98_761);
    let sizes = |size: usize| u32::try_from(size).unwrap().to_le_bytes();
    let shape = [&[16, 0, 0, 0, 1, 0, 1, 0][..], &sizes(8_000), &sizes(16_000), &[2, 0, 16, 0]].concat();
    let wav = [b"RIFF", &sizes(36 + data.len())[..], b"WAVEfmt ", &shape, b"data", &sizes(data.len()), &data].concat();
    std::fs::write(prompts.join("hello.wav"), &wav).unwrap();
    let (said, passed) = check(&[]);
    assert!(passed && said.contains("no problems"), "{said}");
    let (said, _) = check(&["--report", "--json"]);
    assert!(said.contains("12346"), "{said}");
    std::fs::write(prompts.join("hello.wav"), &wav[..200]).unwrap();
    let (said, passed) = check(&[]);
    assert!(!passed && said.contains("F0703"), "{said}");
    std::fs::write(prompts.join("hello.wav"), [&wav[..44], &vec![0; data.len()]].concat()).unwrap();
    let (said, passed) = check(&[]);
    assert!(!passed && said.contains("F0703") && said.contains("100 dB below full scale"), "{said}");
}

#[test]
fn a_folder_that_is_no_project_is_not_served_and_stays_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let absent = folder.path().join("absent");
    let file = folder.path().join("a.flow");
    std::fs::write(&file, "").unwrap();
    for (path, why) in [(&empty, "has no flow file"), (&absent, "there is no"), (&file, "is a file")] {
        let (said, served) = strowger(&["serve", path.to_str().unwrap()], "");
        assert!(!served && said.contains(why) && said.contains("help: name"), "{said}");
    }
    assert!(!absent.exists() && empty.read_dir().unwrap().next().is_none());
}

#[test]
fn a_rehearsal_leaves_nothing_behind() {
    let (folder, passing) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let flow = "languages en\n\ninbound \"+44 20 7946 0000\" => main\n\nflow main {\n    answer\n    hang up\n}\n";
    std::fs::write(folder.path().join("main.flow"), flow).unwrap();
    let mut served = Command::new(env!("CARGO_BIN_EXE_strowger"))
        .args(["serve", "--json", "--sip", "127.0.0.1:0", "--http", "127.0.0.1:0", "--at", MORNING])
        .arg(folder.path())
        .env("TMPDIR", passing.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut ready = String::new();
    BufReader::new(served.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    let kept = || passing.path().read_dir().unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    assert!(ready.contains("serving") && kept()[0].join("strowger.db").is_file(), "{ready}, {:?}", kept());
    let stopped = Command::new("kill").args(["-TERM", &served.id().to_string()]).status().unwrap();
    assert!(stopped.success() && served.wait().unwrap().success());
    assert_eq!((kept(), folder.path().read_dir().unwrap().count()), (Vec::new(), 1));
}
