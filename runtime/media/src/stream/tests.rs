//! A leg's media under virtual time.

use proptest::prelude::*;
use runtime_contract::leg::Codec;

use super::*;
use crate::dtmf::TelephoneEvent;
use crate::recording::RecordEnd;
use crate::rtp::{self, Header};
use crate::{g711, rtp::timestamp_ahead};

const SEED: StreamSeed = StreamSeed { ssrc: 0xabcd, sequence: 0xfff0, timestamp: 0xffff_ff00 };

fn remote() -> SocketAddr {
    "192.0.2.1:4000".parse().unwrap()
}

fn spec(codec: Codec) -> MediaSpec {
    let remote = remote();
    MediaSpec { remote, codec, dtmf_payload_type: Some(101), ptime_ms: 20, rtcp: None, send: true, receive: true }
}

/// One stream, its clock, and all it gave.
struct Bench {
    stream: Stream,
    ms: u64,
    packets: Vec<Vec<u8>>,
    events: Vec<Event>,
}

impl Bench {
    fn new(media: MediaSpec) -> Bench {
        let mut bench = Bench::unconnected();
        bench.tell(Command::Connect(media));
        bench
    }

    fn unconnected() -> Bench {
        Bench { stream: Stream::new(SEED, None), ms: 1_000, packets: Vec::new(), events: Vec::new() }
    }

    fn handle(&mut self, input: Input<'_>) {
        let mut outputs = self.stream.handle(Tick(0).plus_ms(self.ms), input);
        while let Some(output) = outputs.poll() {
            match output {
                Output::Send { packet, .. } => self.packets.push(packet.to_vec()),
                Output::Event(event) => self.events.push(event),
                Output::SendReport { packet, .. } => assert!(crate::rtcp::parse(packet).is_some()),
                Output::Relay(_) => panic!("nobody is bridged"),
            }
        }
    }

    fn tell(&mut self, command: Command) {
        self.handle(Input::Command(command));
    }

    /// Ticks each 20 ms for so long; the first at once.
    fn run(&mut self, ms: u64) {
        for _ in 0..ms / 20 {
            self.handle(Input::Tick);
            self.ms += 20;
        }
    }

    /// Audio of one value arrives each 20 ms for so long.
    fn hear(&mut self, ms: u64, first: u32, value: i16) {
        for number in 0..(ms / 20) as u32 {
            self.receive(first.wrapping_add(number * 160), 0, &[g711::encode(Codec::Pcmu, value); 160]);
            self.run(20);
        }
    }

    fn receive(&mut self, timestamp: u32, payload_type: u8, payload: &[u8]) {
        let sequence = (timestamp / 160) as u16;
        let header = Header { marker: false, payload_type, sequence, timestamp, ssrc: 9 };
        let bytes = [&header.to_bytes()[..], payload].concat();
        self.handle(Input::Packet { from: remote(), bytes: &bytes });
    }

    fn headers(&self) -> Vec<Header> {
        self.packets.iter().map(|packet| rtp::parse(packet).unwrap().header).collect()
    }

    fn audio(&self) -> Vec<u8> {
        let packets = self.packets.iter().map(|packet| rtp::parse(packet).unwrap());
        packets.filter(|packet| packet.header.payload_type != 101).flat_map(|packet| packet.payload.to_vec()).collect()
    }

    fn recorded(&self) -> Vec<i16> {
        let blocks = self.events.iter().filter_map(|event| match event {
            Event::Recorded(samples) => Some(samples.clone()),
            _ => None,
        });
        blocks.flatten().collect()
    }

    fn summary(&self) -> Option<RecordSummary> {
        self.events.iter().find_map(|event| if let Event::RecordDone(summary) = event { Some(*summary) } else { None })
    }
}

fn prompt(samples: usize, value: i16) -> Arc<Prompt> {
    Arc::new(Prompt::from_pcm(&vec![value; samples]))
}

fn code(value: i16) -> u8 {
    g711::encode(Codec::Pcma, value)
}

#[test]
fn silence_is_sent_from_the_connection_on() {
    let mut bench = Bench::unconnected();
    bench.run(100);
    assert_eq!(bench.packets.len(), 0);
    bench.tell(Command::Connect(spec(Codec::Pcma)));
    bench.run(60);
    let first = Header { marker: true, payload_type: 8, sequence: 0xfff0, timestamp: 0xffff_ff00, ssrc: 0xabcd };
    let second = Header { marker: false, sequence: 0xfff1, timestamp: 0xffff_ffa0, ..first };
    let third = Header { sequence: 0xfff2, timestamp: 0x40, ..second };
    assert_eq!(bench.headers(), [first, second, third]);
    assert_eq!(bench.audio(), vec![0xd5; 480]);
}

