//! Tests of flows, and calls at a terminal, on programs written by hand.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop at the first surprise"
)]

use std::sync::Arc;

use runtime_contract::channel::Channel;
use runtime_contract::program::Place;
use runtime_contract::request::{Destination, Request, ServiceCall};
use runtime_contract::script::{FarSide, Given, Hears, TestScript, Verb};
use runtime_contract::value::Value;
use runtime_contract::{FlowProgram, Time, Type};
use runtime_session::testkit::{Kit, Op, Source, Variable, ask_digits, connect, menu, payloads, prompts, record};
use runtime_simulator::{Failure, Talk, TestResult, play_test};

/// answer; menu: 1 asks a service and says its answer, 2 asks a private number and ends, 3 records; `other` says so
/// and tries again, `silence` hangs up. `finally` notes.
fn hotline() -> Arc<dyn FlowProgram> {
    let mut kit = Kit::new(&["ended"]);
    let choose = kit.prompt("请选择。", "Choose.", &[]);
    let known = kit.prompt("您是", "You are ", &[Type::Text]);
    let wrong = kit.prompt("没有这个选项。", "No such option.", &[]);
    let card = kit.prompt("卡号。", "Card.", &[]);
    let speak = kit.prompt("请留言。", "Speak.", &[]);
    kit.service("crm", &[], Some(Type::Text), false);
    kit.request("", Request::Answer, &[], vec![None], vec![1], None);
    let choices = menu(choose, &["1", "2", "3"]);
    kit.request("main", choices.clone(), &[], payloads(&choices, None), vec![2, 5, 6, 4, 7], None);
    let find = Request::Service(ServiceCall { service: 0, operation: 0 });
    let text = Variable::Text(0);
    kit.request("find", find.clone(), &[], payloads(&find, Some(Type::Text)), vec![3, 7], Some(text));
    let known = Request::Play(prompts(&[known], true));
    kit.request("find", known.clone(), &[(Type::Text, Source::Variable(text))], vec![None], vec![1], None);
    let wrong = Request::Play(prompts(&[wrong], true));
    kit.request("main", wrong, &[], vec![None], vec![1], None);
    let ask = ask_digits(card, 16, 16, true);
    kit.request("card", ask.clone(), &[], payloads(&ask, None), vec![7, 7, 7], Some(Variable::Vault(0)));
    let take = record(speak, 60_000);
    kit.request("take", take.clone(), &[], payloads(&take, None), vec![1, 7], None);
    kit.request("", Request::HangUp, &[], vec![], vec![], None);
    let note = Request::Note { key: "outcome".into(), r#type: Type::Text };
    let ended = kit.constant("ended");
    let finally = kit.request("", note, &[(Type::Text, ended)], vec![None], vec![9], None);
    kit.push(Op::End);
    kit.flow("kit.hotline", 0, None, Some(finally));
    kit.inbound("864008100000", 0);
    kit.build()
}

fn call() -> Verb {
    Verb::Call { channel: Channel::Voice, from: Some("+86 138 0000 0000".into()), to: "+86 400 810 0000".into() }
}

fn hears(text: &str) -> Verb {
    Verb::Hears(Hears::words(text))
}

fn press(keys: &str) -> Verb {
    Verb::Press(keys.into())
}

fn step(step: &str) -> Verb {
    Verb::ExpectStep { flow: None, step: step.into() }
}

fn note(text: &str) -> Verb {
    Verb::ExpectNote { key: "outcome".into(), r#type: Type::Text, value: Value::Text(text.into()) }
}

fn given(answer: Given) -> Verb {
    Verb::Given { service: 0, operation: 0, answer }
}

/// Plays lines; each stands on its own line of the file, from 1.
fn play(lines: Vec<Verb>) -> TestResult {
    play_on(&hotline(), lines)
}

fn play_on(program: &Arc<dyn FlowProgram>, lines: Vec<Verb>) -> TestResult {
    let at = |line| Place { file: 0, line, column: 5 };
    let script = TestScript {
        name: "a test".into(),
        place: at(0),
        at: Time(1_772_416_800_000),
        zone: "Asia/Shanghai".into(),
        lines: (1..).map(at).zip(lines).collect(),
        files: vec!["kit_test.flow".into()],
    };
    play_test(program, &script)
}

#[track_caller]
fn passes(lines: Vec<Verb>) -> TestResult {
    let result = play(lines);
    assert_eq!(result.failure, None, "{:#?}", result.transcript);
    result
}

fn words(failure: &Failure) -> String {
    [vec![failure.came.clone()], failure.hints.clone()].concat().join("; ")
}

/// Line and words of the failure.
#[track_caller]
fn fails(lines: Vec<Verb>) -> (u32, String) {
    let failure = play(lines).failure.expect("a failure");
    (failure.place.line, words(&failure))
}

#[test]
fn a_call_is_played_to_its_end() {
    let lines = vec![
        given(Given::Ok(Some(Value::Text("李".into())))),
        call(),
        hears("请选择"),
        press("1"),
        step("find"),
        hears("您是李"),
        hears("请选择"),
        Verb::HangUp,
        note("ended"),
        Verb::ExpectEnd,
    ];
    let result = passes(lines.clone());
    assert_eq!(result, play(lines), "the same each time");
}

#[test]
fn a_service_that_nothing_is_given_for_fails() {
    passes(vec![call(), press("1"), Verb::ExpectEnd, note("ended")]);
    passes(vec![given(Given::Failed), call(), press("1"), Verb::ExpectEnd]);
}

#[test]
fn a_refused_key_is_told_and_the_next_one_taken() {
    let again = given(Given::Ok(Some(Value::Text("王".into()))));
    passes(vec![again, call(), press("9"), hears("没有这个选项"), press("1"), hears("王"), Verb::HangUp]);
}

#[test]
fn silence_is_waited_for() {
    passes(vec![call(), hears("请选择"), Verb::Wait { ms: 20_000 }, Verb::ExpectEnd]);
}

#[test]
fn the_first_line_that_does_not_hold_is_named() {
    let (line, why) = fails(vec![call(), hears("请选择"), hears("您是"), note("x")]);
    assert_eq!(line, 3);
    assert!(why.contains("waits for keys in `kit.hotline.main`"), "{why}");
    let (line, why) = fails(vec![call(), press("1"), note("done")]);
    assert_eq!(line, 3);
    assert!(why.starts_with("`outcome` is noted as ended, not done; `crm.find` failed because"), "{why}");
    let (line, why) = fails(vec![call(), step("card")]);
    assert_eq!(line, 2);
    assert!(why.starts_with("step `card` was not entered"), "{why}");
    let (line, why) = fails(vec![call(), Verb::ExpectEnd]);
    assert_eq!(line, 2);
    assert!(why.starts_with("the call goes on"), "{why}");
}

#[test]
fn what_may_have_led_to_a_failure_is_said() {
    let (_, why) = fails(vec![call(), hears("请选择"), press("7"), step("card")]);
    assert!(why.contains("the menu was in `main`; 7 is not one of its keys, which are 1, 2, 3"), "{why}");
    let (_, why) = fails(vec![call(), hears("Choose.")]);
    assert!(why.contains("this text is `en`, and the caller hears `zh`"), "{why}");
    let (_, why) = fails(vec![call(), press("1"), step("main")]);
    assert!(why.contains("`crm.find` failed because no `given crm.find => …` stands before"), "{why}");
    let (_, why) = fails(vec![call(), hears("请选择"), hears("请选择")]);
    assert!(why.contains("the caller heard it before"), "{why}");
    let (_, why) = fails(vec![call(), Verb::ExpectEnd]);
    assert!(why.contains("the menu takes 1, 2, 3"), "{why}");
    let (_, why) = fails(vec![call(), press("2"), step("main")]);
    assert!(why.contains("step `main` was not entered, but `kit.hotline.card`"), "{why}");
}

#[test]
fn a_result_says_where_its_lines_begin_and_which_prompts_were_played() {
    let result = passes(vec![call(), press("2"), Verb::HangUp, note("ended")]);
    let first: Vec<String> = result.begins.iter().take(3).map(|at| result.transcript[*at].what.to_string()).collect();
    assert_eq!(first, ["calls   +86 400 810 0000", "        (cut off)", "hangs up"]);
    assert_eq!(result.prompts.into_iter().collect::<Vec<_>>(), [((0, 0), 1), ((3, 0), 1)]);
    assert_eq!(result.virtual_ms, 150, "one key");
}

#[test]
fn a_number_that_nobody_serves_is_turned_away() {
    let to = Verb::Call { channel: Channel::Voice, from: None, to: "+1 212 555 0100".into() };
    let (line, why) = fails(vec![to, hears("请选择")]);
    assert_eq!(line, 2);
    assert!(why.contains("turned away: no flow takes this number"), "{why}");
}

#[test]
fn one_test_may_call_twice() {
    passes(vec![call(), hears("请选择"), call(), hears("请选择"), press("1"), Verb::ExpectEnd]);
}

#[test]
fn private_keys_show_as_their_number() {
    let canary = "4929871234567814";
    let result = passes(vec![call(), press("2"), press(canary), Verb::ExpectEnd]);
    let shown: String = result.transcript.iter().map(|line| format!("{}\n{line:?}\n", line.what)).collect();
    assert!(shown.contains(&"•".repeat(16)), "{shown}");
    assert!(!shown.contains("4929"), "{shown}");
}

#[test]
fn a_person_talks_to_a_flow() {
    let mut talk = Talk::new(hotline(), Time(0));
    talk.call(Channel::Voice, None, "+864008100000");
    let shown = |talk: &mut Talk| talk.news().iter().map(|line| line.what.to_string()).collect::<Vec<_>>().join("\n");
    assert!(shown(&mut talk).contains("hears   请选择。"));
    talk.press("3");
    assert!(talk.is_recording());
    talk.say("a short message");
    talk.press("#");
    let seen = shown(&mut talk);
    assert!(seen.contains("says    a short message") && seen.contains("speaks"), "{seen}");
    assert!(!talk.is_over());
    talk.say_nothing();
    assert!(talk.is_over(), "{}", shown(&mut talk));
}

#[test]
fn a_person_says_what_a_service_answers() {
    let mut talk = Talk::new(hotline(), Time(0));
    talk.call(Channel::Voice, None, "+864008100000");
    talk.press("1");
    let question = talk.question().expect("nothing is given");
    assert_eq!((question.name.as_str(), question.result), ("crm.find", Some(Type::Text)));
    talk.answer(0, 0, Given::Ok(Some(Value::Text("李".into()))));
    assert!(talk.question().is_none());
    let heard: String = talk.news().iter().map(|line| line.what.to_string()).collect();
    assert!(heard.contains("您是李"), "{heard}");
    talk.press("1");
    assert!(talk.question().is_none(), "it answers so from now on");
    let mut talk = Talk::new(hotline(), Time(0));
    talk.call(Channel::Voice, None, "+864008100000");
    talk.press("1");
    talk.hang_up();
    assert!(talk.is_over() && talk.question().is_none(), "nobody waits for the answer any more");
}

#[test]
fn a_test_that_leaves_its_call_open_fails() {
    let (line, why) = fails(vec![call(), hears("请选择")]);
    assert_eq!(line, 0, "the test itself");
    assert!(why.contains("the call goes on") && why.contains("end it by `hang up` or `expect end`"), "{why}");
    // One that comes to its end by itself is not left open.
    passes(vec![call(), press("1"), note("ended")]);
}

/// Why a test on this program fails that calls, does this and waits for the end; and what a person sees of it.
fn limit(kit: Kit, doing: Vec<Verb>) -> (String, String) {
    let program = kit.build();
    let lines = [vec![call()], doing, vec![Verb::ExpectEnd]].concat();
    let result = play_on(&program, lines);
    let seen: Vec<String> = result.transcript.iter().map(|line| line.what.to_string()).collect();
    (words(&result.failure.expect("a call that passes a limit fails its test")), seen.join("\n"))
}

#[test]
fn a_journal_without_room_is_named_and_fails_the_test() {
    let mut kit = Kit::new(&["once"]);
    kit.request("", Request::Answer, &[], vec![None], vec![1], None);
    let note = Request::Note { key: "n".into(), r#type: Type::Text };
    let once = kit.constant("once");
    kit.request("", note, &[(Type::Text, once)], vec![None], vec![1], None);
    kit.flow("kit.for ever", 0, None, None);
    kit.inbound("864008100000", 0);
    let (why, seen) = limit(kit, vec![]);
    assert!(why.starts_with("the call passed a limit: journal full"), "{why}");
    assert!(why.contains("64 KiB of journal"), "{why}");
    assert!(seen.contains("fault: journal full"), "{seen}");
}

#[test]
fn the_time_of_finally_is_named_and_fails_the_test() {
    let mut kit = Kit::new(&[]);
    kit.request("", Request::Answer, &[], vec![None], vec![1], None);
    kit.request("", Request::HangUp, &[], vec![], vec![], None);
    let long = (Type::Duration, Source::Word(31_000));
    let finally = kit.request("", Request::Wait, &[long], vec![None], vec![3], None);
    kit.push(Op::End);
    kit.flow("kit.slow", 0, None, Some(finally));
    kit.inbound("864008100000", 0);
    let (why, seen) = limit(kit, vec![]);
    assert!(why.contains("time of `finally` used up") && why.contains("30 s for all `finally`"), "{why}");
    assert!(seen.contains("fault: time of `finally` used up"), "{seen}");
}

#[test]
fn a_full_vault_is_named_by_its_own_words() {
    let mut kit = Kit::new(&[]);
    let card = kit.prompt("卡号。", "Card.", &[]);
    kit.request("", Request::Answer, &[], vec![None], vec![1], None);
    let ask = ask_digits(card, 1, 1, true);
    kit.request("card", ask.clone(), &[], payloads(&ask, None), vec![1, 2, 2], Some(Variable::Vault(0)));
    kit.request("", Request::HangUp, &[], vec![], vec![], None);
    kit.flow("kit.cards", 0, None, None);
    kit.inbound("864008100000", 0);
    let (why, seen) = limit(kit, vec![press("7"); 17]);
    assert!(why.contains("too many private values") && why.contains("16 private values in one call"), "{why}");
    assert!(seen.contains("fault: too many private values"), "{seen}");
}

#[test]
fn a_person_is_told_of_a_limit() {
    let mut kit = Kit::new(&[]);
    kit.request("", Request::Answer, &[], vec![None], vec![1], None);
    let long = (Type::Duration, Source::Word(600_000));
    kit.request("", Request::Wait, &[long], vec![None], vec![1], None);
    kit.flow("kit.for ever", 0, None, None);
    kit.inbound("864008100000", 0);
    let mut talk = Talk::new(kit.build(), Time(0));
    talk.call(Channel::Voice, None, "+864008100000");
    talk.wait(12 * 3_600_000);
    assert!(talk.is_over());
    let seen: Vec<String> = talk.news().iter().map(|line| line.what.to_string()).collect();
    assert!(seen.iter().any(|line| line.starts_with("fault: longest call")), "{seen:#?}");
}

/// answer; connect: back with a note of the outcome; then transfer, and a note when it failed.
fn onward() -> Arc<dyn FlowProgram> {
    let outcomes = ["ended", "busy", "unanswered", "declined", "unreachable"];
    let mut kit = Kit::new(&["ended", "busy", "unanswered", "declined", "unreachable", "failed"]);
    let number = [(Type::Phone, Source::Word(8_613_800_000_000))];
    kit.request("", Request::Answer, &[], vec![None], vec![1], None);
    kit.request("", connect(20_000), &number, vec![None; 5], vec![2, 3, 4, 5, 6], None);
    let note = |key: &str| Request::Note { key: key.into(), r#type: Type::Text };
    for outcome in outcomes {
        let text = kit.constant(outcome);
        kit.request("", note("connected"), &[(Type::Text, text)], vec![None], vec![7], None);
    }
    let transfer = Request::Transfer { to: Destination::Number };
    kit.request("away", transfer, &number, vec![None], vec![8], None);
    let failed = kit.constant("failed");
    kit.request("", note("transfer"), &[(Type::Text, failed)], vec![None], vec![9], None);
    kit.request("", Request::HangUp, &[], vec![], vec![], None);
    kit.flow("kit.onward", 0, None, None);
    kit.inbound("864008100000", 0);
    kit.build()
}

fn noted(key: &str, text: &str) -> Verb {
    Verb::ExpectNote { key: key.into(), r#type: Type::Text, value: Value::Text(text.into()) }
}

#[test]
fn far_sides_do_what_the_test_says_one_after_the_other() {
    let program = onward();
    for side in FarSide::ALL {
        // Who connects a caller does not ask what it is that answers.
        let answers = matches!(side, FarSide::Person | FarSide::Machine);
        let outcome = if answers { "ended" } else { side.name() };
        let dials = Verb::DialGives(vec![side, FarSide::Declined]);
        let lines = vec![dials, call(), noted("connected", outcome), noted("transfer", "failed"), Verb::ExpectEnd];
        let result = play_on(&program, lines);
        assert!(result.passed(), "{side:?}: {:?}", result.failure);
    }
    let person = || Verb::DialGives(vec![FarSide::Person]);
    let result = play_on(&program, vec![person(), call(), Verb::ExpectEnd]);
    assert!(result.passed(), "{:?}", result.failure);
    let lines: Vec<String> = result.transcript.iter().map(|line| line.what.to_string()).collect();
    assert!(lines.contains(&"dials   +8613800000000 → person".to_owned()), "{lines:?}");
    assert!(!lines.iter().any(|line| line.contains("transfer =")), "it was given away: {lines:?}");

    let nobody = play_on(&program, vec![call(), noted("connected", "unreachable"), Verb::ExpectEnd]);
    assert!(nobody.passed(), "{:?}", nobody.failure);
    let left = play_on(&program, vec![person(), call(), Verb::Wait { ms: 7_000 }, Verb::HangUp]);
    assert!(left.passed(), "{:?}", left.failure);
}

#[test]
fn a_transcript_says_when_the_conversation_is_recorded() {
    let mut kit = Kit::new(&[]);
    let hello = kit.prompt("您好", "hello", &[]);
    kit.request("", Request::Answer, &[], vec![None], vec![1], None);
    kit.request("", Request::Recording { on: true }, &[], vec![None], vec![2], None);
    kit.request("", Request::Recording { on: true }, &[], vec![None], vec![3], None);
    kit.request("", Request::Play(prompts(&[hello], false)), &[], vec![None], vec![4], None);
    kit.request("", Request::Recording { on: false }, &[], vec![None], vec![5], None);
    kit.request("", Request::HangUp, &[], vec![], vec![], None);
    kit.flow("kit.recorded", 0, None, None);
    kit.inbound("864008100000", 0);
    let result = play_on(&kit.build(), vec![call(), Verb::ExpectEnd]);
    assert!(result.passed(), "{:?}", result.failure);
    let lines: Vec<String> = result.transcript.iter().map(|line| line.what.to_string()).collect();
    assert_eq!(
        lines[2..],
        ["answered", "recording on", "hears   您好", "recording off", "the call is over"],
        "{lines:?}"
    );
}
