//! Whether anybody is being answered on a connection.
//!
//! HTTP/1.1 has its own clock for the header of a request. HTTP/2, and a client that has not yet shown which of the two it speaks, have
//! none: a connection on which nothing is asked for as long as a header may take is closed.

use std::time::Duration;

use tokio::sync::watch;

/// How many requests of a connection are being answered. Cloning shares it.
#[derive(Clone, Debug)]
pub(super) struct Activity(watch::Sender<Count>);

/// One request that is being answered: over when dropped.
#[derive(Debug)]
pub(super) struct Busy(watch::Sender<Count>);

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    now: usize,
    ever: bool,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(Count::default()))
    }

    /// A request begins.
    pub(super) fn begin(&self) -> Busy {
        self.0.send_modify(|count| {
            count.now += 1;
            count.ever = true;
        });
        Busy(self.0.clone())
    }

    /// True when no request ever came.
    pub(super) fn is_untouched(&self) -> bool {
        !self.0.borrow().ever
    }

    /// Done once nothing was asked for this long.
    pub(super) async fn idle(&self, time: Duration) {
        let mut seen = self.0.subscribe();
        loop {
            // The sender is `self`: it can not be gone.
            let _ = seen.wait_for(|count| count.now == 0).await;
            if tokio::time::timeout(time, seen.changed()).await.is_err() {
                return;
            }
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.send_modify(|count| count.now -= 1);
    }
}
