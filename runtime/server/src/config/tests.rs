use super::*;

/// `line:column message / help` of a text that is refused.
fn refused(text: &str) -> String {
    let error = Config::parse(text).unwrap_err();
    format!("{}:{} {} / {}", error.line, error.column, error.message, error.help)
}

#[test]
fn nothing_at_all_is_a_site_on_loopback() {
    for text in ["", "# only a comment\n\n"] {
        let config = Config::parse(text).unwrap();
        assert_eq!(config, Config::default());
        assert!(config.listen.sip.ip().is_loopback() && config.listen.http.ip().is_loopback());
        assert!(config.is_trusted("127.0.0.9".parse().unwrap()));
        assert!(config.is_trusted("::ffff:127.0.0.1".parse().unwrap()));
        assert!(!config.is_trusted("192.0.2.1".parse().unwrap()));
    }
}

#[test]
fn a_whole_site_is_read() {
    let config = Config::parse(
        "listen:\n  sip: 0.0.0.0:5070\n  advertise: 192.0.2.10\n  http: 127.0.0.1:0\n  rtp: 20000-20999\n\
         trunks:\n  carrier: 203.0.113.0/24\n  office: [198.51.100.7, 2001:db8::/32]\n\
         services:\n  crm:\n    base: http://127.0.0.1:9000/crm/\n    headers:\n      Authorization: Bearer ${TOKEN}\n\
         storage:\n  data: /var/lib/strowger\nlimits:\n  calls_max: 50000\n  drain_s: 5\nvoices:\n  engine: tones\n\
         purposes: [sales, reme\u{301}diation]\n",
    )
    .unwrap();
    assert_eq!(config.advertised(), "192.0.2.10:5070".parse().unwrap());
    let trusted = |peer: &str| config.is_trusted(peer.parse().unwrap());
    assert!(trusted("203.0.113.255") && trusted("198.51.100.7") && trusted("2001:db8:1::1"));
    assert!(!trusted("203.0.114.0") && !trusted("198.51.100.8") && !trusted("127.0.0.1"));
    let crm = config.services.get("crm").unwrap();
    assert_eq!(crm.base.as_str(), "http://127.0.0.1:9000/crm");
    assert_eq!(config.names().services, Some(vec!["crm".to_owned()]));
    assert_eq!(config.names().purposes, Some(vec!["sales".to_owned(), "rem\u{e9}diation".to_owned()]));
    assert!(!format!("{config:?}").contains("Bearer"));
}

#[test]
fn trunks_and_phones_have_a_long_form_whose_secrets_are_filled_in() {
    let text = "trunks:\n  carrier:\n    networks: 203.0.113.0/24\n    address: sip.carrier.example\n    transport: tcp\n    \
        user: '+864008100000'\n    password: ${PASSWORD}\n    register_s: 600\n    probe_s: 30\n    \
        prefixes: ['+86', '+']\n    from: '+864008100000'\n    identity: true\n    host: carrier.example\n\
        phones:\n  1001:\n    password: ${PASSWORD}\n    name: Front desk\n";
    let config = Config::parse(text).unwrap();
    let filled = config.clone().with_secrets(text, |_| Some("s3cret".into())).unwrap();
    let long = filled.trunks.get("carrier").unwrap().long.as_ref().unwrap();
    assert_eq!((long.address.to_string().as_str(), long.register_s), ("sip.carrier.example:5060", Some(600)));
    assert_eq!(long.password.as_ref().unwrap().reveal(), "s3cret");
    assert_eq!(filled.phones.get("1001").unwrap().password.reveal(), "s3cret");
    assert!(filled.is_trusted("203.0.113.9".parse().unwrap()) && !filled.is_trusted("127.0.0.1".parse().unwrap()));
    let shown = format!("{filled:?}");
    assert!(!shown.contains("s3cret") && !shown.contains("4008100000") && !shown.contains("Front"), "{shown}");
    let error = config.with_secrets(text, |_| Some(String::new())).unwrap_err();
    assert_eq!((error.line, error.message.as_str()), (15, "phone `1001` has an empty password"));
}

#[test]
fn names_are_compared_as_flows_compare_them() {
    let config = Config::parse("services:\n  cafe\u{301}:\n    base: http://127.0.0.1:9000/\n").unwrap();
    assert_eq!(config.names().services, Some(vec!["caf\u{e9}".to_owned()]));
    let base = "\n    base: http://127.0.0.1:9000/\n";
    let twice = refused(&format!("services:\n  cafe\u{301}:{base}  caf\u{e9}:{base}"));
    assert!(twice.contains("stands here twice"), "{twice}");
}

