//! The table of keys and responses. Times are milliseconds since 1970.

use doyen_core::{Access, Unexpected};
use doyen_data::sea_orm::{DbBackend, Value};
use doyen_data::{Database, Migration, Migrations, Row, Session};

use crate::identity::{Hash, Identity};

/// The tables of this crate.
pub const TABLES: Migrations = Migrations {
    folder: None,
    sqlite: &[Migration {
        version: 1,
        name: "records",
        up: "CREATE TABLE idempotency_records (
    id blob PRIMARY KEY NOT NULL,
    request blob NOT NULL,
    attempt blob NOT NULL,
    expires_at integer NOT NULL,
    response blob
) STRICT;
CREATE INDEX idempotency_records_expires ON idempotency_records (expires_at);",
        down: "DROP TABLE idempotency_records;",
    }],
    postgres: &[Migration {
        version: 1,
        name: "records",
        up: "CREATE TABLE idempotency_records (
    id bytea PRIMARY KEY,
    request bytea NOT NULL,
    attempt bytea NOT NULL,
    expires_at bigint NOT NULL,
    response bytea
);
CREATE INDEX idempotency_records_expires ON idempotency_records (expires_at);",
        down: "DROP TABLE idempotency_records;",
    }],
};

/// Inserts the marker of a running request. Losing it in a crash is harmless, so the commit does
/// not wait for the disk.
const MARK: &str = "INSERT INTO idempotency_records (id, request, attempt, expires_at) \
     SELECT $1, $2, $3, $4 FROM (SELECT set_config('synchronous_commit', 'off', true)) AS relaxed \
     ON CONFLICT (id) DO NOTHING";
/// Takes over an expired row, if no other request has done so.
const TAKE_OVER: &str = "UPDATE idempotency_records \
     SET request = $2, attempt = $3, expires_at = $4, response = NULL \
     WHERE id = $1 AND attempt = $5 AND expires_at = $6";
const FIND: &str =
    "SELECT request, attempt, expires_at, response FROM idempotency_records WHERE id = $1";
/// Stores a response, unless another request has stored one or holds the key.
const RECORD: &str = "INSERT INTO idempotency_records (id, request, attempt, expires_at, response) \
     VALUES ($1, $2, $3, $4, $5) \
     ON CONFLICT (id) DO UPDATE SET request = excluded.request, attempt = excluded.attempt, \
     expires_at = excluded.expires_at, response = excluded.response \
     WHERE idempotency_records.expires_at <= $6 \
     OR (idempotency_records.attempt = excluded.attempt AND idempotency_records.response IS NULL)";
const RELEASE: &str =
    "DELETE FROM idempotency_records WHERE id = $1 AND attempt = $2 AND response IS NULL";
const RENEW: &str = "UPDATE idempotency_records SET expires_at = $3 \
     WHERE id = $1 AND attempt = $2 AND response IS NULL";
/// Deletes a batch, so that the transaction stays short.
const SWEEP: &str = "DELETE FROM idempotency_records WHERE expires_at <= $1 AND id IN \
     (SELECT id FROM idempotency_records WHERE expires_at <= $1 LIMIT 500)";
const SWEEP_BATCH: u64 = 500;

/// A row: a marker of a running request, or a record with its response.
#[derive(Row)]
pub(crate) struct Record {
    pub(crate) request: Vec<u8>,
    pub(crate) attempt: Vec<u8>,
    pub(crate) expires_at: i64,
    pub(crate) response: Option<Vec<u8>>,
}

/// The statements on the table.
#[derive(Clone, Debug)]
pub(crate) struct Table(Database);

impl Table {
    pub(crate) const fn new(database: Database) -> Self {
        Self(database)
    }

    /// True if running requests are marked in the table, for other nodes.
    pub(crate) fn has_markers(&self) -> bool {
        self.0.backend() == DbBackend::Postgres
    }

    pub(crate) async fn find(&self, id: &Hash) -> Result<Option<Record>, Unexpected> {
        let session = self.0.session(Access::Read);
        Ok(session.query_one_as(FIND, [blob(id)]).await?)
    }

    /// Inserts a marker. Returns false if there is a row.
    pub(crate) async fn mark(
        &self,
        identity: &Identity,
        attempt: &[u8; 16],
        until: i64,
    ) -> Result<bool, Unexpected> {
        self.alone(MARK, key(identity, attempt, until))
            .await
            .map(|rows| rows == 1)
    }

    /// Replaces an expired row by a marker. Returns false if the row has changed.
    pub(crate) async fn take_over(
        &self,
        identity: &Identity,
        attempt: &[u8; 16],
        until: i64,
        (owner, expired_at): (&[u8], i64),
    ) -> Result<bool, Unexpected> {
        let mut values = key(identity, attempt, until);
        values.extend([blob(owner), expired_at.into()]);
        self.alone(TAKE_OVER, values).await.map(|rows| rows == 1)
    }

    /// Stores a response in the transaction of the effect. Returns false if another request has
    /// taken the key.
    pub(crate) async fn record(
        session: &Session,
        identity: &Identity,
        attempt: &[u8; 16],
        until: i64,
        response: Vec<u8>,
        now: i64,
    ) -> Result<bool, Unexpected> {
        let mut values = key(identity, attempt, until);
        values.extend([response.into(), now.into()]);
        Ok(session.execute_sql(RECORD, values).await? == 1)
    }

    /// Deletes the marker of an attempt that was not committed.
    pub(crate) async fn release(&self, id: &Hash, attempt: &[u8; 16]) -> Result<(), Unexpected> {
        self.alone(RELEASE, vec![blob(id), blob(attempt)]).await?;
        Ok(())
    }

    /// Extends the leases of running attempts.
    pub(crate) async fn renew(
        &self,
        attempts: &[(Hash, [u8; 16])],
        until: i64,
    ) -> Result<(), Unexpected> {
        for (id, attempt) in attempts {
            self.alone(RENEW, vec![blob(id), blob(attempt), until.into()])
                .await?;
        }
        Ok(())
    }

    /// Deletes expired rows. Returns true if there may be more.
    pub(crate) async fn sweep(&self, now: i64) -> Result<bool, Unexpected> {
        self.alone(SWEEP, vec![now.into()])
            .await
            .map(|rows| rows >= SWEEP_BATCH)
    }

    /// Runs a statement in a transaction of its own.
    async fn alone(&self, sql: &str, values: Vec<Value>) -> Result<u64, Unexpected> {
        let session = self.0.session(Access::Write);
        let rows = session.execute_sql(sql, values).await?;
        session.commit().await?;
        Ok(rows)
    }
}

fn key(identity: &Identity, attempt: &[u8; 16], until: i64) -> Vec<Value> {
    vec![
        blob(&identity.id),
        blob(&identity.request),
        blob(attempt),
        until.into(),
    ]
}

fn blob(bytes: &[u8]) -> Value {
    bytes.to_vec().into()
}
