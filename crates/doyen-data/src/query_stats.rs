//! Statistics of the statements of one session.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use doyen_core::{Observation, sync};

use crate::statement::statement_shape;

/// The statements of one session: number, time, texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryStats {
    /// Number of statements, without those that begin and end the transaction.
    pub statements: u32,
    /// Total time, including the wait for a connection.
    pub time: Duration,
    /// Each statement once, normalized, in the order of first use.
    pub fingerprints: Vec<Fingerprint>,
}

/// A statement and how often it was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// The text without values; lists of placeholders are shortened to `(..)`.
    pub sql: String,
    /// Number of runs. A high number may be a query in a loop.
    pub count: u32,
}

/// Collects the statistics. A request runs few statements, so a list is the fastest map.
#[derive(Default)]
pub(crate) struct QueryCounter {
    counts: Mutex<Counts>,
    /// Set if the request of the session is observed.
    observation: Option<Arc<dyn Observation>>,
}

#[derive(Default)]
struct Counts {
    statements: u32,
    time: Duration,
    seen: Vec<(Box<str>, u32)>,
}

impl QueryCounter {
    pub(crate) fn new(observation: Option<Arc<dyn Observation>>) -> Self {
        Self {
            counts: Mutex::default(),
            observation,
        }
    }

    pub(crate) fn observation(&self) -> Option<&dyn Observation> {
        self.observation.as_deref()
    }

    /// Reports that a transaction has begun.
    pub(crate) fn transaction_began(&self) {
        if let Some(observation) = self.observation() {
            observation.transaction_began();
        }
    }

    /// Reports that the transaction ends.
    pub(crate) fn transaction_ended(&self) {
        if let Some(observation) = self.observation() {
            observation.transaction_ended();
        }
    }

    pub(crate) fn add(&self, sql: &str, time: Duration) {
        let mut counts = sync::lock(&self.counts);
        counts.statements += 1;
        counts.time += time;
        // The last first: a loop repeats the same statement.
        match counts.seen.iter_mut().rfind(|(known, _)| **known == *sql) {
            Some((_, count)) => *count += 1,
            None => counts.seen.push((sql.into(), 1)),
        }
    }

    /// Returns the number of statements and their time, for the access log.
    pub(crate) fn totals(&self) -> (u32, Duration) {
        let counts = sync::lock(&self.counts);
        (counts.statements, counts.time)
    }

    pub(crate) fn query_stats(&self) -> QueryStats {
        let counts = sync::lock(&self.counts);
        let mut fingerprints: Vec<Fingerprint> = Vec::new();
        for (sql, count) in &counts.seen {
            let sql = statement_shape(sql);
            match fingerprints.iter_mut().find(|known| known.sql == sql) {
                Some(known) => known.count += count,
                None => fingerprints.push(Fingerprint { sql, count: *count }),
            }
        }
        QueryStats {
            statements: counts.statements,
            time: counts.time,
            fingerprints,
        }
    }
}
