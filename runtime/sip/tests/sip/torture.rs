//! RFC 4475 and RFC 5118 over UDP: each request gets the answer that the table says, each response is taken or
//! dropped in silence, and afterwards an OPTIONS is answered. None is skipped.
//!
//! Where the table leaves a choice, ours is pinned here: leniency only where the RFC's text asks for it.
//! `mcl01` and `ncl` are 400 on UDP too: two lengths, or a negative one, are no length at all.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::bench::{Bench, request};

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/sip-torture").join(name)
}

pub fn messages(name: &str) -> BTreeMap<String, Vec<u8>> {
    std::fs::read_dir(folder(name))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap()))
        .collect()
}

/// What the endpoint did with one message: a status code, `leg`, or `silence`.
fn outcome(bytes: &[u8]) -> String {
    let mut bench = Bench::new();
    bench.bytes(bytes);
    let said = bench.said();
    let lines = bench.first_lines();
    let outcome = match (said.as_slice(), lines.as_slice()) {
        ([], []) => "silence".to_owned(),
        ([], [line]) => line.split(' ').nth(1).unwrap().to_owned(),
        ([event], []) if event == "incoming 1" => "leg".to_owned(),
        other => panic!("{other:?}"),
    };
    if outcome == "leg" {
        bench.answer(1);
        assert_eq!(bench.first_lines(), ["SIP/2.0 200 OK"]);
        bench.said();
    }
    bench.say(&request("OPTIONS", 77, "after", "", "", ""));
    assert!(bench.first_lines().contains(&"SIP/2.0 200 OK".to_owned()));
    bench.assert_empties();
    outcome
}

/// Outcomes that a row of the table allows.
fn allowed(expected: &str) -> &'static [&'static str] {
    match expected {
        // REGISTER and MESSAGE are understood and not served (405), unknown methods are 501, and an INVITE whose
        // To tag names no dialog of ours is 481 (RFC 3261 §12.2.2).
        _ if expected.starts_with("ok") => &["200", "leg", "405", "481", "501", "silence"],
        "discard-response" => &["silence"],
        "400" | "400(UDP)" | "400-and-close(TCP)" | "400(REGISTER)" => &["400"],
        _ if expected.starts_with("400-or-") => &["400", "200", "leg"],
        "505" => &["505"],
        "416" => &["416"],
        "416-or-400(REGISTER)" => &["416", "400"],
        "501-or-400" => &["501", "400"],
        "420-with-Unsupported" => &["420"],
        "415-with-Accept" => &["415"],
        "406-or-process" => &["406", "leg"],
        "ignore-unknown-auth-scheme(401/407-or-process)" => &["401", "407", "405"],
        "process-as-endpoint(483-if-proxying)" => &["200"],
        other => panic!("unknown row {other}"),
    }
}

/// Our choice for each message of RFC 4475.
const CHOSEN: &str = "badaspec 400, badbranch 200, baddate leg, baddn 400, badinv01 400, badvers 505, bcast silence, \
bext01 420, bigcode silence, clerr 400, cparam01 405, cparam02 405, dblreq 405, esc01 leg, esc02 501, escnull 405, \
escruri 400, insuf 400, intmeth 501, inv2543 leg, invut 415, longreq leg, ltgtruri 400, lwsdisp 200, lwsruri 400, \
lwsstart 400, mcl01 400, mismatch01 400, mismatch02 400, mpart01 405, multi01 400, ncl 400, noreason silence, \
novelsc 416, quotbal 400, regaut01 405, regbadct 400, regescrt 405, scalar02 400, scalarlg silence, sdp01 leg, \
semiuri 200, transports 200, trws 400, unkscm 416, unksm2 416, unreason silence, wsinv 481, zeromf 200";

#[test]
fn rfc_4475() {
    let table = std::fs::read_to_string(folder("rfc4475-expect.tsv")).unwrap();
    let rows: BTreeMap<&str, &str> =
        table.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>()).map(|row| (row[1], row[2])).collect();
    let messages = messages("rfc4475");
    assert_eq!((rows.len(), messages.len()), (49, 49));
    let mut found = Vec::new();
    for (name, bytes) in &messages {
        let outcome = outcome(bytes);
        let expected = rows[name.as_str()];
        assert!(allowed(expected).contains(&outcome.as_str()), "{name}: {outcome}, table {expected}");
        found.push(format!("{name} {outcome}"));
    }
    assert_eq!(found.join(", "), CHOSEN);
}

#[test]
fn rfc_5118() {
    let found: Vec<_> = messages("rfc5118").iter().map(|(name, bytes)| format!("{name} {}", outcome(bytes))).collect();
    let chosen = [
        // G.726 and video only: read, and nothing in it for us.
        "ipv4-mapped-ipv6 488",
        "ipv6-bad 400",
        "ipv6-bug-abnf-3-colons 400",
        "ipv6-correct-abnf-2-colons 200",
        "ipv6-good 405",
        "ipv6-in-sdp 488",
        "mult-ip-in-header 481",
        "mult-ip-in-sdp leg",
        "port-ambiguous 405",
        "port-unambiguous 405",
        "via-received-param-no-delim 200",
        "via-received-param-with-delim 481",
    ];
    assert_eq!(found, chosen);
}
