//! The commands `migrate ..`.

use doyen_data::migrate::State;

use super::args::MigrateVerb;
use super::{Failed, say, tables};
use crate::Built;

pub(super) async fn run(built: Built, verb: MigrateVerb) -> Result<(), Failed> {
    built.connect().await?;
    let done = execute(&built, verb).await;
    built.close().await;
    say(&done?);
    Ok(())
}

async fn execute(built: &Built, verb: MigrateVerb) -> Result<String, Failed> {
    let migrator = built.migrator();
    Ok(match verb {
        MigrateVerb::Up => format!("{} applied", migrator.up().await?.len()),
        MigrateVerb::Down { steps, confirmed } => {
            if built.info.environment.is_prod() && !confirmed {
                refuse_to_revert(built, steps).await?;
            }
            format!("{} reverted", migrator.down(steps).await?.len())
        }
        MigrateVerb::Status => tables::status(&migrator.status().await?),
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
