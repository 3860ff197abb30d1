//! CPU time and memory of a server, read from `/proc`.

use std::fs;
use std::process::Command;
use std::time::Duration;

use toolkit::process::{output, succeeds};
use toolkit::{Context, Failure, Result};

/// A process and its descendants.
pub(crate) struct ProcessTree(Vec<u32>);

impl ProcessTree {
    /// Reads the tree once: the servers start no processes later.
    pub(crate) fn of(pid: u32) -> Result<Self> {
        let mut processes = Vec::new();
        for entry in fs::read_dir("/proc")?.flatten() {
            let pid: Option<u32> = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok());
            // A process may end between the two reads.
            if let Some(pid) = pid
                && let Ok(line) = fs::read_to_string(entry.path().join("stat"))
            {
                processes.push((pid, Stat::parse(&line)?.parent));
            }
        }
        let mut tree = vec![pid];
        let mut at = 0;
        while let Some(&member) = tree.get(at) {
            tree.extend(
                processes
                    .iter()
                    .filter(|(_, parent)| *parent == member)
                    .map(|(pid, _)| *pid),
            );
            at += 1;
        }
        Ok(Self(tree))
    }

    pub(crate) fn members(&self) -> &[u32] {
        &self.0
    }

    /// Returns user and system time of all threads so far, in clock ticks.
    pub(crate) fn ticks(&self) -> Result<u64> {
        self.0
            .iter()
            .try_fold(0, |sum, pid| Ok(sum + stat(*pid)?.ticks))
    }

    /// Returns the resident memory in KiB.
    pub(crate) fn resident(&self) -> Result<u64> {
        self.memory("VmRSS:")
    }

    /// Returns the peak of resident memory since [`ProcessTree::reset_peak`], in KiB.
    pub(crate) fn peak(&self) -> Result<u64> {
        self.memory("VmHWM:")
    }

    pub(crate) fn reset_peak(&self) -> Result {
        self.0.iter().try_for_each(|pid| {
            fs::write(format!("/proc/{pid}/clear_refs"), "5")
                .context(|| "resetting the peak of memory".into())
        })
    }

    fn memory(&self, field: &str) -> Result<u64> {
        self.0.iter().try_fold(0, |sum, pid| {
            let status =
                fs::read_to_string(format!("/proc/{pid}/status")).context(|| missing(*pid))?;
            let number = status_field(&status, field)
                .ok_or_else(|| Failure::new(format!("/proc/{pid}/status has no {field}")))?;
            Ok(sum + number)
        })
    }
}

/// Sends a signal, `INT` or `TERM`. Returns false if the process no longer exists.
///
/// Uses the builtin of the shell, because the program `kill` may not be installed.
pub(crate) fn signal(pid: u32, signal: &str) -> bool {
    succeeds(Command::new("sh").args(["-c", &format!("kill -{signal} {pid}")]))
}

/// Returns the busy time of a core so far, in clock ticks.
pub(crate) fn core_ticks(core: usize) -> Result<u64> {
    let stat = fs::read_to_string("/proc/stat")?;
    busy_ticks(&stat, core).ok_or_else(|| Failure::new(format!("/proc/stat has no core {core}")))
}

/// Adds user, nice, system and steal time. Interrupts are left out: some of them belong to the
/// server, and the kernel may count them separately.
fn busy_ticks(stat: &str, core: usize) -> Option<u64> {
    let name = format!("cpu{core} ");
    let line = stat.lines().find_map(|line| line.strip_prefix(&name))?;
    let fields: Vec<u64> = line
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    [0, 1, 2, 7]
        .into_iter()
        .map(|at| fields.get(at).copied())
        .sum()
}

/// Returns the clock ticks per second.
pub(crate) fn hertz() -> Result<u64> {
    Ok(output(Command::new("getconf").arg("CLK_TCK"))?
        .trim()
        .parse()?)
}

fn stat(pid: u32) -> Result<Stat> {
    Stat::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).context(|| missing(pid))?)
}

fn missing(pid: u32) -> String {
    format!("process {pid} no longer exists")
}

/// The fields of `/proc/<pid>/stat` that are used.
#[derive(PartialEq, Debug)]
struct Stat {
    parent: u32,
    ticks: u64,
}

