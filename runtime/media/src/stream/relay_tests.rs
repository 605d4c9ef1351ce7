//! Two legs of a bridge under virtual time.

use proptest::prelude::*;
use runtime_contract::leg::Codec;

use super::*;
use crate::dtmf::TelephoneEvent;
use crate::rtp::{self, Header, timestamp_ahead};
use crate::{correlate, g711};

fn address(side: usize) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, side as u8 + 1], 4_000))
}

fn spec(side: usize) -> MediaSpec {
    let remote = address(side);
    MediaSpec {
        remote,
        codec: Codec::Pcma,
        dtmf_payload_type: Some(101),
        ptime_ms: 20,
        rtcp: None,
        send: true,
        receive: true,
    }
}

/// Two streams, their clock, and all that each gave.
struct Pair {
    streams: [Stream; 2],
    ms: u64,
    packets: [Vec<(u64, Vec<u8>)>; 2],
    events: [Vec<Event>; 2],
}

impl Pair {
    fn new(specs: [MediaSpec; 2]) -> Pair {
        let seed = |n: u32| StreamSeed { ssrc: n, sequence: 0xfff0, timestamp: 0xffff_ff00 };
        let streams = [Stream::new(seed(1), None), Stream::new(seed(2), None)];
        let mut pair = Pair { streams, ms: 1_000, packets: Default::default(), events: Default::default() };
        for (side, spec) in specs.into_iter().enumerate() {
            pair.handle(side, Input::Command(Command::Connect(spec)));
            pair.handle(side, Input::Bridged(true));
        }
        pair
    }

    fn handle(&mut self, side: usize, input: Input<'_>) {
        let now = Tick(0).plus_ms(self.ms);
        let [first, second] = &mut self.streams;
        let (one, other) = if side == 0 { (first, second) } else { (second, first) };
        let mut outputs = one.handle(now, input);
        while let Some(output) = outputs.poll() {
            match output {
                Output::Send { packet, .. } => self.packets[side].push((self.ms, packet.to_vec())),
                Output::Event(event) => self.events[side].push(event),
                Output::SendReport { packet, .. } => assert!(crate::rtcp::parse(packet).is_some()),
                Output::Relay(relayed) => {
                    let mut outputs = other.handle(now, Input::Relayed(relayed));
                    while let Some(output) = outputs.poll() {
                        match output {
                            Output::Send { to, packet } => {
                                assert_eq!(to, address(1 - side));
                                self.packets[1 - side].push((self.ms, packet.to_vec()));
                            }
                            other => panic!("{other:?}"),
                        }
                    }
                }
            }
        }
    }

    fn tell(&mut self, side: usize, command: Command) {
        self.handle(side, Input::Command(command));
    }

    /// Visits each 5 ms for so long.
    fn run(&mut self, ms: u64) {
        for _ in 0..ms / 5 {
            self.handle(0, Input::Tick);
            self.handle(1, Input::Tick);
            self.ms += 5;
        }
    }

    fn receive(&mut self, side: usize, header: Header, payload: &[u8]) {
        let bytes = [&header.to_bytes()[..], payload].concat();
        self.handle(side, Input::Packet { from: address(side), bytes: &bytes });
    }

    /// The far side of `side` speaks: so many packets of so many ms, from this number on.
    fn speak(&mut self, side: usize, numbers: std::ops::Range<u32>, packet_ms: u32, value: i16) {
        for number in numbers {
            let payload = vec![g711::encode(Codec::Pcmu, value); packet_ms as usize * 8];
            self.receive(side, voice(number, number * packet_ms * 8), &payload);
            self.run(packet_ms.into());
        }
    }

    fn press(&mut self, side: usize, first: u32, key: char) {
        let code = Key::from_char(key).unwrap().event();
        for number in 0..8u32 {
            let (end, duration) = (number >= 5, (number.min(5) + 1) as u16 * 160);
            let event = TelephoneEvent { code, end, volume: 10, duration };
            let header = Header { marker: number == 0, payload_type: 101, ..voice(first + number, first * 160) };
            self.receive(side, header, &event.to_bytes());
            self.run(20);
        }
    }

    fn clear(&mut self) {
        self.packets = Default::default();
    }

    fn headers(&self, side: usize) -> Vec<Header> {
        self.packets[side].iter().map(|(_, packet)| rtp::parse(packet).unwrap().header).collect()
    }

