//! The whole server over real sockets on loopback: calls by the built-in phone, pages by HTTP.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may stop at the first surprise"
)]

mod kit;
mod operators;
mod recording;

use std::collections::HashSet;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};

use kit::{PATIENCE, Site, folder, gone, start, wait_for, write};
use runtime_contract::leg::GoneCause;
use runtime_server::{PhoneEvent, Responder};
use serde_json::json;

fn refused(status: u16) -> PhoneEvent {
    PhoneEvent::Gone(GoneCause::Refused(status))
}

#[test]
fn a_caller_hears_the_flow_and_leaves_a_record() {
    let responder = Responder::start(|asked| {
        assert_eq!((asked.operation, asked.idempotency_key), ("crm/find", None));
        assert_eq!(asked.arguments, json!({ "p": "noted" }));
        (200, json!(12))
    })
    .unwrap();
    let yaml = format!("services:\n  crm:\n    base: http://{}/crm\n", responder.address);
    let mut site = Site::start("welcome", &yaml);
    let phone = site.phone();
    let call = site.call(&phone);
    wait_for(&call, |event| event == PhoneEvent::Up);
    site.hears(&call, "welcome");
    site.hears(&call, "offer");
    assert!(call.press("1"));
    // The hole is filled and rendered while the caller waits.
    site.hears(&call, "n 十二");
    assert_eq!(gone(&call), PhoneEvent::Gone(GoneCause::RemoteHungUp));
    assert!(!call.press("x"));

    let server = site.server.take().unwrap();
    server.stop();
    server.wait().unwrap();
    let records = server.store().calls(10).unwrap();
    let record = &records[0].record;
    assert_eq!((records.len(), record.flow.as_str(), record.notes[0].0.as_str()), (1, "main.main", "outcome"));
    assert_eq!(record.notes[0].1.reveal(), "noted");
}

#[test]
fn a_service_that_fails_is_an_outcome() {
    let mut site = Site::start("welcome", "services:\n  crm:\n    base: http://127.0.0.1:1\n");
    let phone = site.phone();
    let call = site.call(&phone);
    site.hears(&call, "offer");
    call.press("1");
    site.hears(&call, "sorry");
    let (_, metrics) = site.get("/metrics");
    assert!(metrics.contains("strowger_service_calls_total{outcome=\"unreachable\"} 1"), "{metrics}");
    drop(site.server.take());
}

#[test]
fn a_new_version_takes_new_calls_and_leaves_old_ones_alone() {
    let site = Site::start("first", "");
    let phone = site.phone();
    let old = site.call(&phone);
    site.hears(&old, "first");

    write(site.folder.path(), "main.flow", "second");
    let (status, text) = site.reload();
    assert_eq!(status, 200, "{text}");
    assert!(text.contains("takes calls\n2 tests passed"), "{text}");
    let new = site.call(&phone);
    site.hears(&new, "second");
    let versions = site.json("/versions");
    let calls = |at: usize| versions["versions"][at]["calls"].as_u64().unwrap();
    assert_eq!((calls(0), calls(1)), (1, 1), "{versions}");

    // The call on the first version goes on, in the first version.
    old.press("2");
    assert_eq!(gone(&old), PhoneEvent::Gone(GoneCause::RemoteHungUp));
    let begun = std::time::Instant::now();
    loop {
        let (_, metrics) = site.get("/metrics");
        if metrics.contains("strowger_versions_live 1\n") {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "the old version is not freed: {metrics}");
    }
}

#[test]
fn a_refused_version_leaves_the_old_one_serving_and_says_why() {
    let site = Site::start("first", "");
    for (source, why) in [("broken", "main.flow:1: broken"), ("panic", "the compiler failed on this project")] {
        write(site.folder.path(), "main.flow", source);
        let (status, text) = site.reload();
        assert_eq!(status, 409);
        assert!(text.contains(why), "{text}");
        let (_, versions) = site.get("/versions");
        assert!(versions.contains(why), "{versions}");
    }
    write(site.folder.path(), "main.flow", "first");
    write(site.folder.path(), "strowger.yaml", "trunks:\n  a: nowhere\n");
    let (status, text) = site.reload();
    assert_eq!(status, 409);
    assert!(text.contains("strowger.yaml:2:6"), "{text}");
    let (_, metrics) = site.get("/metrics");
    assert!(metrics.contains("strowger_reload_refused_total 3"), "{metrics}");
    let phone = site.phone();
    let call = site.call(&phone);
    site.hears(&call, "first");
}

