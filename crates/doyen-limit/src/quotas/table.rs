//! The table of quotas: one row for each quota, subject and period.

use doyen_core::limit::QuotaBucket;
use doyen_core::{Access, Timestamp};
use doyen_data::sea_orm::{ConnectionTrait as _, Statement, Value};
use doyen_data::{Database, Migration, Migrations, Session};

/// The tables of this crate.
pub const TABLES: Migrations = Migrations {
    folder: None,
    sqlite: &[Migration {
        version: 1,
        name: "quotas",
        up: "CREATE TABLE limit_quotas (
    name text NOT NULL,
    subject text NOT NULL,
    begins integer NOT NULL,
    used integer NOT NULL,
    PRIMARY KEY (name, subject, begins)
) STRICT, WITHOUT ROWID;
CREATE INDEX limit_quotas_begins ON limit_quotas (begins);",
        down: "DROP TABLE limit_quotas;",
    }],
    postgres: &[Migration {
        version: 1,
        name: "quotas",
        up: "CREATE TABLE limit_quotas (
    name text NOT NULL,
    subject text NOT NULL,
    begins bigint NOT NULL,
    used bigint NOT NULL,
    PRIMARY KEY (name, subject, begins)
);
CREATE INDEX limit_quotas_begins ON limit_quotas (begins);",
        down: "DROP TABLE limit_quotas;",
    }],
};

/// Inserts or increments a row in one statement, unless the limit would be exceeded; then it
/// returns no row.
const ADD: &str = "INSERT INTO limit_quotas (name, subject, begins, used) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (name, subject, begins) DO UPDATE SET used = limit_quotas.used + excluded.used \
     WHERE limit_quotas.used + excluded.used <= $5 RETURNING used";
const USED: &str = "SELECT used FROM limit_quotas WHERE name = $1 AND subject = $2 AND begins = $3";
const SETTLE: &str =
    "UPDATE limit_quotas SET used = used + $4 WHERE name = $1 AND subject = $2 AND begins = $3";
const CLEAR: &str = "DELETE FROM limit_quotas WHERE begins < $1";

/// An open lease: quota, subject, period, calls held, calls owed.
pub(super) type Open = (String, String, Timestamp, u64, u64);

pub(super) struct Table(Database);

impl Table {
    pub(super) const fn new(database: Database) -> Self {
        Self(database)
    }

    /// Adds to the use, unless that would exceed the limit. Returns the new use.
    pub(super) async fn add(
        &self,
        quota: &QuotaBucket,
        subject: &str,
        begins: Timestamp,
        calls: u64,
        limit: u64,
    ) -> Result<Option<u64>, String> {
        // For a new row there is no conflict, so the statement would not compare it with the limit.
        if calls > limit {
            return Ok(None);
        }
        let session = self.0.session(Access::Write);
        let mut values = key(&quota.name, subject, begins);
        values.extend([number(calls).into(), number(limit).into()]);
        let used = first(&session, ADD, values).await?;
        commit(session).await?;
        Ok(used)
    }

    pub(super) async fn used(
        &self,
        quota: &QuotaBucket,
        subject: &str,
        begins: Timestamp,
    ) -> Result<u64, String> {
        let session = self.0.session(Access::Read);
        let used = first(&session, USED, key(&quota.name, subject, begins)).await?;
        Ok(used.unwrap_or(0))
    }

    pub(super) async fn settle(&self, open: &[Open]) -> Result<(), String> {
        if open.is_empty() {
            return Ok(());
        }
        let session = self.0.session(Access::Write);
        for (name, subject, begins, held, debt) in open {
            let mut values = key(name, subject, *begins);
            values.push((number(*debt) - number(*held)).into());
            session.execute_sql(SETTLE, values).await.map_err(text)?;
        }
        commit(session).await
    }

    pub(super) async fn clear(&self, before: i64) -> Result<(), String> {
        let session = self.0.session(Access::Write);
        session
            .execute_sql(CLEAR, [before.into()])
            .await
            .map_err(text)?;
        commit(session).await
    }
}

fn key(name: &str, subject: &str, begins: Timestamp) -> Vec<Value> {
    vec![name.into(), subject.into(), begins.unix().into()]
}

/// The number in the first row, if there is one.
async fn first(session: &Session, sql: &str, values: Vec<Value>) -> Result<Option<u64>, String> {
    let statement = Statement::from_sql_and_values(session.backend(), sql, values);
    let Some(row) = session.query_one_raw(statement).await.map_err(text)? else {
        return Ok(None);
    };
    let used: i64 = row.try_get_by_index(0).map_err(text)?;
    Ok(Some(u64::try_from(used).unwrap_or(0)))
}

async fn commit(session: Session) -> Result<(), String> {
    session
        .commit()
        .await
        .map_err(|error| error.error().to_string())
}

fn number(calls: u64) -> i64 {
    i64::try_from(calls).unwrap_or(i64::MAX)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
