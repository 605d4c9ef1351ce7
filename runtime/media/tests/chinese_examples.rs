//! No Chinese text of the examples is read as English (espeak-ng marks such words by `(en)`).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop at the first surprise"
)]

use std::path::{Path, PathBuf};

use runtime_media::{Speech, VoiceLimits};

fn flow_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            flow_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "flow") {
            found.push(path);
        }
    }
}

/// What stands between quotation marks and holds Chinese; every other part of a line split at them. Holes become a
/// number.
fn chinese_texts(flow: &str) -> Vec<String> {
    let quoted = flow.lines().flat_map(|line| line.split('"').skip(1).step_by(2));
    let chinese = quoted.filter(|text| text.contains(|c| matches!(c, '\u{4e00}'..='\u{9fff}')));
    let filled = |text: &str| {
        let mut parts = text.split('{');
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| format!("{text}三{}", part.split_once('}').map_or("", |(_, behind)| behind)))
    };
    chinese.map(filled).collect()
}

#[test]
fn no_chinese_text_of_the_examples_is_read_as_english() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let (speech, warning) = Speech::find(std::env::temp_dir(), VoiceLimits::default());
    assert_eq!(warning, None, "install the package `espeak-ng`, or run `cargo xtask test`");
    let mut files = Vec::new();
    flow_files(&folder, &mut files);
    let mut texts = 0;
    for file in files {
        for text in chinese_texts(&std::fs::read_to_string(&file).unwrap()) {
            texts += 1;
            for phonemes in speech.chinese_phonemes(&text).unwrap() {
                assert!(!phonemes.contains("(en)"), "{}: {text}: {phonemes}", file.display());
            }
        }
    }
    assert!(texts >= 10, "only {texts} texts were found");
}

#[test]
fn texts_are_found_and_their_holes_filled() {
    let flow = "say zh \"您好 {name}，{n} 位\" en \"hello\"\nprompt x { zh \"再见\" }";
    assert_eq!(chinese_texts(flow), ["您好 三，三 位", "再见"]);
}
