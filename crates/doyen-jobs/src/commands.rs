//! The commands `jobs ..`, for a terminal next to the running application.

use std::str::FromStr as _;
use std::sync::Arc;

use doyen_app::{Command, Manifest, align};
use doyen_core::{Access, JobId, JobInfo, Unexpected};
use serde_json::{Value as Json, json};

use crate::JobsCore;
use crate::store::{self, Filter};

type Core = Arc<JobsCore>;

/// Maximum number of jobs in a list.
const LIST_LIMIT: u32 = 100;

pub(crate) fn declare(manifest: &mut Manifest) {
    manifest
        .command(list().before_start())
        .command(show().before_start())
        .command(retry().before_start())
        .command(cancel().before_start())
        .command(set_paused(
            "jobs pause",
            "Pauses a queue on all processes; running jobs continue",
            true,
        ))
        .command(set_paused("jobs resume", "Resumes a paused queue", false));
}

fn list() -> Command {
    let run = |core: Core, arguments: Vec<String>| async move {
        let flag = |index: usize| arguments.get(index).is_some_and(|flag| flag == "true");
        let states = ["queued", "running", "failed", "done"];
        let status = (0..states.len())
            .find(|index| flag(*index))
            .map(|index| states[index]);
        let filter = Filter {
            status,
            limit: LIST_LIMIT,
        };
        let jobs = store::list(&core.database, &filter).await?;
        if flag(states.len()) {
            return Ok(pretty(&jobs.iter().map(to_json).collect()));
        }
        Ok(table(&jobs))
    };
    Command::new("jobs list", "Lists the newest 100 jobs", &[], run)
        .flag("queued", "Only jobs that wait")
        .flag("running", "Only jobs that run")
        .flag("failed", "Only jobs that failed for good")
        .flag("done", "Only jobs that are done")
        .flag("json", "Prints JSON")
}

fn show() -> Command {
    let run = |core: Core, arguments: Vec<String>| async move {
        let id = id(&arguments)?;
        let session = core.database.session(Access::Read);
        let job = store::find(&session, id)
            .await?
            .ok_or_else(|| missing(id))?;
        Ok(pretty(&to_json(&job)))
    };
    Command::new("jobs show", "Prints a job as JSON", &["id"], run).flag("json", "The default")
}

fn retry() -> Command {
    let run = |core: Core, arguments: Vec<String>| async move {
        let id = id(&arguments)?;
        let session = core.database.session(Access::Write);
        let job = store::find(&session, id)
            .await?
            .ok_or_else(|| missing(id))?;
        let attempts = core
            .handler(&job.name)
            .map_or(1, |handler| handler.max_attempts);
        let done = store::retry(&session, id, attempts, core.now()).await?;
        session.commit().await?;
        match done {
            true => Ok(answer(&arguments, &format!("{id} waits for a worker"), id)),
            false => Err(ended(&job, "only a failed or cancelled job can be retried")),
        }
    };
    let about = "Runs a failed or cancelled job again, with new attempts";
    Command::new("jobs retry", about, &["id"], run).flag("json", "Prints JSON")
}

fn cancel() -> Command {
    let run = |core: Core, arguments: Vec<String>| async move {
        let id = id(&arguments)?;
        let session = core.database.session(Access::Write);
        let job = store::find(&session, id)
            .await?
            .ok_or_else(|| missing(id))?;
        let done = store::cancel(&session, id, core.now()).await?;
        session.commit().await?;
        match done {
            true => Ok(answer(
                &arguments,
                &format!("{id} is cancelled; a running job ends soon"),
                id,
            )),
            false => Err(ended(&job, "a job that has ended cannot be cancelled")),
        }
    };
    let about = "Cancels a job, also a running one";
    Command::new("jobs cancel", about, &["id"], run).flag("json", "Prints JSON")
}

fn set_paused(name: &'static str, about: &'static str, paused: bool) -> Command {
    let run = move |core: Core, arguments: Vec<String>| async move {
        let queue = arguments.first().cloned().unwrap_or_default();
        if !core.queues().iter().any(|known| known.name == queue) {
            let known: Vec<&str> = core.queues().iter().map(|queue| &*queue.name).collect();
            let known = known.join("`, `");
            return Err(Unexpected::new(format!(
                "there is no queue `{queue}`. There are `{known}`"
            )));
        }
        let session = core.database.session(Access::Write);
        store::set_paused(&session, &queue, paused).await?;
        session.commit().await?;
        if arguments.get(1).is_some_and(|flag| flag == "true") {
            return Ok(pretty(&json!({"queue": queue, "paused": paused})));
        }
        let word = if paused { "paused" } else { "resumed" };
        Ok(format!("{queue} is {word}"))
    };
    Command::new(name, about, &["queue"], run)
        .flag("json", "Prints JSON")
        .before_start()
}

fn id(arguments: &[String]) -> Result<JobId, Unexpected> {
    let text = arguments.first().map(String::as_str).unwrap_or_default();
    JobId::from_str(text).map_err(|error| Unexpected::new(format!("`{text}` {error}")))
}

fn missing(id: JobId) -> Unexpected {
    Unexpected::new(format!("there is no job {id}"))
}

fn ended(job: &JobInfo, rule: &str) -> Unexpected {
    let (id, status) = (job.id, job.status.as_str());
    Unexpected::new(format!("{id} is {status}: {rule}"))
}

fn answer(arguments: &[String], text: &str, id: JobId) -> String {
    match arguments.get(1).is_some_and(|flag| flag == "true") {
        true => pretty(&json!({"id": id.to_string()})),
        false => text.to_owned(),
    }
}

fn table(jobs: &[JobInfo]) -> String {
    let head = [
        "id", "job", "queue", "status", "attempts", "created", "error",
    ];
    let rows = jobs.iter().map(|job| {
        let error = job.error.as_deref().unwrap_or_default();
        [
            job.id.to_string(),
            job.name.clone(),
            job.queue.clone(),
            job.status.as_str().to_owned(),
            format!("{}/{}", job.attempts, job.max_attempts),
            job.created_at.to_string(),
            error
                .lines()
                .next()
                .unwrap_or_default()
                .chars()
                .take(60)
                .collect(),
        ]
    });
    align(head, rows.collect())
}

fn to_json(job: &JobInfo) -> Json {
    json!({
        "id": job.id.to_string(),
        "job": job.name,
        "queue": job.queue,
        "status": job.status.as_str(),
        "attempts": job.attempts,
        "max_attempts": job.max_attempts,
        "cancel_requested": job.cancel_requested,
        "progress": {"done": job.progress.done, "total": job.progress.total},
        "owner": job.owner,
        "result": job.result,
        "error": job.error,
        "created_at": job.created_at,
        "run_at": job.run_at,
        "finished_at": job.finished_at,
    })
}

fn pretty(json: &Json) -> String {
    serde_json::to_string_pretty(json).unwrap_or_default()
}
