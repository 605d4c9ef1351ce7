use runtime_contract::channel::Channel;
use runtime_contract::request::Prompts;
use runtime_session::testkit::Kit;

use super::*;

#[test]
fn nothing_is_kept_of_calls_that_are_over() {
    let mut kit = Kit::new(&[]);
    kit.request("", Request::Answer, &[], vec![None], vec![1], None);
    kit.request("", Request::Play(Prompts::default()), &[], vec![None], vec![2], None);
    kit.request("", Request::HangUp, &[], vec![], vec![], None);
    kit.flow("kit.brief", 0, None, None);
    kit.inbound("864008100000", 0);
    let mut plant = Plant::new(kit.build(), Time(0));
    for _ in 0..1_000 {
        plant.call(Channel::Voice, None, "+86 400 810 0000");
        while !plant.ended && plant.run_next() {}
        assert!(plant.ended);
    }
    assert_eq!((plant.exchange.calls_live(), plant.exchange.voices_open()), (0, 0));
    assert!(plant.coming.is_empty() && plant.what_comes.is_empty() && plant.inputs.is_empty());
    assert_eq!(plant.journals.len(), 1_000, "each was a call");
}
