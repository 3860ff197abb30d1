//! Counts the instructions of a request. A program runs twice under callgrind, with few requests
//! and with many. The difference is the cost of the additional requests; start and end are in both.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use toolkit::process::{cargo, output, run};
use toolkit::{Context, Failure, Result, workspace};

use crate::setup;

/// The first requests of a connection differ from the others, so even the short run has some.
const FEW: u32 = 200;
const MANY: u32 = 5_200;

/// The tool that counts, and the program.
pub(super) struct Counter {
    valgrind: PathBuf,
    program: PathBuf,
}

impl Counter {
    /// Finds or installs Valgrind, and builds `bench/doyen/src/bin/instructions.rs`.
    pub(super) fn prepare() -> Result<Self> {
        let valgrind = setup::valgrind()?;
        let package = ["--package", "doyen-bench", "--bin", "instructions"];
        run(cargo()
            .args(["build", "--quiet", "--locked", "--profile", "counted"])
            .args(package))?;
        Ok(Self {
            valgrind,
            program: workspace::target()?.join("counted/instructions"),
        })
    }

    /// Returns the cost of a request of this case. The two runs share no state, so they run
    /// concurrently.
    pub(super) fn per_request(&self, case: &str) -> Result<u64> {
        thread::scope(|scope| {
            let few = scope.spawn(|| self.instructions(case, FEW));
            let many = self.instructions(case, MANY)?;
            let few = few
                .join()
                .map_err(|_| Failure::new("a thread that counted has panicked"))??;
            per_request(few, many).context(|| case.to_owned())
        })
    }

    fn instructions(&self, case: &str, requests: u32) -> Result<u64> {
        // Its report goes to standard output, where the program prints nothing.
        let callgrind = [
            "--tool=callgrind",
            "--callgrind-out-file=/dev/null",
            "--log-fd=1",
        ];
        let report = output(
            Command::new(&self.valgrind)
                .args(callgrind)
                .arg::<&Path>(&self.program)
                .args([case, &requests.to_string()]),
        )?;
        collected(&report).context(|| format!("counting {case}"))
    }
}

fn per_request(few: u64, many: u64) -> Result<u64> {
    let requests = u64::from(MANY - FEW);
    let cost = many.checked_sub(few).map(|cost| cost / requests);
    cost.filter(|cost| *cost > 0).ok_or_else(|| {
        Failure::new(format!(
            "{many} instructions with {MANY} requests, {few} with {FEW}: that is no cost"
        ))
    })
}

/// Parses the number in the line `==123== Collected : 7553959` of callgrind's report.
fn collected(report: &str) -> Result<u64> {
    let number = report.lines().find_map(|line| {
        let (name, number) = line.split_once(" : ")?;
        name.ends_with("== Collected").then(|| number.trim())
    });
    match number.map(str::parse) {
        Some(Ok(number)) => Ok(number),
        _ => Err(Failure::new(format!(
            "the report of callgrind has no number of instructions:\n{report}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "\
==26838== Callgrind, a call-graph generating cache profiler
==26838== Using Valgrind-3.19.0 and LibVEX; rerun with -h for copyright info
==26838== Command: target/counted/instructions many-json 200
==26838== 
==26838== For interactive control, run 'callgrind_control -h'.
==26838== brk segment overflow in thread #1: can't grow to 0x484e000
==26838== 
==26838== Events    : Ir
==26838== Collected : 449778377
==26838== 
==26838== I   refs:      449,778,377
";

    #[test]
    fn the_number_is_found_in_the_report() {
        assert_eq!(collected(REPORT).unwrap(), 449_778_377);
    }

    #[test]
    fn a_report_without_a_number_is_no_zero() {
        let killed = REPORT.split("==26838== Events").next().unwrap();
        let failure = collected(killed).unwrap_err().to_string();
        assert!(
            failure.contains("no number") && failure.contains("brk segment"),
            "it shows the report: {failure}"
        );
        assert!(collected("").is_err());
        assert!(
            collected("==1== Collected : 12 34").is_err(),
            "two events are an error"
        );
    }

    #[test]
    fn start_and_end_are_not_in_the_cost() {
        assert_eq!(per_request(7_105_964, 121_446_319).unwrap(), 22_868);
        assert!(per_request(7, 7).is_err(), "a request cannot cost nothing");
        assert!(per_request(8, 7).is_err());
    }
}