#[test]
fn prompts_follow_each_other_without_a_gap_and_end_once() {
    let mut bench = Bench::new(spec(Codec::Pcma));
    bench.tell(Command::Play { prompts: vec![prompt(320, 1_000), prompt(160, 2_000)], token: 4 });
    bench.run(40);
    assert_eq!(bench.events, []);
    bench.run(20);
    assert_eq!(bench.events, [Event::PlayDone { token: 4 }]);
    bench.tell(Command::Play { prompts: vec![prompt(160, 3_000)], token: 5 });
    bench.run(100);
    assert_eq!(bench.events.len(), 2);
    let expected =
        [vec![code(1_000); 320], vec![code(2_000); 160], vec![code(3_000); 160], vec![code(0); 640]].concat();
    assert_eq!(bench.audio(), expected);
}

#[test]
fn a_stopped_or_replaced_prompt_is_never_done() {
    let mut bench = Bench::new(spec(Codec::Pcma));
    bench.tell(Command::Play { prompts: vec![prompt(1_600, 1_000)], token: 1 });
    bench.run(20);
    bench.tell(Command::Play { prompts: vec![prompt(1_600, 2_000)], token: 2 });
    bench.run(20);
    bench.tell(Command::StopPlay);
    bench.run(400);
    assert_eq!(bench.events, []);
    let expected = [vec![code(1_000); 160], vec![code(2_000); 160], vec![code(0); 3_200]].concat();
    assert_eq!(bench.audio(), expected);
    bench.tell(Command::Play { prompts: vec![], token: 3 });
    bench.run(20);
    assert_eq!(bench.events, [Event::PlayDone { token: 3 }], "nothing to play is done at once");
}

#[test]
fn longer_packets_carry_the_same_audio() {
    for (ptime_ms, samples) in [(20, 160), (40, 320), (60, 480), (30, 160), (0, 160), (200, 160)] {
        let mut bench = Bench::new(MediaSpec { ptime_ms, ..spec(Codec::Pcma) });
        bench.tell(Command::Play { prompts: vec![prompt(160, 1_000), prompt(320, 2_000)], token: 1 });
        bench.run(120);
        assert!(bench.packets.iter().all(|packet| packet.len() == 12 + samples), "{ptime_ms}");
        let expected = [vec![code(1_000); 160], vec![code(2_000); 320], vec![code(0); 480]].concat();
        assert_eq!(bench.audio(), expected, "{ptime_ms}");
        assert_eq!(bench.events, [Event::PlayDone { token: 1 }]);
    }
}

#[test]
fn while_we_are_held_nothing_is_sent_but_time_goes_on() {
    let mut bench = Bench::new(spec(Codec::Pcma));
    bench.run(40);
    bench.tell(Command::Play { prompts: vec![prompt(800, 1_000)], token: 1 });
    bench.tell(Command::Connect(MediaSpec { send: false, ..spec(Codec::Pcma) }));
    bench.run(200);
    assert_eq!(bench.packets.len(), 2);
    assert_eq!(bench.events, [Event::PlayDone { token: 1 }], "a flow must not hang on a held caller");
    bench.tell(Command::Connect(spec(Codec::Pcma)));
    bench.run(20);
    let [.., before, after] = bench.headers()[..] else { panic!() };
    assert_eq!(after.sequence, before.sequence.wrapping_add(1));
    assert_eq!(timestamp_ahead(after.timestamp, before.timestamp), 11 * 160);
    assert!(after.marker);
}

#[test]
fn a_late_tick_is_made_good_up_to_the_bound() {
    for (stall_ms, packets, step, marker) in
        [(200, 11, 160, false), (220, 1, 12 * 160, true), (5_000, 1, 251 * 160, true)]
    {
        let mut bench = Bench::new(spec(Codec::Pcma));
        bench.run(20);
        bench.ms += stall_ms;
        bench.handle(Input::Tick);
        let headers = bench.headers();
        assert_eq!(headers.len() - 1, packets, "{stall_ms}");
        assert_eq!(timestamp_ahead(headers[1].timestamp, headers[0].timestamp), step, "{stall_ms}");
        assert_eq!(headers[1].marker, marker, "{stall_ms}");
        assert_eq!(headers[1].sequence, 0xfff1, "{stall_ms}");
    }
}

