//! A small HTTP service on loopback that answers the operations of a flow: for `demo`, tests and trying things out.
//! It is not the client that calls services.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::runtime::Runtime;

/// One call of an operation.
pub struct Asked<'a> {
    /// Path without the leading slash: `crm/balance` for base `http://…/crm`.
    pub operation: &'a str,
    /// The arguments by name; `null` when the body is no JSON.
    pub arguments: Value,
    pub idempotency_key: Option<&'a str>,
}

/// HTTP status and JSON body.
pub type Reply = (u16, Value);

/// Serves until it is dropped.
pub struct Responder {
    /// Where it listens; `http://{address}` is the base of what it serves.
    pub address: SocketAddr,
    runtime: Option<Runtime>,
}

impl Responder {
    /// Answers by a function, on a free port of loopback.
    pub fn start(answer: impl Fn(Asked<'_>) -> Reply + Send + Sync + 'static) -> std::io::Result<Responder> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listener = runtime.block_on(tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let address = listener.local_addr()?;
        let answer = Arc::new(answer);
        let router = Router::new().fallback(move |uri: Uri, headers: HeaderMap, body: Bytes| {
            let answer = Arc::clone(&answer);
            async move {
                let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok());
                let arguments = serde_json::from_slice(&body).unwrap_or(Value::Null);
                let operation = uri.path().trim_start_matches('/');
                response(answer(Asked { operation, arguments, idempotency_key: key }))
            }
        });
        runtime.spawn(async move { axum::serve(listener, router).await });
        Ok(Responder { address, runtime: Some(runtime) })
    }

    /// Answers by a table from operation to result; an operation that is not in it gets 404.
    pub fn from_table(table: BTreeMap<String, Value>) -> std::io::Result<Responder> {
        Responder::start(move |asked| match table.get(asked.operation) {
            Some(result) => (200, result.clone()),
            None => (404, Value::Null),
        })
    }
}

fn response((status, body): Reply) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

impl Drop for Responder {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
