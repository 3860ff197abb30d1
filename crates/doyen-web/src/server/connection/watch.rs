//! When a connection ends for another reason than its requests: shutdown, silence, a client that
//! does not read.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::server::activity::Activity;
use crate::server::flow::Flow;
use crate::server::shutdown::{Shutdown, Stage};

/// How long a client that has read everything may take to close after the close message.
pub(in crate::server) const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// How long an idle connection is kept when the server shuts down. A request that its client is
/// sending meanwhile gets a response, which announces the close.
pub(in crate::server) const LAST_REQUEST_TIME: Duration = Duration::from_secs(1);

/// How often a connection without a request checks for the first, while the server shuts down.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Minimum bytes that count as progress of a response over HTTP/2. Fewer may be replies to pings.
const MIN_HTTP2_PROGRESS_BYTES: u64 = 4 << 10;

/// What happens to a connection other than requests.
pub(super) enum Event {
    /// The server shuts down. Responses announce the close.
    Draining,
    /// The client has used up its time: for a request head, for reading a response, or between two
    /// requests.
    Overdue,
    /// The server shuts down, and no request has come for a while.
    Quiet,
    /// The connection is closed at once.
    Cut,
}

/// Observes a connection. Cloning shares what is observed.
#[derive(Clone)]
pub(super) struct Watch {
    pub(super) shutdown: Shutdown,
    pub(super) activity: Activity,
    pub(super) flow: Arc<Flow>,
    pub(super) header_timeout: Duration,
    pub(super) idle_timeout: Duration,
    pub(super) is_http2: bool,
}

/// The last progress of a response.
struct Progress {
    at: Instant,
    made: u64,
}

impl Watch {
    /// Observes an open connection.
    pub(super) async fn open(self) -> Event {
        tokio::select! {
            () = self.shutdown.reached(Stage::Announce) => Event::Draining,
            () = self.overdue() => Event::Overdue,
        }
    }

    /// Observes a connection while the server shuts down.
    pub(super) async fn draining(self) -> Event {
        let quiet = async {
            self.shutdown.reached(Stage::Finish).await;
            loop {
                self.activity.idle(LAST_REQUEST_TIME).await;
                if !self.has_unread() {
                    return;
                }
            }
        };
        // Over HTTP/2 the close is not announced by a response. A client that has just connected
        // could send no request if it was announced at once.
        let first_request = async {
            while self.activity.is_untouched() {
                tokio::time::sleep(POLL_INTERVAL).await;
            }
        };
        tokio::select! {
            () = self.shutdown.reached(Stage::Cut) => Event::Cut,
            () = self.overdue() => Event::Overdue,
            () = quiet => Event::Quiet,
            () = first_request, if self.is_http2 => Event::Quiet,
        }
    }

    /// Observes a connection after the close message: until the end of the drain, or until the
    /// client neither sends nor reads any more.
    pub(super) async fn closing(self) -> Event {
        tokio::select! {
            () = self.shutdown.reached(Stage::Cut) => {}
            () = self.abandoned() => {}
        }
        Event::Cut
    }

    /// True while the client has not received all responses.
    pub(super) fn has_unread(&self) -> bool {
        self.flow.is_stalled() || self.activity.is_handing_over()
    }

    /// True if a request or a response is incomplete.
    pub(super) fn has_work(&self) -> bool {
        self.activity.idle_time().is_none()
            || self.activity.is_handing_over()
            || self.flow.unflushed() > 0
            || self.flow.is_midway()
    }

    /// Completes when the client has used up its time.
    async fn overdue(&self) {
        let mut progress = Progress {
            at: Instant::now(),
            made: self.flow.progress(),
        };
        loop {
            let left = self.time_left(&mut progress);
            if left.is_zero() {
                return;
            }
            // Another limit may apply meanwhile, and end no sooner than this.
            tokio::time::sleep(left.min(self.header_timeout).min(self.idle_timeout)).await;
        }
    }

    fn time_left(&self, progress: &mut Progress) -> Duration {
        let Some(idle) = self.activity.idle_time() else {
            return self.header_timeout;
        };
        let (limit, used) = if self.has_unread() {
            let made = self.flow.progress();
            if made.wrapping_sub(progress.made) >= self.min_progress() {
                *progress = Progress {
                    at: Instant::now(),
                    made,
                };
            }
            (self.header_timeout, idle.min(progress.at.elapsed()))
        } else if let Some(midway) = self.flow.midway_time() {
            (self.header_timeout, idle.min(midway))
        } else if self.activity.is_untouched() {
            (self.header_timeout, idle)
        } else {
            (self.idle_timeout, idle)
        };
        limit.saturating_sub(used)
    }

    /// A client that reads slowly is kept, one that only sends pings is not.
    fn min_progress(&self) -> u64 {
        if self.flow.is_stalled() {
            1
        } else {
            MIN_HTTP2_PROGRESS_BYTES
        }
    }

    async fn abandoned(&self) {
        loop {
            let (had_unread, before) = (self.has_unread(), self.flow.progress());
            let timeout = if had_unread {
                self.header_timeout
            } else {
                CLOSE_TIMEOUT
            };
            self.activity.idle(timeout).await;
            let made = self.flow.progress().wrapping_sub(before);
            if !self.has_unread() || had_unread && made < self.min_progress() {
                return;
            }
        }
    }
}
