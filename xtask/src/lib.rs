//! The project's own tool: `cargo xtask <command>`.
//!
//! Each command is one file in `commands/`; `commands/mod.rs` holds the one list of them, and the help is printed from it.
//! What several commands need stands beside: `setup` installs what the tests need, `contract` checks the reference
//! service's contract from outside, `helpdesk` builds and starts it.
//!
//! A library, because the tests of the helpdesk run [`attack`] too. It does nothing that a user of Doyen needs: it never ships.

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

pub use commands::attack;
pub use failure::Failure;

/// Runs the command that these words name.
///
/// # Errors
///
/// There is no such command, or what it checks does not hold.
pub fn run(words: &[String]) -> Result<(), Failure> {
    commands::run(words)
}
