//! What operators count, as OpenMetrics text. Holds numbers only: nothing of a person, no label with many values.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use runtime_contract::FaultKind;
use runtime_contract::record::CallRecord;
use runtime_exchange::{Refusal, ServiceFailure};
use runtime_media::MediaStatistics;
use runtime_store::Store;
use serde_json::{Value, json};

use crate::node::Status;

type Labelled = Family<[(&'static str, &'static str); 1], Counter>;
/// Labels whose values are names that a project's author gave: [`Names`] bounds them.
type Named = Family<[(&'static str, String); 2], Counter>;

pub struct Metrics {
    registry: Registry,
    pub calls_started: Counter,
    /// Calls of a process that died which go on.
    pub calls_revived: Counter,
    calls_ended: Named,
    call_length: Histogram,
    call_setup: Histogram,
    calls_refused: Labelled,
    faults: Named,
    services: Labelled,
    reloads: Counter,
    reloads_refused: Counter,
    reload_last_refused: Gauge,
    rollbacks: Labelled,
    pub late_replies: Counter,
    pub recordings_failed: Counter,
    pub datagrams_received: Counter,
    pub calls_live: Gauge,
    versions_live: Gauge,
    version_info: Family<[(&'static str, String); 2], Gauge>,
    trunk_up: Family<[(&'static str, String); 1], Gauge>,
    phones_registered: Gauge,
    pub store_stalled: Gauge,
    pub draining: Gauge,
    pub traces_lost: Counter,
    sip_send_failures: Counter<u64, AtomicU64>,
    sip_unacknowledged_refused: Counter<u64, AtomicU64>,
    media_legs: Gauge,
    media_packets_sent: Counter,
    media_packets_received: Counter,
    media_packets_refused: Counter,
    media_packets_late: Counter,
    media_packets_skipped: Counter,
    store_waiting: Gauge,
    store_waiting_bytes: Gauge,
    store_commit: Histogram,
    totals: Totals,
    flows: Names,
    places: Names,
}

/// Sums over all labels, for those who draw rates.
#[derive(Default)]
struct Totals {
    ended: Counter,
    refused: Counter,
    faults: Counter,
}

/// Upper ends in seconds: a disk that syncs in 1 ms to one that stalls.
const COMMIT_S: [f64; 11] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0];
/// A flow that answers at once to one that lets it ring for half a minute.
const SETUP_S: [f64; 11] = [0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 10.0, 30.0];
/// A wrong number to an hour.
const LENGTH_S: [f64; 10] = [1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0];
/// Names told apart in a label; versions come and go, and what they named would stay for ever.
const NAMES_MAX: usize = 500;
const OTHERS: &str = "others";

/// The first names that came; those behind them count together.
#[derive(Default)]
struct Names(Mutex<HashSet<String>>);

impl Names {
    fn label(&self, name: &str) -> String {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.contains(name) {
            if known.len() >= NAMES_MAX {
                return OTHERS.to_owned();
            }
            known.insert(name.to_owned());
        }
        name.to_owned()
    }
}

/// Upper ends, as something that makes a histogram.
struct Buckets(&'static [f64]);

impl MetricConstructor<Histogram> for Buckets {
    fn new_metric(&self) -> Histogram {
        Histogram::new(self.0.iter().copied())
    }
}

impl Metrics {
    pub fn new() -> Metrics {
        let mut registry = <Registry>::with_prefix("strowger");
        macro_rules! metric {
            ($name:literal, $help:literal) => {{
                let metric = Default::default();
                registry.register($name, $help, Clone::clone(&metric));
                metric
            }};
            ($name:literal, $help:literal, $unit:expr, $metric:expr) => {{
                let metric = $metric;
                registry.register_with_unit($name, $help, $unit, Clone::clone(&metric));
                metric
            }};
        }
        let build: Family<[(&'static str, &'static str); 1], Gauge> =
            metric!("build_info", "1, with the version of this program");
        build.get_or_create(&[("version", env!("CARGO_PKG_VERSION"))]).set(1);
        let milliseconds = || Unit::Other("milliseconds".into());
        Metrics {
            calls_started: metric!("calls_started", "Calls that a flow took"),
            calls_revived: metric!("calls_revived", "Calls of a process that died which were taken up again"),
            calls_ended: metric!("calls_ended", "Calls that are over, by flow and how they ended"),
            call_length: metric!(
                "call_length",
                "Time from a call's start to its end",
                Unit::Seconds,
                Buckets(&LENGTH_S).new_metric()
            ),
            call_setup: metric!(
                "call_setup",
                "Time from a call's INVITE to its answer",
                Unit::Seconds,
                Buckets(&SETUP_S).new_metric()
            ),
            calls_refused: metric!("calls_refused", "Calls that no flow took, by reason"),
            faults: metric!("faults", "Faults of flows, by kind and place"),
            services: metric!("service_calls", "Service calls that are over, by outcome"),
            reloads: metric!("reloads", "Versions that were loaded and take calls"),
            reloads_refused: metric!("reload_refused", "Versions that were refused; the one before went on"),
            reload_last_refused: metric!("reload_last_refused", "1 when the last version that was loaded was refused"),
            rollbacks: metric!("rollbacks", "Versions that were taken back, by what asked for it"),
            late_replies: metric!("service_replies_late", "Answers of services that nobody waited for any more"),
            recordings_failed: metric!(
                "call_recordings_failed",
                "Stretches of conversations that were to be recorded and are not, or not to their end"
            ),
            datagrams_received: metric!("sip_datagrams_received", "SIP datagrams that arrived"),
            calls_live: metric!("calls_live", "Calls going on"),
            versions_live: metric!("versions_live", "Versions with calls, and those that take new calls"),
            trunk_up: metric!("trunk_up", "1 for each trunk that takes calls, 0 for one that is down"),
            phones_registered: metric!("phones_registered", "Phones of the site that are registered"),
            version_info: metric!("version_info", "Calls of each version that takes calls or has some, by state"),
            store_stalled: metric!("store_stalled", "1 while the store cannot write"),
            draining: metric!("draining", "1 while no new calls are taken because the process stops"),
            traces_lost: metric!("traces_lost", "Spans that were dropped because the collector does not keep up"),
            sip_send_failures: metric!("sip_send_failures", "SIP datagrams that could not be sent"),
            sip_unacknowledged_refused: metric!(
                "sip_unacknowledged_refused",
                "Calls refused because their peer left too many answered calls without an ACK"
            ),
            media_legs: metric!("media_legs", "Legs with media"),
            media_packets_sent: metric!("media_packets_sent", "RTP packets sent"),
            media_packets_received: metric!("media_packets_received", "RTP packets taken"),
            media_packets_refused: metric!("media_packets_refused", "Packets that are no RTP of the far side"),
            media_packets_late: metric!("media_packets_late", "RTP packets sent more than 5 ms after their time"),
            media_packets_skipped: metric!(
                "media_packets_skipped",
                "RTP packets never sent, because the process stood still for more than 200 ms"
            ),
            store_waiting: metric!(
                "store_waiting",
                "Age of the oldest write that is not yet durable",
                milliseconds(),
                Gauge::default()
            ),
            store_waiting_bytes: metric!(
                "store_waiting",
                "Writes that are not yet durable",
                Unit::Bytes,
                Gauge::default()
            ),
            store_commit: metric!(
                "store_commit",
                "Time that a transaction of the store took, with its sync",
                Unit::Seconds,
                Buckets(&COMMIT_S).new_metric()
            ),
            totals: Totals::default(),
            flows: Names::default(),
            places: Names::default(),
            registry,
        }
    }

    /// A commit took so many microseconds.
    pub fn commit(&self, us: u64) {
        self.store_commit.observe(us as f64 / 1e6);
    }

    /// From an INVITE to its 200.
    pub fn answered(&self, ms: u64) {
        self.call_setup.observe(ms as f64 / 1e3);
    }

    /// A call is over, and this is kept of it.
    pub fn ended(&self, record: &CallRecord) {
        self.totals.ended.inc();
        let labels = [("flow", self.flows.label(&record.flow)), ("end", record.end.clone())];
        self.calls_ended.get_or_create(&labels).inc();
        let ms = record.ended.0.saturating_sub(record.started.0).max(0);
        self.call_length.observe(ms as f64 / 1e3);
    }

    pub fn fault(&self, kind: FaultKind, place: &str) {
        self.totals.faults.inc();
        let labels = [("kind", kind.name().to_owned()), ("place", self.places.label(place))];
        self.faults.get_or_create(&labels).inc();
    }

    /// What `strowger top` makes rates of.
    pub fn totals(&self) -> Value {
        json!({
            "started": self.calls_started.get(),
            "ended": self.totals.ended.get(),
            "refused": self.totals.refused.get(),
            "faults": self.totals.faults.get(),
        })
    }

    pub fn refused(&self, why: Refusal) {
        let why = match why {
            Refusal::NoSuchNumber => "no_such_number",
            Refusal::NoVersion => "no_version",
            Refusal::CallsMax => "calls_max",
            Refusal::Draining => "draining",
            Refusal::StoreStalled => "store_stalled",
            Refusal::NoMediaPort => "no_media_port",
        };
        self.totals.refused.inc();
        self.calls_refused.get_or_create(&[("why", why)]).inc();
    }

    pub fn service(&self, failure: Option<ServiceFailure>) {
        let outcome = match failure {
            None => "ok",
            Some(ServiceFailure::Unreachable) => "unreachable",
            Some(ServiceFailure::Refused) => "refused",
            Some(ServiceFailure::BadReply) => "bad_reply",
            Some(ServiceFailure::Overload) => "overload",
            Some(ServiceFailure::NotConfigured) => "not_configured",
        };
        self.services.get_or_create(&[("outcome", outcome)]).inc();
    }

    pub fn reload(&self, accepted: bool) {
        if accepted { &self.reloads } else { &self.reloads_refused }.inc();
        self.reload_last_refused.set(i64::from(!accepted));
    }

    pub fn rolled_back(&self, why: &'static str) {
        self.rollbacks.get_or_create(&[("why", why)]).inc();
    }

    pub fn sip_send_failures(&self, total: u64) {
        raise(&self.sip_send_failures, total);
    }

    pub fn sip_unacknowledged_refused(&self, total: u64) {
        raise(&self.sip_unacknowledged_refused, total);
    }

    /// Numbers that others count; read when somebody looks.
    pub fn read(&self, media: MediaStatistics, store: &Store) {
        self.store_waiting.set(signed(store.waiting_ms()));
        self.store_waiting_bytes.set(signed(store.waiting_bytes()));
        self.read_media(media);
    }

    pub fn read_people(&self, status: &Status) {
        self.trunk_up.clear();
        for trunk in &status.trunks {
            self.trunk_up.get_or_create(&[("trunk", trunk.name.clone())]).set(i64::from(trunk.up));
        }
        let registered = status.phones.iter().filter(|phone| !phone.places_left_s.is_empty()).count();
        self.phones_registered.set(registered as i64);
    }

    pub fn read_versions(&self, status: &Status) {
        self.versions_live.set(status.versions.len() as i64);
        self.version_info.clear();
        for version in &status.versions {
            let state = match Some(version.graph) {
                graph if graph == status.current => "stable",
                graph if graph == status.canary => "canary",
                _ => "ending",
            };
            let labels = [("version", version.graph.short()), ("state", state.to_owned())];
            self.version_info.get_or_create(&labels).set(version.calls as i64);
        }
    }

    fn read_media(&self, media: MediaStatistics) {
        self.media_legs.set(signed(media.legs));
        raise(&self.media_packets_sent, media.packets_sent);
        raise(&self.media_packets_received, media.packets_received);
        raise(&self.media_packets_refused, media.packets_refused);
        raise(&self.media_packets_late, media.packets_late);
        raise(&self.media_packets_skipped, media.packets_skipped);
    }

    /// OpenMetrics 1.0 text.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// A counter follows a total that is counted elsewhere.
fn raise(counter: &Counter, total: u64) {
    counter.inc_by(total.saturating_sub(counter.get()));
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_open_metrics_text() {
        let metrics = Metrics::new();
        metrics.refused(Refusal::CallsMax);
        metrics.service(Some(ServiceFailure::BadReply));
        metrics.fault(FaultKind::Overflow, "a.flow:3");
        metrics.commit(3_000);
        metrics.reload(false);
        metrics.calls_live.set(3);
        let read = |sent| MediaStatistics { packets_sent: sent, ..MediaStatistics::default() };
        metrics.read_media(read(5));
        metrics.read_media(read(9));
        let text = metrics.text().unwrap();
        for line in [
            "strowger_calls_refused_total{why=\"calls_max\"} 1",
            "strowger_service_calls_total{outcome=\"bad_reply\"} 1",
            "strowger_faults_total{kind=\"overflow\",place=\"a.flow:3\"} 1",
            "strowger_calls_live 3",
            "strowger_media_packets_sent_total 9",
            "strowger_reload_refused_total 1",
            "strowger_reload_last_refused 1",
            "strowger_store_commit_seconds_bucket{le=\"0.005\"} 1",
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "no `{line}` in\n{text}");
        }
    }

    #[test]
    fn names_in_labels_are_bounded() {
        let metrics = Metrics::new();
        for n in 0..NAMES_MAX + 5 {
            metrics.fault(FaultKind::Overflow, &format!("a.flow:{n}"));
        }
        let text = metrics.text().unwrap();
        assert_eq!(text.lines().filter(|line| line.starts_with("strowger_faults_total{")).count(), NAMES_MAX + 1);
        assert!(text.contains("place=\"others\"} 5"));
        assert_eq!(metrics.totals()["faults"], NAMES_MAX + 5);
    }

    /// Metrics by name as the page has them: what each counts, of which kind, and its labels.
    fn list() -> Vec<(String, String, String, String)> {
        let metrics = Metrics::new();
        // A family without a member is not on the page.
        metrics.refused(Refusal::CallsMax);
        metrics.service(None);
        metrics.fault(FaultKind::Overflow, "a.flow:1");
        metrics.rolled_back("asked");
        metrics.version_info.get_or_create(&[("version", "0".into()), ("state", "stable".into())]).set(0);
        metrics.trunk_up.get_or_create(&[("trunk", "carrier".into())]).set(0);
        metrics.calls_ended.get_or_create(&[("flow", "a.a".into()), ("end", "returned".into())]).inc();
        let text = metrics.text().unwrap();
        let mut list: Vec<(String, String, String, String)> = Vec::new();
        for line in text.lines() {
            if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
                list.push((name.into(), String::new(), String::new(), help.into()));
            } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
                let entry = list.iter_mut().find(|entry| entry.0 == name).unwrap();
                entry.1 = kind.into();
                if kind == "counter" {
                    entry.0.push_str("_total");
                }
            } else if let Some((_, labels)) = line.split_once('{') {
                let labels = labels.split_once('}').unwrap().0.split(',').filter_map(|label| label.split_once('='));
                let labels: Vec<_> = labels.map(|(label, _)| format!("`{label}`")).collect();
                list.last_mut().unwrap().2 = labels.join(", ");
            }
        }
        list.sort();
        list
    }

    fn document(name: &str) -> std::path::PathBuf {
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)
    }

    /// `cargo xtask metrics` writes it anew.
    #[test]
    fn the_list_in_the_documents_is_up_to_date() {
        let mut text = "# Metrics\n\nWhat `GET /metrics` of a server says, in OpenMetrics text. Written by `cargo xtask metrics` from \
            what the program\nregisters; a test compares. No metric holds a number, a name or a key of a person. Values of \
            `flow` and `place` are\nthe first 500 that came, and `others`.\n\n| Metric | Kind | Labels | What it is |\n| --- | --- | --- | --- |\n"
            .to_owned();
        for (name, kind, labels, help) in list() {
            text.push_str(&format!("| `{name}` | {kind} | {labels} | {} |\n", help.trim_end_matches('.')));
        }
        let path = document("metrics.md");
        if std::env::var_os("STROWGER_WRITE_METRICS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(written, text, "run `cargo xtask metrics`");
    }

    #[test]
    fn the_dashboard_shows_metrics_that_there_are() {
        let text = std::fs::read_to_string(document("grafana/strowger.json")).unwrap();
        let dashboard: Value = serde_json::from_str(&text).unwrap();
        let list = list();
        let mut used = 0;
        for panel in dashboard["panels"].as_array().unwrap() {
            for target in panel["targets"].as_array().into_iter().flatten() {
                let expression = target["expr"].as_str().unwrap();
                for word in expression.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')) {
                    if !word.starts_with("strowger_") {
                        continue;
                    }
                    let known = |(name, kind, ..): &(String, String, String, String)| {
                        word == name || (kind == "histogram" && word.strip_prefix(name.as_str()) == Some("_bucket"))
                    };
                    assert!(list.iter().any(known), "`{word}` in {}", panel["title"]);
                    used += 1;
                }
            }
        }
        assert!(used > 15, "{used} metrics are shown");
    }
}
