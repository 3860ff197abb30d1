//! The commands `migrate ..`.

use doyen_data::migrate::State;

use super::args::MigrateVerb;
use super::migrate_diff;
use super::{Failed, say, tables};
use crate::Built;
#[cfg(feature = "migration-lint")]
use crate::app::Parts;

pub(super) async fn run(built: Built, verb: MigrateVerb) -> Result<(), Failed> {
    if let MigrateVerb::Diff(diff) = verb {
        return migrate_diff::run(&built, diff).await;
    }
    built.connect().await?;
    let done = execute(&built, verb).await;
    built.close().await;
    say(&done?);
    Ok(())
}

/// Prints the findings about migrations.
#[cfg(feature = "migration-lint")]
pub(super) async fn lint(parts: Parts, is_pending: bool, json: bool) -> Result<(), Failed> {
    let linted = if is_pending {
        let built = super::for_command(parts)?;
        built.connect().await?;
        let linted = built.lint_pending().await;
        built.close().await;
        linted?
    } else {
        super::described(parts)?.lint_migrations()
    };
    let findings = &linted.findings;
    if json {
        let all = findings.iter().map(doyen_migration_lint::Finding::to_json);
        say(&format!("{:#}", serde_json::Value::from_iter(all)));
    } else {
        for finding in findings {
            say(&format!("{finding}\n"));
        }
        let (sqlite, postgres) = (linted.sqlite, linted.postgres);
        let count = findings.len();
        say(&format!(
            "{sqlite} migrations for SQLite and {postgres} for PostgreSQL, {count} findings"
        ));
    }
    match findings.len() {
        0 => Ok(()),
        _ => Err("migrations are unsafe for a database in use. Rewrite them, or allow each finding in one of the two files of its migration with `-- doyen: allow <code> because <reason>`".into()),
    }
}

/// Names the findings for which `prod` refuses what is applied here.
#[cfg(feature = "migration-lint")]
async fn warn_of_unsafe(built: &Built) -> Result<(), Failed> {
    let warnings = built.check_pending().await?.into_iter().map(|one| {
        let (file, line, code) = (one.file, one.line, one.code.as_str());
        format!("{file}:{line}: {code}: `prod` refuses this migration. `migrate lint` says why")
    });
    super::warn(&warnings.collect::<Vec<_>>());
    Ok(())
}

async fn execute(built: &Built, verb: MigrateVerb) -> Result<String, Failed> {
    let migrator = built.migrator();
    Ok(match verb {
        MigrateVerb::Up => {
            #[cfg(feature = "migration-lint")]
            warn_of_unsafe(built).await?;
            format!("{} applied", migrator.up().await?.len())
        }
        MigrateVerb::Down { steps, confirmed } => {
            if built.info.environment.is_prod() && !confirmed {
                refuse_to_revert(built, steps).await?;
            }
            format!("{} reverted", migrator.down(steps).await?.len())
        }
        MigrateVerb::Status { check } => status(built, check).await?,
        // It needs no connection to the database of the application.
        MigrateVerb::Diff(_) => String::new(),
        MigrateVerb::Resolve {
            version,
            is_applied,
        } => {
            migrator.resolve(version, is_applied).await?;
            let state = if is_applied { "applied" } else { "pending" };
            format!("{version} is recorded as {state}")
        }
    })
}

/// The state of the migrations, and what differs from the entities.
async fn status(built: &Built, check: bool) -> Result<String, Failed> {
    let migrator = built.migrator();
    let status = migrator.status().await?;
    let mut text = tables::status(&status);
    let is_current = status
        .iter()
        .all(|one| matches!(one.state, State::Applied { .. }));
    let declared = built.declared_tables();
    let drift = migrator.drift(declared).await?;
    text.push_str("\n\n");
    if declared.is_empty() {
        text.push_str(
            "no module declares an entity (`Module::entity`): the tables were not compared",
        );
    } else if drift.is_empty() {
        text.push_str("no drift: the database has what the entities declare, table by table");
    } else {
        text.push_str("drift from what the entities declare:");
        if !is_current {
            text.push_str(" (pending migrations may be the reason)");
        }
        for difference in &drift {
            text.push_str(&format!("\n  - {difference}"));
        }
    }
    if check && !(is_current && drift.is_empty()) {
        say(&text);
        return Err("the database is not as the program expects it: see the list above".into());
    }
    Ok(text)
}

/// Reverting deletes data. Returns an error that lists the migrations, if there are any.
async fn refuse_to_revert(built: &Built, steps: usize) -> Result<(), Failed> {
    let status = built.migrator().status().await?;
    let applied = status
        .iter()
        .rev()
        .filter(|one| one.owner == "app" && matches!(one.state, State::Applied { .. }));
    let names: Vec<String> = applied
        .take(steps)
        .map(|one| format!("\n  - {}_{}", one.version, one.name))
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    Err(format!(
        "this reverts migrations of a database in `prod`, and what they added is lost:{}\nTo do it, repeat the command with `--yes`",
        names.concat()
    )
    .into())
}
