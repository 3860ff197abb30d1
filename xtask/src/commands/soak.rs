//! `cargo xtask soak`: the tests that have a reduced form in the gate, with their full counts.
//!
//! They read their count from `doyen_test::scale`; an environment variable selects the full one. It
//! takes minutes, prints measurements, and needs an idle machine.

use toolkit::Result;
use toolkit::process::{cargo, run as run_command};

use super::no_arguments;
use crate::setup;

/// The tests with a reduced form.
const TESTS: &str = "test(/^memory::/) | test(/^logins::/) | test(/^size::/) | test(/^stops::/) | test(/kills_neither_lose/) | test(/^killed::no_job/)";

pub(super) fn run(args: &[String]) -> Result {
    no_arguments(args)?;
    let tools = setup::prepare()?;
    run_command(
        cargo()
            .args(["nextest", "run", "--locked", "--all-features"])
            .args(["--package", "helpdesk", "--package", "doyen-jobs"])
            .args(["--profile", "soak"])
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
