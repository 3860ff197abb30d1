//! The loads that run now, counted by key. A key is held only while it is loaded.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use doyen_core::cache::{CacheKey, LeaseEnd};
use doyen_core::sync::lock;

/// The number of loads of each key in this process.
#[derive(Default)]
pub(crate) struct Loads(Mutex<HashMap<CacheKey, u32>>);

/// A load that runs. Dropped, it has ended.
pub(crate) struct Load {
    loads: Arc<Loads>,
    key: CacheKey,
    /// Loads of the key when this one began, with itself.
    pub(crate) concurrent: u32,
}

impl Loads {
    pub(crate) fn begin(self: &Arc<Self>, key: &CacheKey) -> Load {
        let mut running = lock(&self.0);
        let count = running.entry(key.clone()).or_default();
        *count += 1;
        Load {
            loads: Arc::clone(self),
            key: key.clone(),
            concurrent: *count,
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        let mut running = lock(&self.loads.0);
        if let Some(count) = running.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                running.remove(&self.key);
            }
        }
    }
}

/// The end of a load whose value is not stored.
pub(crate) struct Bypass(pub(crate) Load);

#[async_trait]
impl LeaseEnd for Bypass {
    async fn complete(self: Box<Self>, _: Option<Bytes>) {}

    fn fail(self: Box<Self>) {}

    fn concurrent_loads(&self) -> u32 {
        self.0.concurrent
    }
}
