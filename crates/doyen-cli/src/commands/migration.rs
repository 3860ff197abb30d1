//! `doyen generate migration`: the SQL that is missing for the entities, or an empty migration.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::args::Migration;
use crate::changes::Changes;
use crate::failure::{Failure, Result, say};
use crate::names;
use crate::project::Project;

pub(super) fn run(args: &Migration) -> Result {
    names::check(&args.name).map_err(Failure::usage)?;
    let project = Project::find()?;
    project.needs_database()?;
    refuse_known(&project, &args.name)?;
    if args.empty {
        return empty(&project, &args.name);
    }
    let report = difference(&project, args)?;
    for note in texts(&report["notes"]) {
        say(&format!("note: {note}"));
    }
    let differences = texts(&report["differences"]);
    let migrations = report["migrations"].as_array();
    let migrations = migrations.filter(|list| !list.is_empty());
    let Some(migrations) = migrations else {
        say(
            "no difference: the migrations make what the entities declare. Nothing was written; `--empty` writes a migration for SQL of your own",
        );
        return Ok(());
    };
    for line in &differences {
        say(&format!("  - {line}"));
    }
    let mut changes = Changes::new(&project.root);
    let first: i64 = project.next_version()?.parse().unwrap_or(0);
    for (version, migration) in (first..).zip(migrations) {
        let suffix = migration["suffix"].as_str().unwrap_or_default();
        let name = match version == first {
            true => args.name.clone(),
            false => format!("{}_{suffix}", args.name),
        };
        refuse_known(&project, &name)?;
        for database in &project.databases {
            let sql = |way: &str| -> Result<String> {
                let text = migration[*database][way].as_str();
                let text = text.ok_or_else(|| {
                    Failure::new(format!("the application wrote no SQL for `{database}`")).help(
                        format!(
                            "remove the folder `migrations/{database}`, or add a migration for it"
                        ),
                    )
                })?;
                Ok(text.to_owned())
            };
            let (up, down) = (sql("up")?, sql("down")?);
            add(
                &mut changes,
                database,
                &version.to_string(),
                &name,
                up,
                down,
            )?;
        }
    }
    changes.apply(false)?;
    for finding in texts(&report["findings"]) {
        say(&format!("\n{finding}"));
    }
    let next = match texts(&report["findings"]).len() {
        0 => "Read the SQL, then `cargo run -- migrate up`.",
        _ => {
            "Read the SQL. In `prod`, `migrate up` refuses it until a comment `-- doyen: allow <code> because <reason>` in the file allows each finding above."
        }
    };
    say(&format!("\n{next}"));
    Ok(())
}

fn refuse_known(project: &Project, name: &str) -> Result {
    match project.version_of(name)? {
        Some(version) => Err(Failure::new(format!(
            "there is a migration `{version}_{name}` already"
        ))
        .help("choose another name, or edit its files if it was not applied anywhere")),
        None => Ok(()),
    }
}

fn empty(project: &Project, name: &str) -> Result {
    let version = project.next_version()?;
    let mut changes = Changes::new(&project.root);
    let title = names::title(name);
    for database in &project.databases {
        let up = format!("-- {title}.\n");
        let down = format!("-- Reverts: {}.\n", names::spaced(name));
        add(&mut changes, database, &version, name, up, down)?;
    }
    changes.apply(false)
}

/// Asks the application what is missing. It says itself what it cannot know.
fn difference(project: &Project, args: &Migration) -> Result<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["run", "--quiet", "--", "migrate", "diff", "--json"]);
    let flags = [
        ("--rename", &args.rename),
        ("--drop", &args.drop),
        ("--keep", &args.keep),
        ("--default", &args.default),
    ];
    for (flag, values) in flags {
        for value in values {
            command.arg(format!("{flag}={value}"));
        }
    }
    if let Some(url) = &args.postgres_url {
        // Not as an argument: other users of the machine see those.
        command.env("DOYEN_TEST_POSTGRES_URL", url);
    }
    let output = command
        .current_dir(&project.root)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| Failure::new(format!("cargo cannot be run: {error}")))?;
    if !output.status.success() {
        return Err(
            Failure::new("nothing was written: `cargo run -- migrate diff` failed")
                .help("its message is above"),
        );
    }
    serde_json::from_slice(&output.stdout).map_err(|error| {
        Failure::new(format!(
            "`cargo run -- migrate diff --json` printed no JSON: {error}"
        ))
        .help("the program must print nothing else: is its `doyen` as new as this command?")
    })
}

fn texts(list: &Value) -> Vec<&str> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(Value::as_str).collect()
}

/// Returns the version after this one.
pub(super) fn following(version: &str) -> String {
    let number: i64 = version.parse().unwrap_or(0);
    (number + 1).to_string()
}

/// Adds the two files of a migration.
pub(super) fn add(
    changes: &mut Changes,
    database: &str,
    version: &str,
    name: &str,
    up: String,
    down: String,
) -> Result {
    let path = |direction| format!("migrations/{database}/{version}_{name}.{direction}.sql");
    changes.create(path("up"), up)?;
    changes.create(path("down"), down)
}