    /// One letter for each packet: silence, the value in thousands, or a key packet.
    fn shape(&self, side: usize) -> String {
        let letter = |packet: &[u8]| {
            let packet = rtp::parse(packet).unwrap();
            let codec = match packet.header.payload_type {
                0 => Codec::Pcmu,
                8 => Codec::Pcma,
                _ => return 'k',
            };
            let samples = packet.payload.iter().map(|code| g711::decode(codec, *code));
            let loudest = samples.map(i16::unsigned_abs).max().unwrap_or(0);
            char::from_digit(u32::from((loudest + 500) / 1_000), 36).unwrap()
        };
        self.packets[side].iter().map(|(_, packet)| letter(packet)).collect()
    }
}

/// Of a far side that numbers its packets from 0 on.
fn voice(number: u32, timestamp: u32) -> Header {
    Header { marker: false, payload_type: 0, sequence: number as u16, timestamp, ssrc: 77 }
}

/// INVARIANT (one clock): one SSRC, sequence numbers without a gap, timestamps that go on by no less than the audio
/// that was sent, and by more only behind keys and where a marker says so.
fn check_one_clock(pair: &Pair, side: usize, seed: StreamSeed) {
    let mut next = None;
    let mut sequence = seed.sequence;
    let mut keyed = false;
    for (_, bytes) in &pair.packets[side] {
        let packet = rtp::parse(bytes).unwrap();
        assert_eq!(packet.header.ssrc, seed.ssrc);
        assert_eq!(packet.header.sequence, sequence);
        sequence = sequence.wrapping_add(1);
        if packet.header.payload_type == 101 {
            keyed = true;
            continue;
        }
        let ahead = next.map_or(0, |next| timestamp_ahead(packet.header.timestamp, next));
        assert!(ahead >= 0, "{ahead} samples, {}", pair.shape(side));
        let may_jump = std::mem::take(&mut keyed) || packet.header.marker;
        assert!(may_jump || ahead <= 160, "{ahead} samples, {}", pair.shape(side));
        next = Some(packet.header.timestamp.wrapping_add(packet.payload.len() as u32));
    }
}

fn seed(ssrc: u32) -> StreamSeed {
    StreamSeed { ssrc, sequence: 0xfff0, timestamp: 0xffff_ff00 }
}

#[test]
fn what_one_side_says_leaves_at_once_in_the_law_of_the_other() {
    let mut pair = Pair::new([spec(0), spec(1)]);
    pair.run(40);
    pair.clear();
    let before = pair.ms;
    pair.speak(0, 5..10, 20, 4_000);
    assert_eq!(pair.shape(1), "44444");
    assert_eq!(pair.packets[1].iter().map(|(ms, _)| ms - before).collect::<Vec<_>>(), [0, 20, 40, 60, 80]);
    let headers = pair.headers(1);
    assert!(headers.iter().all(|header| header.payload_type == 8 && header.ssrc == 2));
    assert!(headers[0].marker && headers[1..].iter().all(|header| !header.marker));
    assert_eq!(headers[0].timestamp, 0xffff_ff00u32.wrapping_add(320), "behind the silence that was sent");
    assert!(pair.shape(0).chars().all(|packet| packet == '0'), "the other way round there is silence");
}

#[test]
fn loss_disorder_and_pauses_arrive_as_they_came() {
    let mut pair = Pair::new([spec(0), spec(1)]);
    for number in [10u32, 11, 13, 12, 12, 15] {
        pair.receive(0, voice(number, number * 160), &[g711::encode(Codec::Pcmu, 1_000); 160]);
        pair.run(5);
    }
    let headers = pair.headers(1);
    let far = |of: &dyn Fn(&Header) -> u32| headers.iter().map(of).collect::<Vec<_>>();
    assert_eq!(far(&|h| u32::from(h.sequence.wrapping_sub(0xfff0))), [0, 1, 3, 2, 2, 5]);
    assert_eq!(far(&|h| h.timestamp.wrapping_sub(headers[0].timestamp) / 160), [0, 1, 3, 2, 2, 5]);
    pair.run(400);
    assert!(pair.shape(1).len() > 10, "silence while the far side is quiet");
    let before = pair.packets[1].len();
    pair.receive(0, voice(16, 16 * 160 + 4_000), &[g711::encode(Codec::Pcmu, 1_000); 160]);
    let headers = pair.headers(1);
    assert!(headers[before].marker);
    assert_eq!(headers[before].sequence, headers[before - 1].sequence.wrapping_add(1));
    assert!(timestamp_ahead(headers[before].timestamp, headers[before - 1].timestamp) >= 160);
    pair.receive(0, voice(9, 9 * 160), &[0; 160]);
    assert_eq!(pair.packets[1].len(), before + 1, "what is older than the pause comes too late");
}

