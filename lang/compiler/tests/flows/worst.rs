//! The worst case of each flow in figures. Those of the examples are worked out by hand here, as decision 0021 counts.

use std::path::Path;

use lang_compiler::{Project, Worst, analyze};
use runtime_contract::channel::Channel;
use runtime_contract::program::SiteNames;

fn worst_of(project: &Project) -> Vec<Worst> {
    let analysis = analyze(project, &SiteNames::default());
    assert!(!analysis.has_errors(), "{}", analysis.report(lang_compiler::Colours::Off, 100).text);
    analysis.worst()
}

fn example(name: &str) -> Vec<Worst> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name);
    let mut project = Project::default();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if name.ends_with(".flow") {
            project.add_flow(name, std::fs::read_to_string(entry.path()).unwrap());
        }
    }
    worst_of(&project)
}

fn text(text: &str) -> Vec<Worst> {
    let mut project = Project::default();
    project.add_flow("m.flow", format!("languages en\n\n{text}"));
    worst_of(&project)
}

/// Prompts, milliseconds, menus, milliseconds until a person.
fn figures(worst: &Worst) -> (u64, u64, u64, Option<u64>) {
    assert!(worst.prompts.is_most && worst.time_ms.is_most && worst.menus.is_most, "{}", worst.flow);
    let person = worst.person_ms.as_ref().map(|(wait, _)| wait.amount);
    (worst.prompts.amount, worst.time_ms.amount, worst.menus.amount, person)
}

/// `hotline.flow:12`.
fn cause(figure: &lang_compiler::Figure) -> String {
    figure.cause.as_ref().map_or_else(String::new, |(at, _)| format!("{}:{} {}", at.file, at.line, at.text))
}

#[test]
fn the_first_call() {
    let [flow] = &example("01-first-call")[..] else { panic!("one flow") };
    // Welcome and language: 2. `main` with two failed tries: 1 + 2 × (1 + 1) = 5; `balance` 2 tries and the amount: 3;
    // three rounds of both: 24. Then `main` 5, `message` 2 tries, the message and a word: 4, goodbye 1.
    let prompts = 2 + 24 + 5 + 4 + 1;
    // Welcome 1 820; languages 2 460 and 5 s. `main`: twice (4 320 + 5 000 + 1 380), then 4 320 + 5 000 = 30 720.
    // `balance`: twice (2 700 and 19 keys: 5 s + 18 × 3 s), the bank 2 s, 2 340 and two values of 5 s and 4 s: 136 740.
    // Three rounds, both again, goodbye 500: longer than a message of 60 s that is played back.
    let (main, balance) = (30_720, 136_740);
    let time_ms = 1_820 + 7_460 + 3 * (main + balance) + main + balance + 500;
    assert_eq!(figures(flow), (prompts, time_ms, 2, None));
    assert!(cause(&flow.prompts).ends_with("go main up to 3 times else go goodbye"));
    assert_eq!(flow.prompts.cause.as_ref().unwrap().1, 24);
    let way: Vec<_> = flow.prompts.way.iter().map(|(step, times)| (step.as_str(), *times)).collect();
    assert_eq!(way, [("main", 4), ("balance", 3), ("message", 1), ("goodbye", 1)]);
    assert_eq!(flow.answers, ["+864008100000"]);
    assert_eq!(flow.menus.cause.as_ref().unwrap().0.part, "main");
}

#[test]
fn hello() {
    let [flow] = &example("02-hello")[..] else { panic!("one flow") };
    // Four languages offered, three tries, the address, goodbye.
    assert_eq!(flow.prompts.amount, 4 + 3 + 1 + 1);
    // 4 × (1 500 + 2 s), 3 × (4 740 + 5 s), the address 3 880, goodbye 1 860.
    assert_eq!(figures(flow), (9, 4 * 3_500 + 3 * 9_740 + 3_880 + 1_860, 2, None));
}

#[test]
fn a_bank_balance() {
    let [flow] = &example("03-bank-balance")[..] else { panic!("one flow") };
    // Language 4, welcome 1. A card that is mistyped 3 + 1, twice; a card 3. A wrong PIN 2 + 1, twice; a PIN 2. A balance
    // overdrawn and two tries 2 + 2, four times; goodbye.
    let prompts = 4 + 1 + 2 * 4 + 3 + 2 * 3 + 2 + 4 * 4 + 1;
    let (found, _, menus, person) = figures(flow);
    assert_eq!((found, menus, person), (prompts, 2, None));
    let way: Vec<_> = flow.prompts.way.iter().map(|(step, times)| format!("{step} {times}")).collect();
    assert_eq!(way, ["card 3", "mistyped 2", "pin 3", "account 4", "goodbye 1"]);
}

