//! Creates the pools from the options.

use std::time::Duration;

use crate::connection::ConnectOptions;
use crate::database::pool_options;
use crate::fast_read::FastReader;
use crate::pool::{Pool, PoolOptions};
use crate::probe::Probe;
use crate::{ConnectError, DatabaseOptions};

/// Pool for reads, pool for writes, reader for typed reads, readiness check.
type Opened = (Pool, Pool, Option<FastReader>, Probe);

/// Creates a pool of readers and a pool with one writer for the same file.
#[cfg(feature = "sqlite")]
pub(crate) fn sqlite(options: &DatabaseOptions) -> Result<Opened, ConnectError> {
    use std::str::FromStr as _;

    use sqlx::ConnectOptions as _;
    use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

    use crate::Synchronous;
    use crate::connection::SqliteOptions;

    let connect_error = |what: &str| ConnectError::new(options.masked_url(), what);
    if options.url.contains(":memory:") || options.url.contains("mode=memory") {
        return Err(connect_error(
            "a database in memory belongs to one connection, and a service has several. Use a file, in a test a temporary one",
        ));
    }
    let parsed = SqliteConnectOptions::from_str(&options.url).map_err(|error| {
        connect_error("the URL is not `sqlite://path/to/file.db`").caused_by(error)
    })?;
    let file = parsed.get_filename().to_owned();
    if file.as_os_str().is_empty() {
        return Err(connect_error(
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
    // Opened read-only: no statement can undo it.
    let reader = common
        .clone()
        .create_if_missing(false)
        .read_only(true)
        .pragma("query_only", "1");
    let response_timeout = options.statement_timeout;
    // It must see the file as it is, does not wait for a writer, and saves nothing of value.
    let probe = Pool::new(
        ConnectOptions::Sqlite(SqliteOptions(
            common
                .clone()
                .create_if_missing(false)
                .synchronous(SqliteSynchronous::Normal)
                .busy_timeout(Duration::ZERO),
        )),
        PoolOptions {
            max_lifetime: Duration::ZERO,
            ..pool_options(options, 1, response_timeout)
        },
    );
    Ok((
        Pool::new(
            ConnectOptions::Sqlite(SqliteOptions(reader)),
            pool_options(options, options.max_connections, response_timeout),
        ),
        Pool::new(
            ConnectOptions::Sqlite(SqliteOptions(writer)),
            pool_options(
                options,
                1,
                response_timeout.max(options.busy_timeout + Duration::from_secs(1)),
            ),
        ),
        (options.read_connections > 0)
            .then(|| FastReader::Sqlite(crate::fast_read::SqliteReader::new(&file, options))),
        Probe::new(probe),
    ))
}

/// Creates the folder of the file.
#[cfg(feature = "sqlite")]
pub(crate) fn create_folder(options: &DatabaseOptions) -> Result<(), ConnectError> {
    use std::str::FromStr as _;

    use sqlx::sqlite::SqliteConnectOptions;

    let connect_error = |what: &str| ConnectError::new(options.masked_url(), what);
    let Ok(parsed) = SqliteConnectOptions::from_str(&options.url) else {
        return Ok(());
    };
    let file = parsed.get_filename();
    if let Some(folder) = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder).map_err(|error| {
            connect_error(&format!(
                "its folder `{}` cannot be created. Create it, or correct its rights",
                folder.display()
            ))
            .caused_by(error)
        })?;
    }
    Ok(())
}

/// Creates one pool for reads and writes.
#[cfg(feature = "postgres")]
pub(crate) fn postgres(options: &DatabaseOptions) -> Result<Opened, ConnectError> {
    use sqlx::ConnectOptions as _;

    use crate::Pooler;
    use crate::connection::{PostgresOptions, ServerSettings};
    use crate::fast_read::{PipelineConnector, PostgresReader};

    /// Time after the statement timeout of the server until the client stops waiting.
    const RESPONSE_MARGIN: Duration = Duration::from_secs(2);

    let response_timeout = options.statement_timeout + RESPONSE_MARGIN;
    let settings = ServerSettings::new(options);
    let connect_options = postgres_options(options, &settings)?.disable_statement_logging();
    // A pipeline is a sequence of statements on one server connection.
    let pipelines = options.read_connections > 0 && options.pooler != Pooler::Transaction;
    let fast_reader = pipelines
        .then(|| {
            PipelineConnector::new(&connect_options, settings.clone(), options.acquire_timeout)
        })
        .flatten()
        .map(|connector| {
            FastReader::Postgres(PostgresReader::new(connector, options, response_timeout))
        });
    let probe = Pool::new(
        ConnectOptions::Postgres(PostgresOptions::new(
            connect_options.clone(),
            settings.clone(),
        )),
        PoolOptions {
            min_connections: 1,
            ..pool_options(options, 1, response_timeout)
        },
    );
    let pool = Pool::new(
        ConnectOptions::Postgres(PostgresOptions::new(connect_options, settings)),
        pool_options(options, options.max_connections, response_timeout),
    );
    Ok((pool.clone(), pool, fast_reader, Probe::new(probe)))
}

#[cfg(feature = "postgres")]
fn postgres_options(
    options: &DatabaseOptions,
    settings: &crate::connection::ServerSettings,
) -> Result<sqlx::postgres::PgConnectOptions, ConnectError> {
    use std::str::FromStr as _;

    use sqlx::postgres::{PgConnectOptions, PgSslMode};

    let parsed = PgConnectOptions::from_str(&options.url).map_err(|error| {
        ConnectError::new(
            options.masked_url(),
            "the URL is not `postgres://user:password@host:port/database`. Special characters in the password must be escaped: `@` is `%40`, `#` is `%23`, `/` is `%2F`",
        )
        .caused_by(error)
    })?;
    // The server would choose a database named like the user.
    if parsed.get_database().is_none() {
        return Err(ConnectError::new(
            options.masked_url(),
            "the URL names no database. Write `postgres://user:password@host/database`",
        ));
    }
    let parsed = if has_no_tls_mode(&options.url) && is_local(&parsed) {
        parsed.ssl_mode(PgSslMode::Disable)
    } else {
        parsed
    };
    // Not every pooler passes it on, and values are sent in binary form.
    let parsed = parsed.extra_float_digits(None);
    let startup = settings.startup();
    Ok(if startup.is_empty() {
        parsed
    } else {
        parsed.options(startup)
    })
}

/// Returns the options of the connection that listens for wake-ups: those of its own URL, without
/// the settings for statements, of which it runs none.
#[cfg(feature = "postgres")]
pub(crate) fn listen_options(
    options: &DatabaseOptions,
) -> Result<sqlx::postgres::PgConnectOptions, ConnectError> {
    let url = options.listen_url.as_ref().unwrap_or(&options.url);
    let options = DatabaseOptions {
        url: url.clone(),
        pooler: crate::Pooler::Transaction,
        ..options.clone()
    };
    postgres_options(&options, &crate::connection::ServerSettings::new(&options))
}

/// Returns true if neither the URL nor the environment sets a TLS mode.
#[cfg(feature = "postgres")]
fn has_no_tls_mode(url: &str) -> bool {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let said = query
        .split('&')
        .any(|query| query.starts_with("sslmode=") || query.starts_with("ssl-mode="));
    !said && std::env::var_os("PGSSLMODE").is_none()
}

/// Returns true for loopback and sockets: TLS adds no protection there and delays the start.
#[cfg(feature = "postgres")]
fn is_local(options: &sqlx::postgres::PgConnectOptions) -> bool {
    let host = options.get_host().trim_matches(['[', ']']);
    options.get_socket().is_some()
        || host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}
