//! Errors of the database, and what they mean.
//!
//! A database error reaches the edge inside an [`Unexpected`](doyen_core::Unexpected). The edge
//! calls [`classify`] to tell an internal error (500) from a database that is unavailable, full or
//! busy (503).

#[cfg(any(feature = "sqlite-fast-reads", feature = "postgres-fast-reads"))]
mod driver;
mod statement;

use std::error::Error;
use std::fmt;

use doyen_core::problem::UNAVAILABLE;
use doyen_core::{Kind, ProblemInfo};
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr};

#[allow(unused_imports, reason = "each reader has its own")]
#[cfg(any(feature = "sqlite-fast-reads", feature = "postgres-fast-reads"))]
pub(crate) use driver::{database_error, io_error};
pub(crate) use statement::{read_with_sql, with_sql};

/// The problem for a commit that the database rejected.
pub static COMMIT_FAILED: ProblemInfo = ProblemInfo {
    code: "commit_failed",
    kind: Kind::Unavailable,
    title: "Not Saved",
    description: "The database rejected the commit, for example because of a concurrent change to the same data. \
                  Nothing was changed. Try again.",
};

/// An error when connecting: what is wrong, where, and what to do.
#[derive(Debug)]
pub struct ConnectError {
    url: String,
    what: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl ConnectError {
    pub(crate) fn new(url: String, what: impl Into<String>) -> Self {
        Self {
            url,
            what: what.into(),
            source: None,
        }
    }

    #[must_use]
    pub(crate) fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns the URL with a masked password.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the database `{}` cannot be used: {}",
            self.url, self.what
        )
    }
}

impl Error for ConnectError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// Returns the problem that a client gets for this error, if it is not an internal error. Looks in
/// the chain of causes for a database that is unreachable, busy, full or shutting down, or a
/// timeout.
///
/// ```
/// use doyen_data::classify;
/// use doyen_data::sea_orm::{ConnAcquireErr, DbErr};
///
/// let error = DbErr::ConnectionAcquire(ConnAcquireErr::Timeout);
/// assert_eq!(classify(&error).unwrap().code, "unavailable");
/// assert!(classify(&DbErr::RecordNotInserted).is_none());
/// ```
pub fn classify(error: &(dyn Error + 'static)) -> Option<&'static ProblemInfo> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<DbErr>() {
            match error {
                DbErr::ConnectionAcquire(
                    ConnAcquireErr::Timeout | ConnAcquireErr::ConnectionClosed,
                ) => return Some(&UNAVAILABLE),
                _ => {
                    if let Some(error) = sqlx_error(error) {
                        return is_unavailable(error).then_some(&UNAVAILABLE);
                    }
                }
            }
        } else if let Some(error) = error.downcast_ref::<sqlx::Error>() {
            return is_unavailable(error).then_some(&UNAVAILABLE);
        }
        next = error.source();
    }
    None
}

/// Returns the driver's error, if there is one.
pub(crate) fn sqlx_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

/// Returns the error code of the database: an SQLSTATE, or the extended result code of SQLite.
pub(crate) fn code(error: &DbErr) -> Option<String> {
    sqlx_error(error)?
        .as_database_error()?
        .code()
        .map(|code| code.into_owned())
}

fn is_unavailable(error: &sqlx::Error) -> bool {
    use sqlx::Error as E;
    match error {
        E::Io(_) | E::Tls(_) | E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed => true,
        E::Database(error) => match error.code().as_deref() {
            Some(code) if code.len() == 5 => {
                // 08 connection, 53 resources (disk full, too many connections), 57014 timeout, 57P
                // shutdown.
                code.starts_with("08")
                    || code.starts_with("53")
                    || code.starts_with("57P")
                    || matches!(
                        code,
                        "57014"
                            | "55P03"
                            | "40P01"
                            | "40001"
                            | "25006"
                            | "25P03"
                            | "26000"
                            | "58030"
                    )
                    || (code == "0A000"
                        && (error.message().contains("during recovery")
                            || error.message().contains("cached plan")))
            }
            // BUSY, LOCKED, INTERRUPT, IOERR, FULL, CANTOPEN, PROTOCOL: the low byte of the code.
            Some(code) => sqlite_result(code)
                .is_some_and(|code| matches!(code, 5 | 6 | 9 | 10 | 13 | 14 | 15)),
            None => false,
        },
        _ => false,
    }
}

/// Returns true if this code says that the database is full or corrupt, or its disk fails.
pub(crate) fn is_broken(code: &str) -> bool {
    // IOERR, CORRUPT, FULL, NOTADB.
    matches!(code, "53100" | "58030" | "XX001" | "XX002")
        || sqlite_result(code).is_some_and(|code| matches!(code, 10 | 11 | 13 | 26))
}

