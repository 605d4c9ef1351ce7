//! Services over HTTP: one POST for each call of an operation. It knows the site's addresses and headers; what a
//! failure means to a call is the session's business.

mod wire;

use std::collections::HashMap;
use std::time::Duration;

use axum::http::{Request, StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use runtime_contract::limits::REPLY_BYTES_MAX;
use runtime_contract::program::{Operation, Service};
use runtime_contract::record::CallId;
use runtime_contract::value::Value;
use runtime_exchange::{ServiceCall, ServiceFailure};
use runtime_session::RequestId;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use crate::site::SharedSite;

/// Requests under way at one time. Over it a call gets `failed` at once.
pub const IN_FLIGHT_MAX: usize = 10_000;
/// Idle connections that are kept for each service.
const IDLE_PER_HOST_MAX: usize = 64;
const IDLE: Duration = Duration::from_secs(60);

pub type Answer = Result<Option<Value>, ServiceFailure>;
type HttpClient = Client<HttpConnector, Full<Bytes>>;

/// All service calls of a node.
pub struct Services {
    runtime: Handle,
    client: HttpClient,
    site: SharedSite,
    in_flight: HashMap<(CallId, RequestId), AbortHandle>,
}

impl Services {
    pub fn new(runtime: Handle, site: SharedSite) -> Services {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Services { runtime, client, site, in_flight: HashMap::new() }
    }

    /// Sends the request; `answered` is called on another thread, unless the call is cancelled before.
    pub fn start(&mut self, call: ServiceCall, answered: impl FnOnce(CallId, RequestId, Answer) + Send + 'static) {
        let key = (call.call, call.request);
        if self.in_flight.len() >= IN_FLIGHT_MAX {
            return answered(key.0, key.1, Err(ServiceFailure::Overload));
        }
        let (client, site) = (self.client.clone(), self.site.clone());
        let task = self.runtime.spawn(async move {
            let within = Duration::from_millis(u64::from(call.within_ms));
            let answer = tokio::time::timeout(within, request(&client, &site, &call)).await;
            answered(key.0, key.1, answer.unwrap_or(Err(ServiceFailure::Unreachable)));
        });
        self.in_flight.insert(key, task.abort_handle());
    }

    /// To be told of each answer that came.
    pub fn finished(&mut self, call: CallId, request: RequestId) {
        self.in_flight.remove(&(call, request));
    }

    /// Drops the connection: nobody waits for the answer.
    pub fn cancel(&mut self, call: CallId, request: RequestId) {
        if let Some(task) = self.in_flight.remove(&(call, request)) {
            task.abort();
        }
    }
}

async fn request(client: &HttpClient, site: &SharedSite, call: &ServiceCall) -> Answer {
    let meta = call.program.meta();
    let Some((service, operation)) = operation(&meta.services, call) else {
        return Err(ServiceFailure::NotConfigured);
    };
    let name = format!("{}.{}", service.name, operation.name);
    let request = match build(site, call, service, operation) {
        Ok(request) => request,
        Err((failure, why)) => {
            tracing::warn!(service = name, "not sent: {why}");
            return Err(failure);
        }
    };
    let response = client.request(request).await.map_err(|error| {
        tracing::warn!(service = name, "unreachable: {}", innermost(&error));
        ServiceFailure::Unreachable
    })?;
    let status = response.status();
    let optional =
        operation.result.as_ref().is_some_and(|result| matches!(result, runtime_contract::Type::Optional(_)));
    if status == StatusCode::NOT_FOUND && optional {
        return Ok(Some(Value::None));
    }
    if !status.is_success() {
        tracing::warn!(service = name, status = status.as_u16(), "refused");
        return Err(ServiceFailure::Refused);
    }
    let Some(result) = &operation.result else { return Ok(None) };
    let body = Limited::new(response.into_body(), REPLY_BYTES_MAX).collect().await.map_err(|error| {
        tracing::warn!(service = name, "the answer broke off or is longer than {REPLY_BYTES_MAX} bytes: {error}");
        ServiceFailure::BadReply
    })?;
    match wire::json_to_result(meta, result, &body.to_bytes()) {
        Ok(value) => Ok(Some(value)),
        Err(wire::Unfit(why)) => {
            tracing::warn!(service = name, "{why}");
            Err(ServiceFailure::BadReply)
        }
    }
}

fn operation<'m>(services: &'m [Service], call: &ServiceCall) -> Option<(&'m Service, &'m Operation)> {
    let service = services.get(call.service as usize)?;
    Some((service, service.operations.get(call.operation as usize)?))
}

fn build(
    site: &SharedSite,
    call: &ServiceCall,
    service: &Service,
    operation: &Operation,
) -> Result<Request<Full<Bytes>>, (ServiceFailure, String)> {
    let site = site.load();
    let Some(place) = site.services.get(&service.name) else {
        return Err((ServiceFailure::NotConfigured, format!("strowger.yaml has no `services: {}:`", service.name)));
    };
    let body = wire::arguments_to_json(call.program.meta(), operation, &call.arguments)
        .map_err(|wire::Unfit(why)| (ServiceFailure::BadReply, why))?;
    let mut request = Request::post(format!("{}/{}", place.base.as_str(), operation.name))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "application/json");
    for (name, value) in &place.headers {
        request = request.header(name, value.reveal());
    }
    if let Some(key) = &call.idempotency_key {
        request = request.header("idempotency-key", key);
    }
    // The error names the offending part, never a header's value.
    let request = request.body(Full::new(Bytes::from(body.to_string())));
    request.map_err(|error| (ServiceFailure::NotConfigured, format!("check `services: {}:` ({error})", service.name)))
}

/// The cause that says something: "connection refused" rather than "client error".
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests;
