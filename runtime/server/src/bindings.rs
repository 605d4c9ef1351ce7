//! Where phones are, on its way to the store: a thread of its own, so that nobody waits for the disk. It does not read
//! what it keeps.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use runtime_store::Store;

use crate::versions::time_of;

/// Pause before a store that fails is tried again.
const AGAIN: Duration = Duration::from_secs(2);

/// Dropping it writes what is left, if the store lets it.
pub struct BindingsKeeper {
    changes: Option<Sender<(String, Vec<u8>)>>,
    thread: Option<JoinHandle<()>>,
}

impl BindingsKeeper {
    pub fn start(store: Arc<Store>) -> std::io::Result<BindingsKeeper> {
        let (changes, inbox) = mpsc::channel();
        let thread = std::thread::Builder::new().name("bindings".into()).spawn(move || keep(&store, &inbox))?;
        Ok(BindingsKeeper { changes: Some(changes), thread: Some(thread) })
    }

    /// A phone's bindings are these now; empty: it has none.
    pub fn changed(&self, phone: String, bindings: Vec<u8>) {
        if let Some(changes) = &self.changes {
            // A thread that is over has said why.
            let _ = changes.send((phone, bindings));
        }
    }
}

impl Drop for BindingsKeeper {
    fn drop(&mut self) {
        self.changes.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn keep(store: &Store, inbox: &Receiver<(String, Vec<u8>)>) {
    // The last of each phone: no more than there are phones, however long the store fails.
    let mut waiting = BTreeMap::new();
    let mut failing = false;
    loop {
        let next = match waiting.is_empty() {
            true => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
            false => inbox.recv_timeout(AGAIN),
        };
        let over = matches!(next, Err(RecvTimeoutError::Disconnected));
        waiting.extend(next.into_iter().chain(inbox.try_iter()));
        match store.put_bindings(&waiting, time_of(SystemTime::now())) {
            Ok(()) => {
                waiting.clear();
                failing = false;
            }
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    tracing::error!("where phones are cannot be kept: {error}; it is tried again");
                }
            }
        }
        if over {
            return;
        }
    }
}