#[test]
fn clinic_appointments() {
    let flows = example("04-clinic-appointments");
    let [appointments, tell] = &flows[..] else { panic!("two flows") };
    // A day and a time with two words “no such day”, each read back: 2 × (2 × 3 + 2). A patient: 2 tries, and a number of
    // which the menu is 2 and the rest, given up, 3 × 3. A time that is taken: 2.
    let (day, patient, taken) = (16, 2 + 2 + 9, 2);
    // Language and greeting 5, `main` 5, by the desk twice 2 × (5 + 1), departments 3, three times taken, then booked:
    // 1 + 2 + 1 + 1, goodbye.
    let prompts = 5 + 2 * (5 + 1) + 5 + 3 + 3 * (day + patient + taken) + day + patient + 5 + 1;
    let (found, _, menus, person) = figures(appointments);
    assert_eq!((found, menus, person), (prompts, 4, None));
    assert!(cause(&appointments.prompts).ends_with("go day(visit.department) up to 3 times else go goodbye"));
    assert_eq!(cause(&appointments.menus), "std/phone.flow:8 menu {");
    assert_eq!((tell.prompts.amount, tell.menus.amount), (2, 0));
}

#[test]
fn order_status() {
    let flows = example("05-order-status");
    // Language and greeting; 256 orders of this number, two texts each; five times `main`, a number in vain and right, an
    // order of 256 items, the menu twice, a word; the way to a person and goodbye.
    let number = 2 * (5 + 1) + 2 * (5 + 3) + (5 + 3);
    let prompts = 5 + (1 + 256 * 2) + 5 * (5 + (1 + number) + (1 + 256 + 3) + 2 + 1) + 3;
    let (found, _, menus, _) = figures(&flows[0]);
    assert_eq!((found, menus), (prompts, 4));
    let (wait, place) = flows[0].person_ms.as_ref().unwrap();
    assert!(place.text.starts_with("connect to HELP_DESK"), "{place:?}");
    // Behind it ring 25 s, a word of 2 640 and goodbye of 2 400.
    assert!(wait.amount < flows[0].time_ms.amount, "{wait:?}");
    assert!(cause(&flows[0].prompts).ends_with("for each item in order.items {"));
}

#[test]
fn out_of_hours() {
    let flows = example("06-out-of-hours");
    // A household's number as in the order line; a telephone number 2 + 9.
    let household = 1 + 2 * (5 + 1) + 2 * (5 + 3) + (5 + 3);
    let (found, _, menus, person) = figures(&flows[0]);
    // Language and greeting 5, holiday, closed 5, the valve, both numbers, a message, goodbye.
    assert_eq!((found, menus, person), (5 + 1 + 5 + 1 + household + 11 + 3 + 1, 4, None));
    assert_eq!(flows[1].prompts.amount, household);
}

#[test]
fn an_exchange_of_asterisk() {
    let flows = example("07-asterisk-port");
    let reception = &flows[2];
    // `main`: the address twice (6 180, 4 keys 7 s + 3 × 3 s, 2 940), then 6 180 + 16 s. `service`: wrong twice (3 780,
    // 5 s, 1 620), then 3 780 + 5 s; given up 1 620 more.
    let (main, service) = (2 * (6_180 + 16_000 + 2_940) + 6_180 + 16_000, 2 * 10_400 + 8_780);
    // Silence and greeting, three rounds, both once more, `One moment`.
    let rung_ms = 500 + 1_880 + 3 * (main + service) + main + service + 1_620 + 1_660;
    // 20 s of ringing, nobody can be reached (1 820 and digits of 5 s), a message after a silence (3 300 twice, tone and
    // 5 s, tone and 2 min, 1 620), goodbye.
    let time_ms = rung_ms + 20_000 + 6_820 + 2 * 3_300 + 5_500 + 120_500 + 1_620 + 500;
    let prompts = 1 + 3 * (5 + 5) + 5 + 6 + 2 + 3 + 1;
    assert_eq!(figures(reception), (prompts, time_ms, 2, Some(rung_ms)));
    let (_, place) = reception.person_ms.as_ref().unwrap();
    assert_eq!((place.part.as_str(), place.line), ("ring", 80));
    for entry in &flows[..2] {
        assert_eq!(figures(entry), figures(reception));
        assert_eq!(cause(&entry.time_ms), cause(&reception.time_ms), "the place is that of the flow that is run");
    }
}

