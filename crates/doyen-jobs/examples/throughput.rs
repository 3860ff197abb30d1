//! Measures how many jobs a process enqueues and runs a second, on the database of `DATABASE_URL`:
//! `cargo run --release -p doyen-jobs --example throughput -- 20000`.

use std::time::{Duration, Instant};

use doyen::domain::Access;
use doyen::prelude::*;
use doyen::settings::Loader;
use serde::{Deserialize, Serialize};

/// Does nothing: what is measured is the queue.
#[derive(Serialize, Deserialize)]
struct Nothing {
    number: usize,
}

impl Job for Nothing {
    const NAME: &'static str = "bench.nothing";
    type Needs = ();
    type Output = ();

    async fn run(self, (): (), _: JobRun) -> Result<(), JobError> {
        Ok(())
    }
}

/// Jobs that one request enqueues.
const BATCH: usize = 100;

#[tokio::main]
#[allow(clippy::print_stdout, reason = "it reports on standard output")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let jobs: usize = std::env::args()
        .nth(1)
        .map_or(Ok(5000), |text| text.parse())?;
    let url = std::env::var("DATABASE_URL")?;
    let start = |work: &'static str| {
        let loader = Loader::new("APP").env([
            ("DATABASE_URL", &*url),
            ("APP_ENV", "test"),
            ("APP_DATABASE__SYNCHRONOUS", "normal"),
            ("APP_JOBS__CONCURRENCY", "40"),
            ("APP_JOBS__WORK", work),
            ("APP_DATABASE__MAX_CONNECTIONS", "20"),
            ("APP_AUTH__SIGNING_KEY", doyen_test::SIGNING_KEY),
        ]);
        let app = App::new("bench").module(Module::new("bench").job::<Nothing>());
        app.start(loader, doyen::Overrides::default())
    };
    let writer = start("false").await?;
    let began = Instant::now();
    for batch in 0..jobs / BATCH {
        let context = writer.service().container().context();
        let queue = context
            .get::<Jobs>()
            .await
            .map_err(|refusal| format!("{refusal:?}"))?;
        for number in 0..BATCH {
            let number = batch * BATCH + number;
            queue
                .enqueue(Nothing { number })
                .await
                .map_err(|error| error.error().to_string())?;
        }
        context
            .commit()
            .await
            .map_err(|refusal| format!("{refusal:?}"))?;
    }
    println!("enqueued: {:.0} jobs/s", per_second(jobs, began.elapsed()));
    let began = Instant::now();
    let worker = start("true").await?;
    let left = "SELECT count(*) AS n FROM jobs WHERE status <> 'done'";
    loop {
        let session = writer.database().session(Access::Read);
        let row: Option<Left> = session.query_one_as(left, []).await?;
        if row.is_some_and(|row| row.n == 0) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("ran: {:.0} jobs/s", per_second(jobs, began.elapsed()));
    worker.stop().await;
    writer.stop().await;
    Ok(())
}

#[derive(doyen::data::Row)]
struct Left {
    n: i64,
}

fn per_second(jobs: usize, took: Duration) -> f64 {
    jobs as f64 / took.as_secs_f64()
}
