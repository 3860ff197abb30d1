//! From options to pools, and what to do when that fails.

use std::time::Duration;

use sea_orm::DbErr;

use crate::database::limits;
use crate::link::Recipe;
use crate::pool::Pool;
use crate::read::Reader;
use crate::{ConnectError, DatabaseOptions};

/// What reads, what writes, and what reads past the first where that is possible.
type Opened = (Pool, Pool, Option<Reader>);

/// A reader pool and a writer pool of one on the same file.
#[cfg(feature = "sqlite")]
pub(crate) fn sqlite(options: &DatabaseOptions) -> Result<Opened, ConnectError> {
    use std::str::FromStr as _;

    use sqlx::ConnectOptions as _;
    use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

    use crate::Synchronous;
    use crate::link::SqliteRecipe;

    let refuse = |what: &str| ConnectError::new(options.masked_url(), what);
    if options.url.contains(":memory:") || options.url.contains("mode=memory") {
        return Err(refuse(
            "a database in memory belongs to one connection, and a service has several. Use a file, in a test a temporary one",
        ));
    }
    let parsed = SqliteConnectOptions::from_str(&options.url)
        .map_err(|error| refuse("the URL is not `sqlite://path/to/file.db`").caused_by(error))?;
    let file = parsed.get_filename().to_owned();
    if file.as_os_str().is_empty() {
        return Err(refuse(
            "the URL names no file. Write `sqlite://path/to/file.db`",
        ));
    }
    let synchronous = match options.synchronous {
        Synchronous::Full => SqliteSynchronous::Full,
        Synchronous::Normal => SqliteSynchronous::Normal,
    };
    let common = parsed
        .foreign_keys(true)
        .busy_timeout(options.busy_timeout)
        .disable_statement_logging();
    let writer = common
        .clone()
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        .pragma("journal_size_limit", "67108864");
    // Opened read-only by SQLite itself: no text of a statement can undo it.
    let reader = common
        .create_if_missing(false)
        .read_only(true)
        .pragma("query_only", "1");
    let patience = options.statement_timeout;
    Ok((
        Pool::new(
            Recipe::Sqlite(SqliteRecipe(reader)),
            limits(options, options.max_connections, patience),
        ),
        Pool::new(
            Recipe::Sqlite(SqliteRecipe(writer)),
            limits(
                options,
                1,
                patience.max(options.busy_timeout + Duration::from_secs(1)),
            ),
        ),
        (options.read_connections > 0)
            .then(|| Reader::Sqlite(crate::read::SqliteReader::new(&file, options))),
    ))
}

/// Creates the folder of the file.
#[cfg(feature = "sqlite")]
pub(crate) fn create_folder(options: &DatabaseOptions) -> Result<(), ConnectError> {
    use std::str::FromStr as _;

    use sqlx::sqlite::SqliteConnectOptions;

    let refuse = |what: &str| ConnectError::new(options.masked_url(), what);
    let Ok(parsed) = SqliteConnectOptions::from_str(&options.url) else {
        return Ok(());
    };
    let file = parsed.get_filename();
    if let Some(folder) = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder).map_err(|error| {
            refuse(&format!(
                "its folder `{}` can not be created. Create it, or correct its rights",
                folder.display()
            ))
            .caused_by(error)
        })?;
    }
    Ok(())
}

/// One pool for everything.
#[cfg(feature = "postgres")]
pub(crate) fn postgres(options: &DatabaseOptions) -> Result<Opened, ConnectError> {
    use sqlx::ConnectOptions as _;

    use crate::link::PostgresRecipe;
    use crate::read::{Opener, PostgresReader};

    /// Ends a wait on a server that no longer answers, after the server's own timeout should have spoken.
    const SILENCE: Duration = Duration::from_secs(2);

    let patience = options.statement_timeout + SILENCE;
    let recipe = postgres_options(options)?.disable_statement_logging();
    let straight = (options.read_connections > 0)
        .then(|| Opener::new(&recipe, options.acquire_timeout))
        .flatten()
        .map(|opener| Reader::Postgres(PostgresReader::new(opener, options, patience)));
    let pool = Pool::new(
        Recipe::Postgres(PostgresRecipe(recipe)),
        limits(options, options.max_connections, patience),
    );
    Ok((pool.clone(), pool, straight))
}

#[cfg(feature = "postgres")]
fn postgres_options(
    options: &DatabaseOptions,
) -> Result<sqlx::postgres::PgConnectOptions, ConnectError> {
    use std::str::FromStr as _;

    use sqlx::postgres::{PgConnectOptions, PgSslMode};

    let parsed = PgConnectOptions::from_str(&options.url).map_err(|error| {
        ConnectError::new(
            options.masked_url(),
            "the URL is not `postgres://user:password@host:port/database`",
        )
        .caused_by(error)
    })?;
    let parsed = if tls_is_left_open(&options.url) && stays_inside(&parsed) {
        parsed.ssl_mode(PgSslMode::Disable)
    } else {
        parsed
    };
    let millis = |span: Duration| span.as_millis().to_string();
    Ok(parsed.options([
        ("default_transaction_read_only", "on".to_owned()),
        ("statement_timeout", millis(options.statement_timeout)),
        ("lock_timeout", millis(options.lock_timeout)),
        // A unit of work that rests this long has been forgotten.
        (
            "idle_in_transaction_session_timeout",
            millis(options.statement_timeout.max(Duration::from_secs(1)) * 3),
        ),
    ]))
}

/// Nobody has said whether the connection is to be secure.
#[cfg(feature = "postgres")]
fn tls_is_left_open(url: &str) -> bool {
    let asked = url.split_once('?').map_or("", |(_, asked)| asked);
    let said = asked
        .split('&')
        .any(|asked| asked.starts_with("sslmode=") || asked.starts_with("ssl-mode="));
    !said && std::env::var_os("PGSSLMODE").is_none()
}

/// Nobody listens inside a machine: there TLS protects from nothing, and its handshake takes longer than many a start.
#[cfg(feature = "postgres")]
fn stays_inside(options: &sqlx::postgres::PgConnectOptions) -> bool {
    let host = options.get_host().trim_matches(['[', ']']);
    options.get_socket().is_some()
        || host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// What to do about a database that can not be opened.
pub(crate) fn advice(scheme: &str, error: &DbErr) -> &'static str {
    let code = crate::error::code(error);
    if scheme == "sqlite" {
        return match code
            .as_deref()
            .and_then(|code| code.parse::<u32>().ok())
            .map(|code| code & 0xff)
        {
            Some(8) => "the file is read-only. Correct the rights of the file and of its folder",
            Some(14) => "the file can not be opened. Correct the path, or the rights of its folder",
            Some(26) => "the file is not a SQLite database. Correct the path",
            Some(5 | 6) => "another process holds it. Stop that process",
            _ => "the file can not be opened",
        };
    }
    match code.as_deref() {
        Some("28P01") => "the server refuses the user or the password. Correct the URL",
        Some("28000") => {
            "the server refuses the user, or a connection without TLS. Correct the URL; for TLS add `sslmode=require`"
        }
        Some("3D000") => "there is no such database. Create it with `createdb`",
        Some("53300") => {
            "the server has no connection left. Lower `max_connections` or raise the server's"
        }
        Some("57P03") => "the server is starting or stopping. Try again",
        _ => "the server does not answer. Start it, or correct host and port",
    }
}
