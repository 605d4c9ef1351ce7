//! Calls for operators: those going on and those that are over. Numbers and notes are shown as marks unless somebody
//! asks for them by name; journals are for this machine's command line, which makes a transcript of them.

use std::net::SocketAddr;

use axum::Json;
use axum::extract::{ConnectInfo, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use runtime_contract::record::{CallId, CallRecord};
use runtime_contract::{GraphId, Redacted, Time};
use runtime_store::{CallFilter, Erased, StoreError};
use serde::Deserialize;
use serde_json::{Value, json};

use super::guard::operator;
use super::{Pages, blocking, no_answer};
use crate::node::LiveCall;

/// Calls on one page.
pub const CALLS_SHOWN_MAX: u32 = 10_000;
const CALLS_SHOWN: u32 = 50;

/// What the page of calls may be asked.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Wanted {
    /// The whole number with its `+`, or its last digits.
    pub caller: Option<Redactable>,
    pub flow: Option<String>,
    pub since_ms: Option<i64>,
    pub end: Option<String>,
    pub limit: Option<u32>,
    /// Those going on, and no others.
    pub live: bool,
    /// Numbers and notes in the clear.
    pub reveal: bool,
}

/// A number on its way in; shows as a mark.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "String")]
pub struct Redactable(pub Redacted<String>);

impl From<String> for Redactable {
    fn from(text: String) -> Redactable {
        Redactable(Redacted::new(text))
    }
}

impl Wanted {
    pub fn filter(&self) -> CallFilter {
        CallFilter {
            caller: self.caller.as_ref().map(|caller| caller.0.clone()),
            flow: self.flow.clone(),
            since: self.since_ms.map(Time),
            end: self.end.clone(),
            limit: self.limit.unwrap_or(CALLS_SHOWN).min(CALLS_SHOWN_MAX),
        }
    }

    fn takes(&self, record: &CallRecord) -> bool {
        let caller = |wanted: &Redactable| {
            let wanted = wanted.0.reveal();
            let caller = record.caller.as_ref().map_or("", |caller| caller.reveal());
            if wanted.starts_with('+') { caller == wanted } else { caller.ends_with(wanted.as_str()) }
        };
        let flow =
            |flow: &String| record.flow == *flow || record.flow.rsplit_once('.').is_some_and(|(_, name)| name == flow);
        self.caller.as_ref().is_none_or(caller)
            && self.flow.as_ref().is_none_or(flow)
            && self.since_ms.is_none_or(|since| record.started.0 >= since)
            && self.end.is_none()
    }
}

/// A call record as JSON. `None` stands for what is not known yet.
pub fn call_to_json(record: &CallRecord, reveal: bool) -> Value {
    let number = |number: &Redacted<String>| if reveal { number.reveal().clone() } else { number.ending() };
    let notes: serde_json::Map<String, Value> = record
        .notes
        .iter()
        .map(|(key, value)| (key.clone(), json!(if reveal { value.reveal().as_str() } else { "•••" })))
        .collect();
    let over = record.ended.0 != 0;
    json!({
        "call": record.call.hex(),
        "call_id": if reveal { json!(record.leg_call_id) } else { Value::Null },
        "version": record.graph.hex(),
        "flow": record.flow,
        "caller": record.caller.as_ref().map(number),
        "called": record.called,
        "started_ms": record.started.0,
        "answered_ms": record.answered.map(|at| at.0),
        "ended_ms": over.then_some(record.ended.0),
        "end": over.then_some(&record.end),
        "last_step": over.then_some(&record.last_step),
        "notes": notes,
        "faults": record.faults,
        "recordings": record.recordings,
        "quality": record.quality,
    })
}

fn live_to_json(call: &LiveCall, reveal: bool) -> Value {
    let mut value = call_to_json(&call.record, reveal);
    if let Some(fields) = value.as_object_mut() {
        fields.insert("live".into(), json!(true));
        fields.insert("step".into(), json!(call.step));
        fields.insert("place".into(), json!(call.place));
        fields.insert("line".into(), json!(call.line));
    }
    value
}

pub async fn calls(
    State(pages): State<Pages>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Response {
    if let Err(refused) = operator(peer, &headers) {
        return *refused;
    }
    let filter = wanted.filter();
    let Some(live) = pages.look(CALLS_SHOWN_MAX as usize).await else { return no_answer() };
    let mut going_on: Vec<LiveCall> = live.calls.into_iter().filter(|call| wanted.takes(&call.record)).collect();
    going_on.sort_by_key(|call| std::cmp::Reverse(call.record.started));
    going_on.truncate(filter.limit as usize);
    let mut calls: Vec<Value> = going_on.iter().map(|call| live_to_json(call, wanted.reveal)).collect();
    if !wanted.live {
        let left = filter.limit.saturating_sub(calls.len() as u32);
        let records = blocking(&pages, move |pages| pages.store.records(&CallFilter { limit: left, ..filter })).await;
        match records {
            Ok(records) => calls.extend(records.iter().map(|record| call_to_json(record, wanted.reveal))),
            Err(refused) => return refused,
        }
    }
    Json(json!({ "calls": calls })).into_response()
}

/// What a page of one call may be asked.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Shown {
    reveal: bool,
}