#[test]
fn a_prompt_takes_the_place_of_the_voice_on_its_leg_only() {
    let mut pair = Pair::new([spec(0), spec(1)]);
    pair.speak(0, 0..5, 20, 4_000);
    pair.tell(1, Command::Play { prompts: vec![Arc::new(Prompt::from_pcm(&[9_000; 800]))], token: 3 });
    for number in 5..15 {
        pair.receive(1, voice(number, number * 160), &[g711::encode(Codec::Pcmu, 2_000); 160]);
        pair.speak(0, number..number + 1, 20, 4_000);
    }
    assert_eq!(pair.shape(1), format!("{}{}{}", "4".repeat(5), "9".repeat(5), "4".repeat(5)));
    assert_eq!(pair.events[1], [Event::FirstPacket, Event::PlayDone { token: 3 }]);
    assert!(pair.shape(0).ends_with(&"2".repeat(10)));
    check_one_clock(&pair, 1, seed(2));
}

#[test]
fn legs_go_on_alone_without_a_gap() {
    let mut pair = Pair::new([spec(0), spec(1)]);
    pair.speak(0, 0..5, 20, 4_000);
    pair.handle(0, Input::Bridged(false));
    pair.handle(1, Input::Bridged(false));
    pair.speak(0, 5..10, 20, 4_000);
    assert_eq!(pair.shape(1), "4444400000");
    check_one_clock(&pair, 1, seed(2));
}

#[test]
fn packets_are_cut_to_the_length_of_the_other_side() {
    for (from_ms, to_ms, packets, voiced) in
        [(20, 60, 4, "4444"), (60, 20, 12, "444444444444"), (10, 30, 8, "44444444"), (30, 10, 24, "4"), (20, 50, 4, "")]
    {
        let mut pair = Pair::new([spec(0), MediaSpec { ptime_ms: to_ms as u16, ..spec(1) }]);
        pair.speak(0, 0..240 / from_ms, from_ms, 4_000);
        assert_eq!(pair.packets[1].len(), packets, "{from_ms} to {to_ms}");
        assert!(
            pair.packets[1].iter().all(|(_, bytes)| bytes.len() == 12 + to_ms as usize * 8),
            "{from_ms} to {to_ms}"
        );
        assert!(pair.shape(1).contains(voiced), "{from_ms} to {to_ms}");
        check_one_clock(&pair, 1, seed(2));
    }
}

#[test]
fn packets_of_changing_length_and_a_loss_keep_their_time() {
    let mut pair = Pair::new([spec(0), MediaSpec { ptime_ms: 40, ..spec(1) }]);
    let mut timestamp = 0;
    for (number, (length, lost)) in
        [(160, 0), (80, 0), (480, 0), (240, 0), (160, 160), (320, 0)].into_iter().enumerate()
    {
        timestamp += lost;
        pair.receive(0, voice(number as u32, timestamp), &vec![g711::encode(Codec::Pcmu, 3_000); length]);
        timestamp += length as u32;
    }
    let lengths: Vec<_> = pair.packets[1].iter().map(|(_, bytes)| bytes.len() - 12).collect();
    assert_eq!(lengths, [320, 320, 320, 320], "and 160 are held");
    let (first, last) = (pair.headers(1)[0].timestamp, pair.headers(1)[3].timestamp);
    assert_eq!(timestamp_ahead(last, first), 1_120, "behind the loss");
}

#[test]
fn keys_go_over_with_the_payload_type_of_the_other_side() {
    let mut pair = Pair::new([spec(0), MediaSpec { dtmf_payload_type: Some(96), ..spec(1) }]);
    pair.speak(0, 0..3, 20, 4_000);
    pair.press(0, 3, '5');
    pair.speak(0, 11..13, 20, 4_000);
    assert_eq!(pair.shape(1), "444kkkkkkkk44");
    let headers = pair.headers(1);
    assert!(headers[3..11].iter().all(|h| h.payload_type == 96 && h.timestamp == headers[3].timestamp));
    assert_eq!(timestamp_ahead(headers[3].timestamp, headers[2].timestamp), 160);
    assert_eq!(timestamp_ahead(headers[11].timestamp, headers[3].timestamp), 8 * 160);
    assert_eq!(headers.iter().map(|h| h.marker).collect::<Vec<_>>()[..5], [true, false, false, true, false]);
    assert_eq!(pair.events[0], [Event::FirstPacket, Event::Key(Key::from_char('5').unwrap())], "the key is said too");
    let events: Vec<_> = pair.packets[1][3..11].iter().map(|(_, bytes)| TelephoneEvent::parse(&bytes[12..])).collect();
    assert_eq!(
        events.iter().flatten().map(|event| event.duration).collect::<Vec<_>>(),
        [160, 320, 480, 640, 800, 960, 960, 960]
    );
}

