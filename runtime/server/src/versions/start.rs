//! What a start serves: what served before it. Files that changed meanwhile count as if they had changed while it
//! ran: where they are watched they are taken, where they are not a warning says so. See decision 0027.

use std::time::Duration;

use runtime_contract::moment::time_to_rfc3339;
use runtime_contract::program::{Bundle, Report};
use runtime_store::{StoredVersion, VersionChange, VersionState};

use super::report::{add_warning, report};
use super::{Accepted, Actor, FOLDER_SEEN, Versions, contents, epoch, lock, now};
use crate::node::Role;
use crate::project::{self, ProjectError};

/// What may be taken at a start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AtStart {
    /// Files that changed since the server last read them.
    #[default]
    ChangedFiles,
    /// What served before; files only where nothing did.
    NothingNew,
    /// The files, whatever served before.
    Files,
}

impl Versions {
    /// The first load: with the configuration that the server was started with.
    pub fn start(&self, take: AtStart) -> Result<Accepted, Report> {
        let _one_at_a_time = lock(&self.loading);
        lock(&self.history).fingerprint = project::fingerprint(&self.folder, &self.data).ok();
        let versions = self.stored();
        let stable = versions.iter().find(|version| version.state == VersionState::Stable);
        let bundle = project::read_bundle(&self.folder, &self.data);
        let Some(stable) = stable else { return self.start_files(bundle) };
        let changed = bundle.as_ref().is_ok_and(|bundle| self.seen() != Some(contents(bundle)));
        match take {
            AtStart::Files => self.start_files(bundle),
            AtStart::ChangedFiles if changed => self.start_files(bundle).or_else(|refused| {
                let mut accepted = self.go_on(stable, &versions)?;
                let message = "the project's files were refused, so what served before goes on";
                add_warning(&mut accepted.report, message, "correct the files; what is wrong with them stands here");
                accepted.report.text = format!("{}\n{}", refused.text.trim_end(), accepted.report.text);
                accepted.report.json = format!("{}\n{}", refused.json.trim_end(), accepted.report.json);
                Ok(accepted)
            }),
            AtStart::ChangedFiles | AtStart::NothingNew => match self.go_on(stable, &versions) {
                Ok(mut accepted) => {
                    if changed {
                        let message = "the project's files are not those that serve";
                        add_warning(&mut accepted.report, message, "take them with `strowger deploy`");
                    }
                    if let Err(unread) = bundle {
                        let message = format!("{}; what served before goes on", unread.message);
                        add_warning(&mut accepted.report, &message, &unread.help);
                    }
                    Ok(accepted)
                }
                // A graph of another time: its files are all that is left of it.
                Err(unreadable) => {
                    tracing::error!("what served before cannot be loaded:\n{}", unreadable.text);
                    self.start_files(bundle)
                }
            },
        }
    }

    fn seen(&self) -> Option<[u8; 32]> {
        self.store.setting(FOLDER_SEEN).ok().flatten()?.try_into().ok()
    }

    fn start_files(&self, bundle: Result<Bundle, ProjectError>) -> Result<Accepted, Report> {
        let actor = Actor::server();
        let bundle = bundle.map_err(|error| report(&error.message, &error.help));
        let loaded = bundle.and_then(|bundle| {
            self.remember_folder(&bundle);
            let site = self.site.load();
            let built = self.built(&bundle, &site.names())?;
            let role = Role::Stable { trial: Some(self.trial()) };
            let graph = self.swap(built.program, &bundle, epoch(&site), role)?;
            let mut accepted = Accepted { graph, report: built.report };
            self.keep(VersionChange::Deploy(graph), &actor.who, &mut accepted.report);
            Ok(accepted)
        });
        self.note(&loaded, "start", &self.folder.display().to_string(), &actor);
        loaded
    }

    /// What served before, with its canary.
    fn go_on(&self, stable: &StoredVersion, versions: &[StoredVersion]) -> Result<Accepted, Report> {
        let age_ms = now().0.saturating_sub(stable.at.0).max(0) as u64;
        let trial = self.trial().checked_sub(Duration::from_millis(age_ms));
        let mut accepted = self.serve_stored(stable.graph, Role::Stable { trial })?;
        let since = time_to_rfc3339(stable.at).unwrap_or_default();
        let said = format!("goes on with version {}, deployed {since} by {}", stable.graph.short(), stable.who);
        tracing::info!(version = stable.graph.short(), "{said}");
        accepted.report.text = format!("{said}\n{}", accepted.report.text);
        if let Some(canary) = versions.iter().find(|version| version.state == VersionState::Canary) {
            match self.serve_stored(canary.graph, Role::Canary { share: canary.share }) {
                Ok(canary) => tracing::info!(version = canary.graph.short(), "its canary goes on too"),
                Err(refused) => {
                    tracing::error!("its canary cannot be loaded and is withdrawn:\n{}", refused.text);
                    self.keep(VersionChange::WithdrawCanary, "", &mut accepted.report);
                }
            }
        }
        Ok(accepted)
    }
}
