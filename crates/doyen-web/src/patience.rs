//! A limit on time whose clock starts only for those who have to wait.
//!
//! Most requests are answered, and most bodies are there, without a pause: for them no timer is made.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

/// The time is over.
pub(crate) struct Over;

/// The outcome of this work, unless it takes longer than that.
pub(crate) async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Result<T, Over> {
    let mut work = pin!(work);
    match poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx))).await {
        Poll::Ready(done) => Ok(done),
        Poll::Pending => tokio::time::timeout(limit, work).await.map_err(|_| Over),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_ready_is_taken_and_what_is_late_is_not() {
        let wait = |seconds| tokio::time::sleep(Duration::from_secs(seconds));
        let limit = Duration::from_secs(5);
        assert!(within(Duration::ZERO, async { 1 }).await.is_ok());
        assert!(within(limit, wait(4)).await.is_ok());
        let before = tokio::time::Instant::now();
        assert!(within(limit, wait(6)).await.is_err());
        assert_eq!(before.elapsed(), limit);
    }
}
