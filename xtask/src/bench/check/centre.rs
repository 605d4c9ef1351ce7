//! Whole contact centres: queues with all their clauses, a roster of agents and cadences, beside the flows that callers
//! hear.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::project::{Files, lines, usual};

/// Queues of one file.
const FILE_QUEUES: usize = 20;
const SKILLS: usize = 12;
/// Agents for each queue.
const AGENTS: usize = 3;
/// What the mark speaks of.
pub const QUEUES: usize = 200;
pub const CADENCES: usize = 100;
pub const LINES: usize = 100_000;

/// Queues and flows until there are so many lines.
pub fn large() -> Files {
    let mut files = queues_of(QUEUES);
    files.extend(cadences_of(CADENCES));
    let others = usual(0);
    let one = lines(&usual(1_000)).saturating_sub(lines(&others)).max(1);
    let left = LINES.saturating_sub(lines(&files));
    files.extend(usual(left * 1_000 / one));
    files
}

/// A queue for every ten steps, each of which some flow waits in.
pub fn queues(steps: usize) -> Files {
    queues_of((steps / 10).max(1))
}

/// A cadence for every twenty steps.
pub fn cadences(steps: usize) -> Files {
    let mut files = queues_of(1);
    files.extend(cadences_of((steps / 20).max(1)));
    files
}

fn queues_of(count: usize) -> Files {
    let mut files = vec![("skills.flow".to_owned(), skills()), ("strowger.yaml".to_owned(), roster(count))];
    for file in 0..count.div_ceil(FILE_QUEUES) {
        let own = file * FILE_QUEUES..count.min((file + 1) * FILE_QUEUES);
        let shifts = own.clone().filter(|queue| queue % FILE_QUEUES < AGENTS).map(|queue| queue % FILE_QUEUES);
        let shifts = shifts.map(|shift| format!("shift_{shift}"));
        let skills: BTreeSet<usize> = own.clone().flat_map(|queue| [queue % SKILLS, (queue + 1) % SKILLS]).collect();
        let used = shifts.chain(skills.into_iter().map(|skill| format!("skill_{skill}")));
        let used = used.map(|name| format!(", {name}")).collect::<String>();
        let mut text = format!("use skills: Tier{used}\n\nlanguages zh, en\n");
        own.for_each(|queue| queue_of(&mut text, queue));
        files.push((format!("centre_{file:03}.flow"), text));
    }
    files
}

fn skills() -> String {
    let mut text =
        "languages zh, en\n\nenum Tier {\n    standard  zh \"普通\" en \"standard\"\n    vip       zh \"贵宾\" en \
                    \"VIP\"\n}\n\n"
            .to_owned();
    text.push_str("enum Said { yes, no, later(at: Time) }\n\n");
    (0..SKILLS).for_each(|skill| text.push_str(&format!("skill skill_{skill} 1..5\n")));
    for (shift, hours) in ["00:00..08:00", "08:00..16:00", "16:00..24:00"].iter().enumerate() {
        let _ = write!(text, "\nhours shift_{shift} in \"Asia/Shanghai\" {{\n    daily  {hours}\n}}\n");
    }
    text
}

fn roster(queues: usize) -> String {
    let mut text =
        "services: { crm: { base: \"http://127.0.0.1:9\" } }\ntrunks: { carrier: { address: sip.example } }\n\
                    purposes: [service]\nagents:\n"
            .to_owned();
    for agent in 0..queues * AGENTS {
        let (skill, shift) = (agent / AGENTS % SKILLS, agent % AGENTS);
        let _ = writeln!(
            text,
            "  agent_{agent}: {{ extension: \"{}\", skills: {{ skill_{skill}: 3 }}, hours: shift_{shift} }}",
            10_000 + agent
        );
    }
    text
}

