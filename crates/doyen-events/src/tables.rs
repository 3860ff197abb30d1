//! The tables of the plugin. The outbox itself belongs to `doyen-data`.
//!
//! Times are milliseconds since 1970 by the clock of the database, so that the clocks of the nodes
//! need not agree.

use doyen_data::{Migration, Migrations};

/// The migrations of the plugin.
pub const TABLES: Migrations = Migrations {
    folder: None,
    sqlite: &[Migration {
        version: 20_261_130_060_000,
        name: "deliveries",
        up: "CREATE TABLE events_head (
    id integer PRIMARY KEY NOT NULL,
    position integer NOT NULL,
    swept integer NOT NULL
) STRICT;
INSERT INTO events_head (id, position, swept) VALUES (1, 0, 0);
CREATE TABLE events_deliveries (
    handler text NOT NULL,
    position integer NOT NULL,
    aggregate text,
    attempts integer NOT NULL DEFAULT 0,
    due_ms integer NOT NULL,
    leased_by text,
    leased_until_ms integer NOT NULL DEFAULT 0,
    parked_ms integer,
    error text,
    PRIMARY KEY (handler, position)
) STRICT;
CREATE INDEX events_deliveries_lane ON events_deliveries (handler, aggregate, position);
CREATE INDEX events_deliveries_position ON events_deliveries (position);
CREATE INDEX events_deliveries_leased ON events_deliveries (leased_by) WHERE leased_by IS NOT NULL;
CREATE TABLE events_inbox (
    consumer text NOT NULL,
    id text NOT NULL,
    received_ms integer NOT NULL,
    PRIMARY KEY (consumer, id)
) STRICT;
CREATE INDEX events_inbox_age ON events_inbox (received_ms);
CREATE TABLE events_leases (
    name text PRIMARY KEY NOT NULL,
    holder text NOT NULL,
    until_ms integer NOT NULL
) STRICT;",
        down: DOWN,
    }],
    postgres: &[Migration {
        version: 20_261_130_060_000,
        name: "deliveries",
        up: "CREATE TABLE events_head (
    id integer PRIMARY KEY,
    position bigint NOT NULL,
    swept bigint NOT NULL
);
INSERT INTO events_head (id, position, swept) VALUES (1, 0, 0);
CREATE TABLE events_deliveries (
    handler text NOT NULL,
    position bigint NOT NULL,
    aggregate text,
    attempts bigint NOT NULL DEFAULT 0,
    due_ms bigint NOT NULL,
    leased_by text,
    leased_until_ms bigint NOT NULL DEFAULT 0,
    parked_ms bigint,
    error text,
    PRIMARY KEY (handler, position)
);
CREATE INDEX events_deliveries_lane ON events_deliveries (handler, aggregate, position);
CREATE INDEX events_deliveries_position ON events_deliveries (position);
CREATE INDEX events_deliveries_leased ON events_deliveries (leased_by) WHERE leased_by IS NOT NULL;
CREATE TABLE events_inbox (
    consumer text NOT NULL,
    id text NOT NULL,
    received_ms bigint NOT NULL,
    PRIMARY KEY (consumer, id)
);
CREATE INDEX events_inbox_age ON events_inbox (received_ms);
CREATE TABLE events_leases (
    name text PRIMARY KEY,
    holder text NOT NULL,
    until_ms bigint NOT NULL
);",
        down: DOWN,
    }],
};

const DOWN: &str = "DROP TABLE events_leases;
DROP TABLE events_inbox;
DROP TABLE events_deliveries;
DROP TABLE events_head;";
