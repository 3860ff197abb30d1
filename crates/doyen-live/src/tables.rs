//! The tables of the plugin. The events themselves are in the event log.
//!
//! Times are milliseconds since 1970 by the clock of the database, so that the clocks of the nodes
//! need not agree.

use doyen_data::sea_orm::{DbBackend, DbErr};
use doyen_data::{Migration, Migrations, Session};

/// The migrations of the plugin.
pub const TABLES: Migrations = Migrations {
    folder: None,
    sqlite: &[Migration {
        version: 20_261_130_090_000,
        name: "live",
        up: "CREATE TABLE live_tokens (
    id text PRIMARY KEY NOT NULL,
    credentials blob NOT NULL,
    expires_ms integer NOT NULL
) STRICT;
CREATE INDEX live_tokens_expiry ON live_tokens (expires_ms);
CREATE TABLE live_nodes (
    node text PRIMARY KEY NOT NULL,
    seen_ms integer NOT NULL
) STRICT;
CREATE TABLE live_presence (
    topic text NOT NULL,
    node text NOT NULL,
    who text NOT NULL,
    PRIMARY KEY (topic, node, who)
) STRICT;
CREATE INDEX live_presence_node ON live_presence (node);",
        down: DOWN,
    }],
    postgres: &[Migration {
        version: 20_261_130_090_000,
        name: "live",
        up: "CREATE TABLE live_tokens (
    id text PRIMARY KEY,
    credentials bytea NOT NULL,
    expires_ms bigint NOT NULL
);
CREATE INDEX live_tokens_expiry ON live_tokens (expires_ms);
CREATE TABLE live_nodes (
    node text PRIMARY KEY,
    seen_ms bigint NOT NULL
);
CREATE TABLE live_presence (
    topic text NOT NULL,
    node text NOT NULL,
    who text NOT NULL,
    PRIMARY KEY (topic, node, who)
);
CREATE INDEX live_presence_node ON live_presence (node);",
        down: DOWN,
    }],
};

const DOWN: &str = "DROP TABLE live_presence;
DROP TABLE live_nodes;
DROP TABLE live_tokens;";

/// The time of the database in milliseconds.
pub(crate) fn now(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Sqlite => "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
        _ => "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)",
    }
}

/// Commits a unit of work of the plugin.
pub(crate) async fn commit(session: &Session) -> Result<(), DbErr> {
    let committed = session.commit().await;
    committed.map_err(|error| DbErr::Custom(doyen_core::chain(error.error())))
}
