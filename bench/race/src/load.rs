//! The load generator: wrk on its own core, with the script of a case.
//!
//! wrk is started with a long duration and stopped by a signal, so that the runner controls the
//! window of the measurement. At both ends of the window it reads the request counter of the
//! scripts (`bench/wrk/load.lua`) and the CPU time of the server. Startup and shutdown of wrk are
//! therefore excluded. A request that spans an end of the window counts where it was sent; about as
//! many span one end as the other.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use toolkit::{Context, Failure, Result, workspace};

use crate::cases::Case;
use crate::server::{self, Server};
use crate::usage::{ProcessTree, Window, core_ticks, hertz, signal};

/// Core of the load generator, and of PostgreSQL if it can be moved. The server has core 0 alone.
pub(crate) const CORE: usize = 1;
const CONNECTIONS: u64 = 32;
/// Maximum time in which wrk opens its connections.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Time from then to the start of the window, so that the load is steady.
const LEAD_IN: Duration = Duration::from_millis(150);
/// A window with fewer requests is extended, at most to four times its length: otherwise the result
/// of a server that responds in bursts would depend on the position of the bursts.
const MIN_REQUESTS: u64 = 500;
const COUNTER_SIZE: usize = 4096;

/// The result of one measurement.
pub(crate) struct Measured {
    pub(crate) window: Window,
    pub(crate) p50_us: u64,
    pub(crate) p99_us: u64,
    /// Peak of memory since the start of the warm-up, in KiB.
    pub(crate) peak_kib: u64,
}

/// Starts wrk and measures servers.
pub(crate) struct Generator {
    counter: PathBuf,
    hertz: u64,
}

impl Generator {
    pub(crate) fn new(folder: &Path) -> Result<Self> {
        let counter = folder.join("counter");
        let mut file =
            File::create(&counter).context(|| format!("making {}", counter.display()))?;
        file.write_all(&[0; COUNTER_SIZE])?;
        Ok(Self {
            counter,
            hertz: hertz()?,
        })
    }

    /// Warms up the server and measures it.
    pub(crate) fn measure(
        &self,
        case: &Case,
        server: &Server,
        warm_up: Duration,
        measured: Duration,
    ) -> Result<Measured> {
        let tree = ProcessTree::of(server.pid())?;
        tree.reset_peak()?;
        let wrk = self.wrk(case, server)?;
        sleep(warm_up);
        wrk.stop()?;
        settle(&tree)?;

        let wrk = self.wrk(case, server)?;
        sleep(LEAD_IN);
        let before = self.snapshot(&tree)?;
        sleep(measured);
        let mut after = self.snapshot(&tree)?;
        while after.requests - before.requests < MIN_REQUESTS && after.at - before.at < measured * 4
        {
            sleep(measured / 4);
            after = self.snapshot(&tree)?;
        }
        let summary = wrk.stop()?;
        let window = Window {
            requests: after.requests - before.requests,
            ticks: after.ticks - before.ticks,
            core_ticks: after.core_ticks.saturating_sub(before.core_ticks),
            hertz: self.hertz,
            time: after.at - before.at,
        };
        if window.requests == 0 {
            return Err(Failure::new(
                "no request was sent in the window; use a higher --seconds",
            ));
        }
        Ok(Measured {
            window,
            p50_us: summary.p50_us,
            p99_us: summary.p99_us,
            peak_kib: tree.peak()?,
        })
    }

    fn wrk(&self, case: &Case, server: &Server) -> Result<Wrk> {
        let mut command = Command::new("taskset");
        command
            .args([
                "-c",
                &CORE.to_string(),
                "wrk",
                "-t1",
                "-c",
                &CONNECTIONS.to_string(),
                "--latency",
            ])
            .args(["--timeout", "10s", "-d", "3600s", "-s", case.script]);
        if let Some(token) = &server.token {
            command
                .arg("-H")
                .arg(format!("Authorization: Bearer {token}"));
        }
        command
            .arg(format!("http://{}", server.address))
            .current_dir(workspace::root().join("bench/wrk"))
            .env("BENCH_COUNTER", &self.counter)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let before = self.count()?;
        let wrk = Wrk(Some(command.spawn().context(|| "starting wrk".into())?));
        // Until wrk has opened its connections, the signal would kill it without a summary. If that
        // never happens, the missing summary is the error.
        let started = Instant::now();
        while self.count()? < before + CONNECTIONS && started.elapsed() < CONNECT_TIMEOUT {
            sleep(Duration::from_millis(1));
        }
        Ok(wrk)
    }

