//! The cache, on the admin address: what it holds, and evictions.

use std::sync::Arc;

use doyen_core::{Problem, Unexpected, anyone};
use doyen_macros::{get, post, routes};
use doyen_schema::{Input, Output};
use doyen_web::{Json, Module, Query};

use crate::Engine;
use crate::operate::{EntryUse, Eviction, PolicyUse, Reach};

/// Entries that a request without `limit` gets.
const DEFAULT_ENTRIES: u32 = 100;

/// The routes.
pub(crate) fn module() -> Module {
    Module::new("caches").routes(routes![caches, entries, evict])
}

/// The cache of this process.
#[derive(Output)]
struct Caches {
    /// The tier in the memory of this process.
    process: ProcessTier,
    /// The tier in Redis, if there is one.
    redis: Option<RedisTier>,
    /// The policies whose values were read.
    policies: Vec<PolicyView>,
}

/// The values in the memory of this process.
#[derive(Output)]
struct ProcessTier {
    /// Number of values.
    entries: u64,
    /// Estimated bytes of the values.
    bytes: u64,
    /// Maximum bytes of all values.
    max_bytes: u64,
    /// Maximum bytes of one value.
    max_entry_bytes: u64,
    /// Reads that found a fresh value.
    hits: u64,
    /// Reads that returned an expired value.
    stale_hits: u64,
    /// Reads that found no fresh value.
    misses: u64,
    /// Reads that waited for the load of another request.
    waits: u64,
    /// Loads that succeeded.
    loads: u64,
    /// Loads that failed.
    failed_loads: u64,
    /// Values that were dropped because the memory was full.
    evictions: u64,
    /// Invalidated tags and keys.
    invalidations: u64,
}

/// The values in Redis, as this process sees them.
#[derive(Output)]
struct RedisTier {
    /// `ok`, or why it is not in use.
    state: String,
    /// Reads that found a value.
    hits: u64,
    /// Reads that found no fresh value.
    misses: u64,
    /// Commands that failed.
    errors: u64,
}

/// The values of one policy in this process.
#[derive(Output)]
struct PolicyView {
    /// Its name.
    name: String,
    /// Number of values that can be read.
    entries: u64,
    /// Estimated bytes of these values.
    bytes: u64,
    /// Reads that found a fresh value.
    hits: u64,
    /// Reads that found no fresh value.
    misses: u64,
}

impl From<PolicyUse> for PolicyView {
    fn from(policy: PolicyUse) -> Self {
        Self {
            name: policy.name.to_owned(),
            entries: policy.entries,
            bytes: policy.bytes,
            hits: policy.hits,
            misses: policy.misses,
        }
    }
}

/// Which values to list.
#[derive(Input)]
struct EntryFilter {
    /// Name of their policy.
    #[validate(length(max = 200))]
    policy: Option<String>,
    /// Part of their key.
    #[validate(length(max = 1000))]
    search: Option<String>,
    /// Maximum number of values.
    #[validate(range(min = 1, max = 1000))]
    limit: Option<u32>,
}

/// Some of the values in this process.
#[derive(Output)]
struct Entries {
    /// The values, in no order.
    entries: Vec<EntryView>,
    /// True if there are more.
    has_more: bool,
}

/// A value in this process.
#[derive(Output)]
struct EntryView {
    /// Its key. It may contain text of a client.
    key: String,
    /// Name of its policy.
    policy: String,
    /// Estimated bytes.
    bytes: u32,
    /// Seconds since it was stored.
    age_seconds: f64,
    /// Seconds until it is loaded again; negative if it is stale.
    fresh_seconds: f64,
}

impl From<EntryUse> for EntryView {
    fn from(entry: EntryUse) -> Self {
        let seconds = |micros: i64| micros as f64 / 1e6;
        Self {
            key: entry.key,
            policy: entry.policy.to_owned(),
            bytes: entry.bytes,
            age_seconds: seconds(entry.age),
            fresh_seconds: seconds(entry.fresh_for),
        }
    }
}

/// What to evict: one of them.
#[derive(Input)]
struct Evict {
    /// The value with this key.
    #[validate(length(min = 1, max = 10000))]
    key: Option<String>,
    /// The values with this tag.
    #[validate(length(min = 1, max = 1000))]
    tag: Option<String>,
    /// All values.
    all: Option<bool>,
}

