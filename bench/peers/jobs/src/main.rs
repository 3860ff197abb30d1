//! `jobs-peer [plain | batched] JOBS`: graphile_worker with the work of `bench/jobs`. `batched`
//! fetches jobs and stores their completion in batches, so a crash runs more of them again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use graphile_worker::{
    IntoTaskHandlerResult, JobSpec, LocalQueueConfig, TaskHandler, WorkerContext, WorkerOptions,
};
use serde::{Deserialize, Serialize};
use sqlx::postgres::{PgPool, PgPoolOptions};

/// Maximum time for all jobs.
const TIMEOUT: Duration = Duration::from_secs(300);

#[derive(Clone, Debug)]
struct State {
    pool: PgPool,
    ended: Arc<AtomicU64>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Insert {
    number: u64,
}

impl TaskHandler for Insert {
    const IDENTIFIER: &'static str = "insert";

    async fn run(self, cx: WorkerContext) -> impl IntoTaskHandlerResult {
        let state = cx.get_ext::<State>().ok_or("no state")?;
        let number = i64::try_from(self.number).map_err(|error| error.to_string())?;
        let insert = sqlx::query("INSERT INTO effects (number) VALUES ($1)").bind(number);
        insert
            .execute(&state.pool)
            .await
            .map_err(|error| error.to_string())?;
        state.ended.fetch_add(1, Ordering::Relaxed);
        Ok::<(), String>(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let batched = arguments.next().is_some_and(|mode| mode == "batched");
    let jobs: u64 = arguments.next().ok_or("the number of jobs")?.parse()?;
    let concurrency = std::env::var("CONCURRENCY").map_or(Ok(8), |text| text.parse())?;
    let pool = PgPoolOptions::new()
        .max_connections(8)
        .connect(&std::env::var("DATABASE_URL")?)
        .await?;
    sqlx::query("CREATE TABLE effects (number bigint NOT NULL)")
        .execute(&pool)
        .await?;
    let ended = Arc::new(AtomicU64::new(0));
    let state = State {
        pool: pool.clone(),
        ended: Arc::clone(&ended),
    };
    let mut options = WorkerOptions::default()
        .concurrency(concurrency)
        .define_job::<Insert>()
        .add_extension(state)
        .pg_pool(pool.clone());
    if batched {
        options = options
            .local_queue(LocalQueueConfig::default().with_size(100))
            .complete_job_batch_delay(Duration::from_millis(5));
    }
    let worker = options.init().await?;
    let spec = JobSpec::default();
    let utils = worker.create_utils();
    for first in (0..jobs).step_by(1000) {
        let batch = first..jobs.min(first + 1000);
        let batch: Vec<_> = batch.map(|number| (Insert { number }, &spec)).collect();
        utils.add_jobs::<Insert>(&batch).await?;
    }
    let began = Instant::now();
    // `run` takes jobs that are there at the start once in each poll interval.
    tokio::spawn(async move { worker.run_once().await });
    while ended.load(Ordering::Relaxed) < jobs && began.elapsed() < TIMEOUT {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let rate = jobs as f64 / began.elapsed().as_secs_f64();
    let effects: i64 = sqlx::query_scalar("SELECT count(DISTINCT number) FROM effects")
        .fetch_one(&pool)
        .await?;
    println!("graphile_worker {rate:.0} jobs/s, {effects} effects");
    Ok(())
}
