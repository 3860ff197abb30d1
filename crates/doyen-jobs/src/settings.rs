//! The settings of background jobs.

use std::time::Duration;

use doyen_core::Rate;
use doyen_settings::{ByteSize, Raw, Setting, Settings, Wrong};

/// Background jobs.
#[derive(Debug, Clone, Settings)]
#[non_exhaustive]
pub struct JobSettings {
    /// Runs jobs in this process. With `false` it only enqueues: for nodes that serve requests
    /// while others work.
    #[setting(default = true)]
    pub work: bool,
    /// Concurrent jobs of each queue in one process. Each uses a database connection from its first
    /// statement to its commit, so the sum of all queues stays below `database.max_connections`.
    #[setting(default = 4, min = 1, max = 1000)]
    pub concurrency: u32,
    /// Queues with limits of their own: `mail: 2`, `exports: 1 of 3`, `webhooks: 8 100/1s`. The
    /// first number is the concurrency in one process, the number after `of` that of all processes
    /// together, and the rate counts starts in all processes. Further jobs wait.
    #[setting(default = [])]
    pub queues: Vec<QueueSettings>,
    /// Maximum time until a waiting job is noticed if no wake-up arrives, and precision of delays
    /// and schedules.
    #[setting(default = "1s", min = "10ms", max = "10s")]
    pub poll_interval: Duration,
    /// How waiting workers learn of new jobs: `sql` wakes all workers of a PostgreSQL database, or
    /// those of this process on SQLite. `redis` wakes one worker with a free place, over
    /// `redis.url`; jobs stay in the database, and without Redis workers poll.
    #[setting(default = "sql")]
    pub dispatch: DispatchKind,
    /// Time without a heartbeat after which the jobs of a process are run by others. The heartbeat
    /// is sent in a third of it.
    #[setting(default = "30s", min = "300ms", max = "10m")]
    pub lease: Duration,
    /// Time that running jobs have to end when the process stops. Then they are rolled back and
    /// handed back to other processes.
    #[setting(default = "5s", max = "10m")]
    pub drain: Duration,
    /// Time that a job has to end by itself after its cancellation. Then it is rolled back.
    #[setting(default = "5s", max = "10m")]
    pub cancel_grace: Duration,
    /// Maximum size of a payload. Enqueuing a larger one fails.
    #[setting(default = "2 MiB", min = "1 KiB", max = "64 MiB")]
    pub max_payload: ByteSize,
    /// Maximum size of a result. A job with a larger one fails for good.
    #[setting(default = "64 KiB", min = "1 KiB", max = "16 MiB")]
    pub max_result: ByteSize,
    /// Time for which jobs that are done or cancelled are kept.
    #[setting(default = "7d", min = "1s")]
    pub keep_done: Duration,
    /// Time for which failed jobs are kept.
    #[setting(default = "30d", min = "1s")]
    pub keep_failed: Duration,
}

/// How waiting workers learn of new jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Settings)]
pub enum DispatchKind {
    /// Wake-ups of the database.
    Sql,
    /// A list in Redis.
    Redis,
}

/// The limits of one queue.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueSettings {
    /// Name.
    pub name: String,
    /// Concurrent jobs in one process.
    pub concurrency: u32,
    /// Concurrent jobs in all processes together.
    pub total: Option<u32>,
    /// Starts in all processes together.
    pub rate: Option<Rate>,
}

impl QueueSettings {
    /// Reads `webhooks: 8 of 20 100/1s`.
    ///
    /// # Errors
    ///
    /// Returns what it must be.
    pub fn parse(text: &str) -> Result<Self, String> {
        const SHAPE: &str = "a queue and its limits, such as `mail: 2`, `exports: 1 of 3` or \
                             `webhooks: 8 100/1s`";
        let (name, limits) = text.split_once(':').ok_or(SHAPE)?;
        let name = name.trim();
        let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        if name.is_empty() || name.len() > 100 || !name.chars().all(fine) {
            return Err(SHAPE.to_owned());
        }
        let mut words = limits.split_whitespace().peekable();
        let number = |word: Option<&str>| -> Result<u32, String> {
            let number = word.and_then(|word| word.parse().ok());
            number
                .filter(|number| (1..=1000).contains(number))
                .ok_or_else(|| SHAPE.to_owned())
        };
        let concurrency = number(words.next())?;
        let total = match words.next_if_eq(&"of") {
            Some(_) => Some(number(words.next())?),
            None => None,
        };
        let rest: Vec<&str> = words.collect();
        let rate = match rest.is_empty() {
            true => None,
            false => Some(Rate::parse(&rest.join(" ")).map_err(|_| SHAPE)?),
        };
        Ok(Self {
            name: name.to_owned(),
            concurrency,
            total,
            rate,
        })
    }
}

impl Setting for QueueSettings {
    fn kind() -> String {
        "queue".to_owned()
    }
    fn read(raw: &Raw) -> Result<Self, Wrong> {
        QueueSettings::parse(raw.text().unwrap_or_default()).map_err(Wrong::must_be)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_read_with_its_limits() {
        let queue = QueueSettings::parse("webhooks: 8 of 20 100/1s").unwrap();
        assert_eq!((queue.concurrency, queue.total), (8, Some(20)));
        assert!(queue.rate.is_some());
        assert_eq!(QueueSettings::parse("mail:2").unwrap().total, None);
        for text in [
            "",
            "mail",
            "mail: 0",
            "mail: x",
            "mail: 2 of",
            ": 2",
            "a b: 2",
            "mail: 2 fast",
        ] {
            assert!(QueueSettings::parse(text).is_err(), "{text}");
        }
    }
}
