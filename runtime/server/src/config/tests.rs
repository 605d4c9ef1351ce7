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
         storage:\n  data: /var/lib/strowger\nlimits:\n  calls_max: 50000\n  drain_s: 5\nvoices:\n  engine: tones\n",
    )
    .unwrap();
    assert_eq!(config.advertised(), "192.0.2.10:5070".parse().unwrap());
    let trusted = |peer: &str| config.is_trusted(peer.parse().unwrap());
    assert!(trusted("203.0.113.255") && trusted("198.51.100.7") && trusted("2001:db8:1::1"));
    assert!(!trusted("203.0.114.0") && !trusted("198.51.100.8") && !trusted("127.0.0.1"));
    let crm = config.services.get("crm").unwrap();
    assert_eq!(crm.base.as_str(), "http://127.0.0.1:9000/crm");
    assert_eq!(config.names().services, Some(vec!["crm".to_owned()]));
    assert!(!format!("{config:?}").contains("Bearer"));
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
        "1:1 unknown key `zebra` / known here: listen, trunks, services, storage, limits, voices, versions"
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
        ("limits: { drain_s: 3601 }\n", "1:20 limits.drain_s: `drain_s` cannot be 3601"),
        ("listen: { sip: 0.0.0.0:5060 }\n", "1:11 a wildcard address cannot be told to peers"),
        ("listen: { advertise: \"::1\" }\n", "1:11 `advertise` is not an address of the kind"),
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
    assert_eq!((config.storage.journal_days, config.storage.recording_days), (30, 7));
    assert_eq!(config.storage.database_mb_max, Some(2_048));
    assert_eq!((config.versions.faults_per_minute_max, config.versions.trial_minutes), (5, 60));
    assert_eq!(
        refused("storage:\n  journal_days: 0\n"),
        "2:17 storage.journal_days: `journal_days` cannot be 0 / give a number from 1 to 36500"
    );
    assert!(refused("versions: { trial_minuets: 5 }\n").contains("did you mean `trial_minutes`?"));
}
