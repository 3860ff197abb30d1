//! What one request asked of the database.

use std::sync::Mutex;
use std::time::Duration;

use doyen_core::sync;

use crate::statement::normalise;

/// Statements of one session: how many, how long, which.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// How many statements were run; what begins and ends the transaction does not count.
    pub statements: u32,
    /// How long they took together, waiting for a connection included.
    pub time: Duration,
    /// Each statement once, its text normalised, in the order of first use.
    pub fingerprints: Vec<Fingerprint>,
}

/// One statement and how often it was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// The text without values; lists of placeholders are shortened to `(..)`.
    pub sql: String,
    /// How often it was run: a high number may be a query in a loop.
    pub count: u32,
}

/// Collects while the session works. A request runs few statements, so a list is the fastest map.
#[derive(Default)]
pub(crate) struct Counter(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    statements: u32,
    time: Duration,
    seen: Vec<(Box<str>, u32)>,
}

impl Counter {
    pub(crate) fn add(&self, sql: &str, time: Duration) {
        let mut counts = sync::lock(&self.0);
        counts.statements += 1;
        counts.time += time;
        // The last first: a loop asks the same again.
        match counts.seen.iter_mut().rfind(|(known, _)| **known == *sql) {
            Some((_, count)) => *count += 1,
            None => counts.seen.push((sql.into(), 1)),
        }
    }

    /// How many, how long: what the access log wants of every request.
    pub(crate) fn totals(&self) -> (u32, Duration) {
        let counts = sync::lock(&self.0);
        (counts.statements, counts.time)
    }

    pub(crate) fn statistics(&self) -> Statistics {
        let counts = sync::lock(&self.0);
        let mut fingerprints: Vec<Fingerprint> = Vec::new();
        for (sql, count) in &counts.seen {
            let sql = normalise(sql);
            match fingerprints.iter_mut().find(|known| known.sql == sql) {
                Some(known) => known.count += count,
                None => fingerprints.push(Fingerprint { sql, count: *count }),
            }
        }
        Statistics {
            statements: counts.statements,
            time: counts.time,
            fingerprints,
        }
    }
}