/// Errors of an eviction.
#[derive(Debug, Problem)]
enum EvictError {
    /// The body does not name exactly one of `key`, `tag` and `all`: send `{"tag": "books"}`,
    /// `{"key": ".."}` or `{"all": true}`.
    #[problem(malformed, code = "invalid_eviction")]
    Invalid,
}

/// An eviction.
#[derive(Output)]
struct Evicted {
    /// Where it is complete.
    reach: ReachView,
}

/// Where an eviction is complete.
#[derive(Output)]
enum ReachView {
    /// In this process; there is no Redis.
    ThisProcess,
    /// In all processes, within milliseconds.
    AllProcesses,
    /// In this process. The others follow once Redis responds again.
    Pending,
}

/// Describe the cache of this process
#[get("/caches", allow = anyone, hidden)]
async fn caches(engine: Arc<Engine>) -> Result<Json<Caches>, Unexpected> {
    let counted = Arc::clone(&engine);
    let policies = tokio::task::spawn_blocking(move || counted.policies()).await?;
    Ok(Json(Caches {
        policies: policies.into_iter().map(PolicyView::from).collect(),
        ..of(&engine)
    }))
}

/// List cached values of this process
#[get("/caches/entries", allow = anyone, hidden)]
async fn entries(
    engine: Arc<Engine>,
    filter: Query<EntryFilter>,
) -> Result<Json<Entries>, Unexpected> {
    let EntryFilter {
        policy,
        search,
        limit,
    } = filter.into_inner();
    let limit = limit.unwrap_or(DEFAULT_ENTRIES) as usize;
    let list = move || {
        let search = search.unwrap_or_default();
        engine.entries(policy.as_deref(), &search, limit + 1)
    };
    let mut found = tokio::task::spawn_blocking(list).await?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    Ok(Json(Entries {
        entries: found.into_iter().map(EntryView::from).collect(),
        has_more,
    }))
}

/// Evict cached values, on all nodes
#[post("/caches/evict", allow = anyone, hidden)]
async fn evict(engine: Arc<Engine>, Json(what): Json<Evict>) -> Result<Json<Evicted>, EvictError> {
    let (what, name) = match what {
        Evict {
            key: Some(key),
            tag: None,
            all: None,
        } => (Eviction::Key(key), "key"),
        Evict {
            key: None,
            tag: Some(tag),
            all: None,
        } => (Eviction::Tag(tag), "tag"),
        Evict {
            key: None,
            tag: None,
            all: Some(true),
        } => (Eviction::All, "all"),
        _ => return Err(EvictError::Invalid),
    };
    let reach = engine.evict(&what).await;
    // A key may contain text of a client.
    let tag = match &what {
        Eviction::Tag(tag) => Some(tag.as_str()),
        _ => None,
    };
    tracing::warn!(target: "cache", what = name, tag, ?reach, "an operator evicted cached values");
    Ok(Json(Evicted {
        reach: match reach {
            Reach::Process => ReachView::ThisProcess,
            Reach::All => ReachView::AllProcesses,
            Reach::Pending => ReachView::Pending,
        },
    }))
}

/// The cache as JSON, without its policies.
pub(crate) fn report(engine: &Engine) -> serde_json::Value {
    serde_json::to_value(of(engine)).unwrap_or_default()
}

fn of(engine: &Engine) -> Caches {
    let (stats, settings) = (engine.stats(), engine.settings());
    let redis = engine.has_redis().then(|| RedisTier {
        state: engine
            .shared_state()
            .err()
            .unwrap_or_else(|| "ok".to_owned()),
        hits: stats.shared_hits,
        misses: stats.shared_misses,
        errors: stats.shared_errors,
    });
    Caches {
        process: ProcessTier {
            entries: stats.entries,
            bytes: stats.bytes,
            max_bytes: settings.max_bytes.bytes(),
            max_entry_bytes: settings.max_entry_bytes.bytes(),
            hits: stats.hits,
            stale_hits: stats.stale_hits,
            misses: stats.misses,
            waits: stats.waits,
            loads: stats.loads,
            failed_loads: stats.failed_loads,
            evictions: stats.evictions,
            invalidations: stats.invalidations,
        },
        redis,
        policies: Vec::new(),
    }
}
