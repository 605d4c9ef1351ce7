//! `GET /answers`: what was answered in surveys, newest first, and how often each answer was given. Words of people stay
//! marks unless they are asked for.

use std::net::SocketAddr;

use axum::Json;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use runtime_contract::moment::time_to_rfc3339;
use runtime_store::{AnswerCount, StoredAnswer};
use serde::Deserialize;
use serde_json::{Value, json};

use super::guard::operator;
use super::{Pages, blocking};

/// Answers on one page.
const ANSWERS_SHOWN_MAX: u32 = 10_000;
const ANSWERS_SHOWN: u32 = 50;

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Wanted {
    limit: Option<u32>,
    reveal: bool,
}

pub async fn answers(
    State(pages): State<Pages>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Response {
    if let Err(refused) = operator(peer, &headers) {
        return *refused;
    }
    let limit = wanted.limit.unwrap_or(ANSWERS_SHOWN).min(ANSWERS_SHOWN_MAX);
    let found = blocking(&pages, move |pages| Ok((pages.store.answers(limit)?, pages.store.answer_counts()?))).await;
    match found {
        Ok((answers, counts)) => Json(answers_to_json(&answers, &counts, wanted.reveal)).into_response(),
        Err(refused) => refused,
    }
}

pub fn answers_to_json(answers: &[StoredAnswer], counts: &[AnswerCount], reveal: bool) -> Value {
    let answer = |answer: &StoredAnswer| {
        let is_hidden = answer.personal && !reveal && !answer.value.reveal().is_empty();
        json!({
            "given": time_to_rfc3339(answer.given),
            "survey": answer.survey,
            "question": answer.question,
            "queue": answer.queue,
            "value": if is_hidden { "•" } else { answer.value.reveal() },
            "recording": answer.recording,
            "call": answer.call.hex(),
        })
    };
    let count = |count: &AnswerCount| json!({ "survey": count.survey, "question": count.question, "value": count.value, "count": count.count });
    json!({
        "answers": answers.iter().map(answer).collect::<Vec<_>>(),
        "counts": counts.iter().map(count).collect::<Vec<_>>(),
    })
}
