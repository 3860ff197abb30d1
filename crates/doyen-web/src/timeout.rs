//! A timeout whose timer starts only if the work has to wait.
//!
//! Most handlers finish, and most bodies are complete, without waiting. They need no timer.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

/// The work did not finish in time.
pub(crate) struct Elapsed;

/// Runs work with a timeout.
pub(crate) async fn with_timeout<T>(
    timeout: Duration,
    work: impl Future<Output = T>,
) -> Result<T, Elapsed> {
    let mut work = pin!(work);
    match poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx))).await {
        Poll::Ready(done) => Ok(done),
        Poll::Pending => tokio::time::timeout(timeout, work)
            .await
            .map_err(|_| Elapsed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn ready_work_succeeds_and_late_work_fails() {
        let wait = |seconds| tokio::time::sleep(Duration::from_secs(seconds));
        let timeout = Duration::from_secs(5);
        assert!(with_timeout(Duration::ZERO, async { 1 }).await.is_ok());
        assert!(with_timeout(timeout, wait(4)).await.is_ok());
        let before = tokio::time::Instant::now();
        assert!(with_timeout(timeout, wait(6)).await.is_err());
        assert_eq!(before.elapsed(), timeout);
    }
}
