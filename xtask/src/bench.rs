//! Benchmarks that anyone can run: each measures ours and a named reference in the same run and prints both. With
//! `--keep`, what it printed becomes its section of `docs/benchmarks.md`.

mod asterisk;
mod bridged;
mod cargo;
mod check;
mod page;
mod prompts;
mod reloads;
mod served;
mod sip;
mod sipp;
mod soak;
mod usage;

type Measure = fn(&[&str]) -> Result<String, String>;

/// Name, what it measures, and how; `[…]` are words that may follow the name.
const BENCHMARKS: &[(&str, &str, Measure)] = &[
    ("step", "a step of compiled code against a Rust match, a bytecode machine and LuaJIT", |words| {
        cargo::bench("lang-codegen", "step", words)
    }),
    ("compile", "machine code for a segment, on one thread and on two", |words| {
        cargo::bench("lang-codegen", "compile", words)
    }),
    ("check", "a project of 1 000 to 100 000 steps: cold, and after one line changed", check::measure),
    ("memory", "what a call that waits in a menu holds, and 50 000 of them", |words| {
        cargo::bench("xtask", "memory", words)
    }),
    ("sip", "CPU of a SIP call of `strowger serve` against SIPp's own server [RATE …]", sip::measure),
    ("prompts", "concurrent calls that hear prompts and press a key, on one core [CALLS …]", prompts::measure),
    (
        "asterisk",
        "the same IVR on Asterisk of Debian sid and on ours [CALLS …]; makes a chroot, as root",
        asterisk::measure,
    ),
    ("bridged", "calls of two legs through ours and through rtpengine in userspace [CALLS …]", bridged::measure),
    (
        "reloads",
        "new versions under a load of calls: what becomes of calls and memory [RATE [COUNT]]",
        reloads::measure,
    ),
    ("soak", "a load that goes on: calls, memory, disk by the minute [RATE [MINUTES [CALLS]]]", soak::measure),
    ("media", "concurrent legs of one media thread, without SIP [LEGS SECONDS]", |words| {
        cargo::bench("runtime-media", "playing_legs", words)
    }),
    ("acd", "who is next, with 10 000 agents, 1 000 queues and 10 000 who wait, against a scan of them", |words| {
        cargo::bench("runtime-acd", "decisions", words)
    }),
    ("sip-core", "one call through the SIP state machines alone, without sockets", |words| {
        cargo::bench("runtime-sip", "call", words)
    }),
];

pub fn run(words: &[&str]) -> Result<(), String> {
    let keep = words.contains(&"--keep");
    let words: Vec<&str> = words.iter().copied().filter(|word| *word != "--keep").collect();
    let Some((name, rest)) = words.split_first() else {
        for (name, what, _) in BENCHMARKS {
            println!("{name:<10} {what}");
        }
        println!("\n`--keep` writes the result into docs/benchmarks.md");
        return Ok(());
    };
    let found = BENCHMARKS.iter().find(|(benchmark, ..)| benchmark == name);
    let (name, _, measure) = found.ok_or_else(|| format!("no benchmark `{name}`; `cargo xtask bench` lists them"))?;
    let machine = page::machine();
    println!("{machine}\n");
    let result = measure(rest)?;
    match keep {
        true => page::keep(name, &machine, &result),
        false => Ok(()),
    }
}
