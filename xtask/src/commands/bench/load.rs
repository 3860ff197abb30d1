//! The load: wrk on a core of its own, with the script of a case.
//!
//! wrk is told to run for long and is stopped by a signal, so that the runner decides when the window begins and ends. In the
//! window it reads a counter that the scripts keep (`bench/wrk/load.lua`) and the server's CPU time, both at the same instant.
//! So neither the beginning nor the end of wrk is in the numbers, and a request that spans an edge counts for the side where
//! it was sent; as many span the one edge as the other.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::account::{Family, Window, core_ticks, hertz, signal};
use super::cases::Case;
use super::server::{self, Server};
use crate::failure::{Context, Failure, Result};
use crate::workspace;

/// The core of the load, and of PostgreSQL where we may move it. The server has core 0 for itself.
pub(super) const CORE: usize = 1;
const CONNECTIONS: u64 = 32;
/// How long wrk may take to open its connections.
const PATIENCE: Duration = Duration::from_secs(10);
/// From then to the begin of the window, so that all are in their stride.
const LEAD_IN: Duration = Duration::from_millis(150);
/// With fewer requests than this the window is extended, to four times its length at most: those who answer in bunches would
/// be judged by whether a bunch fell inside.
const ENOUGH: u64 = 500;
const COUNTER_SIZE: usize = 4096;

/// What one measurement found.
pub(super) struct Measured {
    pub(super) window: Window,
    pub(super) p50_us: u64,
    pub(super) p99_us: u64,
    /// Peak of memory since the warm-up began, in KiB.
    pub(super) peak_kib: u64,
}

/// Makes load.
pub(super) struct Generator {
    counter: PathBuf,
    hertz: u64,
}

impl Generator {
    pub(super) fn new(folder: &Path) -> Result<Self> {
        let counter = folder.join("counter");
        let mut file =
            File::create(&counter).context(|| format!("making {}", counter.display()))?;
        file.write_all(&[0; COUNTER_SIZE])?;
        Ok(Self {
            counter,
            hertz: hertz()?,
        })
    }

    /// Warms the server up and measures it.
    pub(super) fn measure(
        &self,
        case: &Case,
        server: &Server,
        warm_up: Duration,
        measured: Duration,
    ) -> Result<Measured> {
        let family = Family::of(server.pid())?;
        family.forget_peak()?;
        let wrk = self.wrk(case, server)?;
        rest(warm_up);
        wrk.stop()?;
        settle(&family)?;

        let wrk = self.wrk(case, server)?;
        rest(LEAD_IN);
        let before = self.look(&family)?;
        rest(measured);
        let mut after = self.look(&family)?;
        while after.requests - before.requests < ENOUGH && after.at - before.at < measured * 4 {
            rest(measured / 4);
            after = self.look(&family)?;
        }
        let said = wrk.stop()?;
        let window = Window {
            requests: after.requests - before.requests,
            ticks: after.ticks - before.ticks,
            core_ticks: after.core_ticks.saturating_sub(before.core_ticks),
            hertz: self.hertz,
            time: after.at - before.at,
        };
        if window.requests == 0 {
            return Err(Failure::new(
                "not one request fell into the window; measure for longer",
            ));
        }
        Ok(Measured {
            window,
            p50_us: said.p50_us,
            p99_us: said.p99_us,
            peak_kib: family.peak()?,
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
        // Sooner it would not understand the signal that stops it. Who never gets there is told why by what it says then.
        let begun = Instant::now();
        while self.count()? < before + CONNECTIONS && begun.elapsed() < PATIENCE {
            rest(Duration::from_millis(1));
        }
        Ok(wrk)
    }

    /// Requests that were sent so far, by every wrk of this run.
    fn count(&self) -> Result<u64> {
        let mut bytes = [0; 8];
        File::open(&self.counter)?.read_exact_at(&mut bytes, 0)?;
        Ok(u64::from_ne_bytes(bytes))
    }

    fn look(&self, family: &Family) -> Result<Look> {
        Ok(Look {
            requests: self.count()?,
            ticks: family.ticks()?,
            core_ticks: core_ticks(server::CORE)?,
            at: Instant::now(),
        })
    }
}

/// The counters at one instant.
struct Look {
    requests: u64,
    ticks: u64,
    core_ticks: u64,
    at: Instant,
}

/// A running wrk; it does not outlive this value.
struct Wrk(Option<Child>);

impl Wrk {
    /// Has it sum up, and fails unless every answer was a good one.
    fn stop(mut self) -> Result<Said> {
        let Some(child) = self.0.take() else {
            return Err(Failure::new("wrk was stopped twice"));
        };
        // Should it be gone already, its output says why.
        signal(child.id(), "INT");
        let output = child.wait_with_output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        let complained = String::from_utf8_lossy(&output.stderr);
        Said::parse(&said).context(|| format!("wrk: {}\n{said}{complained}", output.status))
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

/// The line of `done` in `bench/wrk/load.lua`.
#[derive(PartialEq, Debug)]
struct Said {
    p50_us: u64,
    p99_us: u64,
}

impl Said {
    fn parse(output: &str) -> Result<Self> {
        let line = output
            .lines()
            .find_map(|line| line.strip_prefix("bench "))
            .ok_or_else(|| Failure::new("it did not sum up"))?;
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
        // Its summary also speaks of answers that are neither 2xx nor 3xx; no server here redirects.
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

/// Waits until the server is through with what the warm-up left it.
fn settle(family: &Family) -> Result {
    for _ in 0..200 {
        let before = family.ticks()?;
        rest(Duration::from_millis(30));
        if family.ticks()? == before {
            return Ok(());
        }
    }
    Err(Failure::new("the server is busy though nobody asks"))
}

/// Lets a time pass in which others work.
#[expect(
    clippy::disallowed_methods,
    reason = "this tool serves nobody: it may stop its only thread"
)]
pub(super) fn rest(time: Duration) {
    std::thread::sleep(time);
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "Running 60m test @ http://127.0.0.1:1\n  210903 requests in 1.60s, 8.05MB read\n\
                        bench requests=210903 p50_us=206 p99_us=980 connect=0 read=0 write=0 status=0 timeout=0\n";

    #[test]
    fn reads_the_line_of_the_script() {
        let said = Said {
            p50_us: 206,
            p99_us: 980,
        };
        assert_eq!(Said::parse(GOOD).unwrap(), said);
    }

    #[test]
    fn one_bad_answer_spoils_a_run() {
        for kind in ["connect", "read", "write", "status", "timeout"] {
            let bad = GOOD.replace(&format!("{kind}=0"), &format!("{kind}=1"));
            let failure = Said::parse(&bad).unwrap_err().to_string();
            assert!(
                failure.contains(&format!("1 requests failed ({kind})")),
                "{failure}"
            );
        }
        assert!(Said::parse("unable to connect").is_err());
        assert!(Said::parse("bench requests=1").is_err());
    }
}
