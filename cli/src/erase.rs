//! `strowger erase`: takes a person out of everything that is kept, on a running server or in a data folder.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use runtime_contract::Time;
use runtime_server::{erased_text, erased_to_json};
use runtime_store::{AuditEntry, DATABASE, Options, Store, StoreError};
use serde_json::{Value, json};

use crate::http;
use crate::show::{Failure, Result, plural, say};
use crate::source::store_failure;

#[derive(Args)]
pub struct Erase {
    /// The person's number, as `strowger calls --reveal` shows it
    number: String,
    /// The server's HTTP address
    #[arg(long, default_value = "127.0.0.1:8060")]
    http: SocketAddr,
    /// In this data folder, on which no server runs, instead of on a server
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// The counts as JSON
    #[arg(long)]
    json: bool,
}

impl Erase {
    pub fn run(&self) -> Result {
        if self.number.trim().is_empty() {
            return Err(Failure::new(
                "this is no number",
                "write it like `+86 138 0013 8000`, or as `strowger calls --reveal` shows it",
            ));
        }
        let counts = match &self.data {
            Some(data) => erase_in(data, &self.number)?,
            None => {
                let body = json!({ "number": self.number });
                http::post(self.http, "/erase", "application/json", Some(&body))?.json()?
            }
        };
        if self.json {
            say(&format!("{counts}\n"));
            return Ok(());
        }
        let count = |key: &str| counts.get(key).and_then(Value::as_u64).unwrap_or(0) as usize;
        say(&format!(
            "erased: {}, {}, {}\n",
            plural(count("calls"), "call"),
            plural(count("recordings"), "recording"),
            plural(count("mentions"), "mention") + " in calls of others"
        ));
        if count("calls") == 0 {
            say(
                "no call is from a caller with this whole number; `strowger calls --reveal` shows how callers are written\n",
            );
        }
        match count("going_on") {
            0 => Ok(()),
            going_on => Err(Failure::new(
                format!(
                    "{} with this number not over, and kept until then",
                    plural(going_on, "call") + if going_on == 1 { " is" } else { " are" }
                ),
                "run this again when they are",
            )),
        }
    }
}

/// Without a server: the folder is taken as a server would take it, and written alone.
fn erase_in(data: &Path, number: &str) -> Result<Value> {
    if !data.join(DATABASE).is_file() {
        let message = format!("there is no database in `{}`", data.display());
        return Err(Failure::new(message, "name the folder that `storage: data:` in strowger.yaml names"));
    }
    let lock = File::create(data.join("strowger.lock")).map_err(|cause| crate::project::unreadable(data, &cause))?;
    if lock.try_lock().is_err() {
        let message = format!("a server keeps its data in `{}`", data.display());
        return Err(Failure::new(message, "leave `--data` out, so that the server does it"));
    }
    let failed = |error: StoreError| store_failure(&error);
    let store = Store::open(data, Options::default(), |_| ()).map_err(failed)?;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let at = Time(i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
    let blank = |journal: &[u8]| runtime_session::journal::blank(journal).ok();
    let erased = store.erase(number, at, &blank).map_err(failed)?;
    let entry = AuditEntry {
        at,
        who: http::user(),
        peer: String::new(),
        what: "erase".to_owned(),
        graph: None,
        detail: erased_text(&erased),
    };
    store.put_audit(&entry).map_err(failed)?;
    Ok(erased_to_json(&erased))
}
