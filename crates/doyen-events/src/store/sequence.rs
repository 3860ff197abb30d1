//! Puts new events into one order, and adds their deliveries.
//!
//! Ids and times are not the order of commits: a slow transaction commits an event after later ones
//! were delivered, and a reader with a cursor would skip it. So a new event has no position. The
//! node that holds the lock on `events_head` gives all visible ones the next positions. An event
//! that becomes visible later gets a larger one.

use doyen_data::sea_orm::{DbBackend, DbErr};
use doyen_data::{EVENT_LOG_CHANNEL, Row, Session};

use super::{Number, Store, Target, now};

/// Maximum number of events of one transaction.
pub(crate) const BATCH: i64 = 200;

/// The result of an attempt to put events in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sequenced {
    /// This many events got a position.
    Events(i64),
    /// Another node does it at this moment.
    Busy,
}

#[derive(Row)]
struct New {
    position: i64,
    topic: String,
    aggregate: Option<String>,
    origin: Option<String>,
}

const POSTGRES: &str = "UPDATE doyen_outbox AS o SET position = $1 + w.n
    FROM (SELECT id AS r, row_number() OVER (ORDER BY seq NULLS FIRST, created_at, id) AS n
          FROM (SELECT id, seq, created_at FROM doyen_outbox WHERE position IS NULL
                ORDER BY seq NULLS FIRST, created_at, id LIMIT $2) AS b) AS w
    WHERE o.id = w.r RETURNING o.position, o.topic, o.aggregate, o.origin";

const SQLITE: &str = "UPDATE doyen_outbox SET position = $1 + w.n
    FROM (SELECT r, row_number() OVER (ORDER BY r) AS n
          FROM (SELECT rowid AS r FROM doyen_outbox WHERE position IS NULL
                ORDER BY rowid LIMIT $2)) AS w
    WHERE doyen_outbox.rowid = w.r RETURNING position, topic, aggregate, origin";

/// The statement that adds deliveries from a JSON list of `[handler, position, aggregate]`.
const ADD_POSTGRES: &str = "INSERT INTO events_deliveries (handler, position, aggregate, due_ms)
    SELECT d ->> 0, CAST(d ->> 1 AS bigint), d ->> 2, ";
const ADD_SQLITE: &str = "INSERT INTO events_deliveries (handler, position, aggregate, due_ms)
    SELECT value ->> 0, value ->> 1, value ->> 2, ";

impl Store {
    /// Gives new events their positions, in this unit of work.
    pub(super) async fn sequence(
        &self,
        session: &Session,
        targets: &[Target],
    ) -> Result<Sequenced, DbErr> {
        let is_sqlite = session.backend() == DbBackend::Sqlite;
        let sql = "SELECT 1 AS n FROM doyen_outbox WHERE position IS NULL LIMIT 1";
        let waits = if is_sqlite {
            sql.to_owned()
        } else {
            sql.replace("1 AS n", "CAST(1 AS bigint) AS n")
        };
        if session.query_one_as::<Number>(&waits, []).await?.is_none() {
            return Ok(Sequenced::Events(0));
        }
        // A statement of its own: the next one must see what the last holder of the lock committed.
        let lock = if is_sqlite {
            ""
        } else {
            " FOR UPDATE SKIP LOCKED"
        };
        let head = format!("SELECT position AS n FROM events_head WHERE id = 1{lock}");
        let Some(head) = session.query_one_as::<Number>(&head, []).await? else {
            return Ok(Sequenced::Busy);
        };
        let sql = if is_sqlite { SQLITE } else { POSTGRES };
        let parameters = [head.n.into(), BATCH.into()];
        let mut new = session.query_as::<New>(sql, parameters).await?;
        new.sort_unstable_by_key(|event| event.position);
        let count = i64::try_from(new.len()).unwrap_or(BATCH);
        if count == 0 {
            return Ok(Sequenced::Events(0));
        }
        let sql = "UPDATE events_head SET position = position + $1 WHERE id = 1";
        session.execute_sql(sql, [count.into()]).await?;
        session.wake(EVENT_LOG_CHANNEL);
        let wanted = new.iter().flat_map(|event| {
            let wants = |target: &&Target| target.wants(&event.topic, event.origin.as_deref());
            let targets = targets.iter().filter(wants);
            targets.map(move |target| (target.name, event.position, event.aggregate.as_deref()))
        });
        let rows: Vec<_> = wanted.collect();
        if !rows.is_empty() {
            let json = serde_json::to_string(&rows).map_err(|e| DbErr::Json(e.to_string()))?;
            let now = now(session.backend());
            let sql = if is_sqlite {
                format!("{ADD_SQLITE}{now} FROM json_each($1)")
            } else {
                format!("{ADD_POSTGRES}{now} FROM json_array_elements(CAST($1 AS json)) AS d")
            };
            session.execute_sql(&sql, [json.into()]).await?;
        }
        Ok(Sequenced::Events(count))
    }
}