#[test]
fn a_changed_file_is_noticed() {
    let folder = folder("first", "");
    let server = start(folder.path(), true).unwrap();
    write(folder.path(), "main.flow", "second, and longer");
    let begun = std::time::Instant::now();
    let first = server.first.graph.hex();
    loop {
        let (_, text) = kit::http(server.http_addr, "GET /versions HTTP/1.1\r\n");
        let versions: serde_json::Value = serde_json::from_str(&text).unwrap();
        if versions["current"].as_str().is_some_and(|current| current != first) {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "still {text}");
    }
}

#[test]
fn what_waits_for_the_next_start_is_said_in_the_answer() {
    let site = Site::start("first", "limits: { calls_max: 5 }\n");
    let (_, text) = site.reload();
    assert!(!text.contains("warning"), "{text}");
    write(site.folder.path(), "strowger.yaml", "limits: { calls_max: 6 }\nstorage: { data: elsewhere }\n");
    let (status, text) = site.reload();
    assert_eq!(status, 200);
    let warning = "what strowger.yaml changes of `storage`, `limits` takes effect at the next start only";
    assert!(text.contains(&format!("2 tests passed\nwarning: {warning}\n  help: ")), "{text}");
    let head = "POST /reload HTTP/1.1\r\nContent-Length: 0\r\nAccept: application/json\r\n";
    let (_, body) = kit::http(site.server().http_addr, head);
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (&body["problems"][0]["severity"], &body["problems"][0]["message"]),
        (&json!("warning"), &json!(warning))
    );
}

