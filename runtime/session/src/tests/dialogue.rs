//! Menus and asks.

use std::sync::Arc;

use runtime_contract::FlowProgram;
use runtime_contract::channel::Channel;
use runtime_contract::phrase::Said;
use runtime_contract::request::Request;
use runtime_contract::value::{Private, Value};

use super::Bench;
use crate::journal::{Claimed, Record};
use crate::testkit::{Kit, Op, Source, Variable, ask_digits, menu, payloads, prompts};

/// answer; menu with these choices; each outcome is noted and said, then: `other` and `silence` try again,
/// choices hang up.
fn menu_flow(choices: &[&str], barge_in: bool) -> Arc<dyn FlowProgram> {
    menu_flow_with(choices, barge_in, Vec::new())
}

fn menu_flow_with(choices: &[&str], barge_in: bool, phrases: Vec<Vec<Vec<String>>>) -> Arc<dyn FlowProgram> {
    let texts: Vec<String> = choices.iter().map(|keys| format!("chose {keys}")).collect();
    let mut constants: Vec<&str> = texts.iter().map(String::as_str).collect();
    constants.extend(["other", "silence"]);
    let mut kit = Kit::new(&constants);
    let ask = kit.prompt("请选择", "choose", &[]);
    let wrong = kit.prompt("没有", "no such thing", &[]);
    let answer = Request::Answer;
    kit.request("", answer.clone(), &[], payloads(&answer, None), vec![1], None);
    let mut request = menu(ask, choices);
    if let Request::Menu(menu) = &mut request {
        menu.prompts.barge_in = barge_in;
        menu.phrases = phrases;
    }
    let outcomes = choices.len() as u32 + 2;
    // Each outcome has two operations behind the menu: note, and what follows it.
    let next = (0..outcomes).map(|n| 2 + 2 * n).collect();
    kit.request("main", request.clone(), &[], payloads(&request, None), next, None);
    for outcome in 0..outcomes {
        let text = match outcome.checked_sub(choices.len() as u32) {
            None => kit.constant(&texts[outcome as usize]),
            Some(0) => kit.constant("other"),
            Some(_) => kit.constant("silence"),
        };
        let r#type = runtime_contract::Type::Text;
        let note = Request::Note { key: "got".into(), r#type: r#type.clone() };
        let after = 3 + 2 * outcome;
        kit.request("", note.clone(), &[(r#type, text)], payloads(&note, None), vec![after], None);
        if outcome < choices.len() as u32 {
            kit.request("", Request::HangUp, &[], vec![], vec![], None);
        } else {
            let say = Request::Play(prompts(&[wrong], true));
            kit.request("main", say.clone(), &[], payloads(&say, None), vec![1], None);
        }
    }
    kit.flow("kit.menu", 0, None, None);
    kit.build()
}

#[test]
fn a_key_stops_the_prompt_and_chooses() {
    let mut bench = Bench::up(menu_flow(&["1", "2"], true));
    bench.key('2');
    let said = bench.said();
    assert_eq!(said, ["play 请选择", "stop play", "note got = Text(\"chose 2\")", "hang up", "done HungUp"]);
    bench.replays();
}

#[test]
fn without_barge_in_the_key_waits_for_the_end_of_the_prompt() {
    let mut bench = Bench::up(menu_flow(&["1", "2"], false));
    bench.key('1');
    assert_eq!(bench.said(), ["play 请选择"]);
    bench.heard();
    assert_eq!(bench.said(), ["note got = Text(\"chose 1\")", "hang up", "done HungUp"]);
}

#[test]
fn silence_counts_from_the_end_of_the_prompt() {
    let mut bench = Bench::up(menu_flow(&["1"], true));
    bench.pass(60_000);
    assert_eq!(bench.said(), ["play 请选择"], "a long prompt is not silence");
    bench.heard();
    bench.pass(4_999);
    assert_eq!(bench.said().len(), 0);
    bench.pass(1);
    assert_eq!(bench.said(), ["note got = Text(\"silence\")", "play 没有"]);
}

#[test]
fn a_key_that_begins_another_waits_between_keys() {
    let mut bench = Bench::up(menu_flow(&["1", "12", "3"], true));
    bench.heard();
    bench.said();
    bench.key('1');
    bench.pass(2_999);
    assert_eq!(bench.said().len(), 0);
    bench.pass(1);
    assert_eq!(bench.said()[0], "note got = Text(\"chose 1\")");

    let mut bench = Bench::up(menu_flow(&["1", "12", "3"], true));
    bench.keys("12");
    assert_eq!(bench.said()[2], "note got = Text(\"chose 12\")");

    let mut bench = Bench::up(menu_flow(&["1", "12", "3"], true));
    bench.keys("13");
    assert_eq!(bench.said()[2], "note got = Text(\"other\")");
}

#[test]
fn the_beginning_of_a_key_alone_is_other() {
    let mut bench = Bench::up(menu_flow(&["01"], true));
    bench.key('0');
    bench.pass(3_000);
    assert_eq!(bench.said()[2], "note got = Text(\"other\")");
}

#[test]
fn keys_ahead_are_dropped_by_again_unless_they_followed_the_outcome() {
    let mut bench = Bench::up(menu_flow(&["1", "2"], false));
    bench.keys("92");
    bench.heard();
    assert_eq!(bench.said(), ["play 请选择", "note got = Text(\"other\")", "play 没有"]);
    bench.heard();
    assert_eq!(bench.said(), ["play 请选择"], "2 was typed before 9 was refused");

    bench.heard();
    bench.keys("9");
    bench.said();
    bench.key('2');
    assert_eq!(bench.said(), ["stop play", "play 请选择"], "this menu plays whole, and the key waits");
    bench.heard();
    assert_eq!(bench.said()[0], "note got = Text(\"chose 2\")");
}

#[test]
fn claims_hold_keys_and_offsets() {
    let mut bench = Bench::up(menu_flow(&["1", "12"], true));
    bench.pass(1_000);
    bench.keys("12");
    let claims: Vec<_> = bench.records().into_iter().filter(|r| matches!(r, Record::Claim { .. })).collect();
    assert!(matches!(
        &claims[..],
        [Record::Claim { keys: Claimed::Keys(keys), .. }] if *keys == [('1', 1_000), ('2', 1_200)]
    ));
}

#[test]
fn keys_nobody_asked_for_are_in_no_journal() {
    let mut bench = Bench::up(menu_flow(&["1"], false));
    bench.keys("9876");
    bench.gone();
    assert!(bench.done);
    assert!(!bench.records().iter().any(|record| matches!(record, Record::Claim { .. })));
    assert!(!bench.left.contains('•'));
}

/// The same with a phrase for the first choice, in both languages, and one more choice that has no key.
fn spoken_flow(barge_in: bool) -> Arc<dyn FlowProgram> {
    let phrases = |zh: &str, en: &str| [zh, en].map(|phrase| vec![phrase.to_owned()]).to_vec();
    let said = vec![phrases("订单", "my order"), vec![], phrases("人工", "a person")];
    menu_flow_with(&["1", "12", ""], barge_in, said)
}

fn claims(bench: &Bench) -> Vec<Claimed> {
    let claims = bench.records().into_iter().filter_map(|record| match record {
        Record::Claim { keys, .. } => Some(keys),
        _ => None,
    });
    claims.collect()
}

#[test]
fn a_phrase_stops_the_prompt_and_chooses() {
    let mut bench = Bench::up(spoken_flow(true));
    bench.words("A person.");
    let said = bench.said();
    assert_eq!(said, ["play 请选择", "stop play", "note got = Text(\"chose \")", "hang up", "done HungUp"]);
    assert!(claims(&bench) == [Claimed::Words(Some(Said { choice: 2, language: 1, phrase: 0 }))]);
    bench.replays();
}

#[test]
fn words_that_fit_nothing_are_other_and_kept_nowhere() {
    let mut bench = Bench::up(spoken_flow(true));
    bench.heard();
    bench.words("my card is 4929");
    assert_eq!(bench.said()[1..], ["note got = Text(\"other\")", "play 没有"]);
    assert!(claims(&bench) == [Claimed::Words(None)]);
    for secret in ["card", "4929"] {
        assert!(!bench.journal.windows(4).any(|window| window == secret.as_bytes()));
        assert!(!bench.left.contains(secret));
    }
    bench.replays();
}

#[test]
fn words_are_for_a_menu_that_listens_to_them() {
    let mut bench = Bench::up(spoken_flow(false));
    bench.words("my order");
    assert_eq!(bench.said(), ["play 请选择"], "this prompt is heard to its end");
    bench.heard();
    bench.key('1');
    bench.words("a person");
    bench.pass(3_000);
    assert_eq!(bench.said()[0], "note got = Text(\"chose 1\")", "who has begun to press keys answers by them");

    let mut bench = Bench::up(menu_flow(&["1"], true));
    bench.words("my order");
    bench.heard();
    bench.words("my order");
    assert_eq!(bench.said(), ["play 请选择"], "there is nothing to say in this menu");
    assert!(claims(&bench).is_empty());
}

#[test]
fn who_writes_sends_numbers_phrases_and_values() {
    let mut bench = Bench::written(spoken_flow(true), Channel::Chat);
    bench.heard();
    bench.words(" １2 ");
    assert_eq!(bench.said(), ["play 请选择", "note got = Text(\"chose 12\")", "hang up", "done HungUp"]);
    assert!(matches!(&claims(&bench)[..], [Claimed::Keys(keys)] if keys.len() == 2));
    assert_eq!(bench.replays().started.channel, Channel::Chat);

    let mut bench = Bench::written(menu_flow(&["1", "2"], true), Channel::Sms);
    bench.heard();
    bench.words("3");
    assert_eq!(bench.said()[1], "note got = Text(\"other\")", "no such number is on the list");

    let mut bench = Bench::written(ask_flow(4, 6, false), Channel::Email);
    bench.heard();
    bench.heard();
    bench.words("12-34");
    assert_eq!(bench.said()[2], "service 0 [Text(\"1234\")]");
}

#[test]
fn who_writes_has_more_time() {
    for (channel, ms) in [(Channel::Chat, 600_000), (Channel::Sms, 86_400_000)] {
        let mut bench = Bench::written(menu_flow(&["1"], true), channel);
        bench.heard();
        bench.pass(ms - 1_000);
        assert_eq!(bench.said(), ["play 请选择"], "{channel:?}");
        bench.pass(1_000);
        assert_eq!(bench.said()[0], "note got = Text(\"silence\")");
    }
}

#[test]
fn a_private_reply_is_kept_nowhere() {
    let mut bench = Bench::written(ask_flow(16, 19, true), Channel::Chat);
    bench.heard();
    bench.heard();
    bench.words("my card is 4929 8712 3456 7814");
    assert!(claims(&bench) == [Claimed::Words(None)]);
    bench.heard();
    bench.words("4929 8712 3456 7814");
    assert!(claims(&bench)[1] == Claimed::Private(16));
    for form in ["4929", "7814"] {
        assert!(!bench.journal.windows(4).any(|window| window == form.as_bytes()));
        assert!(!bench.left.contains(form));
    }
    assert!(bench.left.contains("Mask { on: true }") && bench.left.contains("Mask { on: false }"));
}

/// answer; say; ask digits; outcome 0: service with the value, then return; `silence`: hang up; `invalid`: again.
fn ask_flow(min: u32, max: u32, private: bool) -> Arc<dyn FlowProgram> {
    use runtime_contract::Type;
    let mut kit = Kit::new(&[]);
    let hello = kit.prompt("您好", "hello", &[]);
    let number = kit.prompt("卡号", "card", &[]);
    let digits = if private { Type::Private(Box::new(Type::Digits)) } else { Type::Digits };
    let service = kit.service("crm", std::slice::from_ref(&digits), None, true);
    kit.request("", Request::Answer, &[], vec![None], vec![1], None);
    let say = Request::Play(prompts(&[hello], true));
    kit.request("", say, &[], vec![None], vec![2], None);
    let ask = ask_digits(number, min, max, private);
    let keep = if private { Variable::Vault(0) } else { Variable::Text(0) };
    kit.request("card", ask.clone(), &[], payloads(&ask, None), vec![3, 5, 2], Some(keep));
    let call = Request::Service(runtime_contract::request::ServiceCall { service, operation: 0 });
    let arguments = [(digits, Source::Variable(keep))];
    kit.request("card", call.clone(), &arguments, payloads(&call, None), vec![4, 4], None);
    kit.push(Op::Return);
    kit.request("", Request::HangUp, &[], vec![], vec![], None);
    kit.flow("kit.ask", 0, None, None);
    kit.build()
}

#[test]
fn digits_end_by_key_by_number_or_by_time() {
    for (keys, after_ms) in [("123#", 0), ("12345", 0), ("123", 3_000)] {
        let mut bench = Bench::up(ask_flow(3, 5, false));
        bench.heard();
        bench.keys(keys);
        bench.pass(after_ms);
        let value = keys.trim_end_matches('#');
        assert_eq!(bench.said().last().unwrap(), &format!("service 0 [Text({value:?})]"));
        bench.replays();
    }
}

#[test]
fn too_few_digits_and_foreign_keys_are_invalid() {
    for (keys, after_ms) in [("12#", 0), ("12", 3_000), ("1*345", 0), ("#", 0), ("1*34#", 0)] {
        let mut bench = Bench::up(ask_flow(3, 5, false));
        bench.heard();
        bench.keys(keys);
        bench.pass(after_ms);
        assert_eq!(bench.said().last().unwrap(), "play 卡号", "{keys} asks again");
    }
}

#[test]
fn the_end_key_after_the_last_digit_still_belongs_to_the_ask() {
    let mut bench = Bench::up(ask_flow(4, 4, false));
    bench.heard();
    bench.keys("1234");
    bench.key('#');
    assert!(bench.session.held.is_empty());
    bench.key('#');
    assert!(!bench.session.held.is_empty(), "only once");

    let mut ahead = Bench::up(ask_flow(4, 4, false));
    ahead.said();
    ahead.keys("1234#");
    assert!(ahead.said().last().unwrap().starts_with("service"), "typed while the welcome played");
    assert!(ahead.session.held.is_empty());
}

#[test]
fn a_key_that_stops_a_say_answers_the_next_ask() {
    let mut bench = Bench::up(ask_flow(3, 3, false));
    bench.keys("456");
    assert_eq!(bench.said(), ["play 您好", "stop play", "service 0 [Text(\"456\")]"]);
}

/// answer; ask 1..12, which says something else from the second try on; confirm; note and hang up.
fn confirmed_flow(barge_in: bool) -> Arc<dyn FlowProgram> {
    use runtime_contract::Type;
    use runtime_contract::request::AskKind;
    let mut kit = Kit::new(&[]);
    let (first, later) = (kit.prompt("几位？", "How many?", &[]), kit.prompt("再说", "Once more", &[]));
    let right = kit.prompt("对吗？", "Right?", &[]);
    let ask = |prompt| match ask_digits(prompt, 1, 1, false) {
        Request::Ask(ask) => {
            let prompts = prompts(&[prompt], barge_in);
            Request::Ask(runtime_contract::request::Ask { kind: AskKind::Range { low: 1, high: 12 }, prompts, ..ask })
        }
        other => other,
    };
    kit.request("", Request::Answer, &[], vec![None], vec![1], None);
    for prompt in [first, later] {
        let ask = ask(prompt);
        kit.request("", ask.clone(), &[], payloads(&ask, None), vec![3, 2, 2], Some(Variable::Word(0)));
    }
    let confirm = menu(right, &["1", "2"]);
    kit.request("", confirm.clone(), &[], payloads(&confirm, None), vec![4, 2, 2, 2], None);
    let note = Request::Note { key: "got".into(), r#type: Type::Int };
    let value = [(Type::Int, Source::Variable(Variable::Word(0)))];
    kit.request("", note.clone(), &value, payloads(&note, None), vec![5], None);
    kit.request("", Request::HangUp, &[], vec![], vec![], None);
    for (site, key) in [(1, "kit/ask#1"), (2, "kit/ask#1/again"), (3, "kit/ask#1/confirm")] {
        kit.set_key(site, key);
    }
    kit.flow("kit.confirmed", 0, None, None);
    kit.build()
}

#[test]
fn a_number_ends_when_none_can_follow_and_is_confirmed() {
    let mut bench = Bench::up(confirmed_flow(true));
    bench.heard();
    bench.key('7');
    assert_eq!(bench.said(), ["play 几位？", "play 对吗？"], "no number to 12 begins with 7");
    bench.key('1');
    assert_eq!(bench.said(), ["stop play", "note got = Int(7)", "hang up", "done HungUp"]);
    bench.replays();

    let mut bench = Bench::up(confirmed_flow(true));
    bench.heard();
    bench.key('1');
    assert_eq!(bench.said(), ["play 几位？"], "10 to 12 begin with 1");
    bench.pass(3_000);
    assert_eq!(bench.said(), ["play 对吗？"]);
    bench.key('2');
    assert_eq!(bench.said(), ["stop play", "play 再说"], "rejected");
}

#[test]
fn who_does_not_hear_a_confirmation_does_not_give_it() {
    let mut bench = Bench::up(confirmed_flow(false));
    bench.keys("31");
    bench.heard();
    assert_eq!(bench.said(), ["play 几位？", "play 对吗？"], "the second key was typed before");
    bench.key('1');
    assert_eq!(bench.said(), ["stop play", "note got = Int(3)", "hang up", "done HungUp"]);
}

#[test]
fn keys_from_before_a_rejection_do_not_answer_the_next_try() {
    let mut bench = Bench::up(confirmed_flow(true));
    bench.heard();
    bench.keys("13");
    assert_eq!(bench.said(), ["play 几位？", "play 再说"], "13 is too many");
    bench.keys("3");
    assert_eq!(bench.said(), ["stop play", "play 对吗？"]);
}

#[test]
fn a_span_gives_what_was_keyed() {
    use runtime_contract::Type;
    let mut kit = Kit::new(&[]);
    let ask = kit.prompt("分机？", "Extension?", &[]);
    kit.request("", Request::Answer, &[], vec![None], vec![1], None);
    let request = menu(ask, &["100..119", "0"]);
    let payloads_of = vec![Some(Type::Digits), None, None, None];
    kit.request("", request, &[], payloads_of, vec![2, 3, 1, 1], Some(Variable::Text(0)));
    let note = Request::Note { key: "ext".into(), r#type: Type::Digits };
    let value = [(Type::Digits, Source::Variable(Variable::Text(0)))];
    kit.request("", note.clone(), &value, payloads(&note, None), vec![3], None);
    kit.request("", Request::HangUp, &[], vec![], vec![], None);
    kit.flow("kit.span", 0, None, None);
    let program = kit.build();
    let said = |keys: &str| {
        let mut bench = Bench::up(program.clone());
        bench.heard();
        bench.keys(keys);
        bench.replays();
        bench.said().split_off(1)
    };
    assert_eq!(said("107"), ["note ext = Text(\"107\")", "hang up", "done HungUp"]);
    assert_eq!(said("0"), ["hang up", "done HungUp"]);
    assert_eq!(said("2"), ["play 分机？"]);
    assert_eq!(said("13"), ["play 分机？"], "no number of the span begins so");
    assert_eq!(said("10"), [""; 0], "waits for more");
}

const CANARY: &str = "4929871234567814";

#[test]
fn a_private_value_goes_to_its_service_and_nowhere_else() {
    let mut bench = Bench::up(ask_flow(16, 19, true));
    bench.session.set_trace(true);
    bench.heard();
    assert_eq!(&bench.said()[..2], ["play 您好", "Outcome { site: SiteId(1), outcome: 0 }"]);
    bench.keys(CANARY);
    bench.key('#');
    let said = bench.said();
    assert!(said.contains(&"mask false".to_owned()), "{said:?}");
    assert_eq!(said.last().unwrap(), "service 0 [Private(•)]");
    bench.reply(0, None);
    assert!(bench.done);
    assert!(!bench.left.contains("4929"), "outputs show nothing: {}", bench.left);
    assert!(!bench.journal.windows(4).any(|window| window == &CANARY.as_bytes()[..4]));
    assert!(bench.records().iter().any(|r| matches!(r, Record::Claim { keys: Claimed::Private(16), .. })));
    bench.replays();
}

#[test]
fn the_vault_alone_holds_what_is_keyed_in_private() {
    let mut bench = Bench::up(ask_flow(16, 16, true));
    bench.keys(CANARY);
    let (words, arena) = (&bench.session.stack.words, format!("{:?}", bench.session.arena));
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    assert!(!bytes.windows(4).any(|window| window == &CANARY.as_bytes()[..4]));
    assert!(!arena.contains("4929"));
    let expected = Value::Private(Private(zeroize::Zeroizing::new(CANARY.to_owned())));
    assert_eq!(bench.session.vault.value(1), Some(CANARY));
    assert_eq!(format!("{expected:?}"), "Private(•)");
    bench.reply(1, None);
    assert!(bench.session.vault.is_empty(), "wiped at the end");
}

#[test]
fn the_mask_is_on_from_before_the_prompt() {
    let mut bench = Bench::up(ask_flow(16, 16, true));
    bench.heard();
    assert_eq!(bench.said(), ["play 您好", "mask true", "play 卡号"]);
    bench.stop(crate::StopReason::Drain);
    assert_eq!(&bench.said()[..3], ["stop play", "mask false", "hang up"]);
}

#[test]
fn a_private_value_is_lost_with_its_process() {
    let mut bench = Bench::up(ask_flow(16, 16, true));
    bench.keys(CANARY);
    let mut rebuilt = bench.replays();
    assert_eq!(rebuilt.session.vault.value(1), None);
    assert_eq!(rebuilt.session.arguments(), None, "the service's argument");
}
