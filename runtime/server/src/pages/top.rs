//! One look at everything that goes on, for `strowger top`: totals from which rates come, and what is now. No number of
//! a person is in it.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::versions::versions_to_json;
use super::{Pages, blocking, no_answer};

/// Steps and flows that are listed.
const LISTED_MAX: usize = 50;

pub async fn top(State(pages): State<Pages>) -> Response {
    let (Some(status), Some(live)) = (pages.status().await, pages.look(0).await) else { return no_answer() };
    let stored = match blocking(&pages, |pages| pages.store.versions()).await {
        Ok(stored) => stored,
        Err(refused) => return refused,
    };
    let most = |counts: std::collections::BTreeMap<String, usize>| -> Vec<Value> {
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(_, calls)| std::cmp::Reverse(*calls));
        counts.into_iter().take(LISTED_MAX).map(|(name, calls)| json!({ "name": name, "calls": calls })).collect()
    };
    let versions = versions_to_json(&stored, Some(&status));
    let taking =
        |version: &Value| version["calls"] != json!(0) || version["state"] == "stable" || version["state"] == "canary";
    let media = pages.media.statistics();
    Json(json!({
        "uptime_ms": pages.started.elapsed().as_millis() as u64,
        "calls": status.calls_live,
        "draining": status.draining,
        "totals": pages.metrics.totals(),
        "steps": most(live.steps),
        "flows": most(live.flows),
        "versions": versions.into_iter().filter(taking).collect::<Vec<_>>(),
        "store": {
            "stalled": status.store_stalled,
            "why": status.store_failure,
            "waiting_ms": pages.store.waiting_ms(),
            "waiting_bytes": pages.store.waiting_bytes(),
        },
        "media": {
            "legs": media.legs,
            "packets_sent": media.packets_sent,
            "packets_received": media.packets_received,
            "packets_late": media.packets_late,
            "packets_skipped": media.packets_skipped,
        },
    }))
    .into_response()
}
