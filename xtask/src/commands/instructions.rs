//! `cargo xtask instructions [--record]`: a request costs no more instructions than recorded.
//!
//! A guard, not a measurement: instructions are not time, but their number is the same on a busy
//! machine and on an idle one, so the gate can compare them. `bench/README.md` explains the
//! numbers. Three things fail:
//!
//! - a case costs more than `bench/instructions.toml` states;
//! - a case costs much less, and the gain is not recorded;
//! - a request costs another number of instructions with 1,000 other routes.

mod case;
mod count;
mod record;
mod verdict;

use std::collections::BTreeSet;
use std::process::Command;

use toolkit::process::output;
use toolkit::{Failure, Result, workspace};

use self::case::CASES;
use self::count::Counter;
use self::record::Record;
use self::verdict::{Costs, Finding};

/// Platform of the numbers: other processors have other instructions, other systems another libc.
const COUNTED_HERE: bool = cfg!(all(target_arch = "x86_64", target_os = "linux"));

/// Maximum counts of a case. A recorded case is always counted this often. The lowest count is
/// used, because a busy machine only adds.
const MAX_COUNTS: usize = 3;

pub(super) fn run(args: &[String]) -> Result {
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => check(),
        ["--record"] => record(),
        _ => Err(Failure::new("`instructions` takes nothing or `--record`")),
    }
}

/// The check in the gate.
pub(super) fn check() -> Result {
    if !COUNTED_HERE {
        println!(
            "skipped: {} has numbers for Linux on x86_64, none for {} on {}",
            record::FILE,
            std::env::consts::OS,
            std::env::consts::ARCH
        );
        return Ok(());
    }
    let recorded = Record::read()?;
    let counter = Counter::prepare()?;
    let mut counted = count(&counter, &CASES)?;
    for _ in 1..MAX_COUNTS {
        let doubtful = doubtful(&verdict::findings(&recorded.costs, &counted));
        if doubtful.is_empty() {
            break;
        }
        println!("counting again: {}", doubtful.join(", "));
        lower(&mut counted, count(&counter, &doubtful)?);
    }
    print!("{}", verdict::table(&recorded.costs, &counted));
    let findings = verdict::findings(&recorded.costs, &counted);
    let mut findings: Vec<String> = findings.into_iter().map(|one| one.text).collect();
    let compiler = compiler()?;
    if !findings.is_empty() && compiler != recorded.compiler {
        findings.push(format!(
            "recorded with {}, counted with {compiler}: if nothing else has changed, --record",
            recorded.compiler
        ));
    }
    Failure::unless_empty("instructions of a request", &findings)
}

fn record() -> Result {
    if !COUNTED_HERE {
        return Err(Failure::new(
            "the numbers are for Linux on x86_64: record them there",
        ));
    }
    // The first time there is no file.
    let recorded = if workspace::root().join(record::FILE).exists() {
        Record::read()?.costs
    } else {
        Costs::new()
    };
    let counter = Counter::prepare()?;
    let mut counted = count(&counter, &CASES)?;
    for _ in 1..MAX_COUNTS {
        lower(&mut counted, count(&counter, &CASES)?);
    }
    print!("{}", verdict::table(&recorded, &counted));
    if let Some(finding) = verdict::routes(&counted) {
        return Err(Failure::new(format!("not recorded: {}", finding.text)));
    }
    Record {
        compiler: compiler()?,
        costs: counted,
    }
    .write()?;
    println!("{}", record::FILE);
    Ok(())
}

fn count(counter: &Counter, cases: &[&str]) -> Result<Costs> {
    cases
        .iter()
        .map(|case| Ok(((*case).to_owned(), counter.per_request(case)?)))
        .collect()
}

/// Keeps the lower of two counts.
fn lower(counted: &mut Costs, again: Costs) {
    for (case, cost) in again {
        counted
            .entry(case)
            .and_modify(|before| *before = cost.min(*before))
            .or_insert(cost);
    }
}

/// Returns the cases to count again, each once.
fn doubtful(findings: &[Finding]) -> Vec<&'static str> {
    let doubtful = findings.iter().flat_map(|finding| finding.doubtful);
    BTreeSet::from_iter(doubtful.copied()).into_iter().collect()
}

fn compiler() -> Result<String> {
    Ok(output(Command::new("rustc").arg("--version"))?
        .trim()
        .to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lower_count_stands() {
        let costs = |cost| Costs::from([("bare-json".to_owned(), cost)]);
        let mut counted = costs(10);
        lower(&mut counted, costs(11));
        assert_eq!(counted, costs(10));
        lower(&mut counted, costs(9));
        assert_eq!(counted, costs(9));
    }

    #[test]
    fn a_case_is_counted_again_once_a_time() {
        let finding = |doubtful| Finding {
            text: String::new(),
            doubtful,
        };
        let findings = [
            finding(&["full-json"]),
            finding(&[]),
            finding(&["full-json", "many-json"]),
        ];
        assert_eq!(doubtful(&findings), ["full-json", "many-json"]);
    }
}
