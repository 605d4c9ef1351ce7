//! Versions for operators: which serve, which were refused, and the doors by which they are changed.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use runtime_contract::moment::time_to_rfc3339;
use runtime_contract::program::Report;
use runtime_exchange::SHARE_ALL;
use runtime_store::{AuditEntry, StoredVersion};
use serde::Deserialize;
use serde_json::{Value, json};

use super::guard::operator;
use super::{Pages, blocking, no_answer};
use crate::node::Status;
use crate::versions::{Accepted, Actor, Deploy, Versions, time_of};

/// Entries of the audit log on one page.
const AUDIT_SHOWN_MAX: u32 = 10_000;
const AUDIT_SHOWN: u32 = 50;

pub async fn versions(State(pages): State<Pages>) -> Response {
    let Some(status) = pages.status().await else { return no_answer() };
    let stored = match blocking(&pages, |pages| pages.store.versions()).await {
        Ok(stored) => stored,
        Err(refused) => return refused,
    };
    let history = pages.versions.history.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    let refused = history.refused.map(|(at, report)| {
        json!({ "at": time_to_rfc3339(time_of(at)), "text": report.text, "problems": problems(&report) })
    });
    let taken_back = history
        .taken_back
        .map(|(at, graph, why)| json!({ "at": time_to_rfc3339(time_of(at)), "version": graph.hex(), "why": why }));
    Json(json!({
        "current": status.current.map(|graph| graph.hex()),
        "canary": status.canary.map(|graph| graph.hex()),
        "calls": status.calls_live,
        "versions": versions_to_json(&stored, Some(&status)),
        "refused": refused,
        "taken_back": taken_back,
    }))
    .into_response()
}

/// Versions as they are kept, the last deployed first; with their calls and faults where a server runs.
pub fn versions_to_json(stored: &[StoredVersion], status: Option<&Status>) -> Vec<Value> {
    let running = |stored: &StoredVersion| status?.versions.iter().find(|running| running.graph == stored.graph);
    let mut shown: Vec<Value> = stored
        .iter()
        .map(|version| {
            let running = running(version);
            json!({
                "version": version.graph.hex(),
                "state": version.state.name(),
                "share": (version.share > 0).then(|| f64::from(version.share) / f64::from(SHARE_ALL)),
                "at": time_to_rfc3339(version.at),
                "who": version.who,
                "calls": running.map_or(0, |running| running.calls),
                "faults": running.map_or(0, |running| running.faults),
                "current": status.is_some_and(|status| status.current == Some(version.graph)),
            })
        })
        .collect();
    // Calls that were taken up after a crash may run in a version that is not in the list any more.
    let unlisted = status.into_iter().flat_map(|status| &status.versions);
    let unlisted = unlisted.filter(|running| stored.iter().all(|version| version.graph != running.graph));
    shown.extend(unlisted.map(|running| {
        json!({
            "version": running.graph.hex(), "state": "ending", "share": null, "at": null, "who": null,
            "calls": running.calls, "faults": running.faults, "current": false,
        })
    }));
    shown
}

pub async fn reload(
    State(pages): State<Pages>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Response {
    change(pages, peer, &headers, |versions, actor| versions.reload(actor)).await
}

/// What `POST /deploy` may be told; nothing is the server's own folder for all new calls.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Wanted {
    /// Another folder on this machine, its whole path.
    folder: Option<PathBuf>,
    /// For this share of new calls: 0.05 is 5 %.
    canary: Option<f64>,
    /// The canary takes all new calls.
    promote: bool,
}

pub async fn deploy(
    State(pages): State<Pages>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let wanted: Wanted = match body.is_empty() {
        true => Wanted::default(),
        false => match serde_json::from_slice(&body) {
            Ok(wanted) => wanted,
            Err(error) => return wrong(&format!("this is no deploy: {error}")),
        },
    };
    let folder = wanted.folder.unwrap_or_else(|| pages.versions.folder.clone());
    let deploy = match (wanted.canary, wanted.promote) {
        (None, false) => Deploy::Folder(folder),
        (None, true) => Deploy::Promote,
        (Some(share), false) => {
            let share = (share * f64::from(SHARE_ALL)).round();
            if !(1.0..f64::from(SHARE_ALL)).contains(&share) {
                return wrong("a canary takes more than nothing and less than all: write a share like 5%");
            }
            Deploy::Canary(folder, share as u32)
        }
        (Some(_), true) => return wrong("promote, or begin a canary: one of the two"),
    };
    change(pages, peer, &headers, move |versions, actor| versions.deploy(deploy, actor)).await
}

pub async fn rollback(
    State(pages): State<Pages>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Response {
    change(pages, peer, &headers, |versions, actor| versions.roll_back(actor)).await
}

fn wrong(why: &str) -> Response {
    (StatusCode::BAD_REQUEST, format!("{why}\n")).into_response()
}

async fn change(
    pages: Pages,
    peer: SocketAddr,
    headers: &HeaderMap,
    act: impl FnOnce(&Versions, &Actor) -> Result<Accepted, Report> + Send + 'static,
) -> Response {
    let actor = match operator(peer, headers) {
        Ok(actor) => actor,
        Err(refused) => return *refused,
    };
    let versions = Arc::clone(&pages.versions);
    let Ok(loaded) = tokio::task::spawn_blocking(move || act(&versions, &actor)).await else {
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

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditWanted {
    limit: Option<u32>,
}

pub async fn audit(
    State(pages): State<Pages>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Query(wanted): Query<AuditWanted>,
) -> Response {
    if let Err(refused) = operator(peer, &headers) {
        return *refused;
    }
    let limit = wanted.limit.unwrap_or(AUDIT_SHOWN).min(AUDIT_SHOWN_MAX);
    match blocking(&pages, move |pages| pages.store.audit(limit)).await {
        Ok(entries) => Json(json!({ "audit": audit_to_json(&entries) })).into_response(),
        Err(refused) => refused,
    }
}

pub fn audit_to_json(entries: &[AuditEntry]) -> Vec<Value> {
    let entry = |entry: &AuditEntry| {
        json!({
            "at": time_to_rfc3339(entry.at),
            "who": entry.who,
            "peer": entry.peer,
            "what": entry.what,
            "version": entry.graph.map(|graph| graph.hex()),
            "detail": entry.detail,
        })
    };
    entries.iter().map(entry).collect()
}

/// A report's JSON lines as values.
fn problems(report: &Report) -> Vec<Value> {
    report.json.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}
