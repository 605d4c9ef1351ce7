//! Traces of calls for an OpenTelemetry collector: one for each call, with a span for each request, named by its site
//! and its place in the source. OTLP over HTTP as JSON (OTLP 1.0 §"JSON Protobuf Encoding"), which is a page of code;
//! the client libraries bring a runtime of their own. It holds no number, key, text or value, and no call waits for it:
//! what does not fit in the queue is dropped and counted.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{Request, header};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use runtime_contract::program::SiteKind;
use runtime_contract::record::CallId;
use runtime_contract::{ProgramMeta, SiteId, Time};
use runtime_exchange::{TraceEvent, TraceWhat};
use runtime_session::Trace;
use serde_json::{Value, json};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::config::Base;
use crate::metrics::Metrics;

/// Spans that wait to be sent.
const QUEUE_MAX: usize = 8_192;
/// Spans in one message, and how long the first of them waits for others.
const BATCH_MAX: usize = 512;
const BATCH_WAIT: Duration = Duration::from_secs(1);
/// Time for the collector's answer.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// OTLP's numbers: a span kind SERVER, INTERNAL; a status ERROR.
const SERVER: u8 = 2;
const INTERNAL: u8 = 1;
const ERROR: u8 = 2;
/// Span ids count up from here within a trace; this is the call itself.
const ROOT: u64 = 1;

/// A span that is over.
struct Span {
    call: CallId,
    id: u64,
    name: String,
    begun: Time,
    ended: Time,
    attributes: Vec<(&'static str, Value)>,
    failed: bool,
}

/// A call that is traced.
struct Open {
    begun: Time,
    flow: String,
    version: String,
    spans: u64,
    faults: u64,
    /// The outstanding request.
    request: Option<(SiteId, Time)>,
}

/// The side of the node.
pub struct Traces {
    calls: HashMap<CallId, Open>,
    queue: Sender<Span>,
    metrics: Arc<Metrics>,
}

impl Traces {
    /// Sends to a collector from now on, on the runtime's threads.
    pub fn start(endpoint: &Base, runtime: &tokio::runtime::Handle, metrics: Arc<Metrics>) -> Traces {
        let (queue, spans) = channel(QUEUE_MAX);
        runtime.spawn(send(format!("{}/v1/traces", endpoint.as_str()), spans, Arc::clone(&metrics)));
        Traces { calls: HashMap::new(), queue, metrics }
    }

    pub fn take(&mut self, event: &TraceEvent) {
        let meta = event.program.meta();
        let now = event.now.time;
        match &event.what {
            TraceWhat::Session(Trace::At(site)) => self.at(event, meta, *site),
            TraceWhat::Session(Trace::Outcome { site, outcome }) => {
                let name = meta.request(*site).map_or("?", |request| request.outcome_name(*outcome));
                self.over(event.call, meta, now, name, false);
            }
            TraceWhat::Session(Trace::Left(_)) => self.over(event.call, meta, now, "left", false),
            TraceWhat::Session(Trace::Fault { kind, .. }) => {
                if let Some(call) = self.calls.get_mut(&event.call) {
                    call.faults += 1;
                }
                self.over(event.call, meta, now, kind.name(), true);
            }
            TraceWhat::Ended => {
                self.over(event.call, meta, now, "ended", false);
                self.end(event.call, now);
            }
            _ => {}
        }
    }

    fn at(&mut self, event: &TraceEvent, meta: &ProgramMeta, site: SiteId) {
        self.over(event.call, meta, event.now.time, "done", false);
        let flow = meta.site(site).and_then(|site| meta.flow(site.flow)).map_or("?", |flow| flow.name.as_str());
        let call = self.calls.entry(event.call).or_insert_with(|| Open {
            begun: event.now.time,
            flow: flow.to_owned(),
            version: meta.graph_id.short(),
            spans: ROOT,
            faults: 0,
            request: None,
        });
        call.request = Some((site, event.now.time));
    }

    /// The outstanding request came to this.
    fn over(&mut self, id: CallId, meta: &ProgramMeta, now: Time, outcome: &str, failed: bool) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some((site, begun)) = call.request.take() else { return };
        call.spans += 1;
        let Some(info) = meta.site(site) else { return };
        let file = meta.files.get(info.place.file as usize).map_or("?", String::as_str);
        let mut attributes = vec![
            ("code.filepath", json!(file)),
            ("code.lineno", json!(info.place.line)),
            ("strowger.step", json!(info.step)),
            ("strowger.outcome", json!(outcome)),
        ];
        if let SiteKind::Request(runtime_contract::Request::Service(asked)) = &info.kind
            && let Some(service) = meta.services.get(asked.service as usize)
            && let Some(operation) = service.operations.get(asked.operation as usize)
        {
            attributes.push(("strowger.service", json!(format!("{}.{}", service.name, operation.name))));
        }
        let span = Span { call: id, id: call.spans, name: info.key.clone(), begun, ended: now, attributes, failed };
        self.put(span);
    }

