//! The time of the processor for a value from the first tier of the cache.

use doyen::Overrides;
use doyen::domain::MINUTE;
use doyen::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{Measured, cause, loader};

const POLICY: CachePolicy = CachePolicy::new("bench", MINUTE).stale(MINUTE);

/// A response of usual size.
#[derive(Clone, Serialize, Deserialize)]
struct Ticket {
    id: u64,
    subject: String,
    tags: Vec<String>,
}

pub(crate) async fn run(reads: &str) -> Measured {
    let reads: u32 = reads.parse()?;
    let app = App::new("cache-bench");
    let app = app.start(loader(), Overrides::default()).await?;
    let cache = app.get::<Cache>().await.map_err(cause)?;
    let load = async || {
        Ok::<_, Unexpected>(Ticket {
            id: 1,
            subject: "The printer is on fire".to_owned(),
            tags: vec!["printer".to_owned(), "fire".to_owned()],
        })
    };
    let before = cpu_micros()?;
    for _ in 0..reads {
        let shared = cache.shared();
        let entry = shared.entry(&POLICY, "ticket").tag("tickets");
        let ticket: Ticket = entry.get_or_load(load).await.map_err(cause)?;
        std::hint::black_box(ticket.id + ticket.tags.len() as u64 + ticket.subject.len() as u64);
    }
    let micros = (cpu_micros()? - before) / f64::from(reads);
    app.stop().await;
    Ok(format!("{micros:.2} µs of the processor for a cached read"))
}

/// The time of the processor that this process has used, on Linux.
fn cpu_micros() -> Result<f64, Box<dyn std::error::Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or("")
        .split_whitespace()
        .collect();
    let ticks = |place: usize| fields.get(place).unwrap_or(&"0").parse::<f64>();
    // User and system time, in hundredths of a second.
    Ok((ticks(11)? + ticks(12)?) * 10_000.0)
}
