//! The output of log lines: a buffer that callers append to and one thread writes.
//!
//! A caller holds the lock for one copy. The thread sleeps while there is nothing to write. A line
//! that comes alone is written at once. After a write, lines are collected for ten milliseconds, so
//! that a busy service wakes the thread a hundred times a second and not once per line. Errors and
//! `flush` wake it at once.
//!
//! Lines that a client can cause in any number need [`Lines::admits`] first; the thread reports how
//! many were left out.

use std::hash::Hash;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use doyen_core::sync::{ignore_poison, lock};

use crate::sample::{LeftOut, Sampler};

/// Maximum number of bytes that wait to be written.
const CAPACITY: usize = 4 << 20;
/// Minimum time between two writes, unless a line is urgent.
const BATCH_DELAY: Duration = Duration::from_millis(10);
/// Interval at which the thread checks for due reports.
const REPORT_INTERVAL: Duration = Duration::from_millis(250);
/// Maximum time that `flush` waits for a blocked writer.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

/// A destination for whole lines. Clones write to the same destination.
#[derive(Clone)]
pub(crate) enum Lines {
    /// A thread writes the lines.
    Thread(Arc<Thread>),
    /// The lines are kept in memory, for tests.
    Memory(Arc<Mutex<Vec<String>>>),
}

/// The number of lines that were not written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LostLines {
    /// Lines that were dropped because the output is too slow or closed.
    pub dropped: u64,
    /// Lines above the limit of their kind.
    pub left_out: u64,
}

/// Formats the reports about lines that were not written.
#[derive(Clone, Copy)]
pub(crate) struct Notes {
    /// Reports lines that did not fit into the buffer.
    pub(crate) dropped: fn(u64) -> String,
    /// Reports lines of a kind that were sampled out.
    pub(crate) left_out: fn(&LeftOut) -> String,
}

impl Lines {
    /// Starts the writing thread. It admits `limit` lines per second of each kind.
    pub(crate) fn thread(
        out: impl Write + Send + 'static,
        notes: Notes,
        limit: u32,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared::new(limit));
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("log-writer".to_owned())
            .spawn(move || theirs.run(out, notes))?;
        Ok(Self::Thread(Arc::new(Thread {
            shared,
            thread: Mutex::new(Some(thread)),
        })))
    }

    /// Keeps the lines in memory.
    pub(crate) fn memory() -> Self {
        Self::Memory(Arc::default())
    }

    /// True if a line of this kind may be written. In memory, all may.
    pub(crate) fn admits(&self, key: impl Hash, kind: impl FnOnce() -> String) -> bool {
        match self {
            Self::Thread(thread) => thread.shared.admits(key, kind),
            Self::Memory(_) => true,
        }
    }

    /// Appends a line, which ends with a line feed. It is dropped and counted if the buffer is
    /// full.
    pub(crate) fn push(&self, line: &str, urgent: bool) {
        match self {
            Self::Thread(thread) => thread.shared.push(line, urgent),
            Self::Memory(lines) => lock(lines).push(line.trim_end_matches('\n').to_owned()),
        }
    }

    /// Waits until all lines so far are written. Returns false after two seconds.
    pub(crate) fn flush(&self) -> bool {
        match self {
            Self::Thread(thread) => thread.shared.flush(),
            Self::Memory(_) => true,
        }
    }

    /// Returns the number of lines that were not written.
    pub(crate) fn lost(&self) -> LostLines {
        match self {
            Self::Thread(thread) => thread.shared.lost(),
            Self::Memory(_) => LostLines::default(),
        }
    }

    /// Returns the lines in memory.
    pub(crate) fn kept(&self) -> Vec<String> {
        match self {
            Self::Thread(_) => Vec::new(),
            Self::Memory(lines) => lock(lines).clone(),
        }
    }
}

