//! Every case file gives exactly the problems that its marks say. A file without marks is a program.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop at the first surprise"
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use lang_diagnostics::Code;
use support::check;

fn flow_files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "flow"));
    files.sort();
    files
}

fn cases() -> Vec<PathBuf> {
    flow_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases"))
}

#[test]
fn each_case_gives_exactly_its_marks() {
    let wrong: Vec<String> = cases()
        .iter()
        .map(|path| check(&path.file_name().unwrap().to_string_lossy(), &fs::read_to_string(path).unwrap()))
        .filter(|difference| !difference.is_empty())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Codes of problems that this crate finds today.
const IMPLEMENTED: &[Code] = &[
    Code::NotYet,
    Code::TooLarge,
    Code::UnknownName,
    Code::DuplicateName,
    Code::ShadowedName,
    Code::UnusedName,
    Code::SelfDependentItem,
    Code::NotVisible,
    Code::NotAssignedOnEveryPath,
    Code::UnknownModule,
    Code::TypeMismatch,
    Code::MissingField,
    Code::UnknownField,
    Code::GapsInMatch,
    Code::ArmNeverReached,
    Code::OptionalUsedAsPresent,
    Code::NotComparable,
    Code::BadLiteral,
    Code::ValueWhereActionBelongs,
    Code::ResultNotUsed,
    Code::OutcomeNotHandled,
    Code::OutcomeHandledTwice,
    Code::OutcomeImpossible,
    Code::ElseInOutcomeArms,
    Code::PayloadOnPlainOutcome,
    Code::KeyTwice,
    Code::KeyHidesLongerKey,
    Code::NoSilence,
    Code::AgainWithoutBound,
    Code::AgainOutsideDialogue,
    Code::NothingToHear,
    Code::BoundsOfDigitsEmpty,
    Code::ConfirmOfPrivate,
    Code::UnreachableStep,
    Code::PathDoesNotEnd,
    Code::UnboundedCycle,
    Code::StatementAfterEnd,
    Code::RecursiveFlow,
    Code::BoundOfZero,
    Code::WaitInsideExpression,
    Code::WorstCaseTooLong,
    Code::NoLineHere,
    Code::BeforeAnswer,
    Code::PrivateLeak,
    Code::PrivateParameterNeeded,
    Code::LongNumberNotPrivate,
    Code::LanguageMissing,
    Code::AudioMissing,
    Code::HolesDiffer,
    Code::UnusedPrompt,
    Code::NotSpeakable,
    Code::PluralFormsWrong,
    Code::NeverOpen,
    Code::Overlap,
    Code::UnknownZone,
    Code::UnknownHolidays,
    Code::DatePast,
    Code::MissingInYaml,
    Code::NotE164,
    Code::NumberBoundTwice,
    Code::GivenUnknownService,
    Code::ExpectationImpossible,
    Code::TestNeverEnds,
];

#[test]
fn every_code_has_a_case() {
    let texts: String = cases().iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let marked: Vec<String> = support::expected(&texts);
    let without: Vec<_> =
        IMPLEMENTED.iter().filter(|code| !marked.iter().any(|mark| mark.ends_with(code.number()))).collect();
    assert!(without.is_empty(), "no case for {without:?}");
}
