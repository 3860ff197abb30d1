//! The memory that argon2 works in, reused from one hash to the next.
//!
//! Allocating 19 MiB per hash makes the system allocator keep many times that: each thread has an
//! arena of its own, and an arena that has freed such a block does not return it. Here a buffer is
//! handed to the next hash, so there are never more buffers than permits.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use argon2::Block;
use doyen_core::sync::lock;
use tokio::time::Instant;

/// Time after which a buffer that no hash uses is returned to the system.
const RELEASE_AFTER: Duration = Duration::from_secs(10);

/// Capacity of a buffer, in blocks of 1 KiB. glibc serves every request above 32 MiB by a mapping
/// of its own and unmaps it when it is freed; smaller ones may stay in an arena indefinitely. Pages
/// that are never written cost no memory.
const MIN_CAPACITY: usize = (32 << 10) + 64;

/// Below this size, in blocks, a buffer is not worth a mapping of its own.
const MIN_POOLED: usize = 128;

/// Buffers for hashes of one size. The caller bounds how many are in use at once.
pub(super) struct Buffers {
    blocks: usize,
    /// Idle buffers and the start of their idle time; the longest idle one comes first.
    idle: Mutex<Vec<(Instant, Vec<Block>)>>,
    /// Held while a larger buffer is in use: one at a time, whatever the number of permits.
    larger: Mutex<()>,
    release_is_scheduled: AtomicBool,
}

impl Buffers {
    /// Creates buffers of this number of blocks of 1 KiB.
    pub(super) fn new(blocks: usize) -> Self {
        Self {
            blocks,
            idle: Mutex::default(),
            larger: Mutex::new(()),
            release_is_scheduled: AtomicBool::new(false),
        }
    }

    /// Runs the work with a buffer of this number of blocks. A buffer of the usual size or less is
    /// reused; a larger one is allocated for this call alone.
    pub(super) fn with<T>(&self, blocks: usize, work: impl FnOnce(&mut [Block]) -> T) -> T {
        if blocks > self.blocks {
            let _one_at_a_time = lock(&self.larger);
            return work(&mut allocate(blocks));
        }
        // The last one, so that the others age under a light load.
        let reused = lock(&self.idle).pop();
        let mut buffer = reused.map_or_else(|| allocate(self.blocks), |(_, buffer)| buffer);
        let done = work(&mut buffer[..blocks]);
        lock(&self.idle).push((Instant::now(), buffer));
        done
    }

    /// Schedules the release of the buffers, unless it is scheduled already.
    pub(super) fn release_when_idle(self: &Arc<Self>) {
        if self.release_is_scheduled.swap(true, Ordering::AcqRel) {
            return;
        }
        let buffers = Arc::downgrade(self);
        tokio::spawn(async move {
            let mut wait = RELEASE_AFTER;
            loop {
                tokio::time::sleep(wait).await;
                let Some(buffers) = buffers.upgrade() else {
                    return;
                };
                match buffers.release() {
                    Some(rest) => wait = rest,
                    None => return,
                }
            }
        });
    }

    /// Frees the buffers that have been idle for long enough. Returns the time until the next one,
    /// if any.
    fn release(&self) -> Option<Duration> {
        let mut idle = lock(&self.idle);
        idle.retain(|(since, _)| since.elapsed() < RELEASE_AFTER);
        let next = idle
            .first()
            .map(|(since, _)| RELEASE_AFTER.saturating_sub(since.elapsed()));
        if next.is_none() {
            self.release_is_scheduled.store(false, Ordering::Release);
        }
        next
    }

    /// Number of buffers that wait for the next hash.
    #[cfg(test)]
    pub(super) fn idle(&self) -> usize {
        lock(&self.idle).len()
    }
}

fn allocate(blocks: usize) -> Vec<Block> {
    let capacity = if blocks < MIN_POOLED {
        blocks
    } else {
        blocks.max(MIN_CAPACITY)
    };
    let mut buffer = Vec::with_capacity(capacity);
    buffer.resize(blocks, Block::new());
    buffer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_buffer_is_reused_and_released_after_a_while() {
        let buffers = Arc::new(Buffers::new(8));
        for _ in 0..3 {
            buffers.with(8, |memory| assert_eq!(memory.len(), 8));
            buffers.with(4, |memory| assert_eq!(memory.len(), 4));
            buffers.release_when_idle();
        }
        assert_eq!(buffers.idle(), 1);
        tokio::time::sleep(RELEASE_AFTER / 2).await;
        buffers.with(8, |_| ());
        tokio::time::sleep(RELEASE_AFTER * 3 / 4).await;
        assert_eq!(buffers.idle(), 1, "it was used a moment ago");
        tokio::time::sleep(RELEASE_AFTER / 2).await;
        assert_eq!(buffers.idle(), 0);
        buffers.with(8, |_| ());
        buffers.release_when_idle();
        tokio::time::sleep(RELEASE_AFTER * 2).await;
        assert_eq!(
            buffers.idle(),
            0,
            "a second release is scheduled like the first"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_light_load_keeps_one_buffer() {
        let buffers = Arc::new(Buffers::new(8));
        buffers.with(8, |_| buffers.with(8, |_| buffers.with(8, |_| ())));
        buffers.release_when_idle();
        assert_eq!(buffers.idle(), 3);
        for _ in 0..3 {
            tokio::time::sleep(RELEASE_AFTER / 2).await;
            buffers.with(8, |_| ());
        }
        assert_eq!(buffers.idle(), 1);
    }

    #[test]
    fn a_larger_buffer_is_not_kept() {
        let buffers = Buffers::new(8);
        buffers.with(16, |memory| assert_eq!(memory.len(), 16));
        assert_eq!(buffers.idle(), 0);
    }

    #[test]
    fn work_that_panics_leaves_the_buffers_usable() {
        let buffers = Buffers::new(8);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            buffers.with(16, |_| panic!("for the test"));
        }));
        assert!(panicked.is_err());
        assert_eq!(buffers.with(16, |memory| memory.len()), 16);
    }
}