/// Waits for the other side to close, with a reset or without; false when it says something, or nothing for long.
fn is_closed(mut stream: TcpStream) -> bool {
    match stream.read(&mut [0; 1]) {
        Ok(bytes) => bytes == 0,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

#[test]
fn who_only_holds_the_pages_open_is_sent_away() {
    let site = Site::start("first", "");
    let address = site.server().http_addr;
    let connect = || {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    };
    // 64 connections (CONNECTIONS_MAX) that begin a request and leave it there.
    let mut slow: Vec<_> = (0..64).map(|_| connect()).collect();
    for stream in &mut slow {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow").unwrap();
    }
    let mut one_more = connect();
    // It may be closed before it has asked.
    let _ = one_more.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(is_closed(one_more), "one more is closed without an answer");
    for stream in slow {
        assert!(is_closed(stream), "a head that does not come");
    }
    assert_eq!(site.get("/healthz").0, 200, "there is room again");
}

#[test]
fn a_request_has_a_bound() {
    let site = Site::start("first", "");
    let head = |bytes: usize| format!("GET /healthz HTTP/1.1\r\nX-Long: {}\r\n", "x".repeat(bytes));
    assert_eq!(kit::http(site.server().http_addr, &head(12_000)).0, 200);
    assert_eq!(kit::http(site.server().http_addr, &head(20_000)).0, 431);
    let uri = format!("GET /{} HTTP/1.1\r\n", "x".repeat(20_000));
    assert_eq!(kit::http(site.server().http_addr, &uri).0, 431);
}

#[test]
fn reload_is_for_the_command_line_only() {
    let site = Site::start("first", "");
    let head = "POST /reload HTTP/1.1\r\nContent-Length: 0\r\nOrigin: http://example.com\r\n";
    assert_eq!(kit::http(site.server().http_addr, head).0, 403);
    assert_eq!(site.get("/reload").0, 405);
    assert_eq!(site.get("/nowhere").0, 404);
}

#[test]
fn draining_lets_calls_finish_and_takes_no_new_ones() {
    let mut site = Site::start("welcome", "limits: { drain_s: 60 }\n");
    assert_eq!(site.get("/healthz").0, 200);
    let phone = site.phone();
    let call = site.call(&phone);
    site.hears(&call, "offer");
    site.server().stop();
    let late = site.call(&phone);
    assert_eq!(gone(&late), refused(503));
    let (status, reasons) = site.get("/healthz");
    assert_eq!(status, 503);
    assert!(reasons.contains("draining"), "{reasons}");
    call.press("2");
    assert_eq!(gone(&call), PhoneEvent::Gone(GoneCause::RemoteHungUp));
    site.server.take().unwrap().wait().unwrap();
}

#[test]
fn calls_that_outlast_the_drain_are_ended_with_finally() {
    let mut site = Site::start("welcome", "limits: { drain_s: 1 }\n");
    let phone = site.phone();
    let call = site.call(&phone);
    site.hears(&call, "offer");
    let server = site.server.take().unwrap();
    server.stop();
    assert_eq!(gone(&call), PhoneEvent::Gone(GoneCause::RemoteHungUp));
    server.wait().unwrap();
    drop(server);
    let server = start(site.folder.path(), false).unwrap();
    let record = &server.store().calls(1).unwrap()[0].record;
    assert_eq!(record.notes.len(), 1);
}

#[test]
fn the_limit_of_calls_is_a_503() {
    let site = Site::start("welcome", "limits: { calls_max: 1 }\n");
    let phone = site.phone();
    let first = site.call(&phone);
    site.hears(&first, "welcome");
    let second = site.call(&phone);
    assert_eq!(gone(&second), refused(503));
    let (_, metrics) = site.get("/metrics");
    assert!(metrics.contains("strowger_calls_refused_total{why=\"calls_max\"} 1"), "{metrics}");
}

/// One INVITE as text, from a telephone that is no more than a socket.
fn invite(source: SocketAddr, number: usize, media: SocketAddr) -> String {
    let sdp = format!(
        "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 8\r\n",
        ip = media.ip(),
        port = media.port()
    );
    format!(
        "INVITE sip:{}@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {source};branch=z9hG4bK{number}\r\nMax-Forwards: 70\r\n\
         From: <sip:+8613800000000@{source}>;tag=f\r\nTo: <sip:ivr@127.0.0.1>\r\nCall-ID: c{number}\r\n\
         CSeq: 1 INVITE\r\nContact: <sip:{source}>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
        "+86-400-810-0000",
        sdp.len()
    )
}

fn telephone(ip: &str) -> UdpSocket {
    let socket = UdpSocket::bind((ip, 0)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// The next final answer that comes to a telephone.
fn final_answer(socket: &UdpSocket) -> String {
    let mut datagram = [0; 65_536];
    loop {
        let (length, _) = socket.recv_from(&mut datagram).expect("an answer");
        let text = String::from_utf8_lossy(&datagram[..length]).into_owned();
        if !text.starts_with("SIP/2.0 1") {
            return text;
        }
    }
}

#[test]
fn a_peer_that_acknowledges_nothing_leaves_room_for_others() {
    let site = Site::start("welcome", "limits: { calls_max: 40 }\n");
    let (silent, media) = (telephone("127.0.0.2"), "127.0.0.2:9".parse().unwrap());
    // A quarter of the calls is what one address may leave without an ACK.
    let (mut answered, mut refused) = (HashSet::new(), 0);
    for number in 0..30 {
        let text = invite(silent.local_addr().unwrap(), number, media);
        silent.send_to(text.as_bytes(), site.server().sip_addr).unwrap();
    }
    while answered.len() + refused < 30 {
        let text = final_answer(&silent);
        let call_id = text.lines().find(|line| line.starts_with("Call-ID")).unwrap().to_owned();
        if text.starts_with("SIP/2.0 503") {
            assert!(text.contains("\r\nRetry-After: 5\r\n"), "{text}");
            // Its transaction repeats it until it is acknowledged.
            let ack =
                invite(silent.local_addr().unwrap(), call_id[10..].parse().unwrap(), media).replace("INVITE", "ACK");
            silent.send_to(ack.as_bytes(), site.server().sip_addr).unwrap();
            refused += 1;
        } else {
            assert!(text.starts_with("SIP/2.0 200"), "{text}");
            answered.insert(call_id);
        }
    }
    assert_eq!((answered.len(), refused), (10, 20));
    let phone = site.phone();
    let call = site.call(&phone);
    site.hears(&call, "welcome");
    let (_, metrics) = site.get("/metrics");
    assert!(metrics.contains("strowger_sip_unacknowledged_refused_total 20"), "{metrics}");
}

#[test]
fn behind_nat_the_address_that_peers_see_need_not_be_ours() {
    for listen in ["127.0.0.1:0", "0.0.0.0:0"] {
        let site = Site::start("welcome", &format!("listen: {{ sip: \"{listen}\", advertise: 203.0.113.9 }}\n"));
        let port = site.server().sip_addr.port();
        let server = SocketAddr::from(([127, 0, 0, 1], port));
        let (telephone, voice) = (telephone("127.0.0.1"), telephone("127.0.0.1"));
        let text = invite(telephone.local_addr().unwrap(), 1, voice.local_addr().unwrap());
        telephone.send_to(text.as_bytes(), server).unwrap();
        let ok = final_answer(&telephone);
        assert!(ok.contains(&format!("\r\nContact: <sip:203.0.113.9:{port}>\r\n")), "{ok}");
        assert!(ok.contains("\r\nc=IN IP4 203.0.113.9\r\n"), "{ok}");
        let media_port: u16 = ok.split("m=audio ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
        // A NAT that keeps ports stands between; here its inner side is spoken to.
        let (_, from) = voice.recv_from(&mut [0; 2_048]).unwrap();
        assert_eq!(from, SocketAddr::from(([127, 0, 0, 1], media_port)));
    }
}

#[test]
fn unknown_peers_and_unknown_numbers_get_no_service() {
    let site = Site::start("welcome", "trunks: { carrier: 203.0.113.0/24 }\n");
    let phone = site.phone();
    assert_eq!(gone(&site.call(&phone)), refused(403));

    let site = Site::start("welcome", "");
    let call = phone.call(&format!("sip:+49301234@{}", site.server().sip_addr), None).unwrap();
    assert_eq!(gone(&call), refused(404));
}

#[test]
fn calls_that_a_dead_process_left_are_ended_at_the_next_start() {
    let mut site = Site::start("welcome", "");
    let phone = site.phone();
    let call = site.call(&phone);
    site.hears(&call, "offer");
    drop(site.server.take());
    let server = start(site.folder.path(), false).unwrap();
    assert_eq!(gone(&call), PhoneEvent::Gone(GoneCause::RemoteHungUp));
    server.stop();
    server.wait().unwrap();
    drop(server);
    let server = start(site.folder.path(), false).unwrap();
    assert_eq!(server.store().open_calls().unwrap(), []);
    let record = &server.store().calls(1).unwrap()[0].record;
    assert_eq!(record.notes[0].1.reveal(), "noted");
}

#[test]
fn noise_on_the_sip_port_ends_nothing() {
    let site = Site::start("welcome", "");
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let local = socket.local_addr().unwrap();
    let sip = site.server().sip_addr;
    let options = format!(
        "OPTIONS sip:{sip} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bKnoise\r\nFrom: <sip:a@{local}>;tag=1\r\n\
         To: <sip:{sip}>\r\nCall-ID: noise@{local}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    );
    let mut noise = Vec::new();
    for at in 0..options.len() {
        // Every prefix, every byte once turned over, and bytes that are no text.
        noise.push(options.as_bytes()[..at].to_vec());
        let mut turned = options.clone().into_bytes();
        turned[at] ^= 0xff;
        noise.push(turned);
        noise.push(vec![at as u8; at]);
    }
    for bytes in noise {
        socket.send_to(&bytes, sip).unwrap();
    }
    let asked = options.replace("z9hG4bKnoise", "z9hG4bKasked").replace("Call-ID: noise", "Call-ID: asked");
    socket.send_to(asked.as_bytes(), sip).unwrap();
    let mut answer = [0; 65_535];
    loop {
        let (length, _) = socket.recv_from(&mut answer).expect("an answer to the OPTIONS behind the noise");
        let text = String::from_utf8_lossy(&answer[..length]);
        if text.contains("Call-ID: asked") {
            assert!(text.starts_with("SIP/2.0 200 "), "{text}");
            break;
        }
    }
    let phone = site.phone();
    let call = site.call(&phone);
    site.hears(&call, "welcome");
}

#[test]
fn what_hinders_a_start_is_said_with_its_remedy() {
    let folder = folder("broken", "");
    let error = start(folder.path(), false).err().unwrap();
    assert_eq!(error.report.unwrap().text, "main.flow:1: broken");

    write(folder.path(), "main.flow", "welcome");
    let server = start(folder.path(), false).unwrap();
    for (key, address) in [("sip", server.sip_addr), ("http", server.http_addr)] {
        let mut config = runtime_server::Config::default();
        config.listen.sip.set_port(0);
        config.listen.http.set_port(0);
        match key {
            "sip" => config.listen.sip = address,
            _ => config.listen.http = address,
        }
        let options = runtime_server::Options::new(folder.path());
        let error = runtime_server::Server::start(config, std::sync::Arc::new(kit::PretendedCompiler), options);
        let error = error.err().unwrap().to_string();
        assert!(error.contains(&address.to_string()) && error.contains(&format!("`listen: {key}:`")), "{error}");
    }

    let error = start(folder.path(), false).err().unwrap().to_string();
    assert!(error.contains("another strowger keeps its data in"), "{error}");

    write(folder.path(), "strowger.yaml", "storage:\n  data: main.flow\n");
    let error = start(folder.path(), false).err().unwrap().to_string();
    assert!(error.contains("cannot keep data in") && error.contains("`--data`"), "{error}");
}