#[test]
fn a_meter_of_voicexml() {
    let [flow] = &example("08-voicexml-port")[..] else { panic!("one flow") };
    // Welcome; a number that nobody has (5 + 1) twice; a number 5; readings: three wrong ones of 3, then 2, the question
    // and yes or no, given up: 1 + 6; three times; the receipt.
    let prompts = 1 + 2 * (5 + 1) + 5 + 3 * (3 * 3 + 2 + 1 + 6) + 1;
    let (found, _, menus, person) = figures(flow);
    assert_eq!((found, menus, person), (prompts, 1, None));
}

#[test]
fn a_round_that_does_not_lie_on_the_longest_way_is_gone_only_if_it_pays() {
    // `long` leads nowhere else, so the rounds of `short` are not gone before it: nothing leads back.
    let flow = |rounds: u32, long: u32| {
        let says = "        say \"A\"\n".repeat(long as usize);
        text(&format!(
            "flow f {{
    answer
    menu {{
        say \"1 or 2?\"
        1 => go short
        2 => go long
        silence, other => hang up
    }}

    step short {{
        say \"B\"
        go short up to {rounds} times else hang up
    }}

    step long {{
{says}        hang up
    }}
}}
"
        ))
    };
    assert_eq!(figures(&flow(3, 9)[0]).0, 1 + 9);
    assert_eq!(figures(&flow(20, 9)[0]).0, 1 + 21);
    assert_eq!(flow(20, 9)[0].prompts.way, [("short".to_owned(), 21)]);
}

#[test]
fn rounds_within_rounds_and_large_numbers() {
    let flows = text(
        "flow f {
    answer
    go a

    step a {
        say \"A\"
        go b
    }

    step b {
        say \"B\"
        note n = 1
        go b up to 3 times else continue
        go a up to 500 times else hang up
    }
}
",
    );
    // Each written `go` counts for the whole call: A 501 times, B 501 + 3 times.
    assert_eq!(figures(&flows[0]).0, 501 + 504);
    assert_eq!(flows[0].prompts.way, [("a".to_owned(), 501), ("b".to_owned(), 504)]);
}

#[test]
fn a_fault_stands_at_the_end_of_the_longest_way() {
    let flows = text(
        "flow f {
    answer
    say \"One.\"
    let n = percent(1, 2)
    say \"{n}\"
    hang up

    fault {
        say \"We are sorry.\"
        connect to \"+44 20 7946 0000\" ring 10s else hang up
    }

    finally { wait 5s }
}
",
    );
    let (prompts, time_ms, _, person) = figures(&flows[0]);
    // `One.` 240, a share 2 s, `We are sorry.` 780.
    assert_eq!((prompts, person, time_ms), (3, Some(240 + 2_000 + 780), 240 + 2_000 + 780 + 10_000));
}

#[test]
fn a_fault_gives_no_round_a_second_time() {
    let flows = text(
        "flow f {
    answer
    go a

    step a {
        say \"A\"
        let n = percent(1, 2)
        note n = 1
        go a up to 4 times else go b
    }

    step b {
        say \"B\"
        hang up
    }

    fault {
        say \"We are sorry.\"
        go a up to 1 times else hang up
    }
}
",
    );
    // A five times and B; the fault comes at its end; A once more, whose own number is used up, and B again.
    assert_eq!(figures(&flows[0]).0, (5 + 1) + 1 + (1 + 1));
}

#[test]
fn a_fault_may_come_while_a_person_is_about_to_be_rung() {
    let flows = text(
        "flow f {
    answer
    say \"Short.\"
    let n = 3 * 2
    note n = n
    connect to \"+44 20 7946 0000\" ring 10s else hang up
    hang up

    fault {
        say \"We are sorry.\"
        connect to \"+44 20 7946 0001\" ring 10s else hang up
    }
}
",
    );
    let (_, _, _, person) = figures(&flows[0]);
    // `Short.` 360 and `We are sorry.` 780.
    assert_eq!(person, Some(360 + 780));
}

#[test]
fn a_list_that_is_written_out_has_its_own_rounds() {
    let rounds = |list: &str| {
        let flow = format!("flow f {{\n    for each n in {list} {{\n        say \"{{n}}\"\n    }}\n    hang up\n}}\n");
        figures(&text(&format!("const NUMBERS = [1, 2]\n{flow}"))[0]).0
    };
    assert_eq!((rounds("[7, 8, 9]"), rounds("NUMBERS")), (3, 2));
}

#[test]
fn a_flow_without_any_of_it() {
    let flows = text("flow f {\n    hang up\n}\n");
    assert_eq!(figures(&flows[0]), (0, 0, 0, None));
    assert_eq!(cause(&flows[0].prompts), "");
}

