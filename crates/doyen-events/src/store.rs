//! The rows of events and deliveries.

mod claim;
pub(crate) mod manage;
mod sequence;
mod settle;

use chrono::{DateTime, Utc};
use doyen_core::event::RecordedEvent;
use doyen_core::{Access, Timestamp};
use doyen_data::sea_orm::{DbBackend, DbErr, Value};
use doyen_data::{Database, Row, Session};
use uuid::Uuid;

pub(crate) use claim::Wish;
pub(crate) use manage::Backlog;
pub(crate) use settle::{Next, done};

/// What events are delivered to: a handler, or the broker.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The name that is stored with its deliveries.
    pub(crate) name: &'static str,
    pub(crate) topics: Vec<String>,
    pub(crate) is_broker: bool,
}

/// The name of the broker among the targets. A handler cannot have it.
pub(crate) const BROKER: &str = "(broker)";

impl Target {
    /// True if it gets this event. An event that came from a broker is not published again.
    fn wants(&self, topic: &str, origin: Option<&str>) -> bool {
        let matches = |pattern: &String| doyen_core::event::matches(pattern, topic);
        !(self.is_broker && origin.is_some()) && self.topics.iter().any(matches)
    }
}

/// A delivery that this node has claimed.
#[derive(Clone, Debug)]
pub(crate) struct Claimed {
    pub(crate) handler: String,
    pub(crate) record: RecordedEvent,
}

/// Reads and writes deliveries. Clones share the database.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    database: Database,
}

#[derive(Row)]
struct ClaimedRow {
    handler: String,
    attempts: i64,
    id: Uuid,
    position: i64,
    topic: String,
    aggregate: Option<String>,
    payload: String,
    created_at: DateTime<Utc>,
    trace: Option<String>,
    origin: Option<String>,
}

impl From<ClaimedRow> for Claimed {
    fn from(row: ClaimedRow) -> Self {
        Self {
            handler: row.handler,
            record: RecordedEvent {
                id: row.id,
                position: row.position,
                topic: row.topic,
                aggregate: row.aggregate,
                payload: row.payload,
                created_at: Timestamp::from(row.created_at),
                trace: row.trace,
                origin: row.origin,
                attempt: u32::try_from(row.attempts).unwrap_or(u32::MAX),
            },
        }
    }
}

#[derive(Row)]
struct Number {
    n: i64,
}

impl Store {
    pub(crate) const fn new(database: Database) -> Self {
        Self { database }
    }

    /// A unit of work.
    pub(crate) fn session(&self) -> Session {
        self.database.session(Access::Write)
    }

    /// Reads one number.
    async fn number(&self, sql: &str, parameters: Vec<Value>) -> Result<i64, DbErr> {
        let session = self.database.session(Access::Read);
        let row = session.query_one_as::<Number>(sql, parameters).await?;
        Ok(row.map_or(0, |row| row.n))
    }

    /// Takes a lease that one node can have, or renews its own. Returns false if another node has
    /// it.
    pub(crate) async fn lead(&self, name: &str, holder: &str, ms: i64) -> Result<bool, DbErr> {
        let session = self.session();
        let now = now(session.backend());
        let sql = format!(
            "INSERT INTO events_leases (name, holder, until_ms) VALUES ($1, $2, {now} + $3)
             ON CONFLICT (name) DO UPDATE SET holder = $2, until_ms = {now} + $3
             WHERE events_leases.holder = $2 OR events_leases.until_ms < {now}"
        );
        let parameters = [name.into(), holder.into(), ms.into()];
        let leads = session.execute_sql(&sql, parameters).await? == 1;
        commit(&session).await?;
        Ok(leads)
    }
}

/// The time of the database in milliseconds.
pub(crate) fn now(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Sqlite => "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
        _ => "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)",
    }
}

/// Commits a unit of work of the relay.
pub(crate) async fn commit(session: &Session) -> Result<(), DbErr> {
    let committed = session.commit().await;
    committed.map_err(|error| DbErr::Custom(doyen_core::chain(error.error())))
}
