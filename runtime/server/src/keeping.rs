//! What is kept for how long: calls, recordings and graphs whose time is over go in small bites with pauses, so that
//! no commit of a call waits for them. A rehearsal forgets nothing, for its clock is not the world's.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use runtime_contract::Time;
use runtime_store::{Store, StoreError};

use crate::config::Storage;
use crate::recovery::LOST;
use crate::versions::{Versions, time_of};

/// Time between two rounds.
const ROUND: Duration = Duration::from_secs(3_600);
/// Rows or files in one bite, and the pause behind it.
const BITE: u32 = 100;
const PAUSE: Duration = Duration::from_millis(50);
const DAY_MS: i64 = 86_400_000;
const DAY_S: u64 = 86_400;

/// Goes on until its task is dropped.
pub async fn keep(store: Arc<Store>, versions: Arc<Versions>, storage: Storage) {
    let mut rounds = tokio::time::interval(ROUND);
    loop {
        rounds.tick().await;
        if let Err(error) = round(&store, &versions, &storage).await {
            tracing::error!("what is over its time is kept until the next round: {error}; {}", error.help);
        }
        let (lost, days) = (store.folder().join(LOST), storage.recording_days());
        // Whoever is told that the process ends does not wait for this.
        let _ = tokio::task::spawn_blocking(move || forget_lost(&lost, days)).await;
    }
}

async fn round(store: &Arc<Store>, versions: &Arc<Versions>, storage: &Storage) -> Result<(), StoreError> {
    let before = |days: u32| Time(time_of(SystemTime::now()).0.saturating_sub(i64::from(days).saturating_mul(DAY_MS)));
    let calls =
        bites(store, move |store, before| store.forget_calls(before, BITE), before(storage.journal_days)).await?;
    let messages =
        bites(store, move |store, before| store.forget_messages(before, BITE), before(storage.journal_days)).await?;
    let recordings =
        bites(store, move |store, before| store.forget_recordings(before, BITE), before(storage.recording_days()))
            .await?;
    let graphs = Arc::clone(versions);
    let graphs = blocking(move || graphs.forget_graphs()).await?;
    if calls + messages + recordings + graphs > 0 {
        tracing::info!(calls, messages, recordings, versions = graphs, "forgotten, for their time is over");
        loop {
            let store = Arc::clone(store);
            if !blocking(move || store.give_back_pages()).await? {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(())
}

/// Recordings that belong to no call, by the age of their files.
fn forget_lost(folder: &Path, days: u32) {
    let Ok(files) = std::fs::read_dir(folder) else { return };
    for file in files.flatten() {
        let age = file.metadata().and_then(|metadata| metadata.modified()).ok().and_then(|made| made.elapsed().ok());
        if age.is_some_and(|age| age.as_secs() / DAY_S >= u64::from(days))
            && let Err(error) = std::fs::remove_file(file.path())
        {
            tracing::error!("`{}` is over its time and cannot be removed: {error}", file.path().display());
        }
    }
}

/// Bite after bite until one is not full; gives how many went.
async fn bites(
    store: &Arc<Store>,
    forget: impl Fn(&Store, Time) -> Result<usize, StoreError> + Copy + Send + 'static,
    before: Time,
) -> Result<usize, StoreError> {
    let mut gone = 0;
    loop {
        let store = Arc::clone(store);
        let bite = blocking(move || forget(&store, before)).await?;
        gone += bite;
        if bite < BITE as usize {
            return Ok(gone);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn blocking<T: Send + 'static>(
    act: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(act).await {
        Ok(done) => done,
        // The process ends, or a bug was logged by the panic's own message.
        Err(_) => std::future::pending().await,
    }
}
