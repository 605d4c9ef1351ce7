//! What the last process left open in the store: each of its calls is given to the exchange, in its own version,
//! to be ended with `finally` and BYE, with what there is of its recordings. A file that no row and no open call knows
//! is put aside.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use runtime_contract::GraphId;
use runtime_contract::program::{Build, Report};
use runtime_contract::record::CallId;
use runtime_exchange::{CutRecording, Input, Recovered, recordings_begun};
use runtime_media::recorded_ms;
use runtime_store::{OpenCall, Store, StoreError};

use crate::node::Work;
use crate::prompts::recording_files;
use crate::server::StartError;

/// Where recordings lie in the data folder, and those that belong to no call of the database.
pub const RECORDINGS: &str = "recordings";
pub const LOST: &str = "recordings/lost";

/// Inputs that end the calls. To be called before the first call of this process. A graph that cannot be loaded leaves
/// its calls open, for a program that can.
pub fn recover(store: &Store, data: &Path, build: &dyn Build) -> Result<VecDeque<Work>, StartError> {
    let store_error = |error: StoreError| StartError::new(&error, &error.help);
    let mut by_graph: BTreeMap<GraphId, Vec<OpenCall>> = BTreeMap::new();
    let listed = store.recordings().map_err(store_error)?;
    let mut unlisted = recording_files(&data.join(RECORDINGS));
    unlisted.retain(|number, _| !listed.contains(number));
    let mut recordings: BTreeMap<CallId, (Vec<CutRecording>, Vec<u64>)> = BTreeMap::new();
    let mut highest = 0;
    for call in store.open_calls().map_err(store_error)? {
        let begun = recordings_begun(&call.journal);
        highest = begun.iter().map(|(recording, _)| *recording).max().unwrap_or(0).max(highest);
        let kept =
            begun.iter().map(|(recording, _)| *recording).filter(|recording| listed.contains(recording)).collect();
        let files = begun.into_iter().filter_map(|begun| Some((begun, unlisted.remove(&begun.0)?)));
        let cut = files.filter_map(|(begun, file)| what_is_left(begun, &file)).collect();
        recordings.insert(call.call, (cut, kept));
        by_graph.entry(call.graph).or_default().push(call);
    }
    // A journal still claims it when its file is gone; after another crash it would take another call's voice.
    store.raise_recording_mark(highest).map_err(store_error)?;
    let mut left = VecDeque::new();
    for (graph, calls) in by_graph {
        let loaded = match store.graph(graph).map_err(store_error)? {
            Some(bytes) => build.load(&bytes),
            None => Err(Report { text: "the store does not hold it".into(), json: String::new() }),
        };
        match loaded {
            Ok(program) => {
                tracing::info!(version = graph.short(), "{} calls of the last process are ended", calls.len());
                left.extend(calls.into_iter().map(|call| {
                    let program = Arc::clone(&program);
                    let (cut, kept) = recordings.remove(&call.call).unwrap_or_default();
                    let recovered = Recovered { call: call.call, program, journal: call.journal, cut, kept };
                    Work::Exchange(Input::Recovered(recovered))
                }));
            }
            Err(report) => tracing::error!(
                version = graph.short(),
                "{} calls of the last process stay open, for their version cannot be loaded: {}",
                calls.len(),
                report.text
            ),
        }
    }
    put_aside(data, unlisted.into_values());
    Ok(left)
}

/// A file that the last process had begun. One in which nothing is goes.
fn what_is_left((recording, conversation): (u64, bool), file: &Path) -> Option<CutRecording> {
    match recorded_ms(file) {
        Ok(0) => {
            if let Err(error) = std::fs::remove_file(file) {
                tracing::error!("`{}` is an empty recording and cannot be removed: {error}", file.display());
            }
            None
        }
        Ok(length_ms) => Some(CutRecording { recording, conversation, length_ms }),
        Err(error) => {
            tracing::error!("`{}` cannot be read: {error}", file.display());
            Some(CutRecording { recording, conversation, length_ms: 0 })
        }
    }
}

/// Away from where recordings are looked for, for somebody to look at: the database may have been replaced by an older
/// one. They go when their time is over (`keeping`).
fn put_aside(data: &Path, files: impl Iterator<Item = PathBuf>) {
    let lost = data.join(LOST);
    let mut moved = 0;
    for file in files {
        let Some(name) = file.file_name() else { continue };
        match std::fs::create_dir_all(&lost).and_then(|()| std::fs::rename(&file, lost.join(name))) {
            Ok(()) => moved += 1,
            Err(error) => {
                tracing::error!(
                    "`{}` belongs to no call and cannot be moved to `{}`: {error}",
                    file.display(),
                    lost.display()
                );
            }
        }
    }
    if moved > 0 {
        tracing::warn!(
            moved,
            "recordings that belong to no call of the database are moved to `{}`, and deleted after `recording_days`",
            lost.display()
        );
    }
}
