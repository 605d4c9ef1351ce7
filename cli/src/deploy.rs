//! `strowger deploy`, `strowger rollback`: which version takes new calls on a running server.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use crate::http;
use crate::show::{Failure, Result, say};

#[derive(Args)]
pub struct Deploy {
    /// Another folder than the server's own
    folder: Option<PathBuf>,
    /// For a share of callers first, like `5%`
    #[arg(long, value_name = "SHARE", value_parser = share, conflicts_with = "promote")]
    canary: Option<f64>,
    /// The version on trial takes all new calls
    #[arg(long, conflicts_with = "folder")]
    promote: bool,
    #[command(flatten)]
    server: ServerAddress,
}

#[derive(Args)]
pub struct Rollback {
    #[command(flatten)]
    server: ServerAddress,
}

#[derive(Args)]
pub struct ServerAddress {
    /// The server's HTTP address
    #[arg(long, default_value = "127.0.0.1:8060")]
    pub http: SocketAddr,
    /// The server's answer as JSON
    #[arg(long)]
    pub json: bool,
}

/// `5%`, `0.5%`: 0.05, 0.005.
fn share(text: &str) -> std::result::Result<f64, String> {
    let percent: Option<f64> = text.trim().strip_suffix('%').and_then(|number| number.trim().parse().ok());
    match percent {
        Some(percent) if (0.01..100.0).contains(&percent) => Ok(percent / 100.0),
        _ => Err("write a share like `5%`, from 0.01% to less than 100%".to_owned()),
    }
}

impl Deploy {
    pub fn run(&self) -> Result {
        let folder = match &self.folder {
            Some(folder) if !folder.is_dir() => {
                let message = format!("there is no folder `{}`", folder.display());
                return Err(Failure::new(message, "name a folder with `.flow` files"));
            }
            Some(folder) => {
                Some(std::fs::canonicalize(folder).map_err(|cause| crate::project::unreadable(folder, &cause))?)
            }
            None => None,
        };
        let mut wanted = json!({ "promote": self.promote, "canary": self.canary });
        if let (Some(folder), Some(fields)) = (folder, wanted.as_object_mut()) {
            fields.insert("folder".into(), json!(folder));
        }
        self.server.change("/deploy", Some(&wanted))
    }
}

impl Rollback {
    pub fn run(&self) -> Result {
        self.server.change("/rollback", None)
    }
}

impl ServerAddress {
    /// Asks for a change of versions and shows the server's answer.
    pub fn change(&self, path: &str, body: Option<&Value>) -> Result {
        let accept = if self.json { "application/json" } else { "text/plain" };
        let answer = http::post(self.http, path, accept, body)?;
        say(&format!("{}\n", answer.text()));
        if answer.status == 200 { Ok(()) } else { Err(Failure::Shown) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read() {
        assert_eq!((share("5%"), share("0.5 %")), (Ok(0.05), Ok(0.005)));
        assert!(["5", "0%", "100%", "x%", "-1%"].into_iter().all(|text| share(text).is_err()));
    }
}
