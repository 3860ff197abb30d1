//! The documentation page, the console and the demo page: their modules under Node.js, and the
//! pages themselves in a real browser against a running helpdesk. The demo page is open in two
//! windows.

use std::path::{Path, PathBuf};
use std::process::Command;

use toolkit::process::output;
use toolkit::{Context, Failure, Result, workspace};

use super::Subject;
use crate::helpdesk::Running;

const FOLDER: &str = "crates/doyen-console/tests/browser";
const DEMO: &str = "apps/helpdesk/tests/browser/demo.mjs";

/// Every `*.test.mjs`, so that a new one is included.
pub(super) fn modules(_: &Subject<'_>) -> Result<String> {
    let text = output(
        Command::new("node")
            .args(["--test", "--test-reporter=tap"])
            .args(test_files()?),
    )?;
    let (passed, skipped, todo) = (
        count(&text, "pass"),
        count(&text, "skipped"),
        count(&text, "todo"),
    );
    match (passed, skipped, todo) {
        (Some(passed @ 1..), Some(0), Some(0)) => {
            Ok(format!("{passed} tests passed, none skipped"))
        }
        _ => Err(Failure::new(format!("not every test ran\n{text}"))),
    }
}

pub(super) fn browser(subject: &Subject<'_>) -> Result<String> {
    drive(subject, &workspace::root().join(FOLDER).join("docs.mjs"))
}

/// The page `/demo` in two windows.
pub(super) fn demo(subject: &Subject<'_>) -> Result<String> {
    drive(subject, &workspace::root().join(DEMO))
}

fn drive(subject: &Subject<'_>, script: &Path) -> Result<String> {
    let helpdesk = Running::start()?;
    let mut drive = Command::new("node");
    drive
        .arg(script)
        .env("BASE_URL", format!("http://{}", helpdesk.address()))
        .env("ADMIN_URL", format!("http://{}", helpdesk.admin()))
        .env("CHROMIUM", subject.tools.browser());
    let text = output(&mut drive).context(|| format!("the helpdesk's log:\n{}", helpdesk.log()))?;
    let steps = text.lines().filter(|line| line.starts_with("ok ")).count();
    if steps == 0 {
        Err(Failure::new(format!("no step was run\n{text}")))
    } else {
        Ok(format!("{steps} steps in Chromium"))
    }
}

fn test_files() -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(workspace::root().join(FOLDER))
        .context(|| format!("reading {FOLDER}"))?;
    let files = entries.flatten().map(|entry| entry.path());
    Ok(files
        .filter(|file| file.to_string_lossy().ends_with(".test.mjs"))
        .collect())
}

/// Parses the number in the line `# pass 21` of a TAP report.
fn count(report: &str, what: &str) -> Option<u64> {
    report.lines().find_map(|line| {
        line.strip_prefix("# ")?
            .strip_prefix(what)?
            .trim()
            .parse()
            .ok()
    })
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn reads_the_numbers_of_a_report() {
        let report = "ok 1 - a\n# tests 3\n# pass 2\n# skipped 1\n";
        assert_eq!(
            (
                count(report, "pass"),
                count(report, "skipped"),
                count(report, "todo")
            ),
            (Some(2), Some(1), None)
        );
    }
}
