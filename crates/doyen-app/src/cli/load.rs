//! The command `load`.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use clap::{Arg, ArgMatches, Command as Clap};
use serde_json::Value;

use super::{Failed, say};
use crate::Built;
use crate::fault::Fault;
use crate::load::plan::{Options, plan};
use crate::load::{files, report};

/// The arguments of the command.
pub(super) struct Load {
    options: Options,
    action: Action,
}

enum Action {
    /// Prints a file; without one, lists the files.
    Print(Option<String>),
    Write(PathBuf),
    Run(Box<Run>),
}

/// How the load test is run.
struct Run {
    tool: String,
    url: String,
    users: Vec<String>,
}

/// The environment variable that has the password of the users.
const PASSWORD: &str = "LOAD_PASSWORD";

pub(super) fn clap() -> Clap {
    let run = Clap::new("run")
        .about("Runs the load test and prints the times; fails if they miss the objectives")
        .arg(
            option(
                "tool",
                "The program that sends the requests, which must be installed",
            )
            .value_parser(["locust", "k6"])
            .default_value("locust"),
        )
        .arg(option("url", "The address of the application").required(true))
        .arg(
            option(
                "user",
                "The address of a user; more than once for several users",
            )
            .action(clap::ArgAction::Append)
            .long_help(
                "The address of a user; more than once for several users. All have the password in \
                     the environment variable LOAD_PASSWORD. An access token in LOAD_TOKEN is used \
                     instead",
            ),
        );
    Clap::new("load")
        .about("Writes load tests for k6 and locust, and runs them")
        .args_conflicts_with_subcommands(true)
        .arg(Arg::new("file").help("Prints this file; without it and `--out`, lists the files"))
        .arg(
            option("out", "Writes all files to this folder")
                .value_parser(clap::value_parser!(PathBuf))
                .conflicts_with("file"),
        )
        .args(load())
        .subcommand(run.args(load()))
}

fn option(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).help(help)
}

/// The arguments of the load, for both commands.
fn load() -> [Arg; 7] {
    let number = |name: &'static str, default: &'static str, help: &'static str| {
        let value = option(name, help).default_value(default);
        value.value_parser(clap::value_parser!(f64))
    };
    [
        option(
            "tag",
            "Only routes of this module; more than once for several modules",
        )
        .action(clap::ArgAction::Append),
        number(
            "rate",
            "10",
            "Journeys that begin in a second; one has one to six requests",
        ),
        option("seconds", "Duration of the load, in seconds")
            .value_parser(clap::value_parser!(u64).range(1..))
            .default_value("60"),
        number(
            "think",
            "1",
            "Mean pause of a user between two requests, in seconds",
        ),
        number(
            "writes",
            "0",
            "Percentage of the journeys that create something",
        ),
        number(
            "p99",
            "500",
            "Maximum time of 99 % of the requests, in milliseconds",
        ),
        number("errors", "0.1", "Maximum percentage of failed requests"),
    ]
}

pub(super) fn parse(matches: &ArgMatches) -> Load {
    let run = matches.subcommand_matches("run");
    let of = run.unwrap_or(matches);
    let number = |name| of.get_one(name).copied().unwrap_or_default();
    let texts = |name| of.get_many(name).into_iter().flatten().cloned().collect();
    let text = |name| of.get_one::<String>(name).cloned().unwrap_or_default();
    let action = match (run, of.try_get_one::<PathBuf>("out")) {
        (Some(_), _) => Action::Run(Box::new(Run {
            tool: text("tool"),
            url: text("url"),
            users: texts("user"),
        })),
        (None, Ok(Some(folder))) => Action::Write(folder.clone()),
        (None, _) => Action::Print(of.get_one("file").cloned()),
    };
    Load {
        options: Options {
            tags: texts("tag"),
            rate: number("rate"),
            seconds: of.get_one("seconds").copied().unwrap_or(1),
            think: number("think"),
            writes: number("writes"),
            p99_ms: number("p99"),
            errors: number("errors"),
        },
        action,
    }
}

pub(super) fn run(built: &Built, load: Load) -> Result<(), Failed> {
    let Load { options, action } = load;
    let document: Value = serde_json::from_str(built.document())?;
    check(&options, &document)?;
    let plan = plan(built.info.name, &document, &options);
    let lists = plan["resources"].as_array().map_or(0, Vec::len);
    if lists == 0 && plan["reads"].as_array().is_none_or(Vec::is_empty) {
        let message = "no route can be part of a load test: none is a GET whose path is complete, or \
                       has a list with its ids";
        return Err(Fault::new(message).into());
    }
    match action {
        Action::Print(None) => {
            for file in files(&plan) {
                say(file.path);
            }
            Ok(())
        }
        Action::Print(Some(name)) => {
            let files = files(&plan);
            let found = files.iter().find(|file| file.path == name);
            let file = found.ok_or_else(|| {
                let names = files.each_ref().map(|file| file.path).join(", ");
                Fault::new(format!("there is no file `{name}`: write {names}"))
            })?;
            say(file.text.trim_end());
            Ok(())
        }
        Action::Write(folder) => {
            write(&folder, &plan)?;
            for file in files(&plan) {
                say(&folder.join(file.path).display().to_string());
            }
            Ok(())
        }
        Action::Run(run) => send(&run, &plan),
    }
}

