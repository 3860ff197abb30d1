//! The project's own tool: `cargo xtask <command>`.
//!
//! Each command is one file in `commands/`; `commands/mod.rs` holds the one list of them, and the help is printed from it.
//! What several commands need stands beside: [`setup`] installs what the tests need, [`contract`] checks the reference
//! service's contract from outside, [`helpdesk`] builds and starts it.
//!
//! It does nothing that a user of Doyen needs: it never ships.

#![allow(clippy::print_stdout, clippy::print_stderr)] // A command-line tool speaks to a person: printing is its job.

mod commands;
mod contract;
mod failure;
mod helpdesk;
mod http;
mod process;
mod setup;
mod steps;
mod workspace;

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match commands::run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\nxtask: {failure}");
            ExitCode::FAILURE
        }
    }
}