/// One call, by its whole id or the last digits of it.
pub async fn call(
    State(pages): State<Pages>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Query(shown): Query<Shown>,
) -> Response {
    if let Err(refused) = operator(peer, &headers) {
        return *refused;
    }
    let Some(live) = pages.look(usize::MAX).await else { return no_answer() };
    let id = match found(&pages, &live.calls, id).await {
        Ok(id) => id,
        Err(refused) => return refused,
    };
    if let Some(call) = live.calls.iter().find(|call| call.record.call == id) {
        return Json(live_to_json(call, shown.reveal)).into_response();
    }
    match blocking(&pages, move |pages| pages.store.call(id)).await {
        Ok(Some(call)) => {
            let mut value = call_to_json(&call.record, shown.reveal);
            if let Some(fields) = value.as_object_mut() {
                fields.insert("erased_ms".into(), json!(call.erased.map(|at| at.0)));
            }
            Json(value).into_response()
        }
        Ok(None) => no_call(),
        Err(refused) => refused,
    }
}

/// The bytes of a call's journal, as far as they are durable.
pub async fn journal(
    State(pages): State<Pages>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    if let Err(refused) = operator(peer, &headers) {
        return *refused;
    }
    let Some(id) = CallId::parse(&id) else { return no_call() };
    let found = blocking(&pages, move |pages| {
        if let Some(call) = pages.store.call(id)? {
            return Ok(Some(call.journal));
        }
        Ok(pages.store.open_calls()?.into_iter().find(|call| call.call == id).map(|call| call.journal))
    });
    match found.await {
        Ok(Some(journal)) => journal.into_response(),
        Ok(None) => no_call(),
        Err(refused) => refused,
    }
}

/// The bytes of a version's graph.
pub async fn graph(
    State(pages): State<Pages>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path(graph): Path<String>,
) -> Response {
    if let Err(refused) = operator(peer, &headers) {
        return *refused;
    }
    let Some(graph) = GraphId::parse(&graph) else { return no_version() };
    match blocking(&pages, move |pages| pages.store.graph(graph)).await {
        Ok(Some(bytes)) => bytes.into_response(),
        Ok(None) => no_version(),
        Err(refused) => refused,
    }
}

/// Whom `POST /erase` is to take out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    number: Redactable,
}

pub async fn erase(
    State(pages): State<Pages>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Json(person): Json<Person>,
) -> Response {
    let actor = match operator(peer, &headers) {
        Ok(actor) => actor,
        Err(refused) => return *refused,
    };
    let erased = blocking(&pages, move |pages| {
        let at = crate::versions::time_of(std::time::SystemTime::now());
        let erased = pages
            .store
            .erase(person.number.0.reveal(), at, &|journal| runtime_session::journal::blank(journal).ok())?;
        pages.versions.audit("erase", None, &erased_text(&erased), &actor);
        Ok(erased)
    });
    match erased.await {
        Ok(erased) => Json(erased_to_json(&erased)).into_response(),
        Err(refused) => refused,
    }
}

pub fn erased_to_json(erased: &Erased) -> Value {
    let Erased { calls, mentions, recordings, going_on } = erased;
    json!({ "calls": calls, "mentions": mentions, "recordings": recordings, "going_on": going_on })
}

/// Counts alone: the audit log names no caller.
pub fn erased_text(erased: &Erased) -> String {
    let Erased { calls, mentions, recordings, going_on } = erased;
    format!("{calls} calls, {mentions} mentions, {recordings} recordings; {going_on} calls going on")
}

/// The call that is meant by the last digits of its id.
async fn found(pages: &Pages, live: &[LiveCall], ending: String) -> Result<CallId, Response> {
    if let Some(id) = CallId::parse(&ending) {
        return Ok(id);
    }
    let ending = ending.to_ascii_lowercase();
    if ending.len() < 4 || !ending.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(no_call());
    }
    let ends = |id: &CallId| id.hex().ends_with(&ending);
    let mut ids: Vec<CallId> = live.iter().map(|call| call.record.call).filter(ends).collect();
    let wanted = ending.clone();
    ids.extend(blocking(pages, move |pages| pages.store.call_ids(&wanted)).await?);
    ids.dedup();
    match ids.as_slice() {
        [id] => Ok(*id),
        [] => Err(no_call()),
        _ => Err((StatusCode::CONFLICT, "more than one call ends so; give more digits\n").into_response()),
    }
}

fn no_call() -> Response {
    (StatusCode::NOT_FOUND, "there is no such call\n").into_response()
}

fn no_version() -> Response {
    (StatusCode::NOT_FOUND, "there is no such version\n").into_response()
}

pub fn store_failed(error: &StoreError) -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}; {}\n", error.help)).into_response()
}