    fn end(&mut self, id: CallId, now: Time) {
        let Some(call) = self.calls.remove(&id) else { return };
        let attributes = vec![
            ("strowger.flow", json!(call.flow)),
            ("strowger.version", json!(call.version)),
            ("strowger.faults", json!(call.faults)),
        ];
        let name = format!("call {}", call.flow);
        self.put(Span { call: id, id: ROOT, name, begun: call.begun, ended: now, attributes, failed: call.faults > 0 });
    }

    fn put(&self, span: Span) {
        if self.queue.try_send(span).is_err() {
            self.metrics.traces_lost.inc();
        }
    }
}

impl Span {
    fn to_json(&self) -> Value {
        // Milliseconds to nanoseconds, as decimal text (64-bit numbers in Protobuf's JSON).
        let nanoseconds = |at: Time| (i128::from(at.0) * 1_000_000).to_string();
        let attribute = |(key, value): &(&str, Value)| {
            let value = match value.as_u64() {
                Some(number) => json!({ "intValue": number.to_string() }),
                None => json!({ "stringValue": value }),
            };
            json!({ "key": key, "value": value })
        };
        let is_root = self.id == ROOT;
        let mut span = json!({
            "traceId": self.call.hex(),
            "spanId": format!("{:016x}", self.id),
            "name": self.name,
            "kind": if is_root { SERVER } else { INTERNAL },
            "startTimeUnixNano": nanoseconds(self.begun),
            "endTimeUnixNano": nanoseconds(self.ended),
            "attributes": self.attributes.iter().map(attribute).collect::<Vec<_>>(),
        });
        if let Some(fields) = span.as_object_mut() {
            if !is_root {
                fields.insert("parentSpanId".into(), json!(format!("{ROOT:016x}")));
            }
            if self.failed {
                fields.insert("status".into(), json!({ "code": ERROR }));
            }
        }
        span
    }
}

/// Until the node lets go of its side, and all that waits is sent or given up.
async fn send(url: String, mut spans: Receiver<Span>, metrics: Arc<Metrics>) {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<bytes::Bytes>>();
    let mut said = false;
    while let Some(first) = spans.recv().await {
        let mut batch = vec![first];
        let gathered = async {
            while batch.len() < BATCH_MAX
                && let Some(span) = spans.recv().await
            {
                batch.push(span);
            }
        };
        // Time alone ends it; what was gathered is there.
        let _ = tokio::time::timeout(BATCH_WAIT, gathered).await;
        let count = batch.len() as u64;
        match post(&client, &url, message(&batch)).await {
            Ok(()) => said = false,
            Err(why) => {
                metrics.traces_lost.inc_by(count);
                if !std::mem::replace(&mut said, true) {
                    tracing::warn!("traces are lost: {why}; check `traces: endpoint:` and the collector");
                }
            }
        }
    }
}

fn message(batch: &[Span]) -> Vec<u8> {
    let text = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
    let spans: Vec<Value> = batch.iter().map(Span::to_json).collect();
    let message = json!({ "resourceSpans": [{
        "resource": { "attributes": [
            text("service.name", "strowger"),
            text("service.version", env!("CARGO_PKG_VERSION")),
        ] },
        "scopeSpans": [{ "scope": { "name": "strowger" }, "spans": spans }],
    }] });
    message.to_string().into_bytes()
}

async fn post(
    client: &Client<hyper_util::client::legacy::connect::HttpConnector, Full<bytes::Bytes>>,
    url: &str,
    body: Vec<u8>,
) -> Result<(), String> {
    let request = Request::post(url)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(bytes::Bytes::from(body)))
        .map_err(|error| error.to_string())?;
    let answer = tokio::time::timeout(ANSWER_MAX, client.request(request)).await;
    let answer = answer.map_err(|_| "the collector does not answer".to_owned())?.map_err(|error| error.to_string())?;
    match answer.status().is_success() {
        true => Ok(()),
        false => Err(format!("the collector answers {}", answer.status())),
    }
}
