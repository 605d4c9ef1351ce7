//! What operators count, as OpenMetrics text. Holds numbers only: nothing of a person, no label with many values.

use std::fmt;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use runtime_exchange::{Refusal, ServiceFailure};
use runtime_media::MediaStatistics;

type Labelled = Family<[(&'static str, &'static str); 1], Counter>;

pub struct Metrics {
    registry: Registry,
    pub calls_started: Counter,
    pub calls_ended: Counter,
    /// Calls of a process that died which go on.
    pub calls_revived: Counter,
    calls_refused: Labelled,
    faults: Labelled,
    services: Labelled,
    reloads: Labelled,
    pub late_replies: Counter,
    pub datagrams_received: Counter,
    pub calls_live: Gauge,
    pub versions_live: Gauge,
    pub store_stalled: Gauge,
    pub draining: Gauge,
    sip_send_failures: Counter<u64, AtomicU64>,
    sip_unacknowledged_refused: Counter<u64, AtomicU64>,
    media_legs: Gauge,
    media_packets_sent: Counter,
    media_packets_received: Counter,
    media_packets_refused: Counter,
    media_packets_late: Counter,
    media_packets_skipped: Counter,
    store_waiting: Gauge,
    store_commit: Histogram,
}

/// Upper ends of commits' times, in seconds: a disk that syncs in 1 ms to one that stalls.
const COMMIT_S: [f64; 11] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0];

impl Metrics {
    pub fn new() -> Metrics {
        let mut registry = <Registry>::with_prefix("strowger");
        macro_rules! metric {
            ($name:literal, $help:literal) => {{
                let metric = Default::default();
                registry.register($name, $help, Clone::clone(&metric));
                metric
            }};
        }
        let store_waiting = Gauge::default();
        let help = "Age of the oldest write that is not yet durable, in milliseconds";
        registry.register_with_unit("store_waiting", help, Unit::Other("milliseconds".into()), store_waiting.clone());
        let store_commit = Histogram::new(COMMIT_S);
        let help = "Time that a transaction of the store took, with its sync";
        registry.register_with_unit("store_commit", help, Unit::Seconds, store_commit.clone());
        Metrics {
            calls_started: metric!("calls_started", "Calls that a flow took"),
            calls_ended: metric!("calls_ended", "Calls that are over"),
            calls_revived: metric!("calls_revived", "Calls of a process that died which were taken up again"),
            calls_refused: metric!("calls_refused", "Calls that no flow took, by reason"),
            faults: metric!("faults", "Faults of flows, by kind"),
            services: metric!("service_calls", "Service calls that are over, by outcome"),
            reloads: metric!("reloads", "Versions that were loaded, or refused"),
            late_replies: metric!("service_replies_late", "Answers of services that nobody waited for any more"),
            datagrams_received: metric!("sip_datagrams_received", "SIP datagrams that arrived"),
            calls_live: metric!("calls_live", "Calls going on"),
            versions_live: metric!("versions_live", "Versions with calls, and the one that takes new calls"),
            store_stalled: metric!("store_stalled", "1 while the store cannot write"),
            draining: metric!("draining", "1 while no new calls are taken because the process stops"),
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
            store_waiting,
            store_commit,
            registry,
        }
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
        self.calls_refused.get_or_create(&[("why", why)]).inc();
    }

    /// A commit took so many microseconds.
    pub fn commit(&self, us: u64) {
        self.store_commit.observe(us as f64 / 1e6);
    }

    pub fn fault(&self, kind: &'static str) {
        self.faults.get_or_create(&[("kind", kind)]).inc();
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
        let outcome = if accepted { "accepted" } else { "refused" };
        self.reloads.get_or_create(&[("outcome", outcome)]).inc();
    }

    pub fn sip_send_failures(&self, total: u64) {
        raise(&self.sip_send_failures, total);
    }

    pub fn sip_unacknowledged_refused(&self, total: u64) {
        raise(&self.sip_unacknowledged_refused, total);
    }

    /// Numbers that others count; read when somebody looks.
    pub fn read(&self, media: MediaStatistics, store_waiting_ms: u64) {
        self.media_legs.set(signed(media.legs));
        raise(&self.media_packets_sent, media.packets_sent);
        raise(&self.media_packets_received, media.packets_received);
        raise(&self.media_packets_refused, media.packets_refused);
        raise(&self.media_packets_late, media.packets_late);
        raise(&self.media_packets_skipped, media.packets_skipped);
        self.store_waiting.set(signed(store_waiting_ms));
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
        metrics.calls_live.set(3);
        let read = |sent| MediaStatistics { packets_sent: sent, ..MediaStatistics::default() };
        metrics.read(read(5), 7);
        metrics.read(read(9), 7);
        let text = metrics.text().unwrap();
        for line in [
            "strowger_calls_refused_total{why=\"calls_max\"} 1",
            "strowger_service_calls_total{outcome=\"bad_reply\"} 1",
            "strowger_calls_live 3",
            "strowger_media_packets_sent_total 9",
            "strowger_store_waiting_milliseconds 7",
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "no `{line}` in\n{text}");
        }
    }
}