#[test]
fn keys_are_tones_for_a_side_without_key_events() {
    let mut pair = Pair::new([spec(0), MediaSpec { dtmf_payload_type: None, ..spec(1) }]);
    pair.press(0, 3, '5');
    pair.run(100);
    let samples: Vec<i16> = pair.packets[1]
        .iter()
        .flat_map(|(_, bytes)| bytes[12..].iter().map(|code| g711::decode(Codec::Pcma, *code)).collect::<Vec<_>>())
        .collect();
    let tone: Vec<i16> = (0..800u32)
        .map(|n| {
            let of = |hz: f64| (std::f64::consts::TAU * hz * f64::from(n) / 8_000.0).sin();
            (8_000.0 * of(770.0) + 10_000.0 * of(1_336.0)) as i16
        })
        .collect();
    assert!(correlate::find_prompt(&samples, 0, &tone, correlate::Portion::Whole).is_some(), "the tones of 5");
    check_one_clock(&pair, 1, seed(2));
}

#[test]
fn a_masked_leg_gives_silence_and_no_keys() {
    for dtmf_payload_type in [Some(101), None] {
        let mut pair = Pair::new([spec(0), MediaSpec { dtmf_payload_type, ..spec(1) }]);
        pair.tell(0, Command::Mask(true));
        pair.speak(0, 0..3, 20, 4_000);
        pair.press(0, 3, '5');
        pair.tell(0, Command::Mask(false));
        pair.speak(0, 11..13, 20, 4_000);
        let shape = pair.shape(1);
        assert!(shape.starts_with("000") && shape.ends_with("44") && !shape.contains('k'), "{shape}");
        assert_eq!(shape.matches('4').count(), 2);
        assert_eq!(pair.events[0].len(), 2, "the flow has the key");
    }
}

#[test]
fn a_key_pressed_during_a_prompt_is_sent_in_its_place() {
    let mut pair = Pair::new([spec(0), spec(1)]);
    pair.speak(0, 0..3, 20, 4_000);
    pair.tell(1, Command::Play { prompts: vec![Arc::new(Prompt::from_pcm(&[9_000; 8_000]))], token: 3 });
    pair.press(0, 3, '5');
    pair.run(600);
    let mut far = Stream::new(seed(9), None);
    let mut keys = String::new();
    let _ = far.handle(Tick(0), Input::Command(Command::Connect(spec(1))));
    for (_, bytes) in &pair.packets[1] {
        let mut outputs = far.handle(Tick(0), Input::Packet { from: address(1), bytes });
        while let Some(output) = outputs.poll() {
            if let Output::Event(Event::Key(key)) = output {
                keys.push(key.to_char());
            }
        }
    }
    assert_eq!(keys, "5");
    check_one_clock(&pair, 1, seed(2));
}

#[test]
fn nothing_goes_to_a_leg_that_may_not_be_sent_to_nor_comes_from_one_we_do_not_hear() {
    let mut pair = Pair::new([spec(0), MediaSpec { send: false, ..spec(1) }]);
    pair.speak(0, 0..10, 20, 4_000);
    assert_eq!(pair.packets[1].len(), 0);
    let mut pair = Pair::new([MediaSpec { receive: false, ..spec(0) }, spec(1)]);
    pair.speak(0, 0..10, 20, 4_000);
    assert_eq!(pair.shape(1), "0000000000");
}

#[test]
fn ring_back_sounds_until_it_is_stopped() {
    let mut pair = Pair::new([spec(0), spec(1)]);
    pair.tell(1, Command::Ringback(Some(Cadence::RINGBACK)));
    pair.speak(0, 0..5, 20, 4_000);
    assert_eq!(pair.shape(1), "55555");
    pair.tell(1, Command::Ringback(None));
    pair.speak(0, 5..10, 20, 4_000);
    assert_eq!(pair.shape(1), "5555544444");
    check_one_clock(&pair, 1, seed(2));
}

#[derive(Clone, Debug)]
enum Step {
    Speak { side: usize, packets: u32, packet_ms: u32 },
    Quiet(u64),
    Play(usize, usize),
    Stop(usize),
    Press(usize, char),
    Keys(usize, char),
    Ring(usize, bool),
    Bridge(bool),
    Noise(usize, Vec<u8>),
}