    /// Returns the number of requests sent so far in this run.
    fn count(&self) -> Result<u64> {
        let mut bytes = [0; 8];
        File::open(&self.counter)?.read_exact_at(&mut bytes, 0)?;
        Ok(u64::from_ne_bytes(bytes))
    }

    fn snapshot(&self, tree: &ProcessTree) -> Result<Snapshot> {
        Ok(Snapshot {
            requests: self.count()?,
            ticks: tree.ticks()?,
            core_ticks: core_ticks(server::CORE)?,
            at: Instant::now(),
        })
    }
}

/// The counters at one moment.
struct Snapshot {
    requests: u64,
    ticks: u64,
    core_ticks: u64,
    at: Instant,
}

/// A running wrk; dropping the value kills it.
struct Wrk(Option<Child>);

impl Wrk {
    /// Stops wrk and returns its summary. Fails if a request failed.
    fn stop(mut self) -> Result<WrkSummary> {
        let Some(child) = self.0.take() else {
            return Err(Failure::new("wrk was stopped twice"));
        };
        // If wrk has already exited, its output gives the reason.
        signal(child.id(), "INT");
        let output = child.wait_with_output()?;
        let stdout = String::from_utf8_lossy(&output.stdout);
        let stderr = String::from_utf8_lossy(&output.stderr);
        WrkSummary::parse(&stdout).context(|| format!("wrk: {}\n{stdout}{stderr}", output.status))
    }
}

impl Drop for Wrk {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The line that `done` in `bench/wrk/load.lua` prints.
#[derive(PartialEq, Debug)]
struct WrkSummary {
    p50_us: u64,
    p99_us: u64,
}

impl WrkSummary {
    fn parse(output: &str) -> Result<Self> {
        let line = output
            .lines()
            .find_map(|line| line.strip_prefix("bench "))
            .ok_or_else(|| Failure::new("it printed no summary"))?;
        let field = |name: &str| {
            let words = line
                .split_whitespace()
                .filter_map(|word| word.split_once('='));
            let value = words
                .clone()
                .find(|(key, _)| *key == name)
                .and_then(|(_, value)| value.parse().ok());
            value.ok_or_else(|| Failure::new(format!("its line has no `{name}`: {line}")))
        };
        // `status` counts responses that are neither 2xx nor 3xx; no server here redirects.
        for kind in ["status", "connect", "read", "write", "timeout"] {
            let count: u64 = field(kind)?;
            if count > 0 {
                return Err(Failure::new(format!("{count} requests failed ({kind})")));
            }
        }
        Ok(Self {
            p50_us: field("p50_us")?,
            p99_us: field("p99_us")?,
        })
    }
}

/// Waits until the server has finished the work of the warm-up.
fn settle(tree: &ProcessTree) -> Result {
    for _ in 0..200 {
        let before = tree.ticks()?;
        sleep(Duration::from_millis(30));
        if tree.ticks()? == before {
            return Ok(());
        }
    }
    Err(Failure::new("the server stays busy without requests"))
}

/// Blocks this thread while other processes work.
#[expect(
    clippy::disallowed_methods,
    reason = "this tool has one thread and serves no requests"
)]
pub(crate) fn sleep(time: Duration) {
    std::thread::sleep(time);
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "Running 60m test @ http://127.0.0.1:1\n  210903 requests in 1.60s, 8.05MB read\n\
                        bench requests=210903 p50_us=206 p99_us=980 connect=0 read=0 write=0 status=0 timeout=0\n";

    #[test]
    fn reads_the_line_of_the_script() {
        let expected = WrkSummary {
            p50_us: 206,
            p99_us: 980,
        };
        assert_eq!(WrkSummary::parse(GOOD).unwrap(), expected);
    }

    #[test]
    fn a_failed_request_fails_the_measurement() {
        for kind in ["connect", "read", "write", "status", "timeout"] {
            let bad = GOOD.replace(&format!("{kind}=0"), &format!("{kind}=1"));
            let failure = WrkSummary::parse(&bad).unwrap_err().to_string();
            assert!(
                failure.contains(&format!("1 requests failed ({kind})")),
                "{failure}"
            );
        }
        assert!(WrkSummary::parse("unable to connect").is_err());
        assert!(WrkSummary::parse("bench requests=1").is_err());
    }
}