#[test]
fn keys_take_the_place_of_audio_on_the_same_clock() {
    let mut bench = Bench::new(spec(Codec::Pcma));
    bench.run(20);
    bench.tell(Command::SendKeys(vec![Key::from_char('5').unwrap()]));
    bench.run(300);
    let headers = bench.headers();
    let keys: Vec<_> = headers.iter().filter(|header| header.payload_type == 101).collect();
    assert_eq!(keys.len(), 7);
    assert!(keys.iter().all(|header| header.timestamp == SEED.timestamp.wrapping_add(160)));
    assert_eq!(headers[8].timestamp, SEED.timestamp.wrapping_add(8 * 160), "audio goes on where it would be");
    assert_eq!(bench.events, [Event::KeysSent]);
}

#[test]
fn keys_are_tones_where_no_events_were_agreed_and_refused_before_the_connection() {
    let key = || Command::SendKeys(vec![Key::from_char('5').unwrap()]);
    let mut bench = Bench::new(MediaSpec { dtmf_payload_type: None, ..spec(Codec::Pcma) });
    bench.tell(key());
    bench.run(300);
    assert_eq!(bench.events, [Event::KeysSent]);
    let samples: Vec<i16> = bench.audio().iter().map(|code| g711::decode(Codec::Pcma, *code)).collect();
    assert_eq!(shape(&samples), "#..");
    let mut bench = Bench::unconnected();
    bench.tell(key());
    assert_eq!(bench.events, [Event::KeysRefused]);
}

#[test]
fn a_key_is_heard_once_even_while_it_is_masked() {
    let mut bench = Bench::new(spec(Codec::Pcma));
    bench.tell(Command::Mask(true));
    let event = |end, duration| TelephoneEvent { code: 11, end, volume: 10, duration }.to_bytes();
    for (end, duration) in [(false, 160), (false, 320), (true, 480), (true, 480), (true, 480)] {
        bench.receive(5_000, 101, &event(end, duration));
    }
    assert_eq!(bench.events, [Event::FirstPacket, Event::Key(Key::from_char('#').unwrap())]);
}

#[test]
fn a_key_in_a_stream_of_its_own_is_heard_once() {
    let mut bench = Bench::new(spec(Codec::Pcma));
    let key = Event::Key(Key::from_char('7').unwrap());
    for (press, ssrc) in [(1_u32, 10), (2, 10), (3, 11)] {
        for number in 0..4_u32 {
            bench.receive(press * 8_000 + number * 160, 8, &[0xd5; 160]);
            let event = TelephoneEvent { code: 7, end: number == 3, volume: 10, duration: 160 * (number as u16 + 1) };
            let (sequence, timestamp) = ((press * 100 + number) as u16, press * 8_000);
            let header = Header { marker: false, payload_type: 101, sequence, timestamp, ssrc };
            let bytes = [&header.to_bytes()[..], &event.to_bytes()].concat();
            bench.handle(Input::Packet { from: remote(), bytes: &bytes });
        }
    }
    assert_eq!(bench.events, [Event::FirstPacket, key.clone(), key.clone(), key]);
}

#[test]
fn what_was_not_agreed_or_comes_from_a_stranger_is_refused() {
    let mut bench = Bench::new(spec(Codec::Pcma));
    bench.receive(0, 18, &[0; 160]);
    bench.receive(0, 101, &[1, 2]);
    bench.handle(Input::Packet { from: remote(), bytes: b"OPTIONS sip:x SIP/2.0" });
    let bytes = Header { marker: false, payload_type: 0, sequence: 0, timestamp: 0, ssrc: 1 }.to_bytes();
    bench.handle(Input::Packet { from: "203.0.113.9:4000".parse().unwrap(), bytes: &bytes });
    assert_eq!(bench.stream.packets_refused(), 4);
    let mut bench = Bench::unconnected();
    bench.handle(Input::Packet { from: remote(), bytes: &bytes });
    assert_eq!(bench.stream.packets_refused(), 1, "nobody is known before the connection");
}

fn record(length_ms_max: u32) -> RecordSpec {
    RecordSpec { length_ms_max, first_sound_ms: None, trailing_silence_ms: None }
}

