//! Where an operator's commands read: a running server, or a data folder beside one or without one.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use runtime_contract::record::CallId;
use runtime_contract::{GraphId, Redacted, Time};
use runtime_server::{answers_to_json, audit_to_json, call_to_json, cases_to_json, versions_to_json};
use runtime_store::{Archive, CallFilter, StoreError};
use serde_json::{Value, json};

use crate::http::{self, encode};
use crate::show::{Failure, Result};

#[derive(Args)]
pub struct Source {
    /// The server's HTTP address
    #[arg(long, default_value = "127.0.0.1:8060")]
    http: SocketAddr,
    /// Read this data folder instead of asking a server
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
}

/// Which calls are wanted.
#[derive(Default)]
pub struct Wanted {
    pub caller: Option<String>,
    pub flow: Option<String>,
    pub since: Option<Time>,
    pub end: Option<String>,
    pub limit: u32,
    pub live: bool,
    pub reveal: bool,
}

/// A call with what is needed to tell it again.
pub struct Kept {
    pub record: Value,
    pub journal: Vec<u8>,
    pub graph: Vec<u8>,
}

pub fn store_failure(error: &StoreError) -> Failure {
    Failure::new(error.to_string(), &error.help)
}

impl Source {
    fn archive(&self) -> Result<Option<Archive>> {
        self.data.as_ref().map(|data| Archive::open(data).map_err(|error| store_failure(&error))).transpose()
    }

    pub fn is_server(&self) -> bool {
        self.data.is_none()
    }

    /// Newest first; those going on before those that are over.
    pub fn calls(&self, wanted: &Wanted) -> Result<Vec<Value>> {
        let Wanted { caller, flow, since, end, limit, live, reveal } = wanted;
        if let Some(archive) = self.archive()? {
            let filter = CallFilter {
                caller: caller.clone().map(Redacted::new),
                flow: flow.clone(),
                since: *since,
                end: end.clone(),
                limit: *limit,
            };
            let records = archive.records(&filter).map_err(|error| store_failure(&error))?;
            return Ok(records.iter().map(|record| call_to_json(record, *reveal)).collect());
        }
        let mut path = format!("/calls?limit={limit}&live={live}&reveal={reveal}");
        for (key, value) in [("caller", caller), ("flow", flow), ("end", end)] {
            if let Some(value) = value {
                path.push_str(&format!("&{key}={}", encode(value)));
            }
        }
        if let Some(since) = since {
            path.push_str(&format!("&since_ms={}", since.0));
        }
        let mut answer = http::get(self.http, &path)?.json()?;
        Ok(answer.get_mut("calls").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default())
    }

    /// A call by the last digits of its id.
    pub fn call(&self, id: &str, reveal: bool) -> Result<Kept> {
        match self.archive()? {
            Some(archive) => kept_in(&archive, id, reveal),
            None => {
                let record = http::get(self.http, &format!("/calls/{}?reveal={reveal}", encode(id)))?.json()?;
                let text = |key: &str| record.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
                let journal = http::get(self.http, &format!("/calls/{}/journal", text("call")))?.bytes()?.to_vec();
                let graph = http::get(self.http, &format!("/versions/{}/graph", text("version")))?.bytes()?.to_vec();
                Ok(Kept { record, journal, graph })
            }
        }
    }

    /// As the server's page of versions.
    pub fn versions(&self) -> Result<Value> {
        let Some(archive) = self.archive()? else { return http::get(self.http, "/versions")?.json() };
        let stored = archive.versions().map_err(|error| store_failure(&error))?;
        Ok(json!({ "versions": versions_to_json(&stored, None) }))
    }

    /// Newest first.
    pub fn cases(&self, limit: u32) -> Result<Vec<Value>> {
        match self.archive()? {
            Some(archive) => Ok(cases_to_json(&archive.cases(limit).map_err(|error| store_failure(&error))?)),
            None => {
                let mut answer = http::get(self.http, &format!("/cases?limit={limit}"))?.json()?;
                Ok(answer.get_mut("cases").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default())
            }
        }
    }

    /// As the server's page of answers.
    pub fn answers(&self, limit: u32, reveal: bool) -> Result<Value> {
        let Some(archive) = self.archive()? else {
            return http::get(self.http, &format!("/answers?limit={limit}&reveal={reveal}"))?.json();
        };
        let failed = |error: StoreError| store_failure(&error);
        let (answers, counts) = (archive.answers(limit).map_err(failed)?, archive.answer_counts().map_err(failed)?);
        Ok(answers_to_json(&answers, &counts, reveal))
    }

    pub fn audit(&self, limit: u32) -> Result<Vec<Value>> {
        match self.archive()? {
            Some(archive) => Ok(audit_to_json(&archive.audit(limit).map_err(|error| store_failure(&error))?)),
            None => {
                let mut answer = http::get(self.http, &format!("/audit?limit={limit}"))?.json()?;
                Ok(answer.get_mut("audit").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default())
            }
        }
    }
}

fn kept_in(archive: &Archive, id: &str, reveal: bool) -> Result<Kept> {
    let failed = |error: StoreError| store_failure(&error);
    let none = || Failure::new(format!("there is no call `{id}`"), "`strowger calls` lists those that are kept");
    let id = match CallId::parse(id) {
        Some(id) => id,
        None => match archive.call_ids(&id.to_ascii_lowercase()).map_err(failed)?.as_slice() {
            [id] => *id,
            [] => return Err(none()),
            _ => return Err(Failure::new(format!("more than one call ends in `{id}`"), "give more digits")),
        },
    };
    let call = archive.call(id).map_err(failed)?.ok_or_else(none)?;
    let graph = archive.graph(call.record.graph).map_err(failed)?;
    let mut record = call_to_json(&call.record, reveal);
    if let Some(fields) = record.as_object_mut() {
        fields.insert("erased_ms".into(), json!(call.erased.map(|at| at.0)));
    }
    let short = GraphId::short(&call.record.graph);
    let graph = graph.ok_or_else(|| Failure::new(format!("the data folder does not hold version {short}"), ""))?;
    Ok(Kept { record, journal: call.journal, graph })
}
