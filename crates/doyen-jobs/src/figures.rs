//! Metrics of jobs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use doyen_app::{Alert, Family, Samples};
use doyen_core::{Timestamp, sync};

use crate::store::Depth;

const FINISHED: &str = "jobs_finished_total";
const RUNNING: &str = "jobs_running";
const DEPTH: &str = "jobs_depth";
const OLDEST: &str = "jobs_oldest_seconds";
const SECONDS: &str = "jobs_run_seconds";

pub(crate) const FAMILIES: &[Family] = &[
    Family::counter(
        FINISHED,
        "Attempts that ended in this process, by job and outcome.",
    )
    .labels(&["name", "outcome"]),
    Family::gauge(RUNNING, "Jobs that this process runs, by queue.").labels(&["queue"]),
    Family::gauge(
        DEPTH,
        "Jobs in the database by queue and status, as of the last heartbeat.",
    )
    .labels(&["queue", "status"])
    .alerts(&[Alert::warning(
        "JobsFailed",
        "max by (job, queue) (jobs_depth{$app, status=\"failed\"}) > 0",
        "Jobs failed for good. `jobs list` shows them, and `jobs retry` runs them again.",
    )]),
    Family::gauge(
        OLDEST,
        "Time since the oldest waiting job of a queue was due, in seconds; 0 if none waits.",
    )
    .labels(&["queue"])
    .alerts(&[Alert::warning(
        "JobsLate",
        "max by (job, queue) (jobs_oldest_seconds{$app}) > 300",
        "A job has been due for more than five minutes. Check that workers run, and how long the \
         jobs of the queue take.",
    )
    .lasting(Duration::from_mins(5))]),
    Family::histogram(
        SECONDS,
        "Duration of the attempts that ended in this process, by queue.",
    )
    .labels(&["queue"]),
];

const BOUNDS: [&str; 8] = ["0.005", "0.025", "0.1", "0.5", "2.5", "10", "60", "300"];

/// The states of jobs that have not ended well.
const STATUSES: [&str; 4] = ["queued", "scheduled", "running", "failed"];

/// Counts of this process. Jobs and queues are constants of the program, so they are bounded.
#[derive(Default)]
pub(crate) struct Figures {
    finished: Mutex<BTreeMap<(String, &'static str), u64>>,
    durations: Mutex<BTreeMap<String, Durations>>,
    depths: Mutex<Vec<Depth>>,
}

#[derive(Default)]
struct Durations {
    counts: [u64; BOUNDS.len() + 1],
    sum: f64,
}

impl Figures {
    pub(crate) fn ended(&self, job: &str, queue: &str, outcome: &'static str, took: Duration) {
        *sync::lock(&self.finished)
            .entry((job.to_owned(), outcome))
            .or_default() += 1;
        let seconds = took.as_secs_f64();
        let bounds = BOUNDS.iter().filter_map(|bound| bound.parse::<f64>().ok());
        let bucket = bounds.take_while(|bound| seconds > *bound).count();
        let mut all = sync::lock(&self.durations);
        let durations = all.entry(queue.to_owned()).or_default();
        durations.counts[bucket] += 1;
        durations.sum += seconds;
    }

    pub(crate) fn set_depths(&self, depths: Vec<Depth>) {
        *sync::lock(&self.depths) = depths;
    }

    pub(crate) fn collect(&self, samples: &mut Samples, running: &[(&str, usize)], now: Timestamp) {
        for ((job, outcome), count) in &*sync::lock(&self.finished) {
            // Not `job`, which Prometheus sets itself.
            samples.value(FINISHED, &[("name", job), ("outcome", outcome)], count);
        }
        for (queue, count) in running {
            samples.value(RUNNING, &[("queue", queue)], count);
        }
        self.collect_depths(samples, running, now);
        for (queue, durations) in &*sync::lock(&self.durations) {
            let Durations { counts, sum } = durations;
            samples.histogram(SECONDS, &[("queue", queue)], &BOUNDS, counts, *sum);
        }
    }

    /// Reports the jobs in the database. An empty queue of this process has zeros, so that a graph
    /// shows that it is empty.
    fn collect_depths(&self, samples: &mut Samples, running: &[(&str, usize)], now: Timestamp) {
        let depths = sync::lock(&self.depths);
        let own = running.iter().map(|(queue, _)| *queue);
        let queues: BTreeSet<&str> = own
            .chain(depths.iter().map(|depth| &*depth.queue))
            .collect();
        for queue in queues {
            let of = |status: &str| {
                let mut all = depths.iter();
                all.find(|depth| depth.queue == queue && depth.status == status)
            };
            for status in STATUSES {
                let jobs = of(status).map_or(0, |depth| depth.jobs);
                samples.value(DEPTH, &[("queue", queue), ("status", status)], jobs);
            }
            let oldest = of("queued").and_then(|depth| depth.oldest);
            let age = oldest.map_or(0.0, |at| {
                now.since(Timestamp::from_micros(at)).as_secs_f64()
            });
            samples.value(OLDEST, &[("queue", queue)], age);
        }
    }
}
