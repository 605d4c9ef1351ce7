//! Projects of any size, as large contact centres have them: files of a few flows, flows of a score of steps, steps of
//! 13 lines. And projects of one odd shape each, in which a pass that is not linear would show.

use std::fmt::Write as _;
use std::path::Path;

use super::centre::{cadences, queues};

/// Steps of one file of a project, and of one flow.
pub const FILE_STEPS: usize = 100;
const FLOW_STEPS: usize = 20;

/// Files by name.
pub type Files = Vec<(String, String)>;

pub fn lines(files: &Files) -> usize {
    files.iter().map(|(_, text)| text.lines().count()).sum()
}

pub fn write(files: &Files, folder: &Path) -> Result<(), String> {
    let failed = |cause: std::io::Error| format!("{}: {cause}", folder.display());
    std::fs::create_dir_all(folder.join("prompts")).map_err(failed)?;
    files.iter().try_for_each(|(name, text)| std::fs::write(folder.join(name), text).map_err(failed))
}

/// Name, what grows in it, and how it is made of so many steps.
pub type Shape = (&'static str, &'static str, fn(usize) -> Files);

pub const SHAPES: &[Shape] = &[
    ("usual", "files of 100 steps, flows of 20", usual),
    ("one-flow", "all steps in one flow of one file", one_flow),
    ("one-file", "all flows in one file", one_file),
    ("modules", "a file for every 4 steps, each using the one before", modules),
    ("runs", "every flow runs two others", runs),
    ("languages", "files of one language or of three, run by callers of any", languages),
    ("wide", "menus of 30 choices, counted as 3 steps each", wide),
    ("enums", "an enum of 10 variants and a record for each step", enums),
    ("deep", "records inside records, 10 deep", deep),
    ("constants", "a constant and a function for each step", constants),
    ("queues", "a queue with all its clauses for every 10 steps", queues),
    ("cadences", "a cadence and its flow for every 20 steps", cadences),
    ("mistakes", "a mistake in every step", mistakes),
];

const SHARED: &str = r#"//! What all files share.

languages zh, en

type Customer {
    id: Text
    name: Text
}

service crm {
    find(phone: Phone?) -> Customer? within 800ms
    points(card: Digits) -> Int      within 2s
}

hours office in "Asia/Shanghai" {
    mon..fri  09:00..18:00
}

prompt welcome {
    zh "欢迎致电。"
    en "Welcome."
}
"#;

pub fn usual(steps: usize) -> Files {
    let mut files = vec![("shared.flow".to_owned(), SHARED.to_owned())];
    for file in 0..steps.div_ceil(FILE_STEPS) {
        let mut text = head();
        for flow in 0..FILE_STEPS / FLOW_STEPS {
            flow_of(&mut text, flow, file * (FILE_STEPS / FLOW_STEPS) + flow, FLOW_STEPS);
        }
        files.push((format!("line_{file:04}.flow"), text));
    }
    files
}

/// A telephone number of its own for each.
pub fn number(of: usize) -> String {
    format!("+86 4{:03} {:03} {:04}", of / 10_000_000, of / 10_000 % 1_000, of % 10_000)
}

fn head() -> String {
    "use shared: crm, office, welcome\n\nlanguages zh, en\n".to_owned()
}

/// One flow and the number that leads to it. `number` is its own in the whole project.
fn flow_of(text: &mut String, name: usize, number: usize, steps: usize) {
    let _ = write!(
        text,
        "\ninbound \"{}\" => flow_{name}\n\nflow flow_{name} {{\n    answer\n    play welcome\n    \
         let customer = crm.find(caller.number) else none\n    go step_{number}_0\n",
        self::number(number)
    );
    for step in 0..steps.saturating_sub(1) {
        let next = if step + 2 == steps { "bye".to_owned() } else { format!("step_{number}_{}", step + 1) };
        step_of(text, step, number, &next);
    }
    text.push_str("\n    step bye {\n        say zh \"再见。\" en \"Goodbye.\"\n        hang up\n    }\n}\n");
}

