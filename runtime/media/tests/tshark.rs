//! Somebody else's opinion of our RTP: tshark finds neither loss nor a jump over prompts, silence and keys.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop at the first surprise"
)]

use std::process::Command as Process;
use std::sync::Arc;

use runtime_contract::leg::{Codec, MediaSpec};
use runtime_contract::time::Tick;
use runtime_media::{Command, Input, Key, Output, Prompt, Stream, StreamSeed};

/// Packets of a leg with their milliseconds.
fn call() -> Vec<(u64, Vec<u8>)> {
    let mut stream = Stream::new(StreamSeed { ssrc: 0x5eed, sequence: 0xfff0, timestamp: 0xffff_f000 }, None);
    let spec = MediaSpec {
        remote: "127.0.0.1:4002".parse().unwrap(),
        codec: Codec::Pcma,
        dtmf_payload_type: Some(101),
        ptime_ms: 20,
        rtcp: None,
        send: true,
        receive: true,
    };
    let prompt = |samples| Arc::new(Prompt::from_pcm(&vec![2_000; samples]));
    let mut packets = Vec::new();
    for ms in (0..4_000).step_by(20) {
        let command = match ms {
            0 => Some(Command::Connect(spec)),
            200 => Some(Command::Play { prompts: vec![prompt(1_601), prompt(8_000)], token: 1 }),
            900 => Some(Command::StopPlay),
            1_000 => Some(Command::Play { prompts: vec![prompt(3_333)], token: 2 }),
            2_000 => Some(Command::SendKeys("12#".chars().filter_map(Key::from_char).collect())),
            _ => None,
        };
        let now = Tick(0).plus_ms(ms);
        for input in command.map(Input::Command).into_iter().chain([Input::Tick]) {
            let mut outputs = stream.handle(now, input);
            while let Some(output) = outputs.poll() {
                if let Output::Send { packet, .. } = output {
                    packets.push((ms, packet.to_vec()));
                }
            }
        }
    }
    packets
}

/// A capture file of IPv4 packets from port 4000 to 4002 (libpcap format, link type 101: raw IP).
fn pcap(packets: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4u32, 0x0004_0002, 0, 0, 65_535, 101] {
        file.extend(word.to_le_bytes());
    }
    for (ms, rtp) in packets {
        let (udp_bytes, ip_bytes) = (rtp.len() as u16 + 8, rtp.len() as u16 + 28);
        for word in [(ms / 1_000) as u32, (ms % 1_000) as u32 * 1_000, ip_bytes.into(), ip_bytes.into()] {
            file.extend(word.to_le_bytes());
        }
        file.extend([0x45, 0]);
        file.extend(ip_bytes.to_be_bytes());
        file.extend([0, 0, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1]);
        for half in [4_000, 4_002, udp_bytes, 0] {
            file.extend(half.to_be_bytes());
        }
        file.extend(rtp);
    }
    file
}

fn tshark(file: &std::path::Path, arguments: &[&str]) -> String {
    let output = Process::new("tshark").arg("-r").arg(file).args(["-d", "udp.port==4000,rtp"]).args(arguments).output();
    let output = output.expect("install the package `tshark`, or run `cargo xtask test`");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn tshark_sees_one_stream_without_loss_or_jump() {
    let packets = call();
    let file = std::env::temp_dir().join(format!("strowger-{}.pcap", std::process::id()));
    std::fs::write(&file, pcap(&packets)).unwrap();

    let streams = tshark(&file, &["-q", "-z", "rtp,streams"]);
    let rows: Vec<&str> =
        streams.lines().filter(|line| line.contains("0x00005EED") || line.contains("0x5EED")).collect();
    let [row] = rows[..] else { panic!("one stream expected:\n{streams}") };
    assert!(row.contains("0 (0.0%)"), "loss:\n{streams}");
    assert!(row.contains(&format!(" {} ", packets.len())), "all packets:\n{streams}");

    let fields =
        ["-T", "fields", "-e", "rtp.seq", "-e", "rtp.timestamp", "-e", "rtp.p_type", "-e", "rtpevent.event_id"];
    let mut keys = Vec::new();
    for (number, line) in tshark(&file, &fields).lines().enumerate() {
        let mut values = line.split('\t').map(|value| value.parse::<u32>().unwrap_or(u32::MAX));
        let mut value = || values.next().unwrap();
        let (sequence, timestamp, payload_type, key) = (value(), value(), value(), value());
        assert_eq!(sequence, u32::from(0xfff0u16.wrapping_add(number as u16)));
        if payload_type == 8 {
            assert_eq!(timestamp, 0xffff_f000u32.wrapping_add(number as u32 * 160), "packet {number}");
        } else {
            assert_eq!(payload_type, 101);
            keys.push(key);
        }
    }
    keys.dedup();
    assert_eq!(keys, [1, 2, 11]);
    std::fs::remove_file(file).unwrap();
}
