//! The tool of this project: `cargo xtask <command>`.
//!
//! Each command is one file in `commands/`; `commands/mod.rs` lists them, and the help is generated
//! from that list. Several commands share `setup`, which installs what the tests need, `contract`,
//! which checks the contract of the helpdesk from outside, and `helpdesk`, which builds and starts
//! it.

#![allow(clippy::print_stdout, clippy::print_stderr)] // A command-line tool prints its results.

mod commands;
mod contract;
mod helpdesk;
mod setup;
mod steps;

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
