//! The demo phone's ear: right prompts are found where they are, wrong ones never.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop at the first surprise"
)]

use std::path::PathBuf;

use runtime_contract::leg::Codec;
use runtime_media::{Portion, Prompt, Speech, VoiceLimits, find_prompt, g711};

/// Texts that begin, end or sound alike.
const TEXTS: &[(&str, &str)] = &[
    ("en", "Welcome to Acme."),
    ("en", "Welcome to Acme. How can we help?"),
    ("en", "For orders press one, for billing press two."),
    ("en", "For orders press one, for billing press three."),
    ("en", "That is not an option."),
    ("en", "Please enter your card number, then press hash."),
    ("en", "Please enter your date of birth, then press hash."),
    ("en", "Your balance is twelve dollars fifty."),
    ("en", "Your balance is twelve dollars sixty."),
    ("en", "Goodbye."),
    ("zh", "欢迎致电 Acme。"),
    ("zh", "订单请按1，账单请按2，人工请按0。"),
    ("zh", "没有这个选项。"),
    ("zh", "您的余额是十二元五角。"),
    ("zh", "您的余额是十二元六角。"),
    ("zh", "再见。"),
];

fn spoken() -> Vec<Vec<i16>> {
    let folder: PathBuf = std::env::temp_dir().join("strowger-find-prompt");
    let (speech, warning) = Speech::find(folder, VoiceLimits::default());
    assert_eq!(warning, None, "install the package `espeak-ng`, or run `cargo xtask test`");
    TEXTS.iter().map(|(language, text)| speech.render_filled(language, text).unwrap().pcm()).collect()
}

fn tones() -> Vec<Vec<i16>> {
    let speech = Speech::tones(VoiceLimits::default());
    TEXTS.iter().map(|(language, text)| speech.render(language, text).unwrap().pcm()).collect()
}

/// Uniform noise, always the same for a seed.
fn noise(samples: usize, level: i16, mut seed: u64) -> Vec<i16> {
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((seed >> 33) as i32 % (2 * i32::from(level) + 1)) as i16 - level
    };
    (0..samples).map(|_| next()).collect()
}

fn mixed(one: &[i16], two: &[i16]) -> Vec<i16> {
    one.iter().zip(two).map(|(a, b)| a.saturating_add(*b)).collect()
}

/// Silence, the prompt as A-law carries it, silence.
fn received(before: usize, prompt: &[i16], behind: usize) -> Vec<i16> {
    let coded = prompt.iter().map(|s| g711::decode(Codec::Pcma, g711::encode(Codec::Pcma, *s)));
    std::iter::repeat_n(8, before).chain(coded).chain(std::iter::repeat_n(8, behind)).collect()
}

/// Sound that ends what is said; behind it prompts are silent.
fn sound_end(prompt: &[i16]) -> usize {
    prompt.iter().rposition(|s| s.unsigned_abs() > 200).unwrap()
}

fn every_prompt_is_found_and_no_other(prompts: &[Vec<i16>]) {
    for (at, prompt) in prompts.iter().enumerate() {
        let heard = received(12_345, prompt, 4_000);
        for (other, candidate) in prompts.iter().enumerate() {
            let found = find_prompt(&heard, 0, candidate, Portion::Whole);
            // A text may be the beginning of another one: then it was heard too.
            let begins = TEXTS[at].1.starts_with(TEXTS[other].1.trim_end_matches('.'));
            if at == other {
                let found = found.unwrap_or_else(|| panic!("not found: {:?}", TEXTS[at]));
                assert!(found.offset.abs_diff(12_345) <= 2 && found.score > 0.99, "{:?}: {found:?}", TEXTS[at]);
                assert!(found.heard + 400 >= sound_end(prompt), "{:?}: {found:?}", TEXTS[at]);
            } else if !begins {
                assert_eq!(found, None, "{:?} was taken for {:?}", TEXTS[at], TEXTS[other]);
            }
        }
    }
}

#[test]
fn every_spoken_prompt_is_found_and_no_other() {
    every_prompt_is_found_and_no_other(&spoken());
}

#[test]
fn every_prompt_of_tones_is_found_and_no_other() {
    every_prompt_is_found_and_no_other(&tones());
}

#[test]
fn noise_and_lost_packets_hide_nothing() {
    for prompt in spoken().iter().chain(&tones()) {
        let mut heard = received(3_000, prompt, 3_000);
        let hiss = noise(heard.len(), 300, 5);
        heard = mixed(&heard, &hiss);
        // Every 25th packet is lost.
        for (number, packet) in heard.chunks_mut(160).enumerate() {
            if number % 25 == 24 {
                packet.fill(0);
            }
        }
        let found = find_prompt(&heard, 0, prompt, Portion::Whole).expect("hidden by noise");
        assert!(found.offset.abs_diff(3_000) <= 2, "{found:?}");
    }
}