fn check(options: &Options, document: &Value) -> Result<(), Fault> {
    let percentage = 0.0..=100.0;
    for (name, value, allowed, range) in [
        (
            "rate",
            options.rate,
            options.rate > 0.0 && options.rate <= 1e5,
            "above 0, and at most 100000",
        ),
        (
            "think",
            options.think,
            (0.0..=3600.0).contains(&options.think),
            "from 0 to 3600",
        ),
        (
            "writes",
            options.writes,
            percentage.contains(&options.writes),
            "from 0 to 100",
        ),
        (
            "errors",
            options.errors,
            percentage.contains(&options.errors),
            "from 0 to 100",
        ),
        ("p99", options.p99_ms, options.p99_ms > 0.0, "above 0"),
    ] {
        if !allowed {
            return Err(Fault::new(format!(
                "`--{name}` is {value}: write a number {range}"
            )));
        }
    }
    let known: Vec<&str> = document["tags"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|tag| tag["name"].as_str())
        .collect();
    for tag in &options.tags {
        if !known.contains(&tag.as_str()) {
            return Err(Fault::new(format!(
                "`--tag` is `{tag}`, which is no module: write one of {}",
                known.join(", ")
            )));
        }
    }
    Ok(())
}

fn write(folder: &Path, plan: &Value) -> Result<(), Fault> {
    let written = std::fs::create_dir_all(folder).and_then(|()| {
        let all = files(plan);
        all.iter()
            .try_for_each(|file| std::fs::write(folder.join(file.path), &file.text))
    });
    written.map_err(|error| Fault::new(format!("{} cannot be written: {error}", folder.display())))
}

/// Runs the program that sends the requests, and prints its report.
fn send(run: &Run, plan: &Value) -> Result<(), Failed> {
    if !run.users.is_empty() {
        if plan["login"].is_null() {
            let message = "`--user` needs a login, and the application has none: set LOAD_TOKEN to an access token";
            return Err(Fault::new(message).into());
        }
        if std::env::var_os(PASSWORD).is_none() {
            let message =
                format!("`--user` needs a password: set the environment variable {PASSWORD}");
            return Err(Fault::new(message).into());
        }
    }
    let folder = std::env::temp_dir().join(format!("doyen-load-{}", std::process::id()));
    write(&folder, plan)?;
    let done = send_from(&folder, run, plan);
    // Nothing can be done about a folder that stays.
    let _ = std::fs::remove_dir_all(&folder);
    done
}

fn send_from(folder: &Path, run: &Run, plan: &Value) -> Result<(), Failed> {
    let seconds = plan["seconds"].as_u64().unwrap_or_default();
    say(&format!(
        "{} journeys a second for {seconds} s to {}, with {}",
        plan["rate"], run.url, run.tool
    ));
    let mut command = Command::new(&run.tool);
    match run.tool.as_str() {
        "k6" => command.args(["run", "--quiet", "k6.js"]),
        _ => command
            .args(["--headless", "--only-summary", "--users", "1"])
            .args(["--host", &run.url])
            // Its own report; the one below is the same for both programs.
            .args(["--loglevel", "CRITICAL"])
            .stdout(std::process::Stdio::null()),
    };
    let path = folder.join("report.json");
    let status: ExitStatus = command
        .current_dir(folder)
        .env("LOAD_URL", &run.url)
        .env("LOAD_USERS", run.users.join(","))
        .env("LOAD_REPORT", &path)
        .status()
        .map_err(|error| {
            let tool = &run.tool;
            Fault::new(format!(
                "`{tool}` cannot be started: {error}. Install {tool}, or choose another `--tool`"
            ))
        })?;
    let text = std::fs::read_to_string(&path).map_err(|_| {
        Fault::new(format!(
            "`{}` ended without a report ({status}): see its messages above",
            run.tool
        ))
    })?;
    let (table, missed) = report::text(&serde_json::from_str(&text)?, plan);
    say(&format!("\n{table}"));
    match missed.as_slice() {
        [] => Ok(()),
        missed => Err(Fault::new(missed.join("; ")).into()),
    }
}