/// 13 lines.
fn step_of(text: &mut String, step: usize, number: usize, next: &str) {
    let body = match step % 3 {
        0 => format!(
            r#"menu {{
            say zh "查询{step}号订单请按1，其他请按2。" en "For orders of desk {number}-{step} press 1, else press 2."
            1 => go {next}
            2 => note choice = "rest {number}"
            silence => say zh "没有听到。" en "Desk {number}-{step} did not hear that." then again
            other => again
            after 3 tries => go bye
        }}
        if caller.language is zh {{ note language = "zh" }}
        go {next}"#
        ),
        1 => format!(
            r#"let card = ask digits 6..8 {{
            say zh "请输入卡号，按井号结束。" en "Please key the number of card {number}-{step}, then press hash."
            silence, invalid => again
            after 2 tries => go bye
        }}
        match crm.points(card) {{
            ok points => say zh "您有{{points}}分。" en "Card {number}-{step} has {{points}} {{points|point|points}}."
            failed => say zh "暂时查不到。" en "I cannot look up card {number}-{step} now."
        }}
        go {next}"#
        ),
        _ => format!(
            r#"if office is open and {step} * 2 > 7 {{
            say zh "现在有人接听，第{step}位。" en "We are here, at desk {number}-{step}."
        }} else {{
            play welcome
        }}
        match customer {{
            some known => say zh "{{known.name}}，您好。" en "Good day {{known.name}}, this is desk {number}-{step}."
            none => say zh "您好。" en "Good day from desk {number}-{step}."
        }}
        go {next}"#
        ),
    };
    let _ = write!(text, "\n    step step_{number}_{step} {{\n        {body}\n    }}\n");
}

fn one_flow(steps: usize) -> Files {
    let mut text = head();
    flow_of(&mut text, 0, 0, steps);
    vec![("shared.flow".to_owned(), SHARED.to_owned()), ("line.flow".to_owned(), text)]
}

fn one_file(steps: usize) -> Files {
    let mut text = head();
    (0..steps / FLOW_STEPS).for_each(|flow| flow_of(&mut text, flow, flow, FLOW_STEPS));
    vec![("shared.flow".to_owned(), SHARED.to_owned()), ("line.flow".to_owned(), text)]
}

/// A constant leads through 16 files at most: so far may one be worked out from others.
fn modules(steps: usize) -> Files {
    let mut all = vec![("shared.flow".to_owned(), SHARED.to_owned())];
    for file in 0..steps / 4 {
        let (used, enough) = match file % 16 {
            0 => (String::new(), "2".to_owned()),
            _ => (format!("use line_{:05}\n", file - 1), format!("line_{:05}.enough", file - 1)),
        };
        let mut text = format!("{used}{}\nconst enough = {enough}\n", head());
        flow_of(&mut text, 0, file, 4);
        all.push((format!("line_{file:05}.flow"), text));
    }
    all
}

/// Flows in a tree of twos, as deep as `run` may go; many trees.
fn runs(steps: usize) -> Files {
    const TREE: usize = 255;
    let mut text = "languages en\n".to_owned();
    for flow in 0..steps {
        let place = flow % TREE;
        if place == 0 {
            let _ = write!(text, "\ninbound \"{}\" => flow_{flow}\n", number(flow));
        }
        let _ = write!(text, "\nflow flow_{flow} {{\n    answer\n    say \"Part {flow}.\"\n");
        for child in [2 * place + 1, 2 * place + 2] {
            if child < TREE && flow - place + child < steps {
                let _ = writeln!(text, "    run flow_{}()", flow - place + child);
            }
        }
        text.push_str("    return\n}\n");
    }
    vec![("line.flow".to_owned(), text)]
}

/// Each flow leads callers in every language that they may have by now to the next two, half of which speak them all.
fn languages(steps: usize) -> Files {
    const TREE: usize = 255;
    let name = |flow: usize| format!("line_{flow:05}");
    let files = (0..steps).map(|flow| {
        let (place, first) = (flow % TREE, flow - flow % TREE);
        let children = [2 * place + 1, 2 * place + 2].into_iter().filter(|child| *child < TREE);
        let children: Vec<String> = children.map(|child| first + child).filter(|own| *own < steps).map(name).collect();
        let mut text: String = children.iter().map(|child| format!("use {child}\n")).collect();
        let tongue = ["zh", "en", "fr"][flow % 3];
        let (head, said) = match flow % 2 {
            0 => ("zh, en, fr", "zh \"部分。\" en \"Part.\" fr \"Partie.\""),
            _ => ("fr", "\"Partie.\""),
        };
        let _ = write!(text, "\nlanguages {head}\n");
        if place == 0 {
            let _ = write!(text, "\ninbound \"{}\" => part\n", number(flow));
        }
        let _ = write!(text, "\nflow part {{\n    answer\n    say {said}\n");
        let _ = writeln!(
            text,
            "    if caller.language is {tongue} {{ say {said} }} else {{ set caller.language = {tongue} }}"
        );
        children.iter().for_each(|child| text.push_str(&format!("    run {child}.part()\n")));
        text.push_str("    return\n}\n");
        (format!("{}.flow", name(flow)), text)
    });
    files.collect()
}