/// One letter for each 100 ms: silence or sound.
fn shape(samples: &[i16]) -> String {
    let sound = |block: &[i16]| block.iter().filter(|s| s.unsigned_abs() > 500).count() > block.len() / 2;
    samples.chunks(800).map(|block| if sound(block) { '#' } else { '.' }).collect()
}

#[test]
fn a_recording_ends_at_its_bound_to_the_millisecond() {
    let mut bench = Bench::new(spec(Codec::Pcma));
    bench.tell(Command::Record(record(1_500)));
    bench.hear(3_000, 7, 4_000);
    assert_eq!(bench.recorded().len(), 12_000);
    assert_eq!(bench.summary(), Some(RecordSummary { length_ms: 1_500, spoken: true, end: RecordEnd::Full }));
    assert_eq!(shape(&bench.recorded()), "#".repeat(15));
}

#[test]
fn a_recording_stops_when_told_and_gaps_fade_to_silence() {
    let mut bench = Bench::new(spec(Codec::Pcma));
    bench.tell(Command::Record(record(60_000)));
    bench.hear(1_000, 0, 4_000);
    bench.run(500);
    bench.hear(500, 12_000, 4_000);
    bench.tell(Command::StopRecord);
    assert_eq!(shape(&bench.recorded()), "###########....#####");
    assert_eq!(bench.summary(), Some(RecordSummary { length_ms: 2_000, spoken: true, end: RecordEnd::Stopped }));
    bench.tell(Command::StopRecord);
    assert_eq!(bench.events.iter().filter(|event| matches!(event, Event::RecordDone(_))).count(), 1);
}

#[test]
fn silence_ends_a_recording_at_its_start_and_behind_speech() {
    let silence = RecordSpec { first_sound_ms: Some(1_000), trailing_silence_ms: Some(500), ..record(60_000) };
    let mut nothing = Bench::new(spec(Codec::Pcma));
    nothing.tell(Command::Record(silence));
    nothing.hear(3_000, 0, 100);
    assert_eq!(nothing.summary().map(|summary| (summary.spoken, summary.end)), Some((false, RecordEnd::Silence)));
    assert_eq!(nothing.summary().map(|summary| summary.length_ms), Some(1_000));

    let mut speech = Bench::new(spec(Codec::Pcma));
    speech.tell(Command::Record(silence));
    speech.hear(900, 0, 4_000);
    speech.hear(400, 7_200, 0);
    speech.hear(300, 10_400, 4_000);
    speech.run(3_000);
    let summary = speech.summary().unwrap();
    assert_eq!((summary.length_ms, summary.spoken, summary.end), (2_160, true, RecordEnd::Silence), "60 ms fade");

    let mut absent = Bench::new(spec(Codec::Pcma));
    absent.tell(Command::Record(silence));
    absent.run(3_000);
    assert_eq!(absent.summary().map(|summary| summary.end), Some(RecordEnd::Silence), "nobody sends at all");
}

#[test]
fn a_masked_recording_is_silent_from_a_little_before() {
    let mut bench = Bench::new(spec(Codec::Pcma));
    bench.tell(Command::Record(record(60_000)));
    bench.hear(1_000, 0, 4_000);
    bench.tell(Command::Mask(true));
    bench.hear(1_000, 8_000, 4_000);
    bench.tell(Command::Mask(false));
    bench.hear(1_000, 16_000, 4_000);
    bench.tell(Command::StopRecord);
    assert_eq!(shape(&bench.recorded()), format!("{}{}{}", "#".repeat(9), ".".repeat(11), "#".repeat(10)));
    bench.tell(Command::Mask(true));
    bench.events.clear();
    bench.tell(Command::Record(record(500)));
    bench.hear(1_000, 24_000, 4_000);
    assert_eq!(shape(&bench.recorded()), ".....", "a mask also covers what begins under it");
}

#[test]
fn keys_never_sound_in_a_recording() {
    let mut bench = Bench::new(spec(Codec::Pcma));
    bench.tell(Command::Record(record(60_000)));
    bench.hear(1_000, 0, 4_000);
    // A phone that also sends the tone as audio.
    for number in 0..10u32 {
        let event = TelephoneEvent { code: 4, end: number == 9, volume: 10, duration: (number as u16 + 1) * 160 };
        bench.receive(8_000, 101, &event.to_bytes());
        bench.hear(20, 8_000 + number * 160, 9_000);
    }
    bench.hear(1_000, 9_600, 4_000);
    bench.tell(Command::StopRecord);
    let recorded = bench.recorded();
    assert!(recorded.iter().all(|sample| *sample < 8_000), "the tone was recorded");
    assert_eq!(shape(&recorded), format!("{}{}{}", "#".repeat(9), ".".repeat(4), "#".repeat(9)));
}

