//! What leaves the server as RTP and RTCP during a whole call, read by tshark: one stream, sequence numbers and timestamps
//! without a gap; reports that say what was sent and what was lost.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop at the first surprise"
)]

mod harness;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use harness::bank::Bank;
use harness::pcap::{self, Press};
use harness::served::Served;
use harness::sipp::Sipp;

/// Runs tshark on a capture and gives its lines.
fn tshark(arguments: &[&str]) -> Vec<Vec<String>> {
    let output = Command::new("tshark").args(arguments).stderr(Stdio::null()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

/// Packets of the caller that never come.
const LOST: u16 = 7;

#[test]
fn streams_have_no_gap_and_reports_are_true() {
    let (data, folder, bank) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), Bank::start());
    let served =
        Served::start(&harness::project("examples/01-first-call"), data.path(), &["--service", &bank.option()]);
    let file = folder.path().join("call.pcap");
    let file = file.to_str().unwrap();
    let mut capture = Command::new("tshark")
        .args(["-i", "lo", "-f", "udp", "-F", "pcap", "-w", file])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(capture.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("Capturing on")), "tshark may not capture on lo");

    let mut presses = vec![Press::Pause(1_000), Press::Lost(LOST), Press::Pause(400)];
    presses.extend(pcap::keys("2191", 900));
    presses.extend(pcap::keys("9", 400));
    pcap::write(&folder.path().join("keys.pcap"), &presses);
    let sipp = Sipp {
        scenario: "normal",
        to: served.sip,
        number: "+864008100000",
        calls: 1,
        rate: 1,
        timeout_s: 90,
        transport: "u1",
    };
    let outcome = sipp.run(folder.path());
    // The goodbye of RTCP (a BYE of one source) is the last that the server sends.
    let is_over = || std::fs::read(file).is_ok_and(|bytes| bytes.windows(4).any(|word| word == [0x81, 203, 0, 1]));
    harness::until("the end is captured", is_over);
    let status = Command::new("kill").args(["-INT", &capture.id().to_string()]).status().unwrap();
    assert!(status.success());
    capture.wait().unwrap();
    assert_eq!(outcome.code, Some(0), "{}\n{}", outcome.said, served.log());

    let sip = format!("udp.port=={},sip", served.sip.port());
    let media = tshark(&[
        "-r",
        file,
        "-d",
        &sip,
        "-Y",
        "sdp && sip.Status-Code == 200",
        "-T",
        "fields",
        "-e",
        "sdp.media.port",
    ]);
    let port = &media.first().expect("a 200 with SDP")[0];
    let ours = format!("rtp && udp.srcport == {port}");
    let fields = ["-T", "fields", "-e", "rtp.ssrc", "-e", "rtp.seq", "-e", "rtp.timestamp", "-e", "rtp.p_type"];
    let decode = format!("udp.port=={port},rtp");
    let mut arguments = vec!["-r", file, "-d", &sip, "-d", &decode, "-Y", &ours];
    arguments.extend(fields);
    let packets = tshark(&arguments);
    assert!(packets.len() > 200, "only {} packets", packets.len());
    let number = |text: &str| text.parse::<u32>().unwrap_or_else(|_| panic!("{text}"));
    for (before, after) in packets.iter().zip(&packets[1..]) {
        assert_eq!(before[0], after[0], "one stream, one SSRC");
        let sequence = (number(&after[1]) as u16).wrapping_sub(number(&before[1]) as u16);
        assert_eq!(sequence, 1, "{before:?} then {after:?}");
        assert_eq!(number(&after[2]).wrapping_sub(number(&before[2])), 160, "{before:?} then {after:?}");
    }
    reports_are_true(file, &sip, port.parse().expect("a port"), packets.len());
    assert_eq!(served.stop(), 0);
}

/// RFC 3550 §6.4: what the server says of its own packets and of those that it got, on the port behind that of RTP.
fn reports_are_true(file: &str, sip: &str, rtp_port: u16, sent: usize) {
    let (port, rtp) = (rtp_port + 1, format!("udp.port=={rtp_port},rtp"));
    let (ours, decode) = (format!("udp.srcport == {port}"), format!("udp.port=={port},rtcp"));
    let mut arguments = vec!["-r", file, "-d", sip, "-d", &rtp, "-d", &decode, "-Y", &ours, "-T", "fields"];
    let fields =
        ["rtcp.pt", "rtcp.sender.packetcount", "rtcp.ssrc.cum_nr", "rtcp.sdes.type", "_ws.malformed", "_ws.expert"];
    arguments.extend(fields.iter().flat_map(|field| ["-e", field]));
    let reports = tshark(&arguments);
    let last = reports.last().expect("reports were sent");
    // Sender report, source description, and BYE at the end (203); the name is there (CNAME is 1).
    assert!(reports.iter().all(|report| report[0].starts_with("200,202")), "{reports:?}");
    assert!(last[0].contains("203") && last[3].starts_with('1'), "{reports:?}");
    assert!(reports.iter().all(|report| report[4..].iter().all(String::is_empty)), "malformed: {reports:?}");
    assert_eq!(last[1].parse(), Ok(sent), "packets sent: {reports:?}");
    assert_eq!(last[2].parse(), Ok(LOST), "packets lost: {reports:?}");
}
