//! Results as JUnit XML, for build servers: a suite for each file of tests. `time` is this machine's; the callers' own
//! time is the property `virtual_seconds` of a suite, and stands in the output of a test.

use std::collections::BTreeMap;
use std::time::Duration;

use lang_compiler::{Colours, Compiled};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::play::PlayedTest;
use super::report::{happened, place, seconds};
use crate::show::{Failure, Result};

pub fn report(compiled: &Compiled, tests: &[PlayedTest<'_>], real: Duration) -> Result<String> {
    let mut files: BTreeMap<&str, Vec<&PlayedTest<'_>>> = BTreeMap::new();
    for test in tests {
        let file = test.script.files.get(test.script.place.file as usize).map_or("", String::as_str);
        files.entry(file).or_default().push(test);
    }
    let mut report = Report::new("strowger test");
    report.set_time(real);
    for (file, tests) in files {
        let mut suite = TestSuite::new(file);
        suite.set_time(tests.iter().map(|test| test.real).sum());
        let virtual_ms: u64 = tests.iter().map(|test| test.result.virtual_ms).sum();
        suite.add_property(("virtual_seconds", seconds(virtual_ms).to_string().as_str()));
        suite.add_test_cases(tests.into_iter().map(|test| case(compiled, file, test)));
        report.add_test_suite(suite);
    }
    report.to_string().map_err(|cause| Failure::new(format!("cannot write the results as XML: {cause}"), ""))
}

fn case(compiled: &Compiled, file: &str, test: &PlayedTest<'_>) -> TestCase {
    let mut happened = happened(compiled, test, Colours::Off);
    let status = match &test.result.failure {
        None if !test.differs => TestCaseStatus::success(),
        failure => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            let message = failure.as_ref().map_or_else(
                || "native code and the interpreter did different things".to_owned(),
                |failure| format!("{}: {}", place(test.script, failure.place), failure.came),
            );
            status.set_message(message).set_type("difference").set_description(std::mem::take(&mut happened));
            status
        }
    };
    let mut case = TestCase::new(test.result.name.as_str(), status);
    case.set_classname(file.strip_suffix(".flow").unwrap_or(file)).set_time(test.real);
    case.set_system_out(format!("virtual seconds: {}\n{happened}", seconds(test.result.virtual_ms)));
    case
}
