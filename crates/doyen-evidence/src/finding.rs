//! Findings: their codes, and how they are reported.

use std::sync::atomic::{AtomicU64, Ordering};

use doyen_app::{Family, Samples};

const TOTAL: &str = "evidence_findings_total";
pub(crate) const FAMILIES: &[Family] = &[Family::counter(
    TOTAL,
    "Anti-patterns in observed requests, by code.",
)];

/// The code of a finding. It is part of the public interface: never rename one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    RepeatedStatement,
    BlockingPoll,
    ConnectionHeld,
    LongTransaction,
    UnboundedList,
    LargeResponse,
    CacheStampede,
    MissingLimit,
}

impl Code {
    pub(crate) const ALL: [Self; 8] = [
        Self::RepeatedStatement,
        Self::BlockingPoll,
        Self::ConnectionHeld,
        Self::LongTransaction,
        Self::UnboundedList,
        Self::LargeResponse,
        Self::CacheStampede,
        Self::MissingLimit,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::RepeatedStatement => "repeated_statement",
            Self::BlockingPoll => "blocking_poll",
            Self::ConnectionHeld => "connection_held",
            Self::LongTransaction => "long_transaction",
            Self::UnboundedList => "unbounded_list",
            Self::LargeResponse => "large_response",
            Self::CacheStampede => "cache_stampede",
            Self::MissingLimit => "missing_limit",
        }
    }

    /// What is wrong.
    const fn summary(self) -> &'static str {
        match self {
            Self::RepeatedStatement => "a request ran the same query several times",
            Self::BlockingPoll => "a request blocked its thread",
            Self::ConnectionHeld => {
                "an open transaction waited for something other than a statement"
            }
            Self::LongTransaction => "a transaction was open for long",
            Self::UnboundedList => "a query without a limit returned many rows",
            Self::LargeResponse => "a JSON response is large",
            Self::CacheStampede => "several requests loaded the same cached value at the same time",
            Self::MissingLimit => "no rate limit counted a request that does expensive work",
        }
    }

    /// What to do.
    const fn cure(self) -> &'static str {
        match self {
            Self::RepeatedStatement => {
                "read the rows of all keys with one query: a loader of SeaORM (`load_many`, `load_one`), a join, or `IN (..)`"
            }
            Self::BlockingPoll => {
                "run it with `tokio::task::spawn_blocking`, or use an asynchronous function"
            }
            Self::ConnectionHeld => {
                "do it before the first statement or after the commit (`Session::after_commit`), or read with `Session::autocommit`"
            }
            Self::LongTransaction => "write in smaller parts, or move the work to a background job",
            Self::UnboundedList => "add a LIMIT, or return pages with `Session::page`",
            Self::LargeResponse => "return pages, fewer fields, or a stream",
            Self::CacheStampede => {
                "keep the old value while a new one is loaded (`CachePolicy::stale`), make the load faster than `cache.load_timeout`, and invalidate less often than it takes"
            }
            Self::MissingLimit => {
                "give the route a rate limit: remove `unlimited`, or add the plugin `limits`"
            }
        }
    }
}

/// Something that a request showed.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) code: Code,
    pub(crate) statement: Option<String>,
    pub(crate) count: Option<u32>,
    pub(crate) millis: Option<u64>,
    pub(crate) rows: Option<u64>,
    pub(crate) bytes: Option<u64>,
    /// The policy of the cached value.
    pub(crate) cache: Option<Box<str>>,
    /// The expensive work.
    pub(crate) work: Option<Box<str>>,
}

impl Finding {
    pub(crate) const fn new(code: Code) -> Self {
        Self {
            code,
            statement: None,
            count: None,
            millis: None,
            rows: None,
            bytes: None,
            cache: None,
            work: None,
        }
    }

    /// Logs the finding. The log adds the id of the request.
    pub(crate) fn log(&self, method: &str, route: Option<&str>) {
        // A figure that the finding does not have is left out of the line.
        tracing::warn!(
            target: "evidence",
            code = self.code.as_str(),
            method,
            route,
            statement = self.statement.as_deref(),
            count = self.count,
            millis = self.millis,
            rows = self.rows,
            bytes = self.bytes,
            cache = self.cache.as_deref(),
            work = self.work.as_deref(),
            cure = self.code.cure(),
            "{}",
            self.code.summary()
        );
    }
}

/// The number of findings by code.
#[derive(Debug, Default)]
pub(crate) struct Counts([AtomicU64; Code::ALL.len()]);

impl Counts {
    pub(crate) fn add(&self, code: Code) {
        self.0[code as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn collect(&self, samples: &mut Samples) {
        for code in Code::ALL {
            let count = self.0[code as usize].load(Ordering::Relaxed);
            samples.value(TOTAL, &[("code", code.as_str())], count);
        }
    }
}
