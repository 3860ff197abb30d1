//! `cargo xtask soak [--release] [suite ..]`: the tests that have a reduced form in the gate, with
//! their full counts.
//!
//! They read their count from `doyen_test::scale`; an environment variable selects the full one. It
//! takes minutes, prints measurements, and needs an idle machine. With `--release` the tests are
//! built like the deployed program, and those that measure times enforce their limits.

use toolkit::process::{cargo, run as run_command};
use toolkit::{Failure, Result};

use crate::setup;

/// The suites with a reduced form, and the tests of each.
const SUITES: [(&str, &str); 10] = [
    ("memory", "test(/^memory::/)"),
    ("logins", "test(/^logins::/)"),
    ("size", "test(/^size::/)"),
    ("stops", "test(/^stops::/)"),
    ("keys", "test(/kills_neither_lose/)"),
    ("jobs", "test(/^killed::no_job/)"),
    ("events", "test(/^killed::|^delivery::each_aggregate/)"),
    ("cache", "test(/a_thousand_misses/)"),
    (
        "files",
        "test(/^agreed::nothing_is_lost|^bodies::memory_is/)",
    ),
    ("live", "test(/^live::(kills_|an_event_|an_idle_)/)"),
];

pub(super) fn run(args: &[String]) -> Result {
    let (flags, names): (Vec<&str>, Vec<&str>) = args
        .iter()
        .map(String::as_str)
        .partition(|arg| arg.starts_with('-'));
    let known = SUITES.map(|(name, _)| name);
    if let Some(name) = names.iter().find(|name| !known.contains(name)) {
        return Err(Failure::new(format!(
            "there is no suite `{name}`; there are {}",
            known.join(", ")
        )));
    }
    let release = match *flags {
        [] => false,
        ["--release"] => true,
        _ => return Err(Failure::new("it takes `--release` and names of suites")),
    };
    let tests: Vec<&str> = SUITES
        .iter()
        .filter(|(name, _)| names.is_empty() || names.contains(name))
        .map(|(_, tests)| *tests)
        .collect();
    let tools = setup::prepare()?;
    run_command(
        cargo()
            .args(["nextest", "run", "--locked", "--all-features"])
            .args(["--workspace", "--profile", "soak"])
            .args(release.then_some("--release"))
            .args([
                "--filterset",
                &tests.join(" | "),
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
