//! The throughput of a worker. Each job inserts a row.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use doyen::Overrides;
use doyen::data::{Migration, Migrations, Row};
use doyen::domain::Access;
use doyen::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{Measured, cause, loader};

/// Maximum time for all jobs.
const TIMEOUT: Duration = Duration::from_secs(300);

/// Jobs that are stored at once.
const WRITERS: u64 = 64;

#[derive(Default)]
struct Ended {
    jobs: AtomicU64,
}

#[derive(Serialize, Deserialize)]
struct Insert {
    number: u64,
}

impl Job for Insert {
    const NAME: &'static str = "bench.insert";
    type Needs = (Session, Arc<Ended>);
    type Output = ();

    async fn run(self, (session, ended): Self::Needs, _: JobRun) -> Result<(), JobError> {
        let number = i64::try_from(self.number).unwrap_or(i64::MAX);
        let sql = "INSERT INTO effects (number) VALUES ($1)";
        session.execute_sql(sql, [number.into()]).await?;
        ended.jobs.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

const TABLES: Migrations = Migrations {
    folder: None,
    sqlite: &[Migration {
        version: 1,
        name: "effects",
        up: "CREATE TABLE effects (number integer NOT NULL) STRICT;",
        down: "DROP TABLE effects;",
    }],
    postgres: &[Migration {
        version: 1,
        name: "effects",
        up: "CREATE TABLE effects (number bigint NOT NULL);",
        down: "DROP TABLE effects;",
    }],
};

#[derive(Row)]
struct Count {
    n: i64,
}

fn app(ended: &Arc<Ended>) -> App {
    let module = Module::new("bench")
        .job::<Insert>()
        .provide(Arc::clone(ended));
    App::new("jobs-bench").migrations(TABLES).module(module)
}

pub(crate) async fn run(jobs: &str) -> Measured {
    let jobs: u64 = jobs.parse()?;
    let ended = Arc::new(Ended::default());

    let writer = app(&ended)
        .start(loader().set("jobs.work", "false"), Overrides::default())
        .await?;
    let queue = writer.get::<Jobs>().await.map_err(cause)?;
    let mut tasks = Vec::new();
    for part in 0..WRITERS {
        let queue = queue.clone();
        tasks.push(tokio::spawn(async move {
            for number in (part..jobs).step_by(WRITERS as usize) {
                queue.enqueue_now(Insert { number }).await?;
            }
            Ok::<_, Unexpected>(())
        }));
    }
    for task in tasks {
        task.await?.map_err(cause)?;
    }
    writer.stop().await;

    let worker = app(&ended).start(loader(), Overrides::default()).await?;
    let began = Instant::now();
    while ended.jobs.load(Ordering::Relaxed) < jobs && began.elapsed() < TIMEOUT {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let took = began.elapsed().as_secs_f64();
    worker.drain(Duration::from_secs(5)).await;
    let session = worker.database().session(Access::Read);
    let sql = "SELECT count(DISTINCT number) AS n FROM effects";
    let effects: Option<Count> = session.query_one_as(sql, []).await?;
    let effects = effects.map_or(0, |count| count.n);
    if effects.cast_unsigned() != jobs {
        return Err(format!("{effects} of {jobs} jobs were applied").into());
    }
    worker.stop().await;
    let rate = jobs as f64 / took;
    Ok(format!("{rate:.0} jobs/s"))
}
