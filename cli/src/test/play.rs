//! Plays tests on all cores. Results are in the order of the tests, whoever was done first.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use runtime_contract::FlowProgram;
use runtime_contract::script::TestScript;
use runtime_simulator::{TestResult, play_test};

/// Work that takes longer says how far it is.
const SILENT_MAX: Duration = Duration::from_secs(1);
/// Between two looks at how far the work is.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How tests are played.
#[derive(Default)]
pub struct Playing<'p> {
    /// As many as there are cores when `None`.
    pub jobs: Option<usize>,
    /// Nothing behind the first failure is shown, and nothing more begun.
    pub fail_fast: bool,
    /// Say on a terminal how far long work is.
    pub progress: bool,
    /// Each test is played once more on this program, which counts, and must do the same there.
    pub counting: Option<&'p Arc<dyn FlowProgram>>,
}

pub struct PlayedTest<'t> {
    pub script: &'t TestScript,
    pub result: TestResult,
    /// Time that it took here; the caller's is in the result.
    pub real: Duration,
    /// It did something else on the engine that counts, which is our mistake.
    pub differs: bool,
}

/// With `fail_fast` the answer ends with the first test that fails.
pub fn play<'t>(program: &Arc<dyn FlowProgram>, tests: &[&'t TestScript], how: &Playing<'_>) -> Vec<PlayedTest<'t>> {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let threads = how.jobs.unwrap_or_else(cores).clamp(1, tests.len().max(1));
    let (next, done, stopped) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
    let waiting = std::thread::current();
    let work = || {
        let mut mine = Vec::new();
        // Tests are taken in order: whatever stands before a test that failed is played too.
        while !stopped.load(Ordering::Relaxed) {
            let taken = next.fetch_add(1, Ordering::Relaxed);
            let Some(script) = tests.get(taken) else { break };
            let played = play_one(program, script, how);
            stopped.fetch_or(how.fail_fast && !played.result.passed(), Ordering::Relaxed);
            done.fetch_add(1, Ordering::Relaxed);
            mine.push((taken, played));
        }
        waiting.unpark();
        mine
    };
    let mut played: BTreeMap<usize, PlayedTest<'t>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        if how.progress && std::io::stderr().is_terminal() {
            show_progress(&done, tests.len(), || workers.iter().all(|worker| worker.is_finished()));
        }
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    });
    if how.fail_fast
        && let Some(first) = played.iter().find(|(_, test)| !test.result.passed()).map(|(at, _)| *at)
    {
        played.split_off(&(first + 1));
    }
    played.into_values().collect()
}

fn play_one<'t>(program: &Arc<dyn FlowProgram>, script: &'t TestScript, how: &Playing<'_>) -> PlayedTest<'t> {
    let began = Instant::now();
    let result = play_test(program, script);
    let real = began.elapsed();
    let differs = how.counting.is_some_and(|counting| play_test(counting, script) != result);
    PlayedTest { script, result, real, differs }
}

/// One line that is written anew, until all is done.
fn show_progress(done: &AtomicUsize, all: usize, is_over: impl Fn() -> bool) {
    let began = Instant::now();
    let mut shown = false;
    while !is_over() {
        std::thread::park_timeout(LOOK_EVERY);
        if began.elapsed() > SILENT_MAX {
            eprint!("\r{} of {all} tests", done.load(Ordering::Relaxed));
            let _ = std::io::stderr().flush();
            shown = true;
        }
    }
    if shown {
        eprint!("\r{:width$}\r", "", width = format!("{all} of {all} tests").len());
    }
}
