//! Work in the background: renewing leases, and deleting expired rows.

use std::time::Duration;

use doyen_app::Shutdown;
use doyen_core::{Timestamp, Unexpected};

use crate::KeyStore;

/// How often expired rows are deleted.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

/// Renews the leases of requests that take longer than a third of one.
pub(crate) async fn renew_leases(store: KeyStore, shutdown: Shutdown) -> Result<(), Unexpected> {
    let inner = &store.inner;
    let interval = inner.settings.lease / 3;
    let micros = i64::try_from(interval.as_micros()).unwrap_or(i64::MAX);
    while shutdown.sleep(interval).await {
        let limit = inner.clock.now().micros().saturating_sub(micros);
        let old = inner.running.older_than(Timestamp::from_micros(limit));
        inner.table.renew(&old, inner.lease_end()).await?;
    }
    // The leases outlive the drain if requests still run; their transactions are safe without one.
    Ok(())
}

/// Deletes expired rows at intervals.
pub(crate) async fn sweep(store: KeyStore, shutdown: Shutdown) -> Result<(), Unexpected> {
    while shutdown.sleep(SWEEP_INTERVAL).await {
        store.sweep().await?;
    }
    Ok(())
}

impl KeyStore {
    /// Deletes the keys and responses whose retention is over. The plugin does this every minute.
    ///
    /// # Errors
    ///
    /// Returns an error if the database is unavailable.
    pub async fn sweep(&self) -> Result<(), Unexpected> {
        while self.inner.table.sweep(self.inner.now()).await? {}
        Ok(())
    }
}