fn queue_of(text: &mut String, queue: usize) {
    let skill = queue % SKILLS;
    let other = (skill + 1) % SKILLS;
    let _ = write!(
        text,
        r#"
queue desk_{queue}(tier: Tier) {{
    needs     skill_{skill} >= 4 or tier is standard and skill_{skill} >= 3
    relax     after 30s to skill_{skill} >= 2
    relax     after 90s to nothing
    prefers   skill_{other} >= 1 if caller.language is zh
    prefers   same agent within 7d
    priority  match tier {{
        vip      => 20
        standard => {}
    }}
    order     priority worth 30s, waiting
    ring      15s each
    wrap up   20s
    target    80% within 20s, abandons missed
    limit     100 waiting
    timeout   3m

    every 45s {{
        say zh "{queue}组前面还有{{ahead}}位。" en "{{ahead}} before you at desk {queue}."
        offer callback on 1
    }}
}}

flow wait_{queue} {{
    answer
    queue desk_{queue}(vip) {{
        served => hang up
        callback => say zh "再见。" en "Goodbye from desk {queue}." then hang up
        timeout, full, unstaffed => hang up
    }}
}}
"#,
        queue % 10
    );
    if queue % FILE_QUEUES < AGENTS {
        let shift = queue % FILE_QUEUES;
        let _ = write!(
            text,
            "\nqueue night_{queue} {{\n    open     shift_{shift}\n    timeout  3m\n}}\n\nflow night_{queue}_wait {{\n    \
             answer\n    queue night_{queue} else hang up\n    hang up\n}}\n"
        );
    }
}

fn cadences_of(count: usize) -> Files {
    let file = |file: usize| {
        let own = file * FILE_QUEUES..count.min((file + 1) * FILE_QUEUES);
        let mut text = "use skills: Said\n\nlanguages zh, en\n".to_owned();
        own.for_each(|cadence| cadence_of(&mut text, cadence));
        (format!("recalls_{file:03}.flow"), text)
    };
    (0..count.div_ceil(FILE_QUEUES)).map(file).collect()
}

/// Two of three call, the third writes; each has a flow of its own that both could hold.
fn cadence_of(text: &mut String, cadence: usize) {
    let attempts = 3 + cadence % 5;
    let reach = match cadence % 3 {
        2 => format!(
            r#"    message number by sms from "+86 571 5550 0120" {{
        delivered => match run recall_{cadence}_pitch(place) {{
            yes => stop won
            no => stop lost
            later(time) => retry at time
            hangup => retry in 1d
        }}
        undelivered => retry in 4h, 1d
    }}
"#
        ),
        _ => format!(
            r#"    dial number from "+86 571 5550 0120" ring 25s {{
        person => match run recall_{cadence}_pitch(place) {{
            yes => stop won
            no => stop lost
            later(time) => retry at time
            hangup => retry in 1d
        }}
        machine => say zh "我们会再打来。" en "Desk {cadence} calls again." then retry in 1d
        busy => retry in 15m
        unanswered => retry in 4h, 1d
        declined => stop declined
        unreachable => stop bad_number
    }}
"#
        ),
    };
    let law = ["cn_miit", "us_tsr", "us_tsr, us_florida"][cadence % 3];
    let _ = write!(
        text,
        r#"
cadence recall_{cadence}(number: Phone, place: TimeZone, permission: Permission) {{
    consent   permission for service
    law       {law}
    window    mon..sat 09:00..20:00 in place
    attempts  {attempts}, at most 2 a day, at most 3 in 7d

{reach}
    after attempt 2 => send sms to number zh "我们找过您。" en "Desk {cadence} tried to reach you."
    exhausted => stop exhausted
}}

flow recall_{cadence}_pitch(place: TimeZone) -> Said {{
    menu {{
        say zh "{cadence}号事项，同意请按1，不同意请按2，改日请按3。"
            en "For matter {cadence}, 1 for yes, 2 for no, 3 for another day."
        1 => return yes
        2 => return no
        3 => go day
        other => again
        silence => return no
        after 2 tries => return no
    }}

    step day {{
        let day = ask date {{
            say zh "请输入日期。" en "Which day suits you?"
            silence, invalid => again
            after 2 tries => return no
        }}
        return later(at: day.at(10:00, place))
    }}
}}
"#
    );
}