#[test]
fn a_listener_hears_everything_in_order() {
    let mut bench = Bench::new(spec(Codec::Pcma));
    bench.tell(Command::Listen(true));
    for number in [0u32, 2, 1, 3, 5, 4] {
        let value = 1_000 * (number as i16 + 1);
        bench.receive(number * 160, 8, &[code(value); 160]);
        // The first packet fixes the place of the others.
    }
    bench.run(400);
    bench.tell(Command::Listen(false));
    let heard: Vec<i16> = bench
        .events
        .iter()
        .filter_map(|e| if let Event::Heard(s) = e { Some(s.clone()) } else { None })
        .flatten()
        .collect();
    let expected = (1..=6i16).flat_map(|n| [g711::decode(Codec::Pcma, code(n * 1_000)); 160]).collect::<Vec<_>>();
    assert_eq!(heard[..960], expected);
    assert!(heard[960 + 480..].iter().all(|sample| *sample == 0));
    assert_eq!(heard.len(), 3_200);
}

/// INVARIANT (one clock): every packet has the next sequence number; audio has the timestamp of its place, keys that
/// of the press they belong to.
fn check_one_clock(packets: &[Vec<u8>], step: u32) {
    let mut press = None;
    for (number, packet) in packets.iter().enumerate() {
        let header = rtp::parse(packet).unwrap().header;
        let place = SEED.timestamp.wrapping_add(number as u32 * step);
        assert_eq!(header.sequence, SEED.sequence.wrapping_add(number as u16));
        assert_eq!(header.ssrc, SEED.ssrc);
        if header.payload_type == 101 {
            if header.marker {
                press = Some(place);
            }
            assert_eq!(Some(header.timestamp), press, "packet {number}");
        } else {
            press = None;
            assert_eq!(header.timestamp, place, "packet {number}");
            assert_eq!(header.marker, number == 0, "packet {number}");
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Run(u64),
    Late(u64),
    Play(Vec<usize>),
    Stop,
    Keys(String),
    Law(bool),
    Noise(Vec<u8>),
    Record(bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1u64..80).prop_map(|n| Step::Run(n * 20)),
        // With the 20 ms of the grid, within what is made good.
        2 => (0u64..=180).prop_map(Step::Late),
        3 => proptest::collection::vec(0usize..2_000, 0..4).prop_map(Step::Play),
        1 => Just(Step::Stop),
        2 => "[0-9*#A-D]{1,5}".prop_map(Step::Keys),
        1 => any::<bool>().prop_map(Step::Law),
        1 => proptest::collection::vec(any::<u8>(), 0..200).prop_map(Step::Noise),
        1 => any::<bool>().prop_map(Step::Record),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever a call does, the packets have neither gap nor jump, and every key arrives.
    #[test]
    fn one_clock_through_any_scenario(steps in proptest::collection::vec(step(), 1..40), packet in 1u16..=3) {
        let ptime_ms = packet * 20;
        let mut bench = Bench::new(MediaSpec { ptime_ms, ..spec(Codec::Pcma) });
        let mut pressed = String::new();
        for step in steps {
            match step {
                Step::Run(ms) => bench.run(ms),
                Step::Late(ms) => { bench.ms += ms; bench.handle(Input::Tick) }
                Step::Play(lengths) => {
                    let prompts = lengths.into_iter().map(|samples| prompt(samples, 900)).collect();
                    bench.tell(Command::Play { prompts, token: 1 });
                }
                Step::Stop => bench.tell(Command::StopPlay),
                Step::Keys(text) => {
                    // Below the bound of the queue, which drops.
                    bench.run(text.len() as u64 * 400);
                    bench.tell(Command::SendKeys(text.chars().filter_map(Key::from_char).collect()));
                    pressed.push_str(&text);
                }
                Step::Law(mu) => {
                    let codec = if mu { Codec::Pcmu } else { Codec::Pcma };
                    bench.tell(Command::Connect(MediaSpec { ptime_ms, ..spec(codec) }));
                }
                Step::Noise(bytes) => bench.handle(Input::Packet { from: remote(), bytes: &bytes }),
                Step::Record(on) => bench.tell(if on { Command::Record(record(1_000)) } else { Command::StopRecord }),
            }
        }
        bench.run(4_000);
        check_one_clock(&bench.packets, u32::from(ptime_ms) * 8);

        let mut far = Bench::new(spec(Codec::Pcma));
        for packet in &bench.packets {
            far.handle(Input::Packet { from: remote(), bytes: packet });
        }
        let keys = far.events.iter().filter_map(|event| if let Event::Key(key) = event { Some(key.to_char()) } else { None });
        prop_assert_eq!(keys.collect::<String>(), pressed);
    }

    /// RTP of any content stops nothing: valid headers, random flags, types, times and payloads.
    #[test]
    fn any_packets_are_survived(
        packets in proptest::collection::vec((any::<[u8; 12]>(), proptest::collection::vec(any::<u8>(), 0..400), 0u64..60), 1..60),
    ) {
        let mut bench = Bench::new(spec(Codec::Pcmu));
        bench.tell(Command::Record(record(800)));
        bench.tell(Command::Listen(true));
        for (mut head, payload, ms) in packets {
            head[0] = 0x80 | (head[0] & 0x3f);
            head[1] = [0, 8, 101, 13, 0x80, 0xe5][usize::from(head[1]) % 6];
            let bytes = [&head[..], &payload].concat();
            bench.handle(Input::Packet { from: remote(), bytes: &bytes });
            bench.ms += ms;
            bench.handle(Input::Tick);
        }
        bench.run(2_000);
        prop_assert_eq!(bench.recorded().len(), 6_400);
    }
}

/// A thousand calls: each phone presses its number while the server plays; all goes through, nothing mixes.
#[test]
fn a_thousand_legs_in_virtual_time() {
    let address = |number: u16| SocketAddr::from(([127, 0, 0, 1], number));
    let spec = |remote| MediaSpec { remote, ..spec(Codec::Pcmu) };
    let menu = prompt(8_000, 1_000);
    let mut legs = Vec::new();
    for number in 0..1_000u16 {
        let (mut server, mut phone) = (Stream::new(SEED, None), Stream::new(SEED, None));
        let digits: Vec<Key> = format!("{number:04}").chars().filter_map(Key::from_char).collect();
        for command in [
            Command::Connect(spec(address(10_000 + number))),
            Command::Play { prompts: vec![menu.clone()], token: number.into() },
        ] {
            let _ = server.handle(Tick(0), Input::Command(command));
        }
        for command in [Command::Connect(spec(address(20_000 + number))), Command::SendKeys(digits)] {
            let _ = phone.handle(Tick(0), Input::Command(command));
        }
        legs.push((server, phone, String::new(), 0));
    }
    for ms in (0..2_000).step_by(20) {
        let now = Tick(0).plus_ms(ms);
        for (number, (server, phone, keys, done)) in legs.iter_mut().enumerate() {
            let number = number as u16;
            let mut sent = Vec::new();
            let mut outputs = phone.handle(now, Input::Tick);
            while let Some(output) = outputs.poll() {
                if let Output::Send { to, packet } = output {
                    assert_eq!(to, address(20_000 + number));
                    sent.push(packet.to_vec());
                }
            }
            let inputs = sent.iter().map(|bytes| Input::Packet { from: address(10_000 + number), bytes });
            for input in inputs.chain([Input::Tick]) {
                let mut outputs = server.handle(now, input);
                while let Some(output) = outputs.poll() {
                    match output {
                        Output::Event(Event::Key(key)) => keys.push(key.to_char()),
                        Output::Event(Event::PlayDone { token }) => {
                            assert_eq!(token, u64::from(number));
                            *done += 1
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    for (number, (_, _, keys, done)) in legs.iter().enumerate() {
        assert_eq!((keys.as_str(), *done), (format!("{number:04}").as_str(), 1));
    }
}

/// Both channels of all recordings of the call.
fn call_recorded(bench: &Bench) -> [Vec<i16>; 2] {
    let frames = bench.events.iter().filter_map(|event| match event {
        Event::CallRecorded(samples) => {
            Some(samples.chunks_exact(2).map(|frame| [frame[0], frame[1]]).collect::<Vec<_>>())
        }
        _ => None,
    });
    let frames: Vec<[i16; 2]> = frames.flatten().collect();
    [0, 1].map(|channel| frames.iter().map(|frame| frame[channel]).collect())
}

#[test]
fn a_call_is_recorded_with_what_was_sent_beside_what_was_received() {
    let mut bench = Bench::new(spec(Codec::Pcma));
    bench.hear(200, 0, 4_000);
    bench.tell(Command::RecordCall);
    bench.hear(500, 1_600, 4_000);
    bench.tell(Command::Play { prompts: vec![prompt(4_000, 6_000)], token: 1 });
    bench.run(500);
    bench.hear(500, 9_600, 4_000);
    bench.tell(Command::StopRecordCall);
    let [far, near] = call_recorded(&bench);
    // A loss of half a second fades within 60 ms.
    assert_eq!((shape(&far).as_str(), shape(&near).as_str()), ("######....#####", ".....#####....."));
    assert_eq!(bench.events.last(), Some(&Event::CallRecordDone { length_ms: 1_500 }));
    bench.events.clear();
    bench.tell(Command::RecordCall);
    bench.hear(200, 13_600, 4_000);
    bench.handle(Input::End);
    assert_eq!(shape(&call_recorded(&bench)[0]), "##", "again, until the leg ends");
}

#[test]
fn private_keys_are_in_no_recording_of_the_call() {
    let mut bench = Bench::new(spec(Codec::Pcma));
    bench.tell(Command::RecordCall);
    bench.tell(Command::Play { prompts: vec![prompt(40_000, 6_000)], token: 1 });
    bench.hear(1_000, 0, 4_000);
    bench.tell(Command::Mask(true));
    bench.hear(1_000, 8_000, 4_000);
    bench.tell(Command::Mask(false));
    bench.hear(500, 16_000, 4_000);
    bench.tell(Command::StopRecordCall);
    let expected = format!("{}{}{}", "#".repeat(9), ".".repeat(11), "#".repeat(5));
    assert_eq!(call_recorded(&bench).map(|channel| shape(&channel)), [expected.clone(), expected]);
}

#[test]
fn tones_of_keys_are_cut_out_of_the_call_from_a_little_before() {
    for event in [false, true] {
        let mut bench = Bench::new(spec(Codec::Pcma));
        bench.tell(Command::RecordCall);
        bench.hear(1_000, 0, 4_000);
        let [low, high] = Key::from_char('4').unwrap().frequencies_hz().map(f64::from);
        for number in 0..5u32 {
            let at = 8_000 + number * 160;
            let tone = |n: u32, hz: f64| 7_000.0 * (std::f64::consts::TAU * hz * f64::from(n) / 8_000.0).sin();
            let payload: Vec<u8> =
                (at..at + 160).map(|n| g711::encode(Codec::Pcma, (tone(n, low) + tone(n, high)) as i16)).collect();
            if event {
                let event =
                    TelephoneEvent { code: 4, end: number == 4, volume: 10, duration: (number as u16 + 1) * 160 };
                bench.receive(8_000, 101, &event.to_bytes());
            }
            bench.receive(at, 8, &payload);
            bench.run(20);
        }
        bench.hear(1_000, 8_800, 4_000);
        bench.tell(Command::StopRecordCall);
        let [far, _] = call_recorded(&bench);
        assert!(far.iter().all(|sample| *sample <= 4_200), "the tone was recorded");
        assert!(far.iter().filter(|sample| sample.unsigned_abs() > 3_000).count() > 13_000);
        let keys = bench.events.iter().filter(|event| matches!(event, Event::Key(_))).count();
        assert_eq!(keys, usize::from(event), "tones are no keys where events were agreed");
    }
}

#[test]
fn tones_are_keys_where_no_events_were_agreed() {
    let mut far = Bench::new(MediaSpec { dtmf_payload_type: None, ..spec(Codec::Pcma) });
    far.tell(Command::SendKeys("1984#".chars().filter_map(Key::from_char).collect()));
    far.run(1_200);
    let mut bench = Bench::new(MediaSpec { dtmf_payload_type: None, ..spec(Codec::Pcma) });
    for packet in &far.packets {
        bench.handle(Input::Packet { from: remote(), bytes: packet });
        bench.run(20);
    }
    let keys =
        bench.events.iter().filter_map(|event| if let Event::Key(key) = event { Some(key.to_char()) } else { None });
    assert_eq!(keys.collect::<String>(), "1984#");
}
