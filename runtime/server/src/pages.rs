//! The HTTP side for operators: health, metrics, versions, reload. It asks the node how it is and changes nothing
//! by itself.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use runtime_contract::moment::time_to_rfc3339;
use runtime_contract::program::Report;
use runtime_media::Media;
use runtime_store::Store;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::inbox::Door;
use crate::metrics::Metrics;
use crate::node::{Message, Status};
use crate::versions::{Versions, time_of};

/// A node that does not answer for so long is not healthy.
const ANSWER_MAX: Duration = Duration::from_secs(1);

#[derive(Clone)]
pub struct Pages {
    pub door: Door<Message>,
    pub versions: Arc<Versions>,
    pub metrics: Arc<Metrics>,
    pub media: Arc<Media>,
    pub store: Arc<Store>,
}

impl Pages {
    pub fn router(self) -> Router {
        Router::new()
            .route("/healthz", get(health))
            .route("/metrics", get(metrics))
            .route("/versions", get(versions))
            .route("/reload", post(reload))
            .with_state(self)
    }

    /// `None` when the node does not answer.
    async fn status(&self) -> Option<Status> {
        let (ask, answer) = oneshot::channel();
        self.door.send(Message::Status(ask));
        tokio::time::timeout(ANSWER_MAX, answer).await.ok()?.ok()
    }
}

async fn health(State(pages): State<Pages>) -> Response {
    let reasons = match pages.status().await {
        None => vec!["the node does not answer"],
        Some(status) => {
            let reasons = [
                (status.draining, "draining: the process stops when its calls are over"),
                (status.store_stalled, "the store cannot write"),
                (status.current.is_none(), "no version takes calls"),
            ];
            reasons.into_iter().filter(|(so, _)| *so).map(|(_, why)| why).collect()
        }
    };
    let code = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(json!({ "healthy": reasons.is_empty(), "reasons": reasons }))).into_response()
}

async fn metrics(State(pages): State<Pages>) -> Response {
    if let Some(status) = pages.status().await {
        pages.metrics.versions_live.set(status.versions.len() as i64);
    }
    pages.metrics.read(pages.media.statistics(), pages.store.waiting_ms());
    match pages.metrics.text() {
        Ok(text) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn versions(State(pages): State<Pages>) -> Response {
    let Some(status) = pages.status().await else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    let history = pages.versions.history.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    let versions: Vec<Value> = (status.versions.iter())
        .map(|(graph, calls)| {
            let accepted = history.accepted.iter().find(|(known, _)| known == graph);
            json!({
                "version": graph.hex(),
                "calls": calls,
                "current": status.current == Some(*graph),
                "accepted": accepted.and_then(|(_, at)| time_to_rfc3339(time_of(*at))),
            })
        })
        .collect();
    let refused = history.refused.map(|(at, report)| {
        json!({ "at": time_to_rfc3339(time_of(at)), "text": report.text, "problems": problems(&report) })
    });
    let current = status.current.map(|graph| graph.hex());
    Json(json!({ "current": current, "calls": status.calls_live, "versions": versions, "refused": refused }))
        .into_response()
}

/// Only from this machine, and from no web page that somebody has open on it.
async fn reload(
    State(pages): State<Pages>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Response {
    if !peer.ip().to_canonical().is_loopback() || headers.contains_key(header::ORIGIN) {
        return (StatusCode::FORBIDDEN, "reload is for this machine's own command line\n").into_response();
    }
    let versions = Arc::clone(&pages.versions);
    let Ok(loaded) = tokio::task::spawn_blocking(move || versions.reload()).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let json_wanted =
        headers.get(header::ACCEPT).is_some_and(|accept| accept.as_bytes().starts_with(b"application/json"));
    let (code, version, report) = match loaded {
        Ok(accepted) => (StatusCode::OK, Some(accepted.graph.hex()), accepted.report),
        Err(report) => (StatusCode::CONFLICT, None, report),
    };
    if json_wanted {
        let body = json!({ "version": version, "text": report.text, "problems": problems(&report) });
        return (code, Json(body)).into_response();
    }
    let text = match version {
        Some(version) => format!("version {version} takes calls\n{}", report.text),
        None => format!("refused, the version before goes on\n{}", report.text),
    };
    (code, text).into_response()
}

/// A report's JSON lines as values.
fn problems(report: &Report) -> Vec<Value> {
    report.json.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}