#[test]
fn secrets_come_from_the_environment_and_a_missing_one_has_its_place() {
    let text = "services:\n  crm:\n    base: http://h\n    headers: { A: \"x ${ONE}${TWO}\" }\n";
    let config = Config::parse(text).unwrap();
    let filled = config.clone().with_secrets(text, |name| Some(format!("<{name}>\n"))).unwrap();
    let header = filled.services.get("crm").and_then(|crm| crm.headers.get("A")).unwrap();
    assert_eq!(header.reveal(), "x <ONE><TWO>");
    let error = config.with_secrets(text, |name| (name == "ONE").then(String::new)).unwrap_err();
    assert_eq!((error.line, error.column), (4, 28));
    assert_eq!(error.message, "the environment has no variable `TWO`");
}

#[test]
fn unknown_keys_are_refused_with_the_nearest_known_one() {
    assert_eq!(refused("listen:\n  spi: 127.0.0.1:1\n"), "2:3 listen: unknown key `spi` / did you mean `sip`?");
    assert_eq!(refused("limits:\n  calls_max: 5\nsevices:\n"), "3:1 unknown key `sevices` / did you mean `services`?");
    assert_eq!(
        refused("zebra: 1\n"),
        "1:1 unknown key `zebra` / known here: listen, trunks, phones, agents, realm, digest, services, purposes, storage, limits, voices, versions, traces"
    );
}

#[test]
fn values_that_do_not_fit_have_their_place_and_a_remedy() {
    let cases = [
        ("trunks:\n  a: 1.2.3.4/33\n", "2:6 trunks.a: `1.2.3.4/33` is not an address"),
        ("trunks:\n  a: [1.2.3.4, x]\n", "2:16 trunks.a[1]: `x` is not an address"),
        ("trunks:\n  a: 1.2.3.4\n  a: 1.2.3.5\n", "2:3 trunks: `a` stands here twice"),
        ("listen: { rtp: 20000-10000 }\n", "1:16 listen.rtp: `20000-10000` is not a range of ports"),
        ("services: { crm: { base: https://h } }\n", "1:26 services.crm.base: `https://` is not supported yet"),
        ("services: { crm: { base: http://u:p@h } }\n", "1:26 services.crm.base: `http://u:p@h` is not the address"),
        ("services: { crm: {} }\n", "1:18 services.crm: missing field `base`"),
        ("services: { crm: { base: http://h, headers: { a b: c } } }\n", "1:47 `a b` is not the name of a header"),
        ("limits: { calls_max: 0 }\n", "1:22 limits.calls_max: `calls_max` cannot be 0"),
        ("limits: { calls_max: 50001 }\n", "1:22 limits.calls_max: `calls_max` cannot be 50001"),
        ("limits: { session_expires_s: 89 }\n", "1:30 limits.session_expires_s: `session_expires_s` cannot be 89"),
        ("limits: { session_expires_s: 86401 }\n", "1:30 limits.session_expires_s: `session_expires_s` cannot be"),
        ("limits: { drain_s: 3601 }\n", "1:20 limits.drain_s: `drain_s` cannot be 3601"),
        ("listen: { sip: 0.0.0.0:5060 }\n", "1:11 a wildcard address cannot be told to peers"),
        ("listen: { advertise: \"::1\" }\n", "1:11 `advertise` is not an address of the kind"),
        ("trunks: { a: { } }\n", "1:14 trunks.a: missing field `address`"),
        ("trunks: { a: { address: \"a b\" } }\n", "1:25 trunks.a.address: `a b` is not an address of a trunk"),
        ("trunks: { a: { address: \"h:0\" } }\n", "1:25 trunks.a.address: `h:0` is not an address of a trunk"),
        ("trunks: { a: { address: h, transprot: tcp } }\n", "1:28 trunks.a: unknown key `transprot`"),
        ("trunks: { a: { address: h, transport: tls } }\n", "1:39 trunks.a.transport: unknown variant `tls`"),
        ("trunks: { a: { address: h, prefixes: [86] } }\n", "1:39 trunks.a.prefixes[0]: `86` is not the beginning"),
        ("trunks: { a: { address: h, register_s: 59 } }\n", "1:40 trunks.a.register_s: `register_s` cannot be 59"),
        ("trunks: { a: { address: h, probe_s: 4 } }\n", "1:37 trunks.a.probe_s: `probe_s` cannot be 4"),
        ("trunks: { zz: { address: h, user: u } }\n", "1:11 trunk `zz` has no whole account"),
        ("trunks: { zz: { address: h, register_s: 60 } }\n", "1:11 trunk `zz` has no whole account"),
        ("phones: { 10x: { password: p } }\n", "1:11 `10x` is not an extension"),
        ("phones: { 1001: { name: x } }\n", "1:17 phones.1001: missing field `password`"),
        ("digest: []\n", "1:1 `digest` leaves phones no way"),
        ("digest: [SHA-1]\n", "1:10 digest[0]: unknown variant `SHA-1`"),
        ("realm: \"a\\\"b\"\n", "1:1 `realm` cannot stand in a challenge"),
        ("listen: [1]\n", "1:9 listen: invalid type: sequence"),
        ("欢迎: : [\n", "1:"),
    ];
    for (text, wanted) in cases {
        let found = refused(text);
        assert!(found.starts_with(wanted), "{text}\n found {found}\nwanted {wanted}");
        assert!(!found.ends_with("/ "), "no remedy: {found}");
    }
}

