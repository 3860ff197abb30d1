//! The scan of a file in quarantine, as a background job.

use std::sync::Arc;
use std::time::Duration;

use doyen_core::{Job, JobError, JobRun};
use doyen_data::Session;
use serde::{Deserialize, Serialize};

use crate::core::FilesCore;
use crate::event::FileEvent;
use crate::intake::{count, discard_after_commit, scan_stored};
use crate::problems::SCAN_PAUSE;
use crate::rows;
use crate::scan::{ScanError, Verdict};
use crate::stored::{FileId, FileStatus};

/// Scans a file, and then publishes it or removes its content.
#[derive(Serialize, Deserialize)]
pub(crate) struct ScanFile {
    file: String,
}

impl ScanFile {
    pub(crate) fn new(id: FileId) -> Self {
        Self {
            file: id.to_string(),
        }
    }
}

impl Job for ScanFile {
    const NAME: &'static str = "files.scan";
    const QUEUE: &'static str = "files";
    // The scanner may be away for days; a file that is never scanned is never readable.
    const MAX_ATTEMPTS: u32 = 100_000;
    const TIMEOUT: Duration = Duration::from_secs(30 * 60);
    type Needs = (Session, Arc<FilesCore>);
    type Output = ();

    async fn run(self, (session, core): Self::Needs, run: JobRun) -> Result<(), JobError> {
        let id: FileId = self.file.parse().map_err(JobError::permanent)?;
        // No transaction is open while the scanner works.
        let file = rows::find(&session.autocommit(), id).await?;
        if file.is_none_or(|file| file.status != FileStatus::Scanning) {
            return Ok(());
        }
        let Some(scanner) = core.scanner() else {
            return Err(JobError::retry_in(SCAN_PAUSE, "no virus scanner is set"));
        };
        let verdict = scan_stored(&core, scanner, id).await;
        count(&core, &verdict);
        let (status, event) = match verdict {
            Ok(Verdict::Clean) => {
                core.store.publish(id).await?;
                (FileStatus::Clean, FileEvent::Cleared { file: id })
            }
            Ok(Verdict::Infected(found)) => {
                tracing::warn!(target: "files", %id, found, "a file in quarantine is infected");
                (FileStatus::Infected, FileEvent::Infected { file: id })
            }
            // Too large: it was accepted within the limit of this process, and the limit of the
            // scanner is lower.
            Err(error) if matches!(error, ScanError::TooLarge) || run.is_last_attempt() => {
                tracing::warn!(target: "files", %id, error = %doyen_core::chain(&error), "a file in quarantine cannot be scanned");
                (FileStatus::Unscannable, FileEvent::Unscannable { file: id })
            }
            Err(error) => return Err(JobError::retry_in(SCAN_PAUSE, error)),
        };
        if rows::settle(&session, id, status).await? {
            session.emit(&event).await?;
            if status != FileStatus::Clean {
                discard_after_commit(&session, &core, id);
            }
        }
        Ok(())
    }
}
