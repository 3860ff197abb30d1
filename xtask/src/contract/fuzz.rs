//! schemathesis reads the contract from the running helpdesk and sends valid and invalid requests,
//! first one by one, then as chains along the links. Two runs together enable every check.
//!
//! Each run has its own helpdesk. One logs in as the administrator, who is authorized for
//! everything. The other logs in as two customers, who must not see each other's objects
//! (`object_level_authorization`). A session that a request ended is started again.
//!
//! The same seed sends the same requests, so that a finding can be reproduced. The time is bounded,
//! and a timeout is a failure.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use toolkit::process::pause;
use toolkit::{Context, Failure, Result, workspace};

use super::{Subject, standard};
use crate::helpdesk::{self, Running};

const SEED: u32 = 20_260_101;
const TIMEOUT: Duration = Duration::from_secs(4 * 60);

/// A run and its users.
struct Run {
    name: &'static str,
    /// Phases, in order.
    people: &'static [&'static str],
    /// Phases for every operation, of which the authorization run only does the first.
    pinned: bool,
    /// Users that must not see each other's objects.
    peers: &'static [&'static str],
    examples: u32,
    /// True if a refusal of a valid request is a finding. While authorization is examined, requests
    /// are refused because of the caller, or because of an invented key next to the token.
    accepted: bool,
}

const RUNS: [Run; 2] = [
    Run {
        name: "administrator",
        people: &["admin@example.com"],
        pinned: true,
        peers: &[],
        examples: 20,
        accepted: true,
    },
    Run {
        name: "customers",
        people: &[
            "customer@example.com",
            OTHER,
            "agent@example.com",
            "admin@example.com",
        ],
        pinned: false,
        peers: &["customer@example.com", OTHER],
        examples: 10,
        accepted: false,
    },
];

/// A second customer, created for the run.
const OTHER: &str = "other-customer@example.com";

pub(super) fn run(subject: &Subject<'_>) -> Result<String> {
    let document: Value = serde_json::from_str(&subject.text()?)?;
    let operations = standard::operations(&document);
    let mut received = Vec::new();
    for run in &RUNS {
        one(subject, run).context(|| format!("as {}", run.name))?;
        received.push(format!(
            "as {}: at least {} examples each",
            run.name, run.examples
        ));
    }
    Ok(format!(
        "no finding in a document of {operations} operations, {}, seed {SEED}",
        received.join(", ")
    ))
}

fn one(subject: &Subject<'_>, run: &Run) -> Result {
    let mut helpdesk = Running::start()?;
    if run.people.contains(&OTHER) {
        helpdesk.register(OTHER)?;
    }
    let log = workspace::tools()?.join(format!("schemathesis-{}.log", run.name));
    let file = File::create(&log).context(|| format!("writing {}", log.display()))?;
    let mut fuzz = subject.tools.python("schemathesis");
    fuzz.arg("--config-file").arg(settings(run)?);
    fuzz.arg("run")
        .arg(format!("http://{}/openapi.json", helpdesk.address()));
    fuzz.args(["--checks", "all"]);
    fuzz.args(["--phases", "examples,coverage,fuzzing,stateful"]);
    fuzz.args(["--max-examples", &run.examples.to_string()]);
    fuzz.args(["--seed", &SEED.to_string()]);
    fuzz.args(["--generation-database", "none", "--continue-on-failure"]);
    // With two workers Python 3.11 sometimes crashes: its parser, which names the strategies, is
    // not thread-safe.
    fuzz.args(["--workers", "1", "--no-color"]);
    if !run.accepted {
        fuzz.args(["--exclude-checks", "positive_data_acceptance"]);
        fuzz.args(["--warnings", "off"]);
    }
    fuzz.current_dir(workspace::tools()?)
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file);

    let ended = within(TIMEOUT, &mut fuzz)?;
    let output = std::fs::read_to_string(&log).unwrap_or_default();
    let alive = helpdesk.is_alive();
    match ended {
        Some(status) if status.success() && alive => Ok(()),
        Some(_) if !alive => Err(Failure::new(format!(
            "the helpdesk ended under the load. Its log:\n{}",
            helpdesk.log()
        ))),
        Some(status) => Err(Failure::new(format!("{status}, seed {SEED}\n{output}"))),
        None => Err(Failure::new(format!(
            "not finished after {TIMEOUT:?}, seed {SEED}\n{output}"
        ))),
    }
}

/// Returns the settings of a run: the common ones, and the logins.
fn settings(run: &Run) -> Result<PathBuf> {
    let folder = workspace::tools()?;
    let people = folder.join(format!("schemathesis-{}-people.json", run.name));
    write(&people, &people_of(run).to_string())?;
    let settings = folder.join(format!("schemathesis-{}.toml", run.name));
    let mut text = workspace::read("tools/schemathesis.toml")?;
    text.push_str(&format!(
        "\n[auth.wfc]\npath = {:?}\n",
        people.display().to_string()
    ));
    if run.pinned {
        text.push_str(&format!("user = {:?}\n", run.people[0]));
    }
    if !run.peers.is_empty() {
        text.push_str(&format!("peers = {:?}\n", run.peers));
    }
    write(&settings, &text)?;
    Ok(settings)
}

fn write(path: &Path, text: &str) -> Result {
    std::fs::write(path, text).context(|| format!("writing {}", path.display()))
}

/// Returns the logins in the format of Web Fuzzing Commons.
fn people_of(run: &Run) -> Value {
    let login = |email: &str| {
        json!({
            "verb": "POST",
            "endpoint": "/v1/auth/login",
            "contentType": "application/json",
            "payloadRaw": json!({"email": email, "password": helpdesk::PASSWORD}).to_string(),
            "token": {
                "extractFrom": "body",
                "extractSelector": "/access_token",
                "sendIn": "header",
                "sendName": "Authorization",
                "sendTemplate": "Bearer {token}",
            },
        })
    };
    let people = run.people.iter();
    let people: Vec<Value> = people
        .map(|email| json!({"name": email, "loginEndpointAuth": login(email)}))
        .collect();
    json!({ "auth": people })
}

/// Returns the exit status, or `None` after a timeout, which ends the program.
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

    #[test]
    fn those_who_must_not_see_each_other_are_logged_in() {
        for run in &RUNS {
            assert!(
                run.peers.iter().all(|peer| run.people.contains(peer)),
                "{}",
                run.name
            );
        }
        assert!(
            RUNS.iter().any(|run| run.peers.len() > 1),
            "every caller is permitted"
        );
    }
}
