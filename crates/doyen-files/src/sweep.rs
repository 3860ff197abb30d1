//! Removal of what a crash, a lost commit or an interrupted upload has left in the store.

use std::collections::HashMap;
use std::sync::Arc;

use doyen_core::{Job, JobError, JobRun, Unexpected};
use doyen_data::Session;
use serde::{Deserialize, Serialize};

use crate::core::FilesCore;
use crate::figures::add;
use crate::resumable;
use crate::rows;
use crate::store::{Area, Listed};
use crate::stored::FileStatus;

/// Removes expired resumable uploads, and the objects that no row needs and that are older than
/// `files.sweep_after`. It runs every hour, on one node.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Sweep {}

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Objects that were removed.
    pub removed: u64,
}

impl Job for Sweep {
    const NAME: &'static str = "files.sweep";
    const QUEUE: &'static str = "files";
    type Needs = (Session, Arc<FilesCore>);
    type Output = Swept;

    async fn run(self, (session, core): Self::Needs, _: JobRun) -> Result<Swept, JobError> {
        Ok(core.sweep(&session).await?)
    }
}

impl FilesCore {
    /// Removes expired uploads, and the objects that no row needs.
    pub(crate) async fn sweep(self: &Arc<Self>, session: &Session) -> Result<Swept, Unexpected> {
        self.remove_expired().await?;
        let mut swept = Swept::default();
        let mut after = None;
        loop {
            let listing = self.store.list(self.sweep_after, after);
            let listing = listing.await.map_err(Unexpected::new)?;
            for batch in listing.objects.chunks(rows::BATCH) {
                swept.removed += self.sweep_batch(session, batch).await?;
            }
            after = listing.next;
            if after.is_none() {
                return Ok(swept);
            }
        }
    }

    async fn sweep_batch(&self, session: &Session, listed: &[Listed]) -> Result<u64, Unexpected> {
        let ids: Vec<_> = listed.iter().map(|one| one.id).collect();
        // No transaction is open while objects are removed.
        let rows = rows::find_all(&session.autocommit(), &ids).await?;
        let status: HashMap<_, _> = rows.iter().map(|row| (row.id, row.status)).collect();
        let parts = resumable::rows::known(&session.autocommit(), &ids).await?;
        let mut removed = 0;
        for one in listed {
            let is_needed = match (one.area, status.get(&one.id)) {
                (None, _) => false,
                (Some(area), None) => area == Area::Quarantine && parts.contains(&one.id),
                (_, Some(FileStatus::Infected | FileStatus::Unscannable)) => false,
                // A scan that was interrupted publishes first.
                (Some(_), Some(FileStatus::Scanning)) => true,
                (Some(area), Some(_)) => area == Area::Published,
            };
            if !is_needed {
                // Only this copy: since the listing, a scan may have published the object.
                let done = self.store.remove_listed(*one).await;
                done.map_err(Unexpected::new)?;
                removed += 1;
                add(&self.figures.swept, 1);
            }
        }
        Ok(removed)
    }
}
