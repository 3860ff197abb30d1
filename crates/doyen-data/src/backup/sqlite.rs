//! SQLite: `VACUUM INTO` a new file, which is then checked.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};

use super::{BackupError, Part, in_use, not_empty, sync_folder_of};
use crate::DatabaseOptions;

pub(super) async fn backup(options: &DatabaseOptions, part: &Path) -> Result<(), BackupError> {
    let source = connect_options(&options.url)?;
    let cannot_read = |error| {
        let name = source.get_filename().display();
        BackupError::caused_by(format!("cannot copy the database `{name}`"), error)
    };
    let mut connection = source
        .clone()
        .read_only(true)
        .busy_timeout(options.busy_timeout)
        .connect()
        .await
        .map_err(cannot_read)?;
    // A snapshot, without free pages: writers go on. The empty file exists already.
    let copied = sqlx::query("VACUUM INTO ?")
        .bind(part.to_string_lossy().into_owned())
        .execute(&mut connection)
        .await;
    let closed = connection.close().await;
    copied.map_err(cannot_read)?;
    closed.map_err(cannot_read)?;
    check(part).await
}

pub(super) async fn restore(
    options: &DatabaseOptions,
    file: &Path,
    replace: bool,
) -> Result<Option<PathBuf>, BackupError> {
    check(file).await?;
    let target = connect_options(&options.url)?.get_filename().to_owned();
    let failed =
        |error| BackupError::caused_by(format!("cannot restore to `{}`", target.display()), error);
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let part = Part::create(&target)?;
    fs::copy(file, &part.path).map_err(failed)?;
    check(&part.path).await?;
    let former = if target.exists() {
        if !release(&target, replace).await? {
            return Err(not_empty());
        }
        let former = former_name(&target);
        fs::rename(&target, &former).map_err(failed)?;
        Some(former)
    } else {
        None
    };
    // Leftovers of another database would be applied to this one.
    for suffix in ["-wal", "-shm"] {
        let mut name = target.as_os_str().to_owned();
        name.push(suffix);
        match fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(failed(error));
            }
            _ => {}
        }
    }
    part.publish(&target)?;
    sync_folder_of(&target).map_err(failed)?;
    Ok(former)
}

/// Moves everything into the file itself, as its only user. Returns false if it has tables and
/// may not be replaced.
async fn release(target: &Path, replace: bool) -> Result<bool, BackupError> {
    let unreadable = |error: sqlx::Error| {
        let busy = error
            .as_database_error()
            .and_then(|error| error.code())
            .is_some_and(|code| code == "5");
        if busy {
            return in_use();
        }
        BackupError::caused_by(
            format!(
                "cannot open `{}`. If it is damaged, move it away and repeat the command",
                target.display()
            ),
            error,
        )
    };
    let mut connection = SqliteConnectOptions::new()
        .filename(target)
        .busy_timeout(Duration::ZERO)
        .connect()
        .await
        .map_err(unreadable)?;
    let tables = "SELECT count(*) FROM sqlite_schema WHERE type = 'table'";
    let tables: i64 = sqlx::query_scalar(tables)
        .fetch_one(&mut connection)
        .await
        .map_err(unreadable)?;
    let may_replace = replace || tables == 0;
    if may_replace {
        // Leaving the WAL mode needs the file for oneself: other connections hold a lock on it.
        sqlx::query("PRAGMA journal_mode = DELETE")
            .execute(&mut connection)
            .await
            .map_err(unreadable)?;
    }
    connection.close().await.map_err(unreadable)?;
    Ok(may_replace)
}

/// Returns the name that a replaced database gets.
fn former_name(target: &Path) -> PathBuf {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let mut name = target.as_os_str().to_owned();
    name.push(format!(".before-{}", now.unwrap_or_default().as_secs()));
    PathBuf::from(name)
}

/// Checks every page, index and reference of a file.
async fn check(file: &Path) -> Result<(), BackupError> {
    let damaged = |error: sqlx::Error| {
        let what = format!("`{}` is not a readable database", file.display());
        BackupError::caused_by(what, error)
    };
    let mut connection = SqliteConnectOptions::new()
        .filename(file)
        .read_only(true)
        .immutable(true)
        .connect()
        .await
        .map_err(damaged)?;
    let found = problems(&mut connection).await;
    connection.close().await.map_err(damaged)?;
    let found = found.map_err(damaged)?;
    if found.is_empty() {
        return Ok(());
    }
    Err(BackupError::new(format!(
        "`{}` is damaged: {}",
        file.display(),
        found.join("; ")
    )))
}

async fn problems(connection: &mut SqliteConnection) -> Result<Vec<String>, sqlx::Error> {
    let integrity: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check(10)")
        .fetch_all(&mut *connection)
        .await?;
    let mut found: Vec<String> = integrity.into_iter().filter(|line| line != "ok").collect();
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE type = 'table'")
        .fetch_one(connection)
        .await?;
    if tables == 0 {
        found.push("it has no tables".to_owned());
    }
    Ok(found)
}

fn connect_options(url: &str) -> Result<SqliteConnectOptions, BackupError> {
    let options = SqliteConnectOptions::from_str(url)
        .map_err(|error| BackupError::caused_by("the URL of the database is invalid", error))?;
    Ok(options.create_if_missing(false).disable_statement_logging())
}
