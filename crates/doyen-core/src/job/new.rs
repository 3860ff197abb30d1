//! A job to enqueue.

use std::time::Duration;

use super::Job;
use crate::Timestamp;

/// A job to enqueue, with its options. A plain [`Job`] converts into one.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// Name of its kind.
    pub name: String,
    /// Payload as JSON, or why it could not be written.
    pub payload: Result<String, String>,
    /// Queue.
    pub queue: String,
    /// Priority: higher ones first. Default: 0.
    pub priority: i16,
    /// Maximum number of attempts.
    pub max_attempts: u32,
    /// Earliest start. Default: at once.
    pub run_at: Option<Timestamp>,
    /// Pause before the start, counted from the enqueuing.
    pub delay: Duration,
    /// At most one waiting or running job of this name has this key.
    pub unique_key: Option<String>,
    /// For how long a job that ended also keeps its key.
    pub unique_for: Duration,
    /// Owner of the job, for an application that shows jobs to users.
    pub owner: Option<String>,
}

impl NewJob {
    /// A job with the defaults of its kind.
    pub fn new<J: Job>(job: J) -> Self {
        Self {
            name: J::NAME.to_owned(),
            payload: serde_json::to_string(&job).map_err(|error| error.to_string()),
            queue: J::QUEUE.to_owned(),
            priority: 0,
            max_attempts: J::MAX_ATTEMPTS,
            run_at: None,
            delay: Duration::ZERO,
            unique_key: None,
            unique_for: Duration::ZERO,
            owner: None,
        }
    }

    /// Uses another queue.
    #[must_use]
    pub fn queue(mut self, queue: impl Into<String>) -> Self {
        self.queue = queue.into();
        self
    }

    /// Sets the priority: higher ones first, default 0.
    #[must_use]
    pub const fn priority(mut self, priority: i16) -> Self {
        self.priority = priority;
        self
    }

    /// Sets the maximum number of attempts.
    #[must_use]
    pub const fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts;
        self
    }

    /// Starts no earlier than at this time.
    #[must_use]
    pub const fn at(mut self, time: Timestamp) -> Self {
        self.run_at = Some(time);
        self
    }

    /// Starts no earlier than after this pause.
    #[must_use]
    pub const fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Enqueues nothing if a waiting or running job of this name has the same key.
    #[must_use]
    pub fn unique(mut self, key: impl Into<String>) -> Self {
        self.unique_key = Some(key.into());
        self
    }

    /// A job that ended keeps its unique key for this long after it was enqueued.
    #[must_use]
    pub const fn unique_for(mut self, period: Duration) -> Self {
        self.unique_for = period;
        self
    }

    /// Sets the owner of the job, such as a user id. Doyen only stores it.
    #[must_use]
    pub fn owner(mut self, owner: impl ToString) -> Self {
        self.owner = Some(owner.to_string());
        self
    }
}

impl<J: Job> From<J> for NewJob {
    fn from(job: J) -> Self {
        Self::new(job)
    }
}
