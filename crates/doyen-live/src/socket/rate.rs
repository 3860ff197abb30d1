//! The limit of messages of one socket: a bucket that fills up again.

use tokio::time::Instant;

/// Rejected messages in a row after which the socket is closed, in seconds of the limit.
const MAX_REJECTED_SECONDS: u32 = 2;

/// Counts the messages of one socket.
pub(super) struct MessageRate {
    per_second: u32,
    left: f64,
    counted: Instant,
    rejected: u32,
}

/// What happens to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Handle,
    Reject,
    Close,
}

impl MessageRate {
    pub(super) fn new(per_second: u32) -> Self {
        Self {
            per_second,
            left: f64::from(per_second) * 2.0,
            counted: Instant::now(),
            rejected: 0,
        }
    }

    /// Counts a message.
    pub(super) fn count(&mut self) -> Verdict {
        let per_second = f64::from(self.per_second);
        let refill = self.counted.elapsed().as_secs_f64() * per_second;
        self.counted = Instant::now();
        self.left = (self.left + refill).min(per_second * 2.0);
        if self.left >= 1.0 {
            self.left -= 1.0;
            self.rejected = 0;
            return Verdict::Handle;
        }
        self.rejected += 1;
        if self.rejected > self.per_second.saturating_mul(MAX_REJECTED_SECONDS) {
            Verdict::Close
        } else {
            Verdict::Reject
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_handled_and_a_flood_is_closed() {
        let mut rate = MessageRate::new(5);
        let mut verdicts: Vec<Verdict> = (0..21).map(|_| rate.count()).collect();
        assert!(verdicts.drain(..10).all(|one| one == Verdict::Handle));
        assert!(verdicts.drain(..10).all(|one| one == Verdict::Reject));
        assert_eq!(verdicts, [Verdict::Close]);
        tokio::time::advance(Duration::from_secs(1)).await;
        let handled = (0..6).filter(|_| rate.count() == Verdict::Handle).count();
        assert_eq!(handled, 5);
    }
}
