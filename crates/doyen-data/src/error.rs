//! What can go wrong with a database, said in the words of Doyen.
//!
//! An error of the database reaches the edge inside an [`Unexpected`](doyen_core::Unexpected). The edge asks [`classify`] whether it is a
//! fault of ours (500) or a database that is away, full or busy (503, try again).

mod reported;

use std::error::Error;
use std::fmt;

use doyen_core::problem::UNAVAILABLE;
use doyen_core::{Kind, ProblemInfo};
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr};

#[allow(unused_imports, reason = "each reader has its own")]
pub(crate) use reported::{broken, reported};

/// The problem for a commit that the database rejected.
pub static COMMIT_FAILED: ProblemInfo = ProblemInfo {
    code: "commit_failed",
    kind: Kind::Unavailable,
    title: "Not Saved",
    description: "The database rejected the commit, for example because of a concurrent change to the same data. \
                  Nothing was changed. Try again.",
};

/// Why the database can not be used: what, where, and what to do.
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

    /// The URL, its password hidden.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the database `{}` can not be used: {}",
            self.url, self.what
        )
    }
}

impl Error for ConnectError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// Says what a client should hear of this error, when that is more than "internal": walks the chain of causes and looks for a database
/// that can not be reached, is busy, full, shutting down, or gave up waiting.
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
                        return unavailable(error).then_some(&UNAVAILABLE);
                    }
                }
            }
        } else if let Some(error) = error.downcast_ref::<sqlx::Error>() {
            return unavailable(error).then_some(&UNAVAILABLE);
        }
        next = error.source();
    }
    None
}

/// The driver's error inside, when there is one.
pub(crate) fn sqlx_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

/// The database's own code: an SQLSTATE, or SQLite's extended result code as a number.
pub(crate) fn code(error: &DbErr) -> Option<String> {
    sqlx_error(error)?
        .as_database_error()?
        .code()
        .map(|code| code.into_owned())
}

fn unavailable(error: &sqlx::Error) -> bool {
    use sqlx::Error as E;
    match error {
        E::Io(_) | E::Tls(_) | E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed => true,
        E::Database(error) => match error.code().as_deref() {
            Some(code) if code.len() == 5 => {
                // 08 connection, 53 resources (disk full, too many connections), 57014 timeout, 57P server going away.
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
            // BUSY, LOCKED, INTERRUPT, IOERR, FULL, CANTOPEN, PROTOCOL: the low byte of the extended code.
            Some(code) => code
                .parse::<u32>()
                .is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 9 | 10 | 13 | 14 | 15)),
            None => false,
        },
        _ => false,
    }
}

/// True when the connection that gave this error is of no use any more.
pub(crate) fn is_dead(error: &sqlx::Error) -> bool {
    use sqlx::Error as E;
    match error {
        E::Io(_) | E::Tls(_) | E::Protocol(_) | E::WorkerCrashed | E::PoolClosed => true,
        E::Database(error) => error
            .code()
            .is_some_and(|code| lost_code(&code, error.message())),
        _ => false,
    }
}

/// True when a server that reports this is of no use on the connection any more.
pub(crate) fn lost_code(code: &str, message: &str) -> bool {
    // Also: the server became read-only under us, and statements a pooler or a migration made invalid.
    code.len() == 5
        && (code.starts_with("08")
            || matches!(code, "57P01" | "57P02" | "57P03" | "25P03" | "26000")
            || (code == "0A000"
                && (message.contains("during recovery") || message.contains("cached plan"))))
}

/// The unique constraint a statement broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UniqueViolation {
    /// `users.email`, or `members.team_id, members.user_id`; the same on both databases. Empty when the index is on an expression.
    pub columns: String,
    /// The name of the constraint or index, where the database says it: always on PostgreSQL, for indexes on expressions on SQLite.
    pub name: Option<String>,
}

/// What a repository asks of a database error.
pub trait Violation {
    /// The unique constraint that was broken, when that is what happened.
    fn unique_violation(&self) -> Option<UniqueViolation>;

    /// True when a unique constraint on these columns (`users.email`) or of this name was broken.
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
        self.unique_violation().is_some_and(|broken| {
            broken.columns == columns_or_name || broken.name.as_deref() == Some(columns_or_name)
        })
    }

    /// True when a foreign key was broken: what is pointed to is not there, or what goes away is still pointed to.
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
        let broken = error
            .message()
            .strip_prefix("UNIQUE constraint failed: ")
            .unwrap_or_default();
        Some(match broken.strip_prefix("index '") {
            Some(name) => UniqueViolation {
                columns: String::new(),
                name: Some(name.trim_end_matches('\'').to_owned()),
            },
            None => UniqueViolation {
                columns: broken.to_owned(),
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

/// The columns in `Key (team_id, user_id)=(1, 2) already exists.`; none when one of them is an expression.
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
