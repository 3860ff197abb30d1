//! Worker processes that are killed: no job is lost, and none is applied twice.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use doyen::domain::JobStatus;
use doyen::prelude::*;
use doyen::settings::Loader;
use doyen_test::{SIGNING_KEY, Subject as _, scale};
use serde::{Deserialize, Serialize};

use crate::kit::{Idle, enqueue, until};

const URL: &str = "DOYEN_JOBS_TEST_CHILD";

/// Writes its effect, says so, and then commits: a kill hits it before or after.
#[derive(Serialize, Deserialize)]
pub(crate) struct Announced {
    pub(crate) name: String,
}

impl Job for Announced {
    const NAME: &'static str = "test.announced";
    // A kill counts as an attempt.
    const MAX_ATTEMPTS: u32 = 1000;
    type Needs = Session;
    type Output = ();

    async fn run(self, session: Session, _: JobRun) -> Result<(), JobError> {
        // Slow enough for a kill to hit some.
        tokio::time::sleep(Duration::from_millis(5)).await;
        let sql = "INSERT INTO effects (name) VALUES ($1)";
        session
            .execute_sql(sql, [self.name.as_str().into()])
            .await?;
        let mut out = std::io::stdout();
        writeln!(out, "ran {}", self.name)?;
        out.flush()?;
        Ok(())
    }
}

/// The process to kill: this program, with a variable that makes it work until its end. Without
/// the variable the test is empty.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Ok(url) = std::env::var(URL) else { return };
    let loader = Loader::new("APP").env([
        ("DATABASE_URL", &*url),
        ("APP_ENV", "test"),
        ("APP_AUTH__SIGNING_KEY", SIGNING_KEY),
        ("APP_JOBS__POLL_INTERVAL", "20ms"),
        ("APP_JOBS__LEASE", "600ms"),
        ("APP_DATABASE__SYNCHRONOUS", "normal"),
    ]);
    let app = Idle::app().start(loader, doyen::Overrides::default()).await;
    let _app = app.unwrap_or_else(|error| panic!("{error}"));
    std::future::pending::<()>().await;
}

fn start(url: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::child", "--nocapture"])
        .env(URL, url)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Kills a worker after it ran some jobs. Returns false if none were left.
fn kill_after(url: &str, jobs: usize) -> bool {
    let mut child = start(url);
    let lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let mut ran = lines.filter(|line| line.starts_with("ran ")).take(jobs);
    let last = ran.nth(jobs - 1);
    child.kill().unwrap();
    child.wait().unwrap();
    last.is_some()
}

#[doyen_test::test]
async fn no_job_is_lost_or_applied_twice(app: Idle) {
    let (kills, jobs) = (scale(5, 50), scale(150, 1000));
    let mut ids = Vec::new();
    for n in 0..jobs {
        ids.push(
            enqueue(
                &app,
                Announced {
                    name: format!("job {n}"),
                },
            )
            .await,
        );
    }
    let url = app.database_url().to_owned();
    // A worker runs some more before the kill arrives.
    let per_kill = jobs / (2 * kills + 2);
    let killing = tokio::task::spawn_blocking(move || {
        for round in 0..kills {
            // Around the same number, so that kills hit different points.
            let wanted = (per_kill - 2 + round % 5).max(1);
            assert!(
                kill_after(&url, wanted),
                "no job was left before the last kill"
            );
        }
        start(&url)
    });
    let mut last = killing.await.unwrap();
    for id in &ids {
        until(&app, *id, JobStatus::Done).await;
    }
    last.kill().unwrap();
    last.wait().unwrap();
    let jobs = i64::try_from(jobs).unwrap();
    assert_eq!(app.count("effects").await, jobs);
    assert_eq!(
        app.count("(SELECT DISTINCT name FROM effects) AS names")
            .await,
        jobs
    );
    assert!(
        app.count("jobs WHERE attempts > 1").await > 0,
        "no kill hit a running job"
    );
}
