//! The first example and the smaller flows of the language's document, whole.

use std::path::Path;

use crate::harness::{answers, run};

fn first_call() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/01-first-call");
    std::fs::read_to_string(folder.join("first_call.flow")).unwrap()
}

#[test]
fn a_caller_hears_a_balance_in_english() {
    let script = answers(["2", "1", "value 4111111111111111", "ok 1250.50 CNY", "9"]);
    let expected = r#"
answer
say "欢迎致电云海银行。"
menu 1,2 "中文请按1，英文请按2。" -> 2
menu 1,2,9 "For your balance press 1, to leave a message press 2, to finish press 9." -> 1
ask "Please key your card number, then press hash." -> value •
bank.balance(•) -> ok 1250.5 CNY
say "The balance of the card ending in <1111> is <1250.5 CNY>."
note asked = balance
menu 1,2,9 "For your balance press 1, to leave a message press 2, to finish press 9." -> 9
say "Goodbye."
hang up
note outcome = first call
end: gone
"#;
    assert_eq!(run(&first_call(), &script), expected.trim_start());
}

#[test]
fn retries_bounds_and_a_failed_service() {
    let script = answers([
        "silence",
        "silence",
        "other",
        "1",
        "silence",
        "value 123456789012",
        "failed",
        "1",
        "value 123456789012",
        "failed",
        "1",
        "value 123456789012",
        "failed",
        "1",
        "value 123456789012",
        "failed",
    ]);
    let heard = run(&first_call(), &script);
    let count = |text: &str| heard.lines().filter(|line| line.contains(text)).count();
    assert_eq!(count("say \"没有这个选项。\""), 1);
    assert_eq!(count("请输入卡号"), 5, "a silence, then four cards:\n{heard}");
    assert_eq!(count("暂时查不到余额"), 4, "one balance, three bounded returns:\n{heard}");
    assert!(heard.ends_with("say \"再见。\"\nhang up\nnote outcome = first call\nend: gone\n"), "{heard}");
}

#[test]
fn three_wrong_keys_end_politely() {
    let heard = run(&first_call(), &answers(["1", "other", "other", "other"]));
    assert_eq!(heard.lines().filter(|line| line.contains("没有这个选项")).count(), 3, "{heard}");
    assert!(heard.contains("say \"再见。\"\nhang up\n"), "{heard}");
}

#[test]
fn a_message_is_recorded_and_played_back() {
    let heard = run(&first_call(), &answers(["1", "2", "silence", "recording 7"]));
    assert!(
        heard.contains("record 60000ms \"请在提示音后留言，按井号结束。\" -> recording #7\nsay \"[recording #7]\"\n"),
        "{heard}"
    );
}

#[test]
fn a_caller_who_leaves_is_still_noted() {
    let heard = run(&first_call(), &answers(["1", "1", "gone"]));
    assert!(heard.ends_with("-> gone\nnote outcome = first call\nend: gone\n"), "{heard}");
}
