//! schemathesis reads the contract from the running helpdesk and sends requests that follow it and requests that break it,
//! first one by one, then as chains along the links. Every check it has is on.
//!
//! The same seed gives the same requests: a finding can be made again. The time is bounded, and running out of it is a
//! failure, not a pass.

use std::fs::File;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Subject, standard};
use crate::failure::{Context, Failure, Result};
use crate::helpdesk::Running;
use crate::process::pause;
use crate::workspace;

const SEED: u32 = 20_260_101;
const EXAMPLES: u32 = 100;
const LIMIT: Duration = Duration::from_secs(6 * 60);

pub(super) fn run(subject: &Subject<'_>) -> Result<String> {
    let mut helpdesk = Running::start()?;
    let token = helpdesk.log_in()?;
    let log = workspace::tools()?.join("schemathesis.log");
    let file = File::create(&log).context(|| format!("writing {}", log.display()))?;

    let mut fuzz = subject.tools.python("schemathesis");
    fuzz.arg("--config-file")
        .arg(workspace::root().join("tools/schemathesis.toml"));
    fuzz.arg("run")
        .arg(format!("http://{}/openapi.json", helpdesk.address()));
    fuzz.args(["--header", &format!("Authorization: Bearer {token}")]);
    fuzz.args([
        "--checks",
        "all",
        "--phases",
        "examples,coverage,fuzzing,stateful",
    ]);
    fuzz.args([
        "--max-examples",
        &EXAMPLES.to_string(),
        "--seed",
        &SEED.to_string(),
    ]);
    fuzz.args([
        "--generation-database",
        "none",
        "--continue-on-failure",
        "--workers",
        "2",
        "--no-color",
    ]);
    fuzz.current_dir(workspace::tools()?)
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file);

    let ended = within(LIMIT, &mut fuzz)?;
    let said = std::fs::read_to_string(&log).unwrap_or_default();
    let alive = helpdesk.is_alive();
    match ended {
        Some(status) if status.success() && alive => {
            let document: Value = serde_json::from_str(&subject.text()?)?;
            let operations = standard::operations(&document);
            Ok(format!(
                "no finding, {operations} operations, at least {EXAMPLES} examples each, seed {SEED}"
            ))
        }
        Some(_) if !alive => Err(Failure::new(format!(
            "the helpdesk ended under the load. Its log:\n{}",
            helpdesk.log()
        ))),
        Some(status) => Err(Failure::new(format!("{status}, seed {SEED}\n{said}"))),
        None => Err(Failure::new(format!(
            "not finished after {LIMIT:?}, seed {SEED}\n{said}"
        ))),
    }
}

/// The exit status, or nothing when the time ran out and the program was ended.
fn within(limit: Duration, command: &mut Command) -> Result<Option<ExitStatus>> {
    let mut child = command.spawn().context(|| "starting schemathesis".into())?;
    let started = Instant::now();
    while started.elapsed() < limit {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        pause();
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn running_out_of_time_is_told_apart_from_ending() {
        let ended = within(Duration::from_secs(30), &mut Command::new("true")).unwrap();
        assert!(ended.unwrap().success());
        let ended = within(Duration::from_millis(1), Command::new("sleep").arg("30")).unwrap();
        assert!(ended.is_none());
    }
}
