//! Why an attempt of a job failed, and what to do next.

use std::time::Duration;

use crate::{Problem, Refusal, Unexpected};

/// An attempt failed. `?` turns every error into one that is retried.
#[derive(Debug)]
pub enum JobError {
    /// Retry after the pause of [`Job::backoff`](super::Job::backoff), until the attempts are used
    /// up.
    Retry(Unexpected),
    /// Retry after this pause, for example that of a `Retry-After` header.
    RetryIn(Duration, Unexpected),
    /// Do not retry: another attempt would fail the same way. The job is dead.
    Permanent(Unexpected),
    /// The job ended because its cancellation was requested.
    Cancelled,
}

impl JobError {
    /// An error that another attempt would repeat.
    pub fn permanent(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        JobError::Permanent(Unexpected::new(cause))
    }

    /// An error that is retried after this pause.
    pub fn retry_in(
        pause: Duration,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        JobError::RetryIn(pause, Unexpected::new(cause))
    }

    /// Turns the problem of a domain into an error that is retried.
    pub fn from_problem(problem: impl Into<Refusal>) -> Self {
        JobError::Retry(unexpected(&*problem.into()))
    }

    /// Returns the text for the log and the row.
    pub fn text(&self) -> String {
        match self {
            JobError::Retry(error) | JobError::RetryIn(_, error) | JobError::Permanent(error) => {
                crate::chain(error.error())
            }
            JobError::Cancelled => "cancelled".to_owned(),
        }
    }
}

/// A problem is no `std::error::Error`: its code, detail and causes become the text.
fn unexpected(problem: &dyn Problem) -> Unexpected {
    let mut text = problem.info().code.to_owned();
    if let Some(detail) = problem.detail() {
        text = format!("{text}: {detail}");
    }
    if let Some(cause) = problem.cause() {
        text = format!("{text}: {}", crate::chain(cause));
    }
    Unexpected::known(problem.info(), text)
}

impl<E: Into<Unexpected>> From<E> for JobError {
    fn from(error: E) -> Self {
        JobError::Retry(error.into())
    }
}