impl Stat {
    /// Fields are numbered as in proc(5). The name may contain spaces and brackets, so counting
    /// starts after its last bracket.
    fn parse(line: &str) -> Result<Self> {
        let malformed = || Failure::new(format!("cannot parse /proc/<pid>/stat: {line}"));
        let (_, rest) = line.rsplit_once(')').ok_or_else(malformed)?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let field = |number: usize| {
            fields
                .get(number - 3)
                .and_then(|word| word.parse::<u64>().ok())
                .ok_or_else(malformed)
        };
        let own = field(14)? + field(15)?;
        let children_that_ended = field(16)? + field(17)?;
        Ok(Self {
            parent: u32::try_from(field(4)?)?,
            ticks: own + children_that_ended,
        })
    }
}

/// Parses `VmRSS:    1234 kB` as 1234.
fn status_field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The counters of a server between two snapshots.
#[derive(Clone, Copy)]
pub(crate) struct Window {
    pub(crate) requests: u64,
    pub(crate) ticks: u64,
    /// Busy time of its core, including other processes.
    pub(crate) core_ticks: u64,
    pub(crate) hertz: u64,
    pub(crate) time: Duration,
}

impl Window {
    /// Returns the CPU time per request in microseconds.
    pub(crate) fn cost(self) -> f64 {
        self.seconds(self.ticks) * 1e6 / self.requests as f64
    }

    pub(crate) fn requests_per_second(self) -> f64 {
        self.requests as f64 / self.time.as_secs_f64()
    }

    /// Returns the share of its core that the server used, from 0 to 1.
    pub(crate) fn share(self) -> f64 {
        self.seconds(self.ticks) / self.time.as_secs_f64()
    }

    /// Returns the share of the core that other processes used.
    pub(crate) fn disturbance(self) -> f64 {
        self.seconds(self.core_ticks.saturating_sub(self.ticks)) / self.time.as_secs_f64()
    }

    fn seconds(self, ticks: u64) -> f64 {
        ticks as f64 / self.hertz as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_the_time_of_a_process_with_an_odd_name() {
        let line = "7 (a) S (b) S 3 7 7 0 -1 4194560 100 0 0 0 120 30 4 1 20 0 5 0 100 1000 200 18446744073709551615";
        assert_eq!(
            Stat::parse(line).unwrap(),
            Stat {
                parent: 3,
                ticks: 155
            }
        );
        assert!(Stat::parse("7 (short) S 3").is_err());
    }

    #[test]
    fn reads_a_field_of_status() {
        let status = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";
        assert_eq!(status_field(status, "VmRSS:"), Some(1024));
        assert_eq!(status_field(status, "VmSwap:"), None);
    }

    #[test]
    fn reads_the_busy_time_of_a_core() {
        let stat =
            "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 100 10 20 5000 1 2 3 4 0 0\ncpu1 0 0 0 0 0 0 0 0 0 0\n";
        assert_eq!(busy_ticks(stat, 0), Some(134));
        assert_eq!(busy_ticks(stat, 2), None);
    }

    #[test]
    fn divides_the_bill_by_the_requests() {
        let window = Window {
            requests: 40_000,
            ticks: 180,
            core_ticks: 190,
            hertz: 100,
            time: Duration::from_secs(2),
        };
        assert!((window.cost() - 45.0).abs() < 1e-9);
        assert!((window.share() - 0.9).abs() < 1e-9);
        assert!((window.disturbance() - 0.05).abs() < 1e-9);
        assert!((window.requests_per_second() - 20_000.0).abs() < 1e-9);
    }

    #[test]
    fn we_are_in_our_own_family_and_cost_something() {
        let tree = ProcessTree::of(std::process::id()).unwrap();
        assert!(tree.resident().unwrap() > 0);
        assert!(tree.peak().unwrap() >= tree.resident().unwrap() / 2);
        tree.ticks().unwrap();
        let mut child = Command::new("sleep").arg("5").spawn().unwrap();
        let found = ProcessTree::of(std::process::id())
            .unwrap()
            .0
            .contains(&child.id());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(found);
    }
}