/// The writing thread. When the last clone is dropped, it writes the remaining lines and ends.
pub(crate) struct Thread {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Thread {
    fn drop(&mut self) {
        lock(&self.shared.state).closed = true;
        self.shared.work.notify_all();
        // A blocked writer must not keep the process from ending.
        if self.shared.flush()
            && let Some(thread) = lock(&self.thread).take()
        {
            _ = thread.join();
        }
    }
}

struct Shared {
    sampler: Sampler,
    dropped: AtomicU64,
    left_out: AtomicU64,
    state: Mutex<State>,
    /// Signals that there is something to write.
    work: Condvar,
    /// Signals that something was written.
    done: Condvar,
}

#[derive(Default)]
struct State {
    buffer: Vec<u8>,
    dropped: u64,
    /// Number of lines taken, and of lines written.
    taken: u64,
    written: u64,
    urgent: bool,
    closed: bool,
    /// True if a caller waits until everything is written.
    flushing: bool,
    /// True if left-out lines are not reported yet.
    has_left_out: bool,
}

impl Shared {
    fn new(limit: u32) -> Self {
        Self {
            sampler: Sampler::new(limit),
            dropped: AtomicU64::new(0),
            left_out: AtomicU64::new(0),
            state: Mutex::default(),
            work: Condvar::new(),
            done: Condvar::new(),
        }
    }

    fn admits(&self, key: impl Hash, kind: impl FnOnce() -> String) -> bool {
        let admitted = self.sampler.admits(key, kind);
        if admitted {
            return true;
        }
        self.left_out.fetch_add(1, Ordering::Relaxed);
        if !std::mem::replace(&mut lock(&self.state).has_left_out, true) {
            self.work.notify_one();
        }
        false
    }

    fn lost(&self) -> LostLines {
        LostLines {
            dropped: self.dropped.load(Ordering::Relaxed),
            left_out: self.left_out.load(Ordering::Relaxed),
        }
    }

