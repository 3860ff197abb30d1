//! From the result of an attempt to what becomes of the job.

use std::time::Duration;

use doyen_core::{JobError, JobHandler, Refusal, stable_hash};

use crate::store::{Claimed, Outcome};

/// Returns what follows a failed attempt: the next one, or the end.
pub(super) fn after_error(error: JobError, job: &Claimed, handler: &JobHandler) -> Outcome {
    let text = error.text();
    let pause = match error {
        JobError::Cancelled => return Outcome::Cancelled,
        JobError::Permanent(_) => return Outcome::Failed(text),
        JobError::RetryIn(pause, _) => pause,
        JobError::Retry(_) => with_jitter((handler.backoff)(job.attempt), job),
    };
    if job.attempt >= job.max_attempts {
        Outcome::Failed(text)
    } else {
        Outcome::Retry(pause, text)
    }
}

/// Adds up to a quarter. It depends on the job and the attempt alone, so that a schedule can be
/// tested.
fn with_jitter(pause: Duration, job: &Claimed) -> Duration {
    let seed = stable_hash([&*job.id.to_string(), &*job.attempt.to_string()]);
    let share = (seed % 1000) as f64 / 4000.0;
    pause + pause.mul_f64(share)
}

/// Returns the text of a panic.
pub(super) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("it panicked: {}", text.unwrap_or("no message"))
}

pub(super) fn refused(refusal: Refusal) -> JobError {
    JobError::from_problem(refusal)
}