#[test]
fn what_a_caller_hears_while_he_waits() {
    let flows = text(
        "queue q {\n    timeout 3m\n    every 30s {\n        say \"Wait.\"\n        say \"{ahead} before you.\"\n    \
         }\n}\n\nflow f {\n    answer\n    queue q {\n        served => hang up\n        timeout, unstaffed => say \
         \"Sorry.\" then hang up\n    }\n}\n",
    );
    let flow = flows.iter().find(|flow| flow.flow == "m.f").expect("the flow");
    // After 30 s, and each 30 s until 150 s; what is behind.
    assert_eq!(flow.prompts.amount, 5 * 2 + 1);
    assert!(cause(&flow.prompts).starts_with("m.flow:5 every 30s"), "{}", cause(&flow.prompts));
}

#[test]
fn what_a_channel_of_a_survey_leaves_out_is_named() {
    let survey = |by: &str, kind: &str| {
        let flows = text(&format!(
            "queue q {{\n    timeout 3m\n}}\n\nsurvey s after q {{\n    by {by}\n    question score 1..5 \"How?\"\n    \
             question why {kind} \"Why?\"\n}}\n"
        ));
        flows[0].left_out.clone()
    };
    assert_eq!(survey("voice, sms", "text up to 60"), [("why".to_owned(), Channel::Voice)]);
    assert_eq!(survey("voice, sms", "voice up to 60s"), [("why".to_owned(), Channel::Sms)]);
    assert_eq!(survey("voice, sms", "yes or no"), []);
    assert_eq!([survey("sms", "text up to 60"), survey("voice", "voice up to 60s")], [[], []]);
}

#[test]
fn what_passes_a_limit_says_how_a_call_comes_there() {
    let mut project = Project::default();
    let flow = "languages en\n\ninbound \"+44 20 7946 0000\" => f\n\nflow f {\n    answer\n    menu {\n        say \"1?\"\n        1 => go s\n        silence, other => hang up\n    }\n\n    step s {\n        say \"S\"\n        go s up to 20000 times else hang up\n    }\n}\n";
    project.add_flow("m.flow", flow);
    let analysis = analyze(&project, &SiteNames::default());
    let report = analysis.report(lang_compiler::Colours::Off, 100).text;
    assert!(report.contains("F0508") && report.contains("the caller presses 1") && report.contains("`s`"), "{report}");
    assert_eq!(analysis.worst(), []);
}

/// Each level doubles what is looked at when nothing is remembered: then these do not end.
#[test]
fn what_is_nested_or_run_twice_is_looked_at_once() {
    let nested = format!(
        "flow f {{\n    answer\n{}say \"A.\"\n{}    hang up\n}}\n",
        "repeat 1 times {\n".repeat(40),
        "}\n".repeat(40)
    );
    let [flow] = &text(&nested)[..] else { panic!("one flow") };
    assert_eq!(flow.prompts.amount, 1);
    let runs =
        |from: usize| format!("flow g{from} {{\n    run g{to}()\n    run g{to}()\n    return\n}}\n\n", to = from + 1);
    let row: String = (0..60).map(runs).collect();
    let mut project = Project::default();
    let last = "flow g60 {\n    say \"x\"\n    return\n}\n";
    project.add_flow(
        "m.flow",
        format!("languages en\n\nflow f {{\n    answer\n    run g0()\n    hang up\n}}\n\n{row}{last}"),
    );
    let analysis = analyze(&project, &SiteNames::default());
    assert!(analysis.has_errors() && analysis.diagnostics.len() < 10, "{:#?}", analysis.diagnostics);
}

#[test]
fn a_recording_lasts_as_long_as_it_does() {
    let mut project = Project::default();
    let texts = "prompt a { en audio \"a.wav\" \"Hello.\" }\nprompt b { en audio \"b.wav\" }\nprompt c { en audio \"c.wav\" \"Hi.\" }\nprompt d { en audio \"d.wav\" }\n";
    let flow = "flow f {\n    answer\n    play a\n    play b\n    play c\n    play d\n    hang up\n}\n";
    project.add_flow("m.flow", format!("languages en\n\ninbound \"+86 400 810 0000\" => f\n\n{texts}\n{flow}"));
    for file in ["a.wav", "b.wav", "c.wav", "d.wav"] {
        project.add_audio(file, [7; 32]);
    }
    project.set_audio_ms("a.wav", 12_345);
    project.set_audio_ms("b.wav", 1);
    let [worst] = &worst_of(&project)[..] else { panic!("one flow") };
    // `c` and `d` are of unknown length: its three characters, and 5 s.
    assert_eq!(figures(worst), (4, 12_345 + 1 + 180 + 5_000, 0, None));
    assert!(cause(&worst.time_ms).ends_with("play a"));
}
