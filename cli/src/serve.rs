//! `strowger serve`: a project's numbers over SIP, until the process is told to stop.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use runtime_server::config::{Base, Config, ServiceSite};
use runtime_server::{Adjust, AtStart, LogFormat, Options, RunningServer, Server, StartError, start_logging};
use serde_json::json;
use tempfile::TempDir;

use crate::build::Compiler;
use crate::moment::Moment;
use crate::show::{Failure, Result};
use crate::test::EngineName;

#[derive(Args)]
pub struct Serve {
    /// The project's folder
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Folder for the database, recordings and rendered prompts, instead of `storage: data:`
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// SIP address, instead of `listen: sip:`; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS")]
    sip: Option<std::net::SocketAddr>,
    /// HTTP address of the server's own pages, instead of `listen: http:`
    #[arg(long, value_name = "ADDRESS")]
    http: Option<std::net::SocketAddr>,
    /// Where a service lives, instead of `services: NAME: base:`; may be given several times
    #[arg(long = "service", value_name = "NAME=URL", value_parser = service)]
    services: Vec<(String, Base)>,
    /// A rehearsal: the clock begins here, like `2026-10-01 10:00 in Asia/Shanghai`, and what it keeps goes with it unless
    /// `--data` names a folder
    #[arg(long, value_name = "TIME")]
    at: Option<Moment>,
    /// What runs the code
    #[arg(long, value_enum, default_value_t)]
    engine: EngineName,
    /// Do not reload when files change
    #[arg(long)]
    no_watch: bool,
    /// Take the files at the start, whatever served before
    #[arg(long)]
    deploy: bool,
    /// Log each step of each call
    #[arg(long)]
    debug: bool,
    /// The addresses as one JSON object on standard output, and log lines as JSON
    #[arg(long)]
    json: bool,
}

/// `NAME=URL`
pub fn service(text: &str) -> std::result::Result<(String, Base), String> {
    let (name, url) = text.split_once('=').ok_or("write it like `crm=http://127.0.0.1:8090`")?;
    let site =
        Config::parse(&format!("services: {{ it: {{ base: {} }} }}", json!(url))).map_err(|error| error.message)?;
    let base = site.services.into_values().next().ok_or("no address")?.base;
    Ok((name.to_owned(), base))
}

impl Serve {
    pub fn run(&self) -> Result {
        start_logging(if self.json { LogFormat::Json } else { LogFormat::Human }, self.debug);
        crate::project::expect_folder(&self.path)?;
        let mut config = crate::project::site_with_secrets(&self.path)?;
        let rehearsal = self.rehearsal()?;
        let adjust = self.adjust(rehearsal.as_ref().map(TempDir::path))?;
        adjust(&mut config);
        let mut options = Options::new(&self.path);
        options.watch = !self.no_watch;
        options.signals = true;
        options.began = self.at.as_ref().map(|moment| moment.time);
        options.at_start = self.deploy.then_some(AtStart::Files);
        options.adjust = adjust;
        let server = Server::start(config, Arc::new(Compiler { engine: self.engine.into() }), options)
            .map_err(|error| refused(&error, self.json))?;
        self.announce(&server);
        server.wait().map_err(|cause| Failure::new(format!("the server failed: {cause}"), "the log says more"))
    }

    /// Where a rehearsal keeps its data, unless it is told: nothing of another time comes among what really was.
    fn rehearsal(&self) -> Result<Option<TempDir>> {
        if self.at.is_none() || self.data.is_some() {
            return Ok(None);
        }
        let folder = tempfile::Builder::new().prefix("strowger-rehearsal-").tempdir();
        let folder = folder.map_err(|cause| {
            let message = format!("no folder for the rehearsal in `{}`: {cause}", std::env::temp_dir().display());
            Failure::new(message, "name one with `--data`")
        })?;
        Ok(Some(folder))
    }

    /// What the command line changes of the site, applied at each reload too.
    fn adjust(&self, rehearsal: Option<&Path>) -> Result<Adjust> {
        let data = match self.data.as_deref().or(rehearsal) {
            Some(data) => Some(std::path::absolute(data).map_err(|cause| {
                Failure::new(format!("`{}` is no folder: {cause}", data.display()), "name one that this user may write")
            })?),
            None => None,
        };
        let (sip, http, services) = (self.sip, self.http, self.services.clone());
        Ok(Arc::new(move |config| {
            config.listen.sip = sip.unwrap_or(config.listen.sip);
            config.listen.http = http.unwrap_or(config.listen.http);
            if let Some(data) = &data {
                config.storage.data.clone_from(data);
            }
            for (name, base) in &services {
                let site = config.services.entry(name.clone());
                site.and_modify(|site| site.base = base.clone())
                    .or_insert_with(|| ServiceSite { base: base.clone(), headers: Default::default() });
            }
        }))
    }

    fn announce(&self, server: &RunningServer) {
        let (sip, http) = (server.sip_addr, server.http_addr);
        if self.json {
            let said = json!({
                "event": "serving",
                "sip": sip.to_string(),
                "http": http.to_string(),
                "version": server.first.graph.hex(),
                "warnings": server.warnings,
            });
            println!("{said}");
            return;
        }
        print!("{}", server.first.report.text);
        for warning in &server.warnings {
            println!("warning: {warning}");
        }
        println!(
            "serving version {} on sip:{sip}; health, metrics and reload on http://{http}",
            server.first.graph.short()
        );
        if self.at.is_some() && self.data.is_none() {
            println!("a rehearsal: what it keeps is gone when it stops, unless `--data` names a folder");
        }
        println!("call it:  strowger call sip:NUMBER@{sip}");
    }
}

/// Why a server did not start, with what the compiler said when it was the project.
pub fn refused(error: &StartError, json: bool) -> Failure {
    if let Some(report) = &error.report {
        crate::show::print(report, json);
    }
    Failure::new(&error.message, &error.help)
}
