//! What a thread has done, to tell a poll that blocked or computed from one that was preempted.

use std::time::{Duration, Instant};

/// The state of the current thread at one time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ThreadUsage {
    at: Instant,
    #[cfg(target_os = "linux")]
    usage: Usage,
}

#[cfg(target_os = "linux")]
#[derive(Clone, Copy, Debug)]
struct Usage {
    processor: Duration,
    /// Context switches because the thread waited, and because others had to run.
    voluntary: i64,
    involuntary: i64,
}

impl ThreadUsage {
    /// Returns the state of the current thread, if the system can tell.
    #[cfg(target_os = "linux")]
    pub(crate) fn now() -> Option<Self> {
        use nix::sys::resource::{UsageWho, getrusage};
        use nix::sys::time::TimeValLike as _;

        let usage = getrusage(UsageWho::RUSAGE_THREAD).ok()?;
        let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
        Some(Self {
            at: Instant::now(),
            usage: Usage {
                processor: Duration::from_micros(u64::try_from(micros).unwrap_or_default()),
                voluntary: usage.voluntary_context_switches(),
                involuntary: usage.involuntary_context_switches(),
            },
        })
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn now() -> Option<Self> {
        None
    }

    /// Returns how long the thread computed or waited since then, if that is at least the limit.
    ///
    /// On a busy machine the thread may also have been ready and not running. Time of a thread that
    /// was preempted counts only as far as it computed.
    #[cfg(target_os = "linux")]
    pub(crate) fn blocked(&self, limit: Duration) -> Option<Duration> {
        let elapsed = self.at.elapsed();
        // The common case, without a system call.
        if elapsed < limit {
            return None;
        }
        let now = Self::now()?.usage;
        let processor = now.processor.saturating_sub(self.usage.processor);
        let has_waited = now.voluntary > self.usage.voluntary;
        let was_preempted = now.involuntary > self.usage.involuntary;
        if has_waited && !was_preempted {
            return Some(elapsed);
        }
        (processor >= limit).then_some(processor)
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn blocked(&self, limit: Duration) -> Option<Duration> {
        let _ = (limit, self.at);
        None
    }
}
