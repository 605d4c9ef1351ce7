//! The network between the server and a desk phone goes away during a call.

use runtime_contract::leg::GoneCause;
use runtime_server::{Phone, PhoneCall, PhoneEvent};
use tempfile::{TempDir, tempdir};

use super::desk_phones::{DESK, loudness_at, results};
use crate::harness;
use crate::harness::cable::Cable;
use crate::harness::pjsua2::Pjsua2;
use crate::harness::served::Served;
use crate::{LONG, gone};

/// 1 s of voice.
const SECOND: usize = 8_000;

/// A caller and the desk's phone talk; server and caller are at our end of the cable, the phone is at the other.
struct Talking {
    cable: Cable,
    served: Served,
    call: PhoneCall,
    desk: Pjsua2,
    data: TempDir,
    _kept: (Phone, TempDir),
}

impl Talking {
    fn start(more: &str) -> Talking {
        let (folder, data) = (tempdir().unwrap(), tempdir().unwrap());
        let cable = Cable::plug();
        let flow = harness::project("cli/tests/projects/desk/desk.flow");
        std::fs::copy(flow, folder.path().join("desk.flow")).unwrap();
        let yaml = format!(
            "voices: {{ engine: tones }}\ntrunks: {{ outside: {} }}\nphones: {{ 2001: {{ password: a good secret }}, \
             2002: {{ password: x }} }}\n{more}",
            cable.here
        );
        std::fs::write(folder.path().join("strowger.yaml"), yaml).unwrap();
        let sip = format!("{}:0", cable.here);
        let served = Served::start_at(folder.path(), data.path(), &sip, &["--no-watch"]);
        let phone = Phone::start(served.sip).unwrap();
        let heard = folder.path().join("heard.wav");
        let (desk, status) = Pjsua2::start_beyond(Some(&cable), served.sip, DESK, "udp", "stay", &heard);
        assert_eq!(status, 200, "{}", served.log());
        let call = phone.call(&format!("sip:+864008100006@{}", served.sip), Some("+8613800000001")).unwrap();
        desk.wait_for(|event| event["state"] == "CONFIRMED");
        Talking { cable, served, call, desk, data, _kept: (phone, folder) }
    }
}

#[test]
fn a_call_outlives_a_short_partition() {
    let Talking { cable, served, call, desk, data, _kept } = Talking::start("");
    let tone_from = |at: usize| loudness_at(&call.heard()[at..], 620.0);
    let heard_until = |holds: &dyn Fn() -> bool| {
        while !holds() {
            let samples = call.heard().len();
            assert!(call.wait_heard(samples, LONG) > samples, "the call goes on");
        }
    };
    heard_until(&|| tone_from(0) > SECOND);
    cable.pull();
    // What was on its way is heard yet; then there is a second of silence.
    let pulled = call.heard().len();
    heard_until(&|| call.heard().len() > pulled + 2 * SECOND);
    let end = call.heard().len();
    assert_eq!(tone_from(end - SECOND), 0, "the cable is out");
    cable.put_back();
    heard_until(&|| tone_from(end) > SECOND);
    call.hang_up();
    assert_eq!(gone(&call), GoneCause::LocalHungUp);
    desk.wait_for(|event| event["state"] == "DISCONNECTED");
    harness::until("the call is over", || served.metric("strowger_calls_live") == 0.0);
    assert_eq!(served.stop(), 0);
    assert_eq!(crate::ends(data.path()), ["caller hung up"]);
}

/// Nobody says BYE: whoever is to refresh the session cannot, and the server ends it (RFC 4028 §10, 90 s at least).
#[test]
fn a_call_whose_phone_does_not_come_back_ends_by_its_session_timer() {
    let Talking { cable, served, call, data, desk: _desk, _kept } =
        Talking::start("limits: { session_expires_s: 90 }\n");
    cable.pull();
    // The flow goes on behind `connect to`, and hangs up.
    let mut events = std::iter::repeat_with(|| call.next_event(LONG)).take(9).flatten();
    let end = events.find(|event| matches!(event, PhoneEvent::Gone(_)));
    assert_eq!(end, Some(PhoneEvent::Gone(GoneCause::RemoteHungUp)));
    assert_eq!(results(served, data.path()), ["ended"]);
}
