//! The site as it is now: `strowger.yaml` as last accepted, shared by all threads and swapped as a whole.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::config::Config;

/// Cheap to clone; [`SharedSite::load`] costs a few nanoseconds.
#[derive(Clone)]
pub struct SharedSite(Arc<ArcSwap<Config>>);

impl SharedSite {
    pub fn new(config: Config) -> SharedSite {
        SharedSite(Arc::new(ArcSwap::from_pointee(config)))
    }

    pub fn load(&self) -> arc_swap::Guard<Arc<Config>> {
        self.0.load()
    }

    pub fn store(&self, config: Config) {
        self.0.store(Arc::new(config));
    }
}
