//! Typed reads of SQLite, on connections of their own, over rusqlite.
//!
//! sqlx gives each connection a thread, and a statement travels there and each row back. A look-up by key takes SQLite 2.6 µs, with such a trip
//! 13 µs. So a read runs *inline*: right here, on the thread of the async runtime, and only what takes longer goes to a thread.
//!
//! What keeps the runtime responsive:
//!
//! - An inline run has a budget of virtual machine steps, 50 to 125 µs of work. Beyond it SQLite is interrupted, and the read is started anew
//!   on a thread: nothing is lost, for it only reads. The text is remembered and goes to a thread at once the next time ([`long`]).
//! - A step may take long, such as `count(*)` of a whole table, or one row of many megabytes. No budget of steps sees that, but the clock does,
//!   afterwards: a text that was slow twice goes to a thread, too.
//! - An inline run never waits for a lock.
//! - A task that does nothing but read gives way to others after about a millisecond.
//!
//! What is not bounded is the disk: a page that neither SQLite nor the operating system has in memory is read on the thread of the runtime,
//! as many of them as one budget of steps touches. For a database much larger than the memory on a slow disk that is felt; the clock then sends
//! the texts that suffer to a thread.
//!
//! A run on a thread ends when nobody waits for it any more or its time is up.

mod bind;
mod connection;
mod fault;
mod long;
mod names;
mod set;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sea_orm::{DbErr, Value};

use self::connection::{Budget, Stop};
use self::long::Long;
use self::set::{Lease, Set};
use super::Unread;
use crate::error::broken;
use crate::{DatabaseOptions, PoolStatus, Row};

/// An inline run that took longer was slow, whatever its steps.
const SLOW: Duration = Duration::from_millis(1);

/// Reading for so long uses up one of the 128 turns that tokio gives a task before others are due.
const TURN: Duration = Duration::from_micros(8);

/// The longest pause between two looks whether a lock is gone.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

pub(crate) struct SqliteReader {
    set: Arc<Set>,
    long: Long,
    /// The longest a read may take, once it has a connection.
    patience: Duration,
    /// The longest it waits for somebody else's lock.
    busy: Duration,
    /// The URL asks for something that only sqlx's way of opening a file knows.
    unusual: bool,
}

impl SqliteReader {
    /// Opens nothing yet: the file may not be there before the writer made it.
    pub(crate) fn new(file: &Path, options: &DatabaseOptions) -> Self {
        let asked = options.url.split_once('?').map_or("", |(_, asked)| asked);
        Self {
            set: Set::new(file, options),
            long: Long::default(),
            patience: options.statement_timeout,
            busy: options.busy_timeout,
            unusual: asked
                .split('&')
                .any(|asked| !asked.is_empty() && !asked.starts_with("mode=")),
        }
    }

    pub(crate) async fn all<T: Row>(&self, sql: &str, values: &[Value]) -> Result<Vec<T>, Unread> {
        self.rows(sql, values, false).await
    }

    pub(crate) async fn first<T: Row>(
        &self,
        sql: &str,
        values: &[Value],
    ) -> Result<Option<T>, Unread> {
        Ok(self.rows(sql, values, true).await?.pop())
    }

    pub(crate) fn size(&self) -> PoolStatus {
        self.set.size()
    }

    pub(crate) async fn close(&self) {
        self.set.close().await;
    }

    async fn rows<T: Row>(
        &self,
        sql: &str,
        values: &[Value],
        only_first: bool,
    ) -> Result<Vec<T>, Unread> {
        if self.unusual {
            return Err(Unread::Elsewhere);
        }
        let mut lease = self.set.lease().await?;
        if self.long.try_inline(sql) {
            let begun = Instant::now();
            let result = lease.run(sql, values, only_first, Budget::Inline);
            let ended = Instant::now();
            let time = ended.duration_since(begun);
            match result {
                Err(Stop::Interrupted) => self.long.was_long(sql),
                Err(Stop::Busy(_)) => {}
                result => {
                    lease.rests(ended);
                    if time > SLOW {
                        self.long.was_slow(sql);
                    } else {
                        self.long.was_quick(sql);
                    }
                    give_way(time).await;
                    return result.map_err(unread);
                }
            }
        }
        let on_thread = self.on_thread(lease, sql, values, only_first);
        // The time-out drops the run, which cancels it.
        tokio::time::timeout(self.patience, on_thread)
            .await
            .unwrap_or_else(|_| Err(out_of_time().into()))
    }

    /// To the end, on a thread; waits here while another process holds a lock.
    async fn on_thread<T: Row>(
        &self,
        mut lease: Lease,
        sql: &str,
        values: &[Value],
        only_first: bool,
    ) -> Result<Vec<T>, Unread> {
        let begun = Instant::now();
        let mut pause = Duration::from_millis(1);
        let question: Arc<(String, Vec<Value>)> = Arc::new((sql.to_owned(), values.to_vec()));
        loop {
            let question = Arc::clone(&question);
            let mut cancel = lease.cancel();
            let run = tokio::task::spawn_blocking(move || {
                let (sql, values) = &*question;
                let result = lease.run(sql, values, only_first, Budget::Unlimited);
                (lease, result)
            });
            let done = run.await;
            if let Some(cancel) = &mut cancel {
                cancel.done = true;
            }
            let result;
            (lease, result) = done.map_err(|error| match error.try_into_panic() {
                // A panic of the one who reads is his, wherever it ran.
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Unread::Elsewhere,
            })?;
            match result {
                Err(Stop::Busy(error)) if begun.elapsed() >= self.busy => return Err(error.into()),
                Err(Stop::Busy(_)) => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                // Hit by the late cancel of the read before, for this one has not been cancelled.
                Err(Stop::Interrupted) => {}
                result => return result.map_err(unread),
            }
        }
    }
}

fn unread(stop: Stop) -> Unread {
    match stop {
        Stop::Failed { error, .. } | Stop::Busy(error) => Unread::Failed(error),
        Stop::Interrupted | Stop::Elsewhere => Unread::Elsewhere,
    }
}

/// What the pool says of a statement that takes too long.
fn out_of_time() -> DbErr {
    broken(std::io::Error::new(
        std::io::ErrorKind::TimedOut,
        "the database did not answer in time",
    ))
}

/// An inline read is ready at once, so a loop of them would never let another task in.
async fn give_way(time: Duration) {
    let turns = time.as_micros() / TURN.as_micros();
    for _ in 0..=turns.min(128) {
        tokio::task::coop::consume_budget().await;
    }
}
