//! Lines on their way out: a buffer that callers append to and one thread writes.
//!
//! A caller holds the lock for one copy. The thread sleeps while there is nothing to do, and gathers for ten milliseconds once there is, so
//! that a busy service wakes it a hundred times a second and not once a line. Errors and `flush` do not wait for that.
//!
//! Lines of which there may be any number ask [`Lines::admits`] first; the thread reports how many
//! were left out.

use std::hash::Hash;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use doyen_core::sync::{ignore_poison, lock};

use crate::sample::{LeftOut, Sampler};

/// How much may wait to be written.
const CAPACITY: usize = 4 << 20;
/// How long lines are gathered before they are written.
const GATHER: Duration = Duration::from_millis(10);
/// How often the thread looks whether a report is due.
const REPORT: Duration = Duration::from_millis(250);
/// How long `flush` waits for a writer that is stuck.
const PATIENCE: Duration = Duration::from_secs(2);

/// Takes whole lines. Clones write to the same place.
#[derive(Clone)]
pub(crate) enum Lines {
    /// A thread writes them.
    Thread(Arc<Thread>),
    /// They are kept: for tests.
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

/// Writes the lines about lines that are not there.
#[derive(Clone, Copy)]
pub(crate) struct Notes {
    /// So many did not fit into the buffer.
    pub(crate) dropped: fn(u64) -> String,
    /// So many of a kind were left out.
    pub(crate) left_out: fn(&LeftOut) -> String,
}

impl Lines {
    /// Starts the thread that writes. Of each kind that asks, `limit` lines are admitted a second.
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

    /// Keeps the lines.
    pub(crate) fn memory() -> Self {
        Self::Memory(Arc::default())
    }

    /// True if a line of this kind is to be written. Where lines are kept for tests, all are.
    pub(crate) fn admits(&self, key: impl Hash, kind: impl FnOnce() -> String) -> bool {
        match self {
            Self::Thread(thread) => thread.shared.admits(key, kind),
            Self::Memory(_) => true,
        }
    }

    /// Takes one line, which ends with a line feed. It is dropped and counted when too much is waiting.
    pub(crate) fn push(&self, line: &str, urgent: bool) {
        match self {
            Self::Thread(thread) => thread.shared.push(line, urgent),
            Self::Memory(lines) => lock(lines).push(line.trim_end_matches('\n').to_owned()),
        }
    }

    /// Waits until all that was taken so far is written. False when that did not happen within two seconds.
    pub(crate) fn flush(&self) -> bool {
        match self {
            Self::Thread(thread) => thread.shared.flush(),
            Self::Memory(_) => true,
        }
    }

    /// The number of lines that were not written.
    pub(crate) fn lost(&self) -> LostLines {
        match self {
            Self::Thread(thread) => thread.shared.lost(),
            Self::Memory(_) => LostLines::default(),
        }
    }

    /// The lines that were kept.
    pub(crate) fn kept(&self) -> Vec<String> {
        match self {
            Self::Thread(_) => Vec::new(),
            Self::Memory(lines) => lock(lines).clone(),
        }
    }
}

/// The thread; when the last clone goes, what is left is written and the thread ends.
pub(crate) struct Thread {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Thread {
    fn drop(&mut self) {
        lock(&self.shared.state).closed = true;
        self.shared.work.notify_all();
        // A writer that is stuck must not keep the process from ending.
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
    /// There is something to write.
    work: Condvar,
    /// Something was written.
    done: Condvar,
}

#[derive(Default)]
struct State {
    buffer: Vec<u8>,
    dropped: u64,
    /// Lines taken, and how many of them are out.
    taken: u64,
    written: u64,
    urgent: bool,
    closed: bool,
    /// A caller waits until everything is written.
    flushing: bool,
    /// Lines were left out and are not reported yet.
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
        let (state, _) = ignore_poison(
            self.done
                .wait_timeout_while(state, PATIENCE, |state| state.written < goal),
        );
        state.written >= goal
    }

    fn run(&self, mut out: impl Write, notes: Notes) {
        let mut batch = Vec::new();
        let mut lost = 0;
        loop {
            let state = lock(&self.state);
            let state = ignore_poison(
                self.work
                    .wait_while(state, |s| s.is_idle() && !s.has_left_out),
            );
            // A report is due also when no further line comes.
            let (state, _) =
                ignore_poison(self.work.wait_timeout_while(state, REPORT, |s| s.is_idle()));
            let (mut state, _) = ignore_poison(
                self.work
                    .wait_timeout_while(state, GATHER, |s| !s.urgent && !s.closed),
            );
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
            // A closed output is the reader's choice: the lines are lost, the service goes on.
            if out.write_all(&batch).and_then(|()| out.flush()).is_err() {
                let lines = batch.iter().map(|b| u64::from(*b == b'\n')).sum::<u64>();
                self.dropped.fetch_add(lines, Ordering::Relaxed);
                lost += lines;
            }
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

    /// A writer that keeps what it gets and waits for a word before each write.
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
    struct Kept(Arc<Mutex<Vec<u8>>>);
    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            lock(&self.0).extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_of_many_threads_arrive_whole_and_in_each_ones_order() {
        let kept = Kept::default();
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
        let kept = Kept::default();
        let lines = Lines::thread(kept.clone(), NOTES, 100).unwrap();
        lines.push("one\n", false);
        drop(lines);
        assert_eq!(*lock(&kept.0), b"one\n");
    }

    #[test]
    fn what_does_not_fit_is_dropped_and_counted() {
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
        // The thread holds the first line; now the buffer can be filled at leisure.
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
    fn what_is_left_out_is_reported_at_a_flush_and_by_itself() {
        let kept = Kept::default();
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
