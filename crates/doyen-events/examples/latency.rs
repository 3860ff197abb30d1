//! Measures the time from the commit of an event to the call of its handler.
//!
//! `EVENTS_URL=postgres://.. EVENTS_RATE=500 EVENTS_SECONDS=20 cargo run --example latency`
//!
//! It emits at a fixed rate, however long deliveries take, for many aggregates.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

use doyen::data::Database;
use doyen::domain::Access;
use doyen::prelude::*;
use doyen::settings::Loader;

/// One measured event.
#[derive(Event, EventData)]
#[event(topic = "tick.emitted", key = "key")]
struct Tick {
    key: u64,
    n: u64,
}

/// The times of the commits, and of the calls.
static COMMITS: LazyLock<Mutex<HashMap<u64, Instant>>> = LazyLock::new(Mutex::default);
static CALLS: LazyLock<Mutex<HashMap<u64, Instant>>> = LazyLock::new(Mutex::default);

async fn tick(event: Tick) -> Result<(), Unexpected> {
    if let Ok(mut calls) = CALLS.lock() {
        calls.entry(event.n).or_insert_with(Instant::now);
    }
    Ok(())
}

async fn emit(database: Database, n: u64) -> Result<(), Unexpected> {
    let session = database.session(Access::Write);
    session.emit(&Tick { key: n % 97, n }).await?;
    session.commit().await?;
    if let Ok(mut commits) = COMMITS.lock() {
        commits.insert(n, Instant::now());
    }
    Ok(())
}

fn number(name: &str, default: u64) -> u64 {
    let value = std::env::var(name).ok();
    value.and_then(|value| value.parse().ok()).unwrap_or(default)
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
#[allow(clippy::print_stdout, reason = "the result")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::var("EVENTS_URL").unwrap_or_else(|_| "sqlite://latency.db".to_owned());
    let synchronous = std::env::var("EVENTS_SYNCHRONOUS").unwrap_or_else(|_| "full".to_owned());
    let (rate, seconds) = (number("EVENTS_RATE", 500), number("EVENTS_SECONDS", 20));
    let app = App::new("latency").module(Module::new("ticks").on("tick", tick));
    let loader = Loader::new("APP")
        .set("database.url", url)
        .set("database.synchronous", synchronous)
        .set("auth.signing_key", "sLJYAgdCfOu32XB4lHaIbwtz27qjZoTrdH8YZ30eNwc");
    let runtime = app.start(loader, doyen::Overrides::default()).await?;
    let database = runtime.database().clone();
    let mut interval = tokio::time::interval(Duration::from_nanos(1_000_000_000 / rate));
    let mut emitting = tokio::task::JoinSet::new();
    for n in 0..rate * seconds {
        interval.tick().await;
        let database = database.clone();
        emitting.spawn(async move { emit(database, n).await.map_err(|e| format!("{e:?}")) });
    }
    while let Some(done) = emitting.join_next().await {
        done??;
    }
    let total = usize::try_from(rate * seconds)?;
    while CALLS.lock().map_or(0, |calls| calls.len()) < total {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    runtime.stop().await;
    let (commits, calls) = (COMMITS.lock(), CALLS.lock());
    let (Ok(commits), Ok(calls)) = (commits, calls) else {
        return Err("a thread panicked".into());
    };
    // A handler can be called before the emitter is resumed after its commit.
    let latency = |(n, called): (&u64, &Instant)| called.saturating_duration_since(commits[n]);
    let mut latencies: Vec<Duration> = calls.iter().map(latency).collect();
    latencies.sort_unstable();
    let at = |percent: usize| latencies[(latencies.len() - 1) * percent / 100];
    println!(
        "{total} events at {rate}/s: p50 {:?}, p95 {:?}, p99 {:?}, max {:?}",
        at(50),
        at(95),
        at(99),
        at(100)
    );
    Ok(())
}
