//! The command `doyen`: from nothing to a deployed service.
//!
//! | module | contents |
//! | --- | --- |
//! | `args` | the command line |
//! | `commands` | one file for each command |
//! | `templates` | the embedded templates, and how they are rendered |
//! | `project` | the application in the current folder |
//! | `field`, `names` | the grammar of fields, and the names that follow from a word |
//! | `existing` | the fields of a domain that was generated before |
//! | `insert` | lines that are added to files of the user |
//! | `transplant` | carries a change of generated text over to an edited file |
//! | `changes` | files to write: compared, shown as a diff, written together |
//! | `failure` | errors and exit codes |
//!
//! The command asks no questions and overwrites nothing unless `--force` is given.

mod args;
mod changes;
mod commands;
mod existing;
mod failure;
mod field;
mod insert;
mod names;
mod project;
mod templates;
mod transplant;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    // clap prints help and mistakes, and exits with 0 or 2.
    let args = args::Args::parse();
    match commands::run(args.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
