//! The command line of the attack suite: `attack http://host:port [options]`.

#![allow(clippy::print_stdout, clippy::print_stderr)] // A command-line tool prints its results.

use std::process::ExitCode;

use attack::{Options, Outcome, attack};
use toolkit::{Failure, Result};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\nattack: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> Result {
    let lines = attack(Options::parse(args)?, |line| println!("{line}"))?;
    let count = |outcome| {
        lines
            .iter()
            .filter(|line| line.verdict.outcome == outcome)
            .count()
    };
    let (passed, failed) = (count(Outcome::Pass), count(Outcome::Fail));
    println!(
        "{} attacks: {passed} passed, {failed} failed, {} not applicable",
        lines.len(),
        count(Outcome::NotApplicable)
    );
    match failed {
        0 if passed == 0 => Err(Failure::new("no attack was made")),
        0 => Ok(()),
        _ => Err(Failure::new(format!("{failed} attacks had an effect"))),
    }
}
