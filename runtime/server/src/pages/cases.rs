//! `GET /cases`: what calls left for people to look into, newest first.

use std::net::SocketAddr;

use axum::Json;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use runtime_contract::moment::time_to_rfc3339;
use runtime_store::StoredCase;
use serde::Deserialize;
use serde_json::{Value, json};

use super::guard::operator;
use super::{Pages, blocking};

/// Cases on one page.
const CASES_SHOWN_MAX: u32 = 10_000;
const CASES_SHOWN: u32 = 50;

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Wanted {
    limit: Option<u32>,
}

pub async fn cases(
    State(pages): State<Pages>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Response {
    if let Err(refused) = operator(peer, &headers) {
        return *refused;
    }
    let limit = wanted.limit.unwrap_or(CASES_SHOWN).min(CASES_SHOWN_MAX);
    match blocking(&pages, move |pages| pages.store.cases(limit)).await {
        Ok(cases) => Json(json!({ "cases": cases_to_json(&cases) })).into_response(),
        Err(refused) => refused,
    }
}

pub fn cases_to_json(cases: &[StoredCase]) -> Vec<Value> {
    let case = |case: &StoredCase| {
        json!({
            "opened": time_to_rfc3339(case.opened),
            "case": case.kind,
            "priority": case.priority,
            "call": case.call.map(|call| call.hex()),
        })
    };
    cases.iter().map(case).collect()
}
