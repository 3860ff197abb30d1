//! Regular work of one node: removes old rows, and counts what waits.

use std::sync::Arc;
use std::time::Duration;

use doyen_app::Shutdown;
use doyen_core::{Clock, SystemClock, Unexpected};

use crate::EventSettings;
use crate::metrics::Stats;
use crate::store::Store;

/// Interval of the counts for metrics and health.
const COUNT_INTERVAL: Duration = Duration::from_secs(2);

/// Every so many counts, old rows are removed.
const SWEEP_EVERY: u32 = 30;

/// Name and duration of the lease of the node that removes rows.
const LEASE: &str = "sweep";
const LEASE_MS: i64 = 90_000;

/// Removes old rows of the log and of the inbox.
pub(crate) struct Sweeper {
    pub(crate) store: Store,
    pub(crate) settings: EventSettings,
    pub(crate) stats: Arc<Stats>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) node: String,
}

impl Sweeper {
    pub(crate) async fn run(&self, shutdown: Shutdown) -> Result<(), Unexpected> {
        let mut round = 0_u32;
        loop {
            let backlog = self.store.backlog(SystemClock.now()).await?;
            self.stats.note_backlog(backlog);
            if round.is_multiple_of(SWEEP_EVERY)
                && self.store.lead(LEASE, &self.node, LEASE_MS).await?
            {
                self.sweep(&shutdown).await?;
            }
            round = round.wrapping_add(1);
            if !shutdown.sleep(COUNT_INTERVAL).await {
                return Ok(());
            }
        }
    }

    /// Removes in small transactions, so that writers of SQLite do not wait long.
    async fn sweep(&self, shutdown: &Shutdown) -> Result<(), Unexpected> {
        let before = self.clock.now() - self.settings.keep_for;
        let keep_max = i64::from(self.settings.keep_max);
        while self.store.sweep_log(before, keep_max).await? && !shutdown.is_requested() {}
        let keep_ms = self.settings.keep_inbox.as_millis();
        let keep_ms = i64::try_from(keep_ms).unwrap_or(i64::MAX / 2);
        while self.store.sweep_inbox(keep_ms).await? && !shutdown.is_requested() {}
        Ok(())
    }
}
