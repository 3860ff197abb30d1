//! The outbox: events that are stored in the transaction of the change.
//!
//! [`Session::emit`] inserts a row into `doyen_outbox` in the same transaction: the event exists if
//! and only if the change does. A relay reads the rows and delivers them at least once.

use chrono::Utc;
use doyen_core::{Event, current_request};
use sea_orm::{DbErr, Value};

use crate::{Migration, Migrations, Session};

/// Maximum size of the payload of an event. Message brokers have a limit of about one mebibyte.
pub const MAX_EVENT_BYTES: usize = 512 * 1024;

/// The channel of [`Session::wake`] that readers of the event log listen to: events have got their
/// positions.
pub const EVENT_LOG_CHANNEL: &str = "event_log";

/// The channel of [`Session::wake`] that the relay of the outbox listens to.
pub const EVENTS_CHANNEL: &str = "events";

impl Session {
    /// Stores the event in the outbox, as part of this unit of work.
    ///
    /// The plugin `events` delivers it after the commit. Write the aggregate first and emit second:
    /// the lock on its row then also puts the events of concurrent transactions in order.
    ///
    /// # Errors
    ///
    /// Returns an error if the event cannot be written as JSON, is larger than
    /// [`MAX_EVENT_BYTES`], or the database fails.
    pub async fn emit<E: Event>(&self, event: &E) -> Result<uuid::Uuid, DbErr> {
        let payload =
            serde_json::to_string(event).map_err(|error| DbErr::Json(error.to_string()))?;
        if payload.len() > MAX_EVENT_BYTES {
            return Err(DbErr::Custom(format!(
                "the event `{}` has {} bytes and at most {MAX_EVENT_BYTES} are allowed: store the data, and emit its id",
                event.topic(),
                payload.len()
            )));
        }
        let id = uuid::Uuid::now_v7();
        let trace = || current_request().map(|(_, trace)| trace.to_string());
        let parameters: [Value; 6] = [
            id.into(),
            event.topic().into(),
            event.aggregate().into(),
            payload.into(),
            Utc::now().into(),
            self.trace().or_else(trace).into(),
        ];
        self.execute_sql("INSERT INTO doyen_outbox (id, topic, aggregate, payload, created_at, trace) VALUES ($1, $2, $3, $4, $5, $6)", parameters).await?;
        self.wake(EVENTS_CHANNEL);
        Ok(id)
    }
}

/// The migrations of the outbox.
pub(crate) const TABLES: Migrations = Migrations {
    folder: None,
    sqlite: &[
        Migration {
            version: 1,
            name: "outbox",
            up: "CREATE TABLE doyen_outbox (
    id blob PRIMARY KEY NOT NULL,
    topic text NOT NULL,
    payload text NOT NULL,
    created_at text NOT NULL,
    delivered_at text,
    trace text
) STRICT;
CREATE INDEX doyen_outbox_waiting ON doyen_outbox (created_at, id) WHERE delivered_at IS NULL;",
            down: "DROP TABLE doyen_outbox;",
        },
        Migration {
            version: 2,
            name: "outbox_order",
            // The order of the rows that have no position yet is that of the rowid.
            up: "ALTER TABLE doyen_outbox ADD COLUMN aggregate text;
ALTER TABLE doyen_outbox ADD COLUMN origin text;
ALTER TABLE doyen_outbox ADD COLUMN position integer;
UPDATE doyen_outbox SET position = 0 WHERE delivered_at IS NOT NULL;
DROP INDEX doyen_outbox_waiting;
ALTER TABLE doyen_outbox DROP COLUMN delivered_at;
CREATE INDEX doyen_outbox_position ON doyen_outbox (position);
CREATE INDEX doyen_outbox_aggregate ON doyen_outbox (aggregate, position);",
            down: "-- doyen: allow drop_column because no release had the table before
-- doyen: allow index_blocks_writer because no release had the table before
-- doyen: allow backfill_with_schema_change because no release had the table before
DROP INDEX doyen_outbox_aggregate;
DROP INDEX doyen_outbox_position;
ALTER TABLE doyen_outbox ADD COLUMN delivered_at text;
UPDATE doyen_outbox SET delivered_at = created_at WHERE position IS NOT NULL;
ALTER TABLE doyen_outbox DROP COLUMN position;
ALTER TABLE doyen_outbox DROP COLUMN origin;
ALTER TABLE doyen_outbox DROP COLUMN aggregate;
CREATE INDEX doyen_outbox_waiting ON doyen_outbox (created_at, id) WHERE delivered_at IS NULL;",
        },
    ],
    postgres: &[
        Migration {
            version: 1,
            name: "outbox",
            up: "CREATE TABLE doyen_outbox (
    id uuid PRIMARY KEY,
    topic text NOT NULL,
    payload text NOT NULL,
    created_at timestamptz NOT NULL,
    delivered_at timestamptz,
    trace text
);
CREATE INDEX doyen_outbox_waiting ON doyen_outbox (created_at, id) WHERE delivered_at IS NULL;",
            down: "DROP TABLE doyen_outbox;",
        },
        Migration {
            version: 2,
            name: "outbox_order",
            // Rows of a former version keep an empty `seq`: they come first, by their time.
            up: "ALTER TABLE doyen_outbox ADD COLUMN aggregate text;
ALTER TABLE doyen_outbox ADD COLUMN origin text;
ALTER TABLE doyen_outbox ADD COLUMN position bigint;
ALTER TABLE doyen_outbox ADD COLUMN seq bigint;
CREATE SEQUENCE doyen_outbox_seq OWNED BY doyen_outbox.seq;
ALTER TABLE doyen_outbox ALTER COLUMN seq SET DEFAULT nextval('doyen_outbox_seq');
UPDATE doyen_outbox SET position = 0 WHERE delivered_at IS NOT NULL;
DROP INDEX doyen_outbox_waiting;
ALTER TABLE doyen_outbox DROP COLUMN delivered_at;
CREATE INDEX doyen_outbox_waiting ON doyen_outbox (seq NULLS FIRST, created_at, id) WHERE position IS NULL;
CREATE INDEX doyen_outbox_position ON doyen_outbox (position);
CREATE INDEX doyen_outbox_aggregate ON doyen_outbox (aggregate, position);",
            down: "-- doyen: allow drop_column because no release had the table before
-- doyen: allow index_not_concurrent because no release had the table before
-- doyen: allow drop_index_not_concurrent because no release had the table before
-- doyen: allow backfill_with_schema_change because no release had the table before
DROP INDEX doyen_outbox_aggregate;
DROP INDEX doyen_outbox_position;
DROP INDEX doyen_outbox_waiting;
ALTER TABLE doyen_outbox ADD COLUMN delivered_at timestamptz;
UPDATE doyen_outbox SET delivered_at = created_at WHERE position IS NOT NULL;
ALTER TABLE doyen_outbox DROP COLUMN seq;
ALTER TABLE doyen_outbox DROP COLUMN position;
ALTER TABLE doyen_outbox DROP COLUMN origin;
ALTER TABLE doyen_outbox DROP COLUMN aggregate;
CREATE INDEX doyen_outbox_waiting ON doyen_outbox (created_at, id) WHERE delivered_at IS NULL;",
        },
    ],
};
