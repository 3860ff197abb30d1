//! The metrics of the process: the build, the memory and file descriptors, and the async runtime.
//!
//! The names of the process are those of the Prometheus client libraries. Values that the system
//! does not show are left out: `/proc` exists on Linux only.

use std::time::{Duration, SystemTime};

use tokio::runtime::Handle;

use crate::registrar::Registrar;
use crate::{Alert, Family, Samples};

const BUILD: &str = "build_info";
const STARTED: &str = "process_start_time_seconds";
const MEMORY: &str = "process_resident_memory_bytes";
const THREADS: &str = "process_threads";
const CPU: &str = "process_cpu_seconds_total";
const OPEN_FILES: &str = "process_open_fds";
const MAX_FILES: &str = "process_max_fds";
const WORKERS: &str = "tokio_workers";
const TASKS: &str = "tokio_alive_tasks";
const QUEUE: &str = "tokio_global_queue_depth";
const BUSY: &str = "tokio_busy_seconds_total";

const FAMILIES: &[Family] = &[
    Family::gauge(BUILD, "1, with the versions of the program and of Doyen.")
        .labels(&["name", "version", "doyen"])
        .alerts(&[
            Alert::critical(
                "InstanceDown",
                "up{$app} == 0",
                "Prometheus cannot read the metrics of a process: it is down, or its admin address \
                 is not reachable.",
            )
            .lasting(Duration::from_mins(1)),
            Alert::critical(
                "NoInstance",
                "absent(up{$app})",
                "Prometheus knows no process of the application. Check the job in its configuration.",
            )
            .lasting(Duration::from_mins(5)),
        ]),
    Family::gauge(
        STARTED,
        "Time at which the process started, in seconds since 1970.",
    )
    .graph("time() - process_start_time_seconds{$app}")
    .alerts(&[Alert::warning(
        "ProcessRestarts",
        "changes(process_start_time_seconds{$app}[1h]) > 3",
        "A process was started more than three times within an hour. The end of its former log has \
         the reason.",
    )]),
    Family::gauge(MEMORY, "Resident memory of the process, in bytes."),
    Family::gauge(THREADS, "Threads of the process."),
    Family::counter(CPU, "CPU time of the process, user and system, in seconds."),
    Family::gauge(OPEN_FILES, "Open file descriptors.").alerts(&[Alert::warning(
        "FileDescriptorsLow",
        "process_open_fds{$app} / process_max_fds{$app} > 0.9",
        "A process uses more than 90 % of its file descriptors, and will refuse connections. Raise \
         its limit (`LimitNOFILE`), or lower `server.max_connections`.",
    )
    .lasting(Duration::from_mins(5))]),
    Family::gauge(MAX_FILES, "Maximum number of open file descriptors."),
    Family::gauge(WORKERS, "Worker threads of the async runtime."),
    Family::gauge(TASKS, "Async tasks that have not ended."),
    Family::gauge(
        QUEUE,
        "Async tasks that wait for a worker in the common queue.",
    ),
    Family::counter(BUSY, "Time that all workers spent on tasks, in seconds.").alerts(&[
        Alert::warning(
            "RuntimeSaturated",
            "rate(tokio_busy_seconds_total{$app}[5m]) / tokio_workers{$app} > 0.9",
            "The workers of a process are busy for more than 90 % of the time. Add processes or cores.",
        )
        .lasting(Duration::from_mins(10)),
    ]),
];

/// Ticks of `/proc/self/stat` in a second: fixed by the interface of the kernel.
const TICKS_PER_SECOND: f64 = 100.0;

pub(crate) fn register(app: &mut Registrar<'_>) {
    let (name, version) = (app.info().name, app.info().version.clone());
    let started = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    app.metrics_of("process", FAMILIES, move |samples| {
        let labels = [
            ("name", name),
            ("version", version.as_str()),
            ("doyen", env!("CARGO_PKG_VERSION")),
        ];
        samples.value(BUILD, &labels, 1);
        samples.value(STARTED, &[], started.as_secs_f64());
        process(samples);
        if let Ok(runtime) = Handle::try_current() {
            tokio_runtime(samples, &runtime);
        }
    });
}

fn process(samples: &mut Samples) {
    let read = |file: &str| std::fs::read_to_string(file).ok();
    if let Some(status) = read("/proc/self/status") {
        if let Some(kibibytes) = field(&status, "VmRSS:") {
            samples.value(MEMORY, &[], kibibytes * 1024);
        }
        if let Some(threads) = field(&status, "Threads:") {
            samples.value(THREADS, &[], threads);
        }
    }
    if let Some(ticks) = read("/proc/self/stat").as_deref().and_then(cpu_ticks) {
        samples.value(CPU, &[], ticks / TICKS_PER_SECOND);
    }
    if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
        // The directory itself is open while it is read.
        samples.value(OPEN_FILES, &[], files.count().saturating_sub(1));
    }
    if let Some(max) = read("/proc/self/limits").and_then(|limits| field(&limits, "Max open files"))
    {
        samples.value(MAX_FILES, &[], max);
    }
}

/// Returns the first number after this label. `unlimited` is no number.
fn field(text: &str, label: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(label))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Returns the user and system time. The name of the program before them can have spaces.
fn cpu_ticks(stat: &str) -> Option<f64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn tokio_runtime(samples: &mut Samples, runtime: &Handle) {
    let metrics = runtime.metrics();
    let workers = metrics.num_workers();
    samples.value(WORKERS, &[], workers);
    samples.value(TASKS, &[], metrics.num_alive_tasks());
    samples.value(QUEUE, &[], metrics.global_queue_depth());
    let busy = (0..workers).map(|worker| metrics.worker_total_busy_duration(worker));
    let busy = busy.map(|time| time.as_secs_f64()).sum::<f64>();
    samples.value(BUSY, &[], busy);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_may_have_spaces_and_parentheses_in_its_name() {
        let stat = "7 (a (b) c) S 1 7 7 0 -1 4194304 500 0 0 0 150 25 0 0 20 0 4 0 100 0 0";
        assert_eq!(cpu_ticks(stat), Some(175.0));
        assert_eq!(cpu_ticks("7 (a"), None);
    }

    #[test]
    fn a_value_is_found_behind_its_label() {
        let limits = "Max open files            1024                 524288               files\n";
        assert_eq!(field(limits, "Max open files"), Some(1024));
        assert_eq!(
            field("Max open files   unlimited\n", "Max open files"),
            None
        );
        assert_eq!(field("VmRSS:\t   1234 kB\n", "VmRSS:"), Some(1234));
        assert_eq!(field("", "VmRSS:"), None);
    }
}
