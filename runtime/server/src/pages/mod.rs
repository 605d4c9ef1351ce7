//! The HTTP side for operators: health, metrics, calls, versions, audit. It asks the node how it is and changes
//! nothing by itself.

mod answers;
mod calls;
mod cases;
mod guard;
mod people;
mod top;
mod versions;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use runtime_media::Media;
use runtime_store::{Store, StoreError};
use serde_json::json;
use tokio::sync::oneshot;

use crate::inbox::Door;
use crate::metrics::Metrics;
use crate::node::{Live, Message, Status};
use crate::versions::Versions;

pub use answers::answers_to_json;
pub use calls::{call_to_json, erased_text, erased_to_json};
pub use cases::cases_to_json;
pub use guard::USER_HEADER;
pub use versions::{audit_to_json, versions_to_json};

/// A node that does not answer for so long is not healthy.
const ANSWER_MAX: Duration = Duration::from_secs(1);

#[derive(Clone)]
pub struct Pages {
    pub door: Door<Message>,
    pub versions: Arc<Versions>,
    pub metrics: Arc<Metrics>,
    pub media: Arc<Media>,
    pub store: Arc<Store>,
    pub started: Instant,
}

impl Pages {
    pub fn router(self) -> Router {
        Router::new()
            .route("/healthz", get(health))
            .route("/metrics", get(metrics))
            .route("/top", get(top::top))
            .route("/calls", get(calls::calls))
            .route("/calls/{call}", get(calls::call))
            .route("/calls/{call}/journal", get(calls::journal))
            .route("/cases", get(cases::cases))
            .route("/answers", get(answers::answers))
            .route("/erase", post(calls::erase))
            .route("/versions", get(versions::versions))
            .route("/versions/{version}/graph", get(calls::graph))
            .route("/reload", post(versions::reload))
            .route("/deploy", post(versions::deploy))
            .route("/rollback", post(versions::rollback))
            .route("/trunks", get(people::trunks))
            .route("/phones", get(people::phones))
            .route("/audit", get(versions::audit))
            .with_state(self)
    }

    /// `None` when the node does not answer.
    async fn status(&self) -> Option<Status> {
        let (ask, answer) = oneshot::channel();
        self.door.send(Message::Status(ask));
        tokio::time::timeout(ANSWER_MAX, answer).await.ok()?.ok()
    }

    /// The same; with so many calls at most.
    async fn look(&self, calls_max: usize) -> Option<Live> {
        let (ask, answer) = oneshot::channel();
        self.door.send(Message::Look { calls_max, answer: ask });
        tokio::time::timeout(ANSWER_MAX, answer).await.ok()?.ok()
    }
}

/// A question to the store, on a thread that may wait for the disk.
async fn blocking<T: Send + 'static>(
    pages: &Pages,
    ask: impl FnOnce(&Pages) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Response> {
    let pages = pages.clone();
    match tokio::task::spawn_blocking(move || ask(&pages)).await {
        Ok(answer) => answer.map_err(|error| calls::store_failed(&error)),
        Err(_) => Err(StatusCode::INTERNAL_SERVER_ERROR.into_response()),
    }
}

fn no_answer() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, "the node does not answer\n").into_response()
}

async fn health(State(pages): State<Pages>) -> Response {
    let reasons = match pages.status().await {
        None => vec!["the node does not answer".to_owned()],
        Some(status) => {
            let store = match &status.store_failure {
                Some(why) => format!("the store cannot write: {why}"),
                None => "the store does not keep up".to_owned(),
            };
            let reasons = [
                (status.draining, "draining: the process stops when its calls are over".to_owned()),
                (status.store_stalled, store),
                (status.current.is_none(), "no version takes calls".to_owned()),
            ];
            reasons.into_iter().filter(|(so, _)| *so).map(|(_, why)| why).collect()
        }
    };
    let code = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(json!({ "healthy": reasons.is_empty(), "reasons": reasons }))).into_response()
}

async fn metrics(State(pages): State<Pages>) -> Response {
    if let Some(status) = pages.status().await {
        pages.metrics.read_versions(&status);
        pages.metrics.read_people(&status);
    }
    pages.metrics.read(pages.media.statistics(), &pages.store);
    match pages.metrics.text() {
        Ok(text) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