/// Returns true if this code says that another connection to the file writes.
pub(crate) fn is_busy(code: &str) -> bool {
    sqlite_result(code) == Some(5)
}

/// Returns the primary result code of SQLite: the low byte. An SQLSTATE has five characters.
pub(crate) fn sqlite_result(code: &str) -> Option<u32> {
    let code = code.parse::<u32>().ok().filter(|_| code.len() < 5)?;
    Some(code & 0xff)
}

/// Returns true if the connection that returned this error is lost.
pub(crate) fn is_dead(error: &sqlx::Error) -> bool {
    use sqlx::Error as E;
    match error {
        E::Io(_) | E::Tls(_) | E::Protocol(_) | E::WorkerCrashed | E::PoolClosed => true,
        E::Database(error) => error
            .code()
            .is_some_and(|code| is_lost_code(&code, error.message())),
        _ => false,
    }
}

/// Returns true if a connection is unusable after the server reported this.
pub(crate) fn is_lost_code(code: &str, message: &str) -> bool {
    // Also a server that became read-only, and statements that a pooler or a migration invalidated.
    code.len() == 5
        && (code.starts_with("08")
            || matches!(code, "57P01" | "57P02" | "57P03" | "25P03" | "26000")
            || (code == "0A000"
                && (message.contains("during recovery") || message.contains("cached plan"))))
}

/// A violated unique constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UniqueViolation {
    /// Columns: `users.email`, or `members.team_id, members.user_id`, the same on both databases.
    /// Empty for an index on an expression.
    pub columns: String,
    /// Name of the constraint or index. SQLite reports it only for indexes on expressions.
    pub name: Option<String>,
}

/// Constraint violations in a database error.
pub trait Violation {
    /// Returns the violated unique constraint, if this is such an error.
    fn unique_violation(&self) -> Option<UniqueViolation>;

    /// Returns true if a unique constraint on these columns (`users.email`) or of this name was
    /// violated.
    ///
    /// ```no_run
    /// # use doyen_data::sea_orm::DbErr;
    /// use doyen_data::Violation as _;
    ///
    /// # enum Register { Taken, Other(DbErr) }
    /// fn explain(error: DbErr) -> Register {
    ///     if error.is_unique("users.email") { Register::Taken } else { Register::Other(error) }
    /// }
    /// ```
    fn is_unique(&self, columns_or_name: &str) -> bool {
        self.unique_violation().is_some_and(|violation| {
            violation.columns == columns_or_name
                || violation.name.as_deref() == Some(columns_or_name)
        })
    }

    /// Returns true if a foreign key was violated: the referenced row does not exist, or is still
    /// referenced.
    fn is_foreign_key(&self) -> bool;
}

impl Violation for DbErr {
    fn unique_violation(&self) -> Option<UniqueViolation> {
        let error = sqlx_error(self)?.as_database_error()?;
        if !error.is_unique_violation() {
            return None;
        }
        #[cfg(feature = "postgres")]
        if let Some(error) = error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
            let table = error.table().unwrap_or_default();
            let columns = key_columns(error.detail().unwrap_or_default())
                .map(|column| format!("{table}.{column}"))
                .collect::<Vec<_>>()
                .join(", ");
            return Some(UniqueViolation {
                columns,
                name: error.constraint().map(str::to_owned),
            });
        }
        let violation = error
            .message()
            .strip_prefix("UNIQUE constraint failed: ")
            .unwrap_or_default();
        Some(match violation.strip_prefix("index '") {
            Some(name) => UniqueViolation {
                columns: String::new(),
                name: Some(name.trim_end_matches('\'').to_owned()),
            },
            None => UniqueViolation {
                columns: violation.to_owned(),
                name: None,
            },
        })
    }

    fn is_foreign_key(&self) -> bool {
        sqlx_error(self)
            .and_then(sqlx::Error::as_database_error)
            .is_some_and(|error| error.is_foreign_key_violation())
    }
}

/// Returns the columns in `Key (team_id, user_id)=(1, 2) already exists.`, or none if one of them
/// is an expression.
#[cfg(feature = "postgres")]
fn key_columns(detail: &str) -> impl Iterator<Item = &str> {
    let key = detail
        .strip_prefix("Key (")
        .and_then(|rest| rest.split_once(")=("))
        .map_or("", |(key, _)| key);
    let key = if key.contains('(') { "" } else { key };
    key.split(", ")
        .filter(|column| !column.is_empty())
        .map(|column| column.trim_matches('"'))
}
