//! The real espeak-ng, which `cargo xtask test` installs.

use std::path::PathBuf;

use super::*;

fn folder(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("strowger-speech-{}-{name}", std::process::id()))
}

fn espeak(name: &str) -> Speech {
    let (speech, warning) = Speech::find(folder(name), VoiceLimits::default());
    assert_eq!(warning, None, "install the package `espeak-ng`, or run `cargo xtask test`");
    speech
}

/// Every zh text of the language's description, and what callers are told in numbers and names.
const CHINESE: &[&str] = &[
    "欢迎致电 Acme。",
    "订单请按1，账单请按2，人工请按0。",
    "订单",
    "账单",
    "人工",
    "没有这个选项。",
    "请输入卡号，按井号结束。",
    "您的余额是 一百零二元五角。",
    "暂时查不到。",
    "再见。",
    "我们会尽快回电。",
    "Smith，您的订单已发出。",
    "请咨询人工。",
    "普通",
    "金卡",
    "贵宾",
    "金卡 客户。",
    "前面还有 三 位，约等 5 分钟。",
    "请为本次服务打分，1到5。",
    "问题解决了吗？",
    "请说说原因。",
    "谢谢。",
    "3月2日上午10点",
    "电话是 +86 400-810-0000。",
    "VIP 请按9，女士请按８。",
    "二〇二六年，下午三点三十分，百分之五",
];

#[test]
fn no_chinese_is_read_as_english() {
    let speech = espeak("phonemes");
    for text in CHINESE {
        let phonemes = speech.chinese_phonemes(text).unwrap();
        assert!(!phonemes.is_empty() && phonemes.iter().all(|p| !p.trim().is_empty()), "{text}");
        assert!(phonemes.iter().all(|p| !p.contains("(en)")), "{text}: {phonemes:?}");
    }
}

#[test]
fn no_character_of_the_common_set_is_read_as_english() {
    use std::collections::BTreeSet;
    let common: BTreeSet<char> = ('\u{4e00}'..='\u{9fff}').collect();
    // One character for each reading is enough.
    let mut readings = BTreeSet::new();
    let mut text = String::new();
    for character in common {
        if let [Piece::Pinyin(reading)] = mandarin::chinese_to_pieces(&character.to_string()).as_slice()
            && readings.insert(reading.clone())
        {
            text.push(character);
        }
    }
    assert!(readings.len() > 1_000, "{}", readings.len());
    for phonemes in espeak("readings").chinese_phonemes(&text).unwrap() {
        assert!(!phonemes.contains("(en)"), "{phonemes}");
    }
}

#[test]
fn speech_lasts_as_long_as_words_do_and_is_kept() {
    let speech = espeak("kept");
    let short = speech.render("en", "Goodbye.").unwrap();
    let long = speech.render("en", "Please enter your card number, then press the hash key.").unwrap();
    assert!((300..2_000).contains(&short.duration_ms()), "{}", short.duration_ms());
    assert!(long.duration_ms() > 2 * short.duration_ms());
    assert!(Arc::ptr_eq(&short, &speech.render("EN", "Goodbye.").unwrap()));
    let kept = || std::fs::read_dir(folder("kept")).unwrap().count();
    assert_eq!(kept(), 2);
    speech.render_filled("en", "Mr Smith, goodbye.").unwrap();
    assert_eq!(kept(), 2, "a filled text stays off the disk");
    let later = espeak("kept").render("en", "Goodbye.").unwrap();
    assert_eq!(later.pcm(), short.pcm());
    std::fs::remove_dir_all(folder("kept")).unwrap();
}

#[test]
fn a_damaged_rendering_is_made_again() {
    let speech = espeak("damaged");
    let whole = speech.render("zh", "再见。").unwrap().pcm();
    for entry in std::fs::read_dir(folder("damaged")).unwrap() {
        std::fs::write(entry.unwrap().path(), b"RIFF").unwrap();
    }
    assert_eq!(espeak("damaged").render("zh", "再见。").unwrap().pcm(), whole);
    std::fs::remove_dir_all(folder("damaged")).unwrap();
}

#[test]
fn foreign_words_are_heard_in_chinese_and_chinese_in_english() {
    let speech = espeak("mixed");
    let length = |language, text| speech.render_filled(language, text).unwrap().duration_ms();
    assert!(length("zh", "欢迎致电 Acme。") > length("zh", "欢迎致电。"));
    assert!(length("en", "Dear 王小明, hello.") > length("en", "Dear , hello."));
    assert!(length("zh", "Acme") >= 200);
}

#[test]
fn any_text_is_only_text() {
    let speech = espeak("any");
    for text in
        ["-v nonsense", "--help", "<speak>a</speak>", "a\0b", "[[h@l]]", "$(x) `y` 'z' \"", "1\u{202e}2", "🙂 a"]
    {
        assert!(speech.render_filled("en", text).unwrap().duration_ms() >= 100, "{text:?}");
        assert!(speech.render_filled("zh", text).is_ok(), "{text:?}");
    }
    for nothing in ["", " ", "...", "。", "\0"] {
        assert_eq!(speech.render("en", nothing).unwrap().duration_ms(), 20, "{nothing:?}");
    }
}

#[test]
fn what_cannot_be_spoken_says_why() {
    let limits = VoiceLimits { prompt_seconds_max: 1, ..VoiceLimits::default() };
    let (short, _) = Speech::find(folder("limits"), limits);
    let message =
        |speech: &Speech, language: &str, text: &str| speech.render_filled(language, text).unwrap_err().to_string();
    assert!(
        message(&short, "en", "This sentence takes longer than one second to say.").contains("that a prompt may last")
    );
    assert!(message(&Speech::tones(limits), "en", &"a".repeat(17)).contains("that a prompt may last"));
    assert!(Speech::tones(limits).render("en", &"a".repeat(16)).is_ok(), "960 ms");
    assert!(message(&short, "xx", "a").contains("no voice `xx`"));
    assert!(message(&short, "../etc", "a").contains("not a language tag"));
    let (slow, _) = Speech::find(folder("slow"), VoiceLimits { render_ms_max: 0, ..limits });
    assert!(message(&slow, "en", "a").contains("render_ms_max"));
    assert!(espeak("regional").render_filled("de-CH", "eins").is_ok());
}

#[test]
fn the_warning_names_the_package() {
    assert!(SpeechWarning::NoEspeak.to_string().contains("install the package `espeak-ng`"));
}
