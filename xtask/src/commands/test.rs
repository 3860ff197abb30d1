//! `cargo xtask test`: runs every test and fails if one is left out.
//!
//! First the contract gates, then the examples in doc comments, last nextest, whose summary closes
//! the output. A test that is marked `#[ignore]`, or that a filter in a configuration file hides,
//! is a failure that names it: a test that does not run proves nothing.

use serde_json::Value;
use toolkit::process::{cargo, output, run as run_command};
use toolkit::{Failure, Result, workspace};

use crate::contract;
use crate::setup::{self, Tools};

const EVERYTHING: [&str; 3] = ["--locked", "--all-features", "--workspace"];

pub(super) fn run(args: &[String]) -> Result {
    if args.is_empty() {
        everything()
    } else {
        chosen(args)
    }
}

/// The tests in the gate.
pub(super) fn everything() -> Result {
    let tools = setup::prepare()?;
    for line in tools.lines() {
        println!("{line}");
    }
    contract::check(&tools)?;
    doc_examples()?;
    let count = nothing_left_out(&list(&tools)?)?;
    println!("tests: {count}, none ignored, none filtered out");
    run_command(nextest(&tools, "run").args(EVERYTHING).args([
        "--profile",
        "ci",
        "--no-tests",
        "fail",
    ]))
}

/// Runs nextest only, and says so.
fn chosen(args: &[String]) -> Result {
    println!(
        "only `cargo nextest run {}`: the contract and the doc examples are not checked",
        args.join(" ")
    );
    // `--package` selects from the workspace; cargo refuses both at once.
    let packages = args
        .iter()
        .any(|arg| arg.starts_with("-p") || arg.starts_with("--package"));
    let scope = if packages {
        &EVERYTHING[..2]
    } else {
        &EVERYTHING
    };
    run_command(nextest(&setup::prepare()?, "run").args(scope).args(args))
}

fn nextest(tools: &Tools, verb: &str) -> std::process::Command {
    let mut command = cargo();
    command.args(["nextest", verb]).envs(tools.environment());
    command
}

fn list(tools: &Tools) -> Result<Value> {
    run_command(nextest(tools, "run").args(EVERYTHING).args([
        "--no-run",
        "--cargo-quiet",
        "--profile",
        "ci",
    ]))?;
    let text = output(nextest(tools, "list").args(EVERYTHING).args([
        "--message-format",
        "json",
        "--run-ignored",
        "all",
        "--profile",
        "ci",
    ]))?;
    Ok(serde_json::from_str(&text)?)
}

/// Returns the number of tests in a list, or an error with those that would not run.
fn nothing_left_out(list: &Value) -> Result<u64> {
    let mut left_out = Vec::new();
    for (binary, suite) in list["rust-suites"].as_object().into_iter().flatten() {
        for (test, facts) in suite["testcases"].as_object().into_iter().flatten() {
            if facts["ignored"] != false {
                left_out.push(format!("{binary} {test}: marked #[ignore]"));
            } else if facts["filter-match"]["status"] != "matches" {
                left_out.push(format!("{binary} {test}: hidden by a filter"));
            }
        }
        if !matches!(suite["status"].as_str(), Some("listed")) {
            left_out.push(format!(
                "{binary}: the whole program is {}",
                suite["status"]
            ));
        }
    }
    Failure::unless_empty("tests that would not run", &left_out)?;
    list["test-count"]
        .as_u64()
        .ok_or_else(|| Failure::new("nextest's list has no test-count"))
}

/// Runs the examples in doc comments, which nextest does not.
///
/// The output is shown only if one fails or is left out, so that it contains only one summary, that
/// of nextest.
fn doc_examples() -> Result {
    let mut command = cargo();
    command
        .args(["test", "--quiet", "--doc", "--no-fail-fast"])
        .args(EVERYTHING);
    let (passed, left_out) = count_doc_examples(&output(&mut command)?);
    if left_out > 0 {
        let found = ignored_examples()?;
        return Failure::unless_empty(
            "doc examples that do not run: correct them, or mark them `text`",
            &found,
        );
    }
    println!("doc examples: {passed} run, none left out");
    Ok(())
}

/// Adds up the lines `test result: ok. 3 passed; 0 failed; 1 ignored; ...`.
fn count_doc_examples(output: &str) -> (u64, u64) {
    let count = |line: &str, word: &str| {
        let before = line.split(word).next().unwrap_or_default();
        before
            .split_whitespace()
            .next_back()
            .and_then(|number| number.parse::<u64>().ok())
            .unwrap_or(0)
    };
    let results = output
        .lines()
        .filter(|line| line.starts_with("test result:"));
    results.fold((0, 0), |(passed, left_out), line| {
        (
            passed + count(line, " passed"),
            left_out + count(line, " ignored"),
        )
    })
}

/// Returns the ignored examples. It is called only if there are some.
fn ignored_examples() -> Result<Vec<String>> {
    let text = output(
        cargo()
            .args(["test", "--doc"])
            .args(EVERYTHING)
            .args(["--", "--list", "--ignored"])
            .current_dir(workspace::root()),
    )?;
    Ok(text
        .lines()
        .filter_map(|line| line.strip_suffix(": test"))
        .map(str::to_owned)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn suites(testcases: &Value) -> Value {
        json!({"test-count": 2, "rust-suites": {"shop": {"status": "listed", "testcases": testcases}}})
    }

    #[test]
    fn counts_tests_that_all_run() {
        let runs = json!({"ignored": false, "filter-match": {"status": "matches"}});
        assert_eq!(
            nothing_left_out(&suites(&json!({"a": runs, "b": runs}))).unwrap(),
            2
        );
    }

    #[test]
    fn names_what_would_not_run() {
        let ignored = json!({"ignored": true, "filter-match": {"status": "matches"}});
        let hidden = json!({"ignored": false, "filter-match": {"status": "mismatch", "reason": "default-filter"}});
        let failure = nothing_left_out(&suites(&json!({"a": ignored, "b": hidden})))
            .unwrap_err()
            .to_string();
        assert!(
            failure.contains("shop a: marked #[ignore]")
                && failure.contains("shop b: hidden by a filter"),
            "{failure}"
        );
    }

    #[test]
    fn names_a_whole_program_that_is_left_out() {
        let list = json!({"test-count": 0, "rust-suites": {"shop": {"status": "skipped", "testcases": {}}}});
        assert!(
            nothing_left_out(&list)
                .unwrap_err()
                .to_string()
                .contains("shop: the whole program")
        );
    }

    #[test]
    fn adds_up_doc_examples() {
        let output = "running 3 tests\n..i\ntest result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out\n\
                      test result: ok. 5 passed; 0 failed; 0 ignored; 0 measured\n";
        assert_eq!(count_doc_examples(output), (7, 1));
    }
}
