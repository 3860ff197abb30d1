//! Metrics of jobs.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use doyen_app::{Family, Samples};
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
    ),
    Family::gauge(RUNNING, "Jobs that this process runs, by queue."),
    Family::gauge(
        DEPTH,
        "Jobs in the database by queue and status, as of the last heartbeat.",
    ),
    Family::gauge(
        OLDEST,
        "Time since the oldest waiting job of a queue was due, in seconds.",
    ),
    Family::histogram(
        SECONDS,
        "Duration of the attempts that ended in this process, by queue.",
    ),
];

const BOUNDS: [&str; 8] = ["0.005", "0.025", "0.1", "0.5", "2.5", "10", "60", "300"];

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
            samples.value(FINISHED, &[("job", job), ("outcome", outcome)], count);
        }
        for (queue, count) in running {
            samples.value(RUNNING, &[("queue", queue)], count);
        }
        for depth in &*sync::lock(&self.depths) {
            let labels = [("queue", &*depth.queue), ("status", &*depth.status)];
            samples.value(DEPTH, &labels, depth.jobs);
            if let (Some(oldest), "queued") = (depth.oldest, &*depth.status) {
                let age = now.since(Timestamp::from_micros(oldest)).as_secs_f64();
                samples.value(OLDEST, &[("queue", &depth.queue)], age);
            }
        }
        for (queue, durations) in &*sync::lock(&self.durations) {
            let Durations { counts, sum } = durations;
            samples.histogram(SECONDS, &[("queue", queue)], &BOUNDS, counts, *sum);
        }
    }
}