fn wide(steps: usize) -> Files {
    let files = (0..steps.div_ceil(FILE_STEPS)).map(|file| {
        let mut text = "languages en\n".to_owned();
        let menus = FILE_STEPS / 3;
        let _ = write!(text, "\ninbound \"{}\" => big\n\nflow big {{\n    answer\n    go step_0\n", number(file));
        for menu in 0..menus {
            let _ = write!(text, "\n    step step_{menu} {{\n        menu {{\n            say \"Choose.\"\n");
            for key in 10..40 {
                let to = if menu + 1 == menus { "bye".to_owned() } else { format!("step_{}", menu + 1) };
                let _ = writeln!(text, "            {key} => go {to}");
            }
            text.push_str(
                "            silence, other => again\n            after 2 tries => go bye\n        }\n    }\n",
            );
        }
        text.push_str("\n    step bye { hang up }\n}\n");
        (format!("line_{file:04}.flow"), text)
    });
    files.collect()
}

fn enums(steps: usize) -> Files {
    let mut text = "languages en\n".to_owned();
    for item in 0..steps {
        let _ = write!(text, "\nenum Kind_{item} {{\n");
        for variant in 0..10 {
            let _ = writeln!(text, "    v_{variant} \"variant {variant}\"");
        }
        let _ = write!(text, "}}\n\ntype Record_{item} {{\n    kind: Kind_{item}\n    n: Int\n}}\n");
        let _ = write!(
            text,
            "\ninbound \"{}\" => flow_{item}\n\nflow flow_{item} {{\n    answer\n    \
             let it = Record_{item}(kind: v_{}, n: {item})\n    match it.kind {{\n",
            number(item),
            item % 10
        );
        for variant in 0..10 {
            let _ = writeln!(text, "        v_{variant} => say \"It is {{it.n}}.\"");
        }
        text.push_str("    }\n    hang up\n}\n");
    }
    vec![("line.flow".to_owned(), text)]
}

fn deep(steps: usize) -> Files {
    let mut text = "languages en\n".to_owned();
    for tower in 0..steps / 10 {
        for level in 0..10 {
            let inner = if level == 0 { "Int".to_owned() } else { format!("Level_{tower}_{}", level - 1) };
            let _ = write!(text, "\ntype Level_{tower}_{level} {{\n    inner: {inner}\n    n: Int\n}}\n");
        }
        let mut value = "1".to_owned();
        (0..10).for_each(|level| value = format!("Level_{tower}_{level}(inner: {value}, n: {level})"));
        let path = ".inner".repeat(10);
        let _ = write!(
            text,
            "\ninbound \"{}\" => flow_{tower}\n\nflow flow_{tower} {{\n    answer\n    \
             let it = {value}\n    say \"It is {{it{path}}}.\"\n    hang up\n}}\n",
            number(tower)
        );
    }
    vec![("line.flow".to_owned(), text)]
}

fn constants(steps: usize) -> Files {
    let mut text = "languages en\n".to_owned();
    for item in 0..steps {
        let before = if item % 50 == 0 { "1".to_owned() } else { format!("c_{} + 1", item - 1) };
        let _ = write!(text, "\nconst c_{item} = {before}\n\nfunction f_{item}(a: Int) -> Int = a + c_{item}\n");
    }
    text.push_str("\ninbound \"+86 400 810 0000\" => main\n\nflow main {\n    answer\n");
    for item in (0..steps).step_by(100) {
        let _ = writeln!(text, "    if f_{item}(3) > 7 {{ say \"{item}\" }}");
    }
    text.push_str("    hang up\n}\n");
    vec![("line.flow".to_owned(), text)]
}

fn mistakes(steps: usize) -> Files {
    let wrong = |text: String| text.replace("(card) {", "(care) {").replace("= \"zh\" }", "= missing }");
    usual(steps).into_iter().map(|(name, text)| (name, wrong(text))).collect()
}
