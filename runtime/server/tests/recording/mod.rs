//! A call of the built-in phone that its flow records, and what is in the file.

use std::ops::Range;

use runtime_media::{Portion, find_prompt};
use runtime_server::PhoneEvent;

use crate::kit::{AT_LAST, ON_THE_RECORD, PATIENCE, PRIVATELY, Site, gone, wait_for};
use crate::operators::until;

const VOICE: &str = "the caller answers";
/// Said while the private code is asked for.
const CANARY: &str = "a canary of the caller";
/// Margins of the mask, and what the way there takes on a busy machine, in samples (500 ms).
const MARGIN: usize = 4_000;
/// So much of a text is known from all others. More would ask that nothing was late on a busy machine.
const SOME: Portion = Portion::AtLeastMs(400);

/// Left and right of a 16-bit WAV file of two channels.
fn channels(wav: &[u8]) -> [Vec<i16>; 2] {
    assert_eq!(wav[22..24], [2, 0], "two channels");
    let data = wav.windows(4).position(|window| window == b"data").unwrap() + 8;
    let samples: Vec<i16> = wav[data..].chunks_exact(2).map(|bytes| i16::from_le_bytes([bytes[0], bytes[1]])).collect();
    [0, 1].map(|channel| samples.iter().skip(channel).step_by(2).copied().collect())
}

#[test]
fn a_recorded_call_has_the_caller_left_what_he_hears_right_and_nothing_of_what_is_private() {
    let mut site = Site::start("recorded", "");
    let phone = site.phone();
    let call = site.call(&phone);
    wait_for(&call, |event| event == PhoneEvent::Up);
    let sound = |site: &Site, text: &str| site.server().prompt("zh", text).unwrap();
    let sounds = [VOICE, CANARY, ON_THE_RECORD, PRIVATELY, AT_LAST].map(|text| sound(&site, text));
    let [voice, canary, ..] = &sounds;
    site.hears_some(&call, ON_THE_RECORD, SOME);
    call.speak(voice.clone());
    site.hears_some(&call, PRIVATELY, SOME);
    call.speak(canary.clone());
    let canary_over = call.heard().len() + canary.pcm().len() + MARGIN;
    call.wait_heard(canary_over, PATIENCE);
    assert!(call.press("4711"));
    gone(&call);

    let server = site.server.take().unwrap();
    server.stop();
    server.wait().unwrap();
    let records = server.store().calls(10).unwrap();
    assert_eq!(records[0].record.recordings, [1], "one stretch, one recording");
    let file = site.folder.path().join("data/recordings/1.wav");
    let [left, right] = channels(&std::fs::read(file).unwrap());
    assert_eq!(left.len(), right.len());
    let [voice, canary, kept, private, last] = sounds.map(|sound| sound.pcm());
    let find = |channel: &[i16], sound: &[i16], portion| find_prompt(channel, 0, sound, portion);
    let spoken = find(&left, &voice, SOME).expect("the caller on the left");
    let heard = find(&right, &kept, SOME).expect("what he heard on the right");
    let ended = find(&right, &last, SOME).expect("what he heard in the end, too");
    for (channel, of_the_other) in [(&left, &kept), (&left, &last), (&right, &voice)] {
        assert!(find(channel, of_the_other, Portion::AtLeastMs(300)).is_none(), "the channels are mixed");
    }
    for secret in [&canary, &private] {
        for channel in [&left, &right] {
            assert!(find(channel, secret, Portion::AtLeastMs(300)).is_none(), "what was said privately is kept");
        }
    }
    let masked = heard.offset + kept.len() + MARGIN..ended.offset - MARGIN;
    assert!(masked.len() > canary.len() / 2, "the mask lasted: {masked:?}");
    for channel in [&left, &right] {
        assert_eq!(loudest(channel, masked.clone()), 0, "silent while it is keyed");
    }
    assert!(spoken.offset + voice.len() < masked.start, "{} to {masked:?}", spoken.offset);
}

fn loudest(channel: &[i16], range: Range<usize>) -> u16 {
    channel[range].iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0)
}

#[test]
fn a_recording_that_cannot_be_written_does_not_hold_up_its_call() {
    let mut site = Site::start("recorded", "");
    let folder = site.folder.path().join("data/recordings");
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::write(&folder, "no folder").unwrap();
    let phone = site.phone();
    let call = site.call(&phone);
    site.hears_some(&call, PRIVATELY, SOME);
    assert!(call.press("4711"));
    gone(&call);
    until("the failure is counted", || site.get("/metrics").1.contains("strowger_call_recordings_failed_total 1\n"));
    let server = site.server.take().unwrap();
    server.stop();
    server.wait().unwrap();
    let records = server.store().calls(10).unwrap();
    assert_eq!((records[0].record.end.as_str(), records[0].record.recordings.len()), ("hung up", 0));
}
