//! `cargo xtask soak`: the tests that have a reduced form in the gate, with their full counts.
//!
//! They ask `doyen_test::scale` for the count; the variable makes it give the full one. It takes
//! minutes, prints what was measured, and wants a machine that does nothing else.

use toolkit::Result;
use toolkit::process::{cargo, run as run_command};

use super::no_arguments;
use crate::setup;

/// The tests that scale.
const TESTS: &str = "test(/^memory::/) | test(/^logins::/) | test(/^stops::/)";

pub(super) fn run(args: &[String]) -> Result {
    no_arguments(args)?;
    let tools = setup::prepare()?;
    run_command(
        cargo()
            .args(["nextest", "run", "--locked", "--all-features"])
            .args(["--package", "helpdesk", "--profile", "soak"])
            .args([
                "--filterset",
                TESTS,
                "--no-tests",
                "fail",
                "--test-threads",
                "1",
            ])
            .args(["--success-output", "final"])
            .envs(tools.environment())
            .env("DOYEN_SOAK", "1"),
    )
}