fn step() -> impl Strategy<Value = Step> {
    let side = || 0usize..2;
    prop_oneof![
        4 => (side(), 1u32..20, 1u32..=6).prop_map(|(side, packets, ten)| Step::Speak { side, packets, packet_ms: ten * 10 }),
        2 => (1u64..80).prop_map(|n| Step::Quiet(n * 5)),
        2 => (side(), 0usize..4_000).prop_map(|(side, samples)| Step::Play(side, samples)),
        1 => side().prop_map(Step::Stop),
        2 => (side(), proptest::char::range('0', '9')).prop_map(|(side, key)| Step::Press(side, key)),
        1 => (side(), proptest::char::range('0', '9')).prop_map(|(side, key)| Step::Keys(side, key)),
        1 => (side(), any::<bool>()).prop_map(|(side, on)| Step::Ring(side, on)),
        1 => any::<bool>().prop_map(Step::Bridge),
        1 => (side(), proptest::collection::vec(any::<u8>(), 0..100)).prop_map(|(side, bytes)| Step::Noise(side, bytes)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever a bridged call does, each side gets one stream without gap or jump.
    #[test]
    fn one_clock_through_any_bridge(steps in proptest::collection::vec(step(), 1..30), ptime in 0u16..=6, events in any::<bool>()) {
        let dtmf_payload_type = events.then_some(101);
        let mut pair = Pair::new([spec(0), MediaSpec { ptime_ms: ptime * 10, dtmf_payload_type, ..spec(1) }]);
        let (mut numbers, mut timestamps, mut quiet) = ([0u32; 2], [0u32; 2], false);
        for step in steps {
            match step {
                Step::Speak { side, packets, packet_ms } => for _ in 0..packets {
                    let marker = side == 0 && std::mem::take(&mut quiet);
                    let header = Header { marker, ..voice(numbers[side], timestamps[side]) };
                    pair.receive(side, header, &vec![g711::encode(Codec::Pcmu, 4_000); packet_ms as usize * 8]);
                    numbers[side] += 1;
                    timestamps[side] += packet_ms * 8;
                    pair.run(packet_ms.into());
                },
                Step::Quiet(ms) => {
                    pair.run(ms);
                    timestamps[0] += ms as u32 * 8;
                    quiet = true;
                }
                Step::Play(side, samples) => {
                    let prompts = vec![Arc::new(Prompt::from_pcm(&vec![9_000; samples]))];
                    pair.tell(side, Command::Play { prompts, token: 1 });
                }
                Step::Stop(side) => pair.tell(side, Command::StopPlay),
                // A phone that did not offer key events sends none.
                Step::Press(side, key) => if side == 0 || events {
                    let code = Key::from_char(key).unwrap().event();
                    for number in 0..4u16 {
                        let event = TelephoneEvent { code, end: number == 3, volume: 10, duration: (number + 1) * 160 };
                        let header = Header { marker: number == 0, payload_type: 101, ..voice(numbers[side], timestamps[side]) };
                        pair.receive(side, header, &event.to_bytes());
                        numbers[side] += 1;
                        pair.run(20);
                    }
                    timestamps[side] += 640;
                }
                Step::Keys(side, key) => pair.tell(side, Command::SendKeys(vec![Key::from_char(key).unwrap()])),
                Step::Ring(side, on) => pair.tell(side, Command::Ringback(on.then_some(Cadence::RINGBACK))),
                Step::Bridge(on) => (0..2).for_each(|side| pair.handle(side, Input::Bridged(on))),
                Step::Noise(side, bytes) => pair.handle(side, Input::Packet { from: address(side), bytes: &bytes }),
            }
        }
        pair.run(400);
        check_one_clock(&pair, 0, seed(1));
        check_one_clock(&pair, 1, seed(2));
    }

    /// RTP of any content on either side stops nothing and makes no packet that is too long.
    #[test]
    fn any_packets_are_relayed_or_not(
        packets in proptest::collection::vec((0usize..2, any::<[u8; 12]>(), proptest::collection::vec(any::<u8>(), 0..2_036), 0u64..60), 1..60),
        ptime in 0u16..=6,
    ) {
        let mut pair = Pair::new([MediaSpec { ptime_ms: ptime * 10, ..spec(0) }, spec(1)]);
        for (side, mut head, payload, ms) in packets {
            head[0] = 0x80;
            head[1] = [0, 8, 101, 13, 0x80, 0xe5][usize::from(head[1]) % 6];
            let ssrc = head[8] & 1;
            head[8..12].copy_from_slice(&[0, 0, 0, ssrc]);
            let bytes = [&head[..], &payload].concat();
            pair.handle(side, Input::Packet { from: address(side), bytes: &bytes });
            pair.run(ms / 5 * 5);
        }
        prop_assert!(pair.packets.iter().flatten().all(|(_, bytes)| bytes.len() <= 12 + 480));
    }
}
