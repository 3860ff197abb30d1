//! No second tier: this program is built without the feature `redis`.

use std::convert::Infallible;
use std::time::Duration;

use doyen_core::cache::CacheKey;

use crate::shared_value::Begin;
use crate::slots::{Slot, View};

/// A tier that cannot exist.
pub(crate) struct Shared(Infallible);

/// A lease that cannot exist.
pub(crate) struct SharedLease(#[allow(dead_code, reason = "it makes the type empty")] Infallible);

#[allow(clippy::unused_async, reason = "the other tier waits")]
impl Shared {
    pub(crate) fn is_followed(&self) -> bool {
        match self.0 {}
    }

    pub(crate) fn is_away(&self) -> bool {
        match self.0 {}
    }

    pub(crate) async fn begin(&self, _: &CacheKey, _: &View) -> Begin {
        match self.0 {}
    }

    pub(crate) async fn store(
        &self,
        _: SharedLease,
        _: &CacheKey,
        _: &View,
        _: Option<&[u8]>,
        _: Duration,
        _: Duration,
    ) {
        match self.0 {}
    }

    pub(crate) fn release(&self, _: SharedLease) {
        match self.0 {}
    }

    pub(crate) async fn invalidate(&self, _: &[Slot]) {
        match self.0 {}
    }

    pub(crate) async fn invalidate_all(&self) {
        match self.0 {}
    }
}

/// Without Redis there is nothing to follow.
pub(crate) mod follow {
    use std::sync::Arc;

    use doyen_app::Redis;
    use tokio::task::JoinHandle;

    use super::Shared;
    use crate::engine::Inner;

    pub(crate) fn spawn(_: Arc<Inner>, shared: Arc<Shared>, _: Redis) -> JoinHandle<()> {
        match shared.0 {}
    }
}