    fn push(&self, line: &str, urgent: bool) {
        let mut state = lock(&self.state);
        if state.buffer.len() + line.len() > CAPACITY {
            state.dropped += 1;
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let first = state.buffer.is_empty();
        state.buffer.extend_from_slice(line.as_bytes());
        state.taken += 1;
        let hurry = (urgent || state.buffer.len() > CAPACITY / 2) && !state.urgent;
        state.urgent |= hurry;
        drop(state);
        if first || hurry {
            self.work.notify_one();
        }
    }

    fn flush(&self) -> bool {
        let mut state = lock(&self.state);
        // A report counts as a line.
        state.taken += u64::from(state.has_left_out);
        let goal = state.taken;
        state.urgent = true;
        state.flushing = true;
        self.work.notify_one();
        let (state, _) = ignore_poison(self.done.wait_timeout_while(
            state,
            FLUSH_TIMEOUT,
            |state| state.written < goal,
        ));
        state.written >= goal
    }

    fn run(&self, mut out: impl Write, notes: Notes) {
        let mut batch = Vec::new();
        let mut lost = 0;
        let mut written = None;
        loop {
            let state = lock(&self.state);
            let state = ignore_poison(
                self.work
                    .wait_while(state, |s| s.is_idle() && !s.has_left_out),
            );
            // A report is also due if no further line comes.
            let (state, _) = ignore_poison(self.work.wait_timeout_while(
                state,
                REPORT_INTERVAL,
                |s| s.is_idle(),
            ));
            let since = written.map_or(BATCH_DELAY, |at: Instant| at.elapsed());
            let (mut state, _) = ignore_poison(self.work.wait_timeout_while(
                state,
                BATCH_DELAY.saturating_sub(since),
                |s| !s.urgent && !s.closed,
            ));
            std::mem::swap(&mut state.buffer, &mut batch);
            lost += std::mem::take(&mut state.dropped);
            let (goal, closed) = (state.taken, state.closed);
            state.urgent = false;
            let flushing = std::mem::take(&mut state.flushing) || closed;
            if state.has_left_out {
                for left_out in self.sampler.take_left_out(flushing) {
                    batch.extend_from_slice((notes.left_out)(&left_out).as_bytes());
                }
                state.has_left_out = self.sampler.has_left_out();
            }
            drop(state);

            if lost > 0 && out.write_all((notes.dropped)(lost).as_bytes()).is_ok() {
                lost = 0;
            }
            // If the reader closed the output, the lines are lost and the service continues.
            if out.write_all(&batch).and_then(|()| out.flush()).is_err() {
                let lines = batch.iter().map(|b| u64::from(*b == b'\n')).sum::<u64>();
                self.dropped.fetch_add(lines, Ordering::Relaxed);
                lost += lines;
            }
            written = Some(Instant::now());
            batch.clear();
            lock(&self.state).written = goal;
            self.done.notify_all();
            if closed {
                return;
            }
        }
    }
}

impl State {
    fn is_idle(&self) -> bool {
        self.buffer.is_empty() && !self.closed && !self.urgent
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// A writer that captures its input and waits for a permit before each write.
    struct Gate {
        out: Arc<Mutex<Vec<u8>>>,
        entered: Sender<()>,
        open: Receiver<()>,
    }

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            _ = self.entered.send(());
            _ = self.open.recv();
            lock(&self.out).extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    const NOTES: Notes = Notes {
        dropped: |lost| format!("lost {lost}\n"),
        left_out: |left_out| format!("{} x {}\n", left_out.lines, left_out.kind),
    };

    #[derive(Clone, Default)]
    struct Captured(Arc<Mutex<Vec<u8>>>);
    impl Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            lock(&self.0).extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_of_many_threads_arrive_whole_and_in_order_per_thread() {
        let kept = Captured::default();
        let lines = Lines::thread(kept.clone(), NOTES, 100).unwrap();
        std::thread::scope(|scope| {
            for name in 0..4 {
                let lines = lines.clone();
                scope.spawn(move || {
                    (0..500).for_each(|n| lines.push(&format!("{name} {n}\n"), n % 100 == 0))
                });
            }
        });
        assert!(lines.flush());
        let text = String::from_utf8(lock(&kept.0).clone()).unwrap();
        for name in 0..4 {
            let mine: Vec<&str> = text
                .lines()
                .filter(|line| line.starts_with(&name.to_string()))
                .collect();
            assert_eq!(
                mine,
                (0..500).map(|n| format!("{name} {n}")).collect::<Vec<_>>()
            );
        }
        assert_eq!(text.lines().count(), 2000);
    }

    #[test]
    fn the_last_clone_to_go_writes_the_rest() {
        let kept = Captured::default();
        let lines = Lines::thread(kept.clone(), NOTES, 100).unwrap();
        lines.push("one\n", false);
        drop(lines);
        assert_eq!(*lock(&kept.0), b"one\n");
    }

    #[test]
    fn lines_beyond_the_capacity_are_dropped_and_counted() {
        let (entered, enters) = channel();
        let (opener, open) = channel();
        let out = Arc::new(Mutex::new(Vec::new()));
        let lines = Lines::thread(
            Gate {
                out: Arc::clone(&out),
                entered,
                open,
            },
            NOTES,
            100,
        )
        .unwrap();
        lines.push("stuck\n", true);
        enters.recv().unwrap();
        // The thread holds the first line; now the buffer can be filled.
        let big = "x".repeat((1 << 20) - 1) + "\n";
        for _ in 0..6 {
            lines.push(&big, false);
        }
        drop(opener);
        assert!(lines.flush());
        let text = String::from_utf8(lock(&out).clone()).unwrap();
        assert_eq!(text.lines().filter(|line| line.starts_with('x')).count(), 4);
        assert!(text.starts_with("stuck\nlost 2\n"), "{}", &text[..40]);
        assert_eq!(lines.lost().dropped, 2);
    }

    #[test]
    fn left_out_lines_are_reported_at_a_flush_and_by_time() {
        let kept = Captured::default();
        let lines = Lines::thread(kept.clone(), NOTES, 2).unwrap();
        let written = |count: usize| {
            let admitted = |_: &usize| lines.admits("refused", || "refused".to_owned());
            let admitted = (0..count).filter(admitted).count();
            (0..admitted).for_each(|_| lines.push("one\n", false));
        };
        let text = || String::from_utf8(lock(&kept.0).clone()).unwrap();
        written(100);
        assert!(lines.flush());
        assert_eq!(text(), "one\none\n98 x refused\n");
        assert_eq!(lines.lost().left_out, 98);
        written(100);
        let start = std::time::Instant::now();
        while text().lines().count() < 6 {
            assert!(start.elapsed().as_secs() < 10, "{}", text());
            std::thread::yield_now();
        }
        assert!(
            text().ends_with("98 x refused\none\none\n98 x refused\n"),
            "{}",
            text()
        );
    }

    #[test]
    fn a_closed_output_loses_lines_and_nothing_else() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let lines = Lines::thread(Closed, NOTES, 100).unwrap();
        for _ in 0..3 {
            lines.push("gone\n", true);
            assert!(lines.flush());
        }
        assert_eq!(lines.lost().dropped, 3);
    }
}
