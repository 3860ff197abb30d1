//! The bill: CPU time and memory of a server, as the kernel counts them in `/proc`.

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::failure::{Context, Failure, Result};
use crate::process::{output, succeeds};

/// A server and the processes that it started.
pub(super) struct Family(Vec<u32>);

impl Family {
    /// As it is now: a contestant starts no processes later on.
    pub(super) fn of(pid: u32) -> Result<Self> {
        let mut everyone = Vec::new();
        for entry in fs::read_dir("/proc")?.flatten() {
            let pid: Option<u32> = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok());
            // One that ended between the two looks is nobody's child.
            if let Some(pid) = pid
                && let Ok(line) = fs::read_to_string(entry.path().join("stat"))
            {
                everyone.push((pid, Stat::parse(&line)?.parent));
            }
        }
        let mut family = vec![pid];
        let mut at = 0;
        while let Some(&member) = family.get(at) {
            family.extend(
                everyone
                    .iter()
                    .filter(|(_, parent)| *parent == member)
                    .map(|(pid, _)| *pid),
            );
            at += 1;
        }
        Ok(Self(family))
    }

    pub(super) fn members(&self) -> &[u32] {
        &self.0
    }

    /// User and system time so far, of all threads, in ticks of the clock.
    pub(super) fn ticks(&self) -> Result<u64> {
        self.0
            .iter()
            .try_fold(0, |sum, pid| Ok(sum + stat(*pid)?.ticks))
    }

    /// What lies in memory now, in KiB.
    pub(super) fn resident(&self) -> Result<u64> {
        self.memory("VmRSS:")
    }

    /// The most that lay in memory since [`Family::forget_peak`], in KiB.
    pub(super) fn peak(&self) -> Result<u64> {
        self.memory("VmHWM:")
    }

    pub(super) fn forget_peak(&self) -> Result {
        self.0.iter().try_for_each(|pid| {
            fs::write(format!("/proc/{pid}/clear_refs"), "5")
                .context(|| "resetting the peak of memory".into())
        })
    }

    fn memory(&self, field: &str) -> Result<u64> {
        self.0.iter().try_fold(0, |sum, pid| {
            let status =
                fs::read_to_string(format!("/proc/{pid}/status")).context(|| gone(*pid))?;
            let number = status_field(&status, field)
                .ok_or_else(|| Failure::new(format!("/proc/{pid}/status has no {field}")))?;
            Ok(sum + number)
        })
    }
}

/// Asks a process to end: `INT` or `TERM`. False when it is gone.
///
/// The shell has the command within; the program of that name is a package that may be missing.
pub(super) fn signal(pid: u32, signal: &str) -> bool {
    succeeds(Command::new("sh").args(["-c", &format!("kill -{signal} {pid}")]))
}

/// What a core has worked so far, for whomever, in ticks of the clock.
pub(super) fn core_ticks(core: usize) -> Result<u64> {
    let stat = fs::read_to_string("/proc/stat")?;
    worked(&stat, core).ok_or_else(|| Failure::new(format!("/proc/stat has no core {core}")))
}

/// User, nice and system time, and what the host of a virtual machine gave to others. Interrupts are left out: some of them
/// are the server's own, and the kernel may count them apart.
fn worked(stat: &str, core: usize) -> Option<u64> {
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

/// Ticks of the clock in a second.
pub(super) fn hertz() -> Result<u64> {
    Ok(output(Command::new("getconf").arg("CLK_TCK"))?
        .trim()
        .parse()?)
}

fn stat(pid: u32) -> Result<Stat> {
    Stat::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).context(|| gone(pid))?)
}

fn gone(pid: u32) -> String {
    format!("process {pid} is gone")
}

/// What we need of `/proc/<pid>/stat`.
#[derive(PartialEq, Debug)]
struct Stat {
    parent: u32,
    ticks: u64,
}

impl Stat {
    /// The fields are numbered as in proc(5). The name may hold spaces and brackets, so we count from its last bracket.
    fn parse(line: &str) -> Result<Self> {
        let odd = || Failure::new(format!("/proc/<pid>/stat reads oddly: {line}"));
        let (_, rest) = line.rsplit_once(')').ok_or_else(odd)?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let field = |number: usize| {
            fields
                .get(number - 3)
                .and_then(|word| word.parse::<u64>().ok())
                .ok_or_else(odd)
        };
        let own = field(14)? + field(15)?;
        let children_that_ended = field(16)? + field(17)?;
        Ok(Self {
            parent: u32::try_from(field(4)?)?,
            ticks: own + children_that_ended,
        })
    }
}

/// `VmRSS:    1234 kB` as 1234.
fn status_field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// What happened between two looks at a server under load.
#[derive(Clone, Copy)]
pub(super) struct Window {
    pub(super) requests: u64,
    pub(super) ticks: u64,
    /// What its core worked, for it and for others.
    pub(super) core_ticks: u64,
    pub(super) hertz: u64,
    pub(super) time: Duration,
}

impl Window {
    /// CPU time of a request, in microseconds.
    pub(super) fn cost(self) -> f64 {
        self.seconds(self.ticks) * 1e6 / self.requests as f64
    }

    pub(super) fn requests_per_second(self) -> f64 {
        self.requests as f64 / self.time.as_secs_f64()
    }

    /// How much of its core the server used: 1 is all of it.
    pub(super) fn share(self) -> f64 {
        self.seconds(self.ticks) / self.time.as_secs_f64()
    }

    /// How much of its core others used, who had no business there.
    pub(super) fn disturbance(self) -> f64 {
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
    fn reads_what_a_core_worked() {
        let stat =
            "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 100 10 20 5000 1 2 3 4 0 0\ncpu1 0 0 0 0 0 0 0 0 0 0\n";
        assert_eq!(worked(stat, 0), Some(134));
        assert_eq!(worked(stat, 2), None);
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
        let family = Family::of(std::process::id()).unwrap();
        assert!(family.resident().unwrap() > 0);
        assert!(family.peak().unwrap() >= family.resident().unwrap() / 2);
        family.ticks().unwrap();
        let mut child = Command::new("sleep").arg("5").spawn().unwrap();
        let found = Family::of(std::process::id())
            .unwrap()
            .0
            .contains(&child.id());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(found);
    }
}
