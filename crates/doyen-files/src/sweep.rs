//! Removal of what a crash, a lost commit or an interrupted upload has left in the store.

use std::collections::HashMap;
use std::sync::Arc;

use doyen_core::{Job, JobError, JobRun, Unexpected};
use doyen_data::Session;
use serde::{Deserialize, Serialize};

use crate::core::FilesCore;
use crate::figures::add;
use crate::rows;
use crate::store::Area;
use crate::stored::FileStatus;

/// Removes the objects that no row needs and that are older than `files.sweep_after`. It runs every
/// hour, on one node.
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
    /// Removes the objects that no row needs.
    pub(crate) async fn sweep(&self, session: &Session) -> Result<Swept, Unexpected> {
        let mut swept = Swept::default();
        let mut after = None;
        loop {
            let listed = self.store.list(self.sweep_after, after, rows::BATCH);
            let listed = listed.await.map_err(Unexpected::new)?;
            let Some(last) = listed.last() else {
                return Ok(swept);
            };
            after = Some(last.id);
            let ids: Vec<_> = listed.iter().map(|one| one.id).collect();
            // No transaction is open while objects are removed.
            let rows = rows::find_all(&session.autocommit(), &ids).await?;
            let status: HashMap<_, _> = rows.iter().map(|row| (row.id, row.status)).collect();
            for one in &listed {
                let is_needed = match (one.area, status.get(&one.id)) {
                    (None, _) | (_, None | Some(FileStatus::Infected)) => false,
                    // A scan that was interrupted publishes first.
                    (Some(_), Some(FileStatus::Scanning)) => true,
                    (Some(area), Some(_)) => area == Area::Published,
                };
                if !is_needed {
                    self.store.remove(one.id).await.map_err(Unexpected::new)?;
                    swept.removed += 1;
                    add(&self.figures.swept, 1);
                }
            }
        }
    }
}
