//! The import of tickets as a background job.

use doyen::domain::{JobId, Progress};
use doyen::prelude::*;
use serde::{Deserialize, Serialize};

use super::rows;
use crate::access::{Role, User, UserId};
use crate::tickets::domain::{Draft, Tag, TicketImports, Tickets, Viewer};

/// Number of tickets in one unit of work. Other writers get their turn in between.
const STEP: usize = 50;

/// Enqueues an import.
#[derive(Clone, Inject)]
pub(crate) struct JobImports {
    jobs: Jobs,
}

#[port]
impl TicketImports for JobImports {
    async fn start(&self, viewer: Viewer, drafts: Vec<Draft>) -> Result<JobId, Unexpected> {
        let job = ImportTickets {
            by: viewer.id().to_string(),
            tickets: drafts.into_iter().map(StoredDraft::from).collect(),
        };
        let job = NewJob::new(job).owner(viewer.id());
        self.jobs.enqueue(job).await
    }
}

/// Imports tickets for a user.
#[derive(Serialize, Deserialize)]
pub(crate) struct ImportTickets {
    by: String,
    tickets: Vec<StoredDraft>,
}

/// A draft in the payload of the job.
#[derive(Serialize, Deserialize)]
struct StoredDraft {
    subject: String,
    body: String,
    priority: i16,
    tags: Vec<String>,
}

/// The result of an import.
#[derive(Serialize)]
pub(crate) struct Imported {
    created: u64,
}

impl Job for ImportTickets {
    const NAME: &'static str = "tickets.import";
    const QUEUE: &'static str = "imports";
    type Needs = ();
    type Output = Imported;

    /// Creates the tickets in steps. After a crash or a stop, the next attempt continues after the
    /// last committed step.
    async fn run(self, (): (), job: JobRun) -> Result<Imported, JobError> {
        let id: UserId = self.by.parse().map_err(JobError::permanent)?;
        // Only agents start imports; the tickets belong to the user, whatever the role.
        let role = Role::Agent;
        let viewer = Viewer::from(User { id, role });
        let total = self.tickets.len() as u64;
        let mut tickets = self.tickets.into_iter();
        let mut done = job.progress().done;
        tickets.by_ref().take(usize::try_from(done)?).for_each(drop);
        while done < total {
            let stored: Vec<StoredDraft> = tickets.by_ref().take(STEP).collect();
            done += stored.len() as u64;
            let drafts: Result<Vec<Draft>, Unexpected> =
                stored.into_iter().map(Draft::try_from).collect();
            let drafts = drafts.map_err(JobError::Permanent)?;
            job.step(Progress { done, total }, async move |tickets: Tickets| {
                for draft in drafts {
                    tickets.open(viewer, draft).await?;
                }
                Ok(())
            })
            .await?;
        }
        Ok(Imported { created: total })
    }
}

impl From<Draft> for StoredDraft {
    fn from(draft: Draft) -> Self {
        Self {
            subject: draft.subject,
            body: draft.body,
            priority: draft.priority as i16,
            tags: draft
                .tags
                .iter()
                .map(|tag| tag.as_str().to_owned())
                .collect(),
        }
    }
}

impl TryFrom<StoredDraft> for Draft {
    type Error = Unexpected;

    fn try_from(stored: StoredDraft) -> Result<Self, Unexpected> {
        Ok(Self {
            subject: stored.subject,
            body: stored.body,
            priority: rows::priority(stored.priority)?,
            // They were validated before they were stored.
            tags: stored.tags.into_iter().map(Tag::trusted).collect(),
        })
    }
}
