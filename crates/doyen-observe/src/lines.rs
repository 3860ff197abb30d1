//! Lines on their way out: a buffer that callers append to and one thread writes.
//!
//! A caller holds the lock for one copy. The thread sleeps while there is nothing to do, and gathers for ten milliseconds once there is, so
//! that a busy service wakes it a hundred times a second and not once a line. Errors and `flush` do not wait for that.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How much may wait to be written.
const CAPACITY: usize = 4 << 20;
/// How long lines are gathered before they are written.
const GATHER: Duration = Duration::from_millis(10);
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

/// What a line about dropped lines looks like.
pub(crate) type Note = fn(u64) -> String;

impl Lines {
    /// Starts the thread that writes.
    pub(crate) fn thread(out: impl Write + Send + 'static, note: Note) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("log-writer".to_owned())
            .spawn(move || theirs.run(out, note))?;
        Ok(Self::Thread(Arc::new(Thread {
            shared,
            thread: Mutex::new(Some(thread)),
        })))
    }

    /// Keeps the lines.
    pub(crate) fn memory() -> Self {
        Self::Memory(Arc::default())
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

#[derive(Default)]
struct Shared {
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
}

impl Shared {
    fn push(&self, line: &str, urgent: bool) {
        let mut state = lock(&self.state);
        if state.buffer.len() + line.len() > CAPACITY {
            state.dropped += 1;
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
        let goal = state.taken;
        state.urgent = true;
        self.work.notify_one();
        let (state, _) = self
            .done
            .wait_timeout_while(state, PATIENCE, |state| state.written < goal)
            .unwrap_or_else(PoisonError::into_inner);
        state.written >= goal
    }

    fn run(&self, mut out: impl Write, note: Note) {
        let mut batch = Vec::new();
        let mut lost = 0;
        loop {
            let state = lock(&self.state);
            let state = self
                .work
                .wait_while(state, |s| s.buffer.is_empty() && !s.closed)
                .unwrap_or_else(PoisonError::into_inner);
            let (mut state, _) = self
                .work
                .wait_timeout_while(state, GATHER, |s| !s.urgent && !s.closed)
                .unwrap_or_else(PoisonError::into_inner);
            std::mem::swap(&mut state.buffer, &mut batch);
            lost += std::mem::take(&mut state.dropped);
            let (goal, closed) = (state.taken, state.closed);
            state.urgent = false;
            drop(state);

            if lost > 0 && out.write_all(note(lost).as_bytes()).is_ok() {
                lost = 0;
            }
            // A closed output is the reader's choice: the lines are lost, the service goes on.
            if out.write_all(&batch).and_then(|()| out.flush()).is_err() {
                lost += batch.iter().map(|b| u64::from(*b == b'\n')).sum::<u64>();
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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

    fn note(lost: u64) -> String {
        format!("lost {lost}\n")
    }

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
        let lines = Lines::thread(kept.clone(), note).unwrap();
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
        let lines = Lines::thread(kept.clone(), note).unwrap();
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
            note,
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
        let lines = Lines::thread(Closed, note).unwrap();
        for _ in 0..3 {
            lines.push("gone\n", true);
            assert!(lines.flush());
        }
    }
}
