//! The time from the commit of an event to its handler.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use doyen::Overrides;
use doyen::domain::Access;
use doyen::prelude::*;

use crate::{Measured, cause, loader};

/// Maximum time until the last event arrives.
const TIMEOUT: Duration = Duration::from_secs(60);

#[derive(Event)]
#[event(topic = "bench", key = "key")]
enum BenchEvent {
    Happened { key: String, number: u64 },
}

#[derive(EventData)]
#[event(topic = "bench.happened")]
struct Happened {
    number: u64,
}

/// Microseconds since the start, for each event.
struct Times {
    start: Instant,
    committed: Vec<AtomicU64>,
    handled: Vec<AtomicU64>,
}

impl Times {
    fn note(&self, times: &[AtomicU64], number: u64) {
        let micros = u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX);
        times[number as usize].store(micros, Ordering::Relaxed);
    }
}

async fn handle(event: Happened, times: Arc<Times>) -> Result<(), Unexpected> {
    times.note(&times.handled, event.number);
    Ok(())
}

pub(crate) async fn run(events: &str, rate: &str) -> Measured {
    let (events, rate): (u64, u32) = (events.parse()?, rate.parse()?);
    let zeros = || (0..events).map(|_| AtomicU64::new(0)).collect();
    let times = Arc::new(Times {
        start: Instant::now(),
        committed: zeros(),
        handled: zeros(),
    });
    let module = Module::new("bench")
        .on("handle", handle)
        .provide(Arc::clone(&times));
    let app = App::new("events-bench").module(module);
    let app = Arc::new(app.start(loader(), Overrides::default()).await?);

    let mut ticks = tokio::time::interval(Duration::from_secs(1) / rate);
    let mut writers = tokio::task::JoinSet::new();
    for number in 0..events {
        ticks.tick().await;
        let (app, times) = (Arc::clone(&app), Arc::clone(&times));
        writers.spawn(async move {
            let session = app.database().session(Access::Write);
            let key = format!("key {}", number % 100);
            session.emit(&BenchEvent::Happened { key, number }).await?;
            session.commit().await?;
            times.note(&times.committed, number);
            Ok::<_, Unexpected>(())
        });
    }
    while let Some(written) = writers.join_next().await {
        written?.map_err(cause)?;
    }
    let since = Instant::now();
    while times
        .handled
        .iter()
        .any(|time| time.load(Ordering::Relaxed) == 0)
    {
        if since.elapsed() > TIMEOUT {
            return Err("some events did not arrive".into());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    app.stop().await;
    let pairs = times.committed.iter().zip(&times.handled);
    let mut delays: Vec<u64> = pairs
        .map(|(from, to)| {
            to.load(Ordering::Relaxed)
                .saturating_sub(from.load(Ordering::Relaxed))
        })
        .collect();
    delays.sort_unstable();
    let quantile = |q: f64| delays[((delays.len() - 1) as f64 * q) as usize] as f64 / 1000.0;
    let (p50, p99, max) = (quantile(0.5), quantile(0.99), quantile(1.0));
    Ok(format!("p50 {p50:.1} ms, p99 {p99:.1} ms, max {max:.1} ms"))
}