#[test]
fn a_prompt_that_was_stopped_is_found_as_far_as_it_went() {
    for prompt in spoken().iter().chain(&tones()).filter(|prompt| prompt.len() > 12_000) {
        let heard = received(5_000, &prompt[..8_000], 20_000);
        assert_eq!(find_prompt(&heard, 0, prompt, Portion::Whole), None, "it was stopped after a second");
        let found = find_prompt(&heard, 0, prompt, Portion::AtLeastMs(700)).expect("not found");
        assert!(found.offset.abs_diff(5_000) <= 2, "{found:?}");
        assert!(found.heard <= 8_000 + 320, "{found:?}");
        assert_eq!(find_prompt(&heard, 0, prompt, Portion::AtLeastMs(1_400)), None);
    }
}

#[test]
fn a_sender_that_stood_still_and_went_on_is_found() {
    for (text, prompt) in TEXTS.iter().cycle().zip(spoken().iter().chain(&tones())) {
        for pause_ms in [100, 700, 3_000] {
            // Packets are of 20 ms; the last pause stands before the sound is over.
            for packet in (10..(sound_end(prompt) / 160).saturating_sub(20)).step_by(37) {
                let mut heard = received(3_000, prompt, 3_000);
                let at = 3_000 + packet * 160;
                heard.splice(at..at, std::iter::repeat_n(0, pause_ms * 8));
                let found = find_prompt(&heard, 0, prompt, Portion::Whole);
                let found =
                    found.unwrap_or_else(|| panic!("{pause_ms} ms of pause before packet {packet} of {text:?}"));
                assert!(found.offset.abs_diff(3_000) <= 2, "{found:?}");
                let end = pause_ms * 8 + sound_end(prompt);
                assert!(found.heard + 400 >= end && found.heard <= end + 400, "{found:?}");
            }
        }
    }
}

#[test]
fn a_sender_that_stands_still_again_and_again_is_found() {
    for (text, prompt) in TEXTS.iter().cycle().zip(spoken().iter().chain(&tones())) {
        let sound = prompt.get(..sound_end(prompt)).unwrap();
        let mut heard = vec![0; 3_000];
        // 300 ms of nothing, after each half second or a little more.
        for piece in sound.chunks(sound.len().div_ceil((sound.len() / 4_000).max(1))) {
            heard.extend(received(0, piece, 2_400));
        }
        let found = find_prompt(&heard, 0, prompt, Portion::Whole);
        let found = found.unwrap_or_else(|| panic!("{text:?}"));
        assert!(found.offset.abs_diff(3_000) <= 2, "{found:?}");
    }
}

#[test]
fn silence_noise_and_keys_are_no_prompt() {
    let key: Vec<i16> = (0..80_000)
        .map(|n| {
            let at = std::f64::consts::TAU * f64::from(n) / 8_000.0;
            (6_000.0 * ((at * 770.0).sin() + (at * 1_336.0).sin())) as i16
        })
        .collect();
    for prompt in spoken().iter().chain(&tones()) {
        for nothing in [&[][..], &[0; 100], &vec![0; 80_000], &noise(80_000, 5_000, 1), &key] {
            assert_eq!(find_prompt(nothing, 0, prompt, Portion::AtLeastMs(300)), None);
        }
    }
}

#[test]
fn a_prompt_of_silence_is_never_found() {
    assert_eq!(find_prompt(&vec![0; 16_000], 0, &Prompt::silence(500).pcm(), Portion::Whole), None);
    assert_eq!(find_prompt(&noise(16_000, 900, 3), 0, &[], Portion::Whole), None);
}

#[test]
fn the_first_of_two_is_found_and_the_second_from_behind_it() {
    let prompt = &tones()[3];
    let mut heard = received(1_000, prompt, 2_000);
    let second = heard.len() + 500;
    heard.extend(received(500, prompt, 1_000));
    let first = find_prompt(&heard, 0, prompt, Portion::Whole).unwrap();
    assert!(first.offset.abs_diff(1_000) <= 2, "{first:?}");
    let next = find_prompt(&heard, first.offset + first.heard, prompt, Portion::Whole).unwrap();
    assert!(next.offset.abs_diff(second) <= 2, "{next:?}");
    assert_eq!(find_prompt(&heard, next.offset + 2_000, prompt, Portion::Whole), None);
    assert_eq!(find_prompt(&heard, usize::MAX, prompt, Portion::Whole), None);
}

#[test]
fn the_beep_is_found() {
    let beep = Prompt::beep().pcm();
    let found = find_prompt(&received(7_777, &beep, 8_000), 0, &beep, Portion::Whole).unwrap();
    assert!(found.offset.abs_diff(7_777) <= 8, "{found:?}");
}
