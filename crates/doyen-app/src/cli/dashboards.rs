//! The command `dashboards`.

use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command as Clap};
use doyen_web::DURATION_BUCKETS;

use super::{Failed, say};
use crate::Built;
use crate::dashboards::{Catalogue, File, Options, files};
use crate::fault::Fault;

/// The arguments of the command.
pub(super) struct Dashboards {
    /// The file to print.
    file: Option<String>,
    out: Option<PathBuf>,
    job: Option<String>,
    availability: f64,
    latency: f64,
    fast: f64,
}

pub(super) fn clap() -> Clap {
    let number = |name: &'static str, default: &'static str, help: &'static str| {
        let value = Arg::new(name).long(name).help(help).default_value(default);
        value.value_parser(clap::value_parser!(f64))
    };
    let text = |name: &'static str, help: &'static str| Arg::new(name).long(name).help(help);
    Clap::new("dashboards")
        .about("Writes a Grafana dashboard, and rules and alerts for Prometheus")
        .arg(Arg::new("file").help("Prints this file; without it and `--out`, lists the files"))
        .arg(
            text("out", "Writes all files to this folder")
                .value_parser(clap::value_parser!(PathBuf))
                .conflicts_with("file"),
        )
        .arg(text(
            "job",
            "The job of the application in Prometheus; the name of the application if not given",
        ))
        .arg(number(
            "availability",
            "99.9",
            "Percentage of the requests that must not fail with a status of 5xx",
        ))
        .arg(number(
            "latency",
            "0.5",
            "Time in which requests must be done, in seconds",
        ))
        .arg(number(
            "fast",
            "99",
            "Percentage of the requests that must be done in this time",
        ))
}

pub(super) fn parse(matches: &ArgMatches) -> Dashboards {
    let number = |name| matches.get_one(name).copied().unwrap_or_default();
    Dashboards {
        file: matches.get_one("file").cloned(),
        out: matches.get_one("out").cloned(),
        job: matches.get_one("job").cloned(),
        availability: number("availability"),
        latency: number("latency"),
        fast: number("fast"),
    }
}

pub(super) fn run(built: &Built, arguments: Dashboards) -> Result<(), Failed> {
    let catalogue = Catalogue::of(built);
    let files = files(&catalogue, &options(&arguments, catalogue.app)?);
    if let Some(folder) = &arguments.out {
        return files.iter().try_for_each(|file| write(folder, file));
    }
    let Some(wanted) = &arguments.file else {
        for file in &files {
            say(&file.path);
        }
        return Ok(());
    };
    let found = files.iter().find(|file| file.path == *wanted);
    let Some(file) = found else {
        let names: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        let message = format!("there is no file `{wanted}`: write {}", names.join(", "));
        return Err(Fault::new(message).into());
    };
    say(file.text.trim_end());
    Ok(())
}

fn options(arguments: &Dashboards, app: &str) -> Result<Options, Fault> {
    for (name, value) in [
        ("availability", arguments.availability),
        ("fast", arguments.fast),
    ] {
        if !(value > 0.0 && value < 100.0) {
            return Err(Fault::new(format!(
                "`--{name}` is {value}: write a percentage between 0 and 100, such as 99.9. An \
                 objective of 100 leaves no budget for errors"
            )));
        }
    }
    if !DURATION_BUCKETS.contains(&arguments.latency) {
        let bounds = DURATION_BUCKETS.map(|bound| bound.to_string()).join(", ");
        return Err(Fault::new(format!(
            "`--latency` is {}: requests are counted by whether they took at most {bounds} seconds. \
             Write one of these",
            arguments.latency
        )));
    }
    Ok(Options {
        job: arguments.job.clone().unwrap_or_else(|| app.to_owned()),
        availability: arguments.availability,
        latency: arguments.latency,
        fast: arguments.fast,
    })
}

fn write(folder: &Path, file: &File) -> Result<(), Failed> {
    let path = folder.join(&file.path);
    let parent = path.parent().unwrap_or(folder);
    let written = std::fs::create_dir_all(parent).and_then(|()| std::fs::write(&path, &file.text));
    written
        .map_err(|error| Fault::new(format!("{} cannot be written: {error}", path.display())))?;
    say(&path.display().to_string());
    Ok(())
}
