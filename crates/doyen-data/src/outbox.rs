//! The outbox: events that are stored in the transaction of the change.
//!
//! [`Session::emit`] inserts a row into `doyen_outbox` in the same transaction: the event exists if
//! and only if the change does. A relay reads the rows and delivers them at least once.

use chrono::Utc;
use doyen_core::Event;
use sea_orm::{DbErr, Value};

use crate::{Migration, Migrations, Session};

impl Session {
    /// Stores the event in the outbox, as part of this unit of work.
    ///
    /// # Errors
    ///
    /// Returns an error if the event cannot be written as JSON or the database fails.
    pub async fn emit<E: Event>(&self, event: &E) -> Result<uuid::Uuid, DbErr> {
        let payload =
            serde_json::to_string(event).map_err(|error| DbErr::Json(error.to_string()))?;
        let id = uuid::Uuid::now_v7();
        let parameters: [Value; 5] = [
            id.into(),
            event.topic().into(),
            payload.into(),
            Utc::now().into(),
            self.trace().into(),
        ];
        self.execute_sql("INSERT INTO doyen_outbox (id, topic, payload, created_at, trace) VALUES ($1, $2, $3, $4, $5)", parameters).await?;
        Ok(id)
    }
}

/// The migrations of the outbox.
pub(crate) const TABLES: Migrations = Migrations {
    folder: None,
    sqlite: &[Migration {
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
    }],
    postgres: &[Migration {
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
    }],
};
