//! Reads and changes deliveries for operators: commands, metrics and the removal of old rows.

use chrono::{DateTime, Utc};
use doyen_core::Timestamp;
use doyen_core::event::{BrokerMessage, RecordedEvent};
use doyen_data::sea_orm::DbErr;
use doyen_data::{Row, Session};
use uuid::Uuid;

use super::{Store, commit, now};

/// Maximum number of rows that one statement removes.
const SWEEP_BATCH: i64 = 1000;

/// What waits, on all nodes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Backlog {
    pub(crate) waiting: i64,
    pub(crate) parked: i64,
    pub(crate) lag_ms: i64,
}

/// A delivery that waits or is parked.
#[derive(Debug, Row)]
pub(crate) struct Pending {
    pub(crate) id: Uuid,
    pub(crate) handler: String,
    pub(crate) topic: String,
    pub(crate) aggregate: Option<String>,
    pub(crate) payload: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) trace: Option<String>,
    pub(crate) attempts: i64,
    pub(crate) parked_ms: Option<i64>,
    pub(crate) error: Option<String>,
}

/// A part of the log.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LogOf<'a> {
    Aggregate(&'a str),
    /// A topic, or a prefix and `*`.
    Topic(&'a str),
}

const PENDING: &str = "SELECT o.id, d.handler, o.topic, o.aggregate, o.payload, o.created_at,
    o.trace, d.attempts, d.parked_ms, d.error
    FROM events_deliveries AS d JOIN doyen_outbox AS o ON o.position = d.position";

/// Returns parked and failing deliveries, the oldest first.
pub(crate) async fn troubled(session: &Session, limit: i64) -> Result<Vec<Pending>, DbErr> {
    let sql = format!("{PENDING} WHERE d.error IS NOT NULL ORDER BY d.position LIMIT $1");
    session.query_as(&sql, [limit.into()]).await
}

/// Returns the deliveries of an event that wait.
pub(crate) async fn of_event(session: &Session, id: Uuid) -> Result<Vec<Pending>, DbErr> {
    let sql = format!("{PENDING} WHERE o.id = $1 ORDER BY d.handler");
    session.query_as(&sql, [id.into()]).await
}

/// The deliveries of one event, or all.
fn scope(id: Option<Uuid>) -> (&'static str, Vec<doyen_data::sea_orm::Value>) {
    match id {
        Some(id) => (
            "AND position = (SELECT position FROM doyen_outbox WHERE id = $1)",
            vec![id.into()],
        ),
        None => ("", Vec::new()),
    }
}

/// Delivers parked events again, with all their attempts. Returns their number.
pub(crate) async fn retry(session: &Session, id: Option<Uuid>) -> Result<u64, DbErr> {
    let (scope, parameters) = scope(id);
    let now = now(session.backend());
    let sql = format!(
        "UPDATE events_deliveries SET parked_ms = NULL, attempts = 0, due_ms = {now}
         WHERE parked_ms IS NOT NULL {scope}"
    );
    session.execute_sql(&sql, parameters).await
}

/// Gives up parked deliveries: later events of their aggregates continue. Returns their number.
pub(crate) async fn skip(session: &Session, id: Uuid) -> Result<u64, DbErr> {
    let (scope, parameters) = scope(Some(id));
    let sql = format!("DELETE FROM events_deliveries WHERE parked_ms IS NOT NULL {scope}");
    session.execute_sql(&sql, parameters).await
}

#[derive(Row)]
struct Counts {
    waiting: i64,
    parked: i64,
}

#[derive(Row)]
struct Oldest {
    created_at: DateTime<Utc>,
}

#[derive(Row)]
struct Removed {
    position: i64,
}

impl Store {
    /// Counts what waits.
    pub(crate) async fn backlog(&self, at: Timestamp) -> Result<Backlog, DbErr> {
        let session = self.database.session(doyen_core::Access::Read);
        let sql = "SELECT count(*) FILTER (WHERE parked_ms IS NULL) AS waiting,
                       count(*) FILTER (WHERE parked_ms IS NOT NULL) AS parked
                   FROM events_deliveries";
        let counts = session.query_one_as::<Counts>(sql, []).await?;
        let counts = counts.unwrap_or(Counts {
            waiting: 0,
            parked: 0,
        });
        let sql = "SELECT created_at FROM doyen_outbox WHERE position IS NULL
                   OR position = (SELECT min(position) FROM events_deliveries WHERE parked_ms IS NULL)
                   ORDER BY created_at LIMIT 1";
        let oldest = session.query_one_as::<Oldest>(sql, []).await?;
        let lag = oldest.map(|oldest| at.since(Timestamp::from(oldest.created_at)));
        Ok(Backlog {
            waiting: counts.waiting,
            parked: counts.parked,
            lag_ms: lag.map_or(0, |lag| i64::try_from(lag.as_millis()).unwrap_or(i64::MAX)),
        })
    }

    /// Removes old events from the log, at most some. Events that wait for a delivery stay. Returns
    /// true if there may be more.
    pub(crate) async fn sweep_log(&self, before: Timestamp, keep_max: i64) -> Result<bool, DbErr> {
        let session = self.session();
        // The inner query bounds the scan of a log in which nothing is old.
        let sql = "DELETE FROM doyen_outbox WHERE id IN (
                SELECT id FROM (
                    SELECT o.id, o.created_at, o.position FROM doyen_outbox AS o
                    WHERE o.position IS NOT NULL AND NOT EXISTS (
                        SELECT 1 FROM events_deliveries AS d WHERE d.position = o.position)
                    ORDER BY o.position LIMIT $1) AS oldest
                WHERE created_at < $2
                   OR position <= (SELECT position FROM events_head WHERE id = 1) - $3)
            RETURNING position";
        let before: DateTime<Utc> = before.into();
        let parameters = [SWEEP_BATCH.into(), before.into(), keep_max.into()];
        let removed = session.query_as::<Removed>(sql, parameters).await?;
        if let Some(last) = removed.iter().map(|row| row.position).max() {
            // A reader that comes back with an older position has missed events.
            let sql = "UPDATE events_head SET swept = $1 WHERE id = 1 AND swept < $1";
            session.execute_sql(sql, [last.into()]).await?;
        }
        commit(&session).await?;
        Ok(i64::try_from(removed.len()).is_ok_and(|count| count == SWEEP_BATCH))
    }

    /// Removes ids that the inbox has kept long enough.
    pub(crate) async fn sweep_inbox(&self, keep_ms: i64) -> Result<bool, DbErr> {
        let session = self.session();
        let now = now(session.backend());
        let sql = format!(
            "DELETE FROM events_inbox WHERE (consumer, id) IN (
                 SELECT consumer, id FROM events_inbox WHERE received_ms < {now} - $1
                 ORDER BY received_ms LIMIT $2)"
        );
        let parameters = [keep_ms.into(), SWEEP_BATCH.into()];
        let removed = session.execute_sql(&sql, parameters).await?;
        commit(&session).await?;
        Ok(i64::try_from(removed).is_ok_and(|count| count == SWEEP_BATCH))
    }

    /// Returns the last position.
    pub(crate) async fn last_position(&self) -> Result<i64, DbErr> {
        self.number(
            "SELECT position AS n FROM events_head WHERE id = 1",
            Vec::new(),
        )
        .await
    }

    /// Returns the position up to which events were removed.
    pub(crate) async fn swept(&self) -> Result<i64, DbErr> {
        self.number(
            "SELECT swept AS n FROM events_head WHERE id = 1",
            Vec::new(),
        )
        .await
    }

    /// Reads a part of the log.
    pub(crate) async fn log(
        &self,
        of: LogOf<'_>,
        after: i64,
        limit: u32,
    ) -> Result<Vec<RecordedEvent>, DbErr> {
        let session = self.database.session(doyen_core::Access::Read);
        let (condition, value) = match of {
            LogOf::Aggregate(aggregate) => ("aggregate = $1", aggregate.to_owned()),
            // The names of topics contain no character that `LIKE` treats specially but `_`.
            LogOf::Topic(topic) => (
                "topic LIKE $1 ESCAPE '\\'",
                topic.replace('_', "\\_").replace('*', "%"),
            ),
        };
        let sql = format!(
            "SELECT '' AS handler, CAST(0 AS bigint) AS attempts, id, position, topic, aggregate,
                 payload, created_at, trace, origin
             FROM doyen_outbox WHERE {condition} AND position > $2 ORDER BY position LIMIT $3"
        );
        let parameters = [value.into(), after.into(), i64::from(limit).into()];
        let rows = session
            .query_as::<super::ClaimedRow>(&sql, parameters)
            .await?;
        let record = |row: super::ClaimedRow| super::Claimed::from(row).record;
        Ok(rows.into_iter().map(record).collect())
    }
}

/// Stores an event that came from a broker, in this unit of work. It then reaches the handlers like
/// an event of this application. An event of this application that comes back is dropped.
pub(crate) async fn import(
    session: &Session,
    message: &BrokerMessage,
    origin: &str,
) -> Result<(), DbErr> {
    // Another kind of id gets a UUID of its own; the inbox knows the original one.
    let id = message.id.parse().unwrap_or_else(|_| Uuid::now_v7());
    let sql = "INSERT INTO doyen_outbox (id, topic, aggregate, payload, created_at, trace, origin)
               VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING";
    let parameters = [
        id.into(),
        message.topic.as_str().into(),
        message.aggregate.clone().into(),
        message.payload.as_str().into(),
        Utc::now().into(),
        message.trace.clone().into(),
        origin.into(),
    ];
    session.execute_sql(sql, parameters).await?;
    Ok(())
}
