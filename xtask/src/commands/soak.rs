//! `cargo xtask soak [--release] [suite ..]`: the tests that have a reduced form in the gate, with
//! their full counts.
//!
//! They read their count from `doyen_test::scale`; an environment variable selects the full one. It
//! takes minutes, prints measurements, and needs an idle machine. With `--release` the tests are
//! optimized (profile `counted`), and those that measure times enforce their limits.

use toolkit::process::{cargo, run as run_command};
use toolkit::{Failure, Result};

use crate::setup;

/// The suites with a reduced form, the packages of their tests, and the tests.
const SUITES: [(&str, &[&str], &str); 13] = [
    ("memory", &["helpdesk"], "test(/^memory::/)"),
    ("logins", &["helpdesk"], "test(/^logins::/)"),
    ("size", &["helpdesk"], "test(/^size::/)"),
    ("stops", &["helpdesk"], "test(/^(stops|rolls)::/)"),
    ("migrations", &["docs_src"], "test(/^migrations::a_column/)"),
    (
        "readers",
        &["doyen"],
        "test(/a_reader_that_is_slower_than_the_buffers/)",
    ),
    ("keys", &["helpdesk"], "test(/kills_neither_lose/)"),
    ("jobs", &["doyen-jobs"], "test(/^killed::no_job/)"),
    (
        "events",
        &["doyen-data", "doyen-events"],
        "test(/^killed::|^delivery::each_aggregate/)",
    ),
    ("cache", &["doyen-cache"], "test(/a_thousand_misses/)"),
    (
        "files",
        &["doyen-files"],
        "test(/^agreed::nothing_is_lost|^bodies::memory_is/)",
    ),
    (
        "live",
        &["helpdesk"],
        "test(/^live::(kills_|an_event_)|^live_(memory|presence)::/)",
    ),
    (
        "generated",
        &["doyen-cli"],
        "test(/^variants::each_variant/)",
    ),
];

pub(super) fn run(args: &[String]) -> Result {
    let (flags, names): (Vec<&str>, Vec<&str>) = args
        .iter()
        .map(String::as_str)
        .partition(|arg| arg.starts_with('-'));
    let known = SUITES.map(|(name, ..)| name);
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
    let chosen = SUITES
        .iter()
        .filter(|(name, ..)| names.is_empty() || names.contains(name));
    let tests: Vec<&str> = chosen.clone().map(|(.., tests)| *tests).collect();
    // The workspace is usually built already; an optimized build is made for this run alone.
    let what: Vec<&str> = if release {
        let packages = chosen.flat_map(|(_, packages, _)| *packages);
        let packages = packages.flat_map(|package| ["--package", *package]);
        ["--cargo-profile", "counted"]
            .into_iter()
            .chain(packages)
            .collect()
    } else {
        vec!["--workspace"]
    };
    let tools = setup::prepare()?;
    run_command(
        cargo()
            .args(["nextest", "run", "--locked", "--all-features"])
            .args(["--profile", "soak"])
            .args(what)
            .args(["--filterset", &tests.join(" | ")])
            .args(["--no-tests", "fail", "--test-threads", "1"])
            .args(["--success-output", "final"])
            .envs(tools.environment())
            .env("DOYEN_SOAK", "1"),
    )
}
