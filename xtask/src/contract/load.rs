//! The load tests that the helpdesk writes, against a running helpdesk: with locust, and with k6's
//! script in Node. k6 is in no registry of packages, so its modules are replaced by those in
//! `apps/helpdesk/tests/k6`, which send the requests.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use toolkit::process::output;
use toolkit::{Context, Failure, Result, workspace};

use super::Subject;
use crate::helpdesk::{self, PASSWORD, Running};

const SHIM: &str = "apps/helpdesk/tests/k6/run.mjs";

/// The load: short, with writes, and without limits that a busy machine would exceed.
const LOAD: [&str; 12] = [
    "--rate",
    "20",
    "--seconds",
    "4",
    "--think",
    "0.02",
    "--writes",
    "30",
    "--p99",
    "20000",
    "--errors",
    "0",
];

pub(super) fn run(subject: &Subject<'_>) -> Result<String> {
    let running = Running::start()?;
    let context = || format!("the helpdesk's log:\n{}", running.log());
    let locust = locust(subject, &running).context(context)?;
    let k6 = k6(&running).context(context)?;
    Ok(format!(
        "{locust} requests with locust, {k6} with the script of k6 in Node"
    ))
}

/// Returns the number of requests in the report of `load run`.
fn locust(subject: &Subject<'_>, running: &Running) -> Result<u64> {
    let programs = subject.tools.python("locust");
    let folder = PathBuf::from(programs.get_program())
        .parent()
        .map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let all = folder.into_iter().chain(std::env::split_paths(&path));
    let text = output(
        Command::new(helpdesk::build()?)
            .args([
                "load",
                "run",
                "--url",
                &format!("http://{}", running.address()),
            ])
            .args([
                "--tag",
                "tickets",
                "--tag",
                "accounts",
                "--user",
                "agent@example.com",
            ])
            .args(LOAD)
            .env("LOAD_PASSWORD", PASSWORD)
            .env("PATH", std::env::join_paths(all)?)
            .current_dir(workspace::tools()?),
    )?;
    let row = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        line[name.len()..]
            .split_whitespace()
            .next()?
            .parse::<u64>()
            .ok()
    };
    for route in [
        "GET /v1/tickets ",
        "GET /v1/tickets/{id} ",
        "POST /v1/tickets ",
        "POST /v1/tickets/{id}/comments ",
    ] {
        if row(route).unwrap_or(0) == 0 {
            return Err(Failure::new(format!("locust sent no {route}:\n{text}")));
        }
    }
    // An action that the links of the created ticket offer.
    let actions =
        ["solve", "close"].map(|action| row(&format!("POST /v1/tickets/{{id}}/{action} ")));
    match (row("all "), actions) {
        (Some(requests), [Some(_), _] | [_, Some(_)]) if requests > 0 => Ok(requests),
        _ => Err(Failure::new(format!("locust followed no link:\n{text}"))),
    }
}

fn k6(running: &Running) -> Result<u64> {
    let folder = workspace::tools()?.join("load");
    let mut write = Command::new(helpdesk::build()?);
    write
        .args(["load", "--out"])
        .arg(&folder)
        .args(LOAD)
        .args(["--tag", "tickets"]);
    output(&mut write)?;
    let report = folder.join("report.json");
    let mut node = Command::new("node");
    node.arg(workspace::root().join(SHIM)).arg(&folder);
    let text = output(
        node.env("LOAD_URL", format!("http://{}", running.address()))
            .env("LOAD_USERS", "agent@example.com")
            .env("LOAD_PASSWORD", PASSWORD)
            .env("LOAD_REPORT", &report),
    )?;
    let result: Value = serde_json::from_str(&std::fs::read_to_string(&report)?)?;
    let routes = result["routes"].as_array().map_or(&[][..], Vec::as_slice);
    let sent = |name: &str| routes.iter().any(|route| route["name"] == name);
    let fine = result["total"]["failures"] == 0
        && result["statuses"]
            .as_object()
            .is_some_and(serde_json::Map::is_empty)
        && ["GET /v1/tickets", "GET /v1/tickets/:id", "POST /v1/tickets"]
            .iter()
            .all(|name| sent(name))
        && routes.iter().any(|route| {
            route["name"]
                .as_str()
                .is_some_and(|name| name.ends_with("/solve") || name.ends_with("/close"))
        });
    match result["total"]["requests"].as_u64() {
        Some(requests) if fine && requests > 0 => Ok(requests),
        _ => Err(Failure::new(format!(
            "the script of k6 did not do what it should:\n{text}\n{result:#}"
        ))),
    }
}