#[test]
fn the_file_has_a_bound() {
    let at_bound = format!("#{}", "x".repeat(CONFIG_BYTES_MAX - 1));
    assert!(Config::parse(&at_bound).is_ok());
    assert!(refused(&format!("{at_bound}x")).starts_with("1:1 the file is larger"));
}

#[test]
fn what_is_kept_and_taken_back_has_bounds() {
    let config = Config::parse(
        "storage: { journal_days: 30, recording_days: 7, database_mb_max: 2048 }\n\
         versions: { faults_per_minute_max: 5, trial_minutes: 60 }\n",
    )
    .unwrap();
    assert_eq!((config.storage.journal_days, config.storage.recording_days()), (30, 7));
    assert_eq!(config.storage.database_mb_max, Some(2_048));
    let days = |storage: &str| Config::parse(&format!("storage: {storage}\n")).unwrap().storage.recording_days();
    assert_eq!([days("{ journal_days: 30 }"), days("{ journal_days: 400 }"), days("{}")], [30, 90, 90]);
    assert!(refused("storage: { journal_days: 30, recording_days: 31 }\n").contains("nobody could find them"));
    assert_eq!((config.versions.faults_per_minute_max, config.versions.trial_minutes), (5, 60));
    assert_eq!(
        refused("storage:\n  journal_days: 0\n"),
        "2:17 storage.journal_days: `journal_days` cannot be 0 / give a number from 1 to 36500"
    );
    assert!(refused("versions: { trial_minuets: 5 }\n").contains("did you mean `trial_minutes`?"));
}

#[test]
fn the_key_of_recordings_comes_from_the_environment_and_is_a_key() {
    let text = "storage:\n  recording_key: ${KEY}\n";
    let config = Config::parse(text).unwrap();
    let with = |value: &str| config.clone().with_secrets(text, |_| Some(value.to_owned()));
    assert!(with(&"0f".repeat(32)).unwrap().recording_key().is_some());
    assert!(with("short").unwrap_err().to_string().contains("32 bytes"));
    let error = Config::parse("storage:\n  recording_key: abc\n").unwrap_err();
    assert!(error.to_string().contains("stands in the file"), "{error}");
    assert!(!format!("{:?}", with(&"0f".repeat(32)).unwrap()).contains("0f0f"));
}

#[test]
fn agents_have_their_lines_and_phones_of_their_own() {
    let text = "# people\nagents:\n  # early\n  wang:\n    extension: \"2001\"\n    skills: { technical: 4, mandarin: true }\n\n  \
        \"li\": { extension: \"2002\", hours: office }\n  office:\n    extension: \"2003\"\nrealm: office.example\n";
    let agents = Config::parse(text).unwrap().names().agents.unwrap();
    let lines: Vec<(&str, usize)> = agents.iter().map(|agent| (agent.name.as_str(), agent.line)).collect();
    assert_eq!(lines, [("li", 8), ("office", 9), ("wang", 4)]);
    let skills = &agents[2].skills;
    assert_eq!(*skills, [("mandarin".to_owned(), None), ("technical".to_owned(), Some(4))]);
    assert_eq!(
        refused(&text.replace("2003", "2001")),
        "9:3 agent `office` has the phone `2001`, which is that of `wang` in line 4 / give each agent an extension of his own"
    );
    assert_eq!(Config::parse("agents: { wang: { extension: \"2001\" } }").unwrap().names().agents.unwrap()[0].line, 0);
}
