//! schemathesis reads the contract from the running helpdesk and sends requests that follow it and
//! requests that break it, first one by one, then as chains along the links. Every check it has is
//! on in one of two runs.
//!
//! Each is on a helpdesk of its own: as the administrator, who may do everything, and as two
//! customers, who must not see each other's things (`object_level_authorization`); what a customer
//! may not do is then tried by those who may. Who is logged out by what was sent logs in again.
//!
//! The same seed gives the same requests: a finding can be made again. The time is bounded, and
//! running out of it is a failure, not a pass.

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
const LIMIT: Duration = Duration::from_secs(4 * 60);

/// One run, and who it is logged in as.
struct Run {
    name: &'static str,
    /// In the order they are tried.
    people: &'static [&'static str],
    /// Only the first of them, for every operation.
    pinned: bool,
    /// Those who must not see each other's things.
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

/// A second customer, who is made for the run.
const OTHER: &str = "other-customer@example.com";

pub(super) fn run(subject: &Subject<'_>) -> Result<String> {
    let document: Value = serde_json::from_str(&subject.text()?)?;
    let operations = standard::operations(&document);
    let mut told = Vec::new();
    for run in &RUNS {
        one(subject, run).context(|| format!("as {}", run.name))?;
        told.push(format!(
            "as {}: at least {} examples each",
            run.name, run.examples
        ));
    }
    Ok(format!(
        "no finding, {operations} operations, {}, seed {SEED}",
        told.join(", ")
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
    // With two workers Python 3.11 sometimes breaks off: its parser of Python, which names the
    // strategies, is not safe among threads.
    fuzz.args(["--workers", "1", "--no-color"]);
    if !run.accepted {
        fuzz.args(["--exclude-checks", "positive_data_acceptance"]);
        fuzz.args(["--warnings", "off"]);
    }
    fuzz.current_dir(workspace::tools()?)
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file);

    let ended = within(LIMIT, &mut fuzz)?;
    let said = std::fs::read_to_string(&log).unwrap_or_default();
    let alive = helpdesk.is_alive();
    match ended {
        Some(status) if status.success() && alive => Ok(()),
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

/// The settings of a run: those of every run, and who logs in.
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

/// How each of them logs in, in the form of Web Fuzzing Commons.
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
