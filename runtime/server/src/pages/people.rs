//! `GET /trunks` and `GET /phones`: which ways lead out, and who is registered. Addresses of people are not shown.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{Pages, no_answer};

pub async fn trunks(State(pages): State<Pages>) -> Response {
    let Some(status) = pages.status().await else { return no_answer() };
    let trunks: Vec<Value> = (status.trunks.iter())
        .map(|trunk| {
            let why = (!trunk.why.is_empty()).then_some(&trunk.why);
            json!({ "trunk": trunk.name, "up": trunk.up, "registered": trunk.registered, "why": why })
        })
        .collect();
    Json(json!({ "trunks": trunks })).into_response()
}

pub async fn phones(State(pages): State<Pages>) -> Response {
    let Some(status) = pages.status().await else { return no_answer() };
    let phones: Vec<Value> = (status.phones.iter())
        .map(|phone| {
            let left_s = phone.places_left_s.iter().max();
            json!({ "extension": phone.extension, "places": phone.places_left_s.len(), "seconds_left": left_s })
        })
        .collect();
    Json(json!({ "phones": phones })).into_response()
}
