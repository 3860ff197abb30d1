//! The tables.

use doyen_data::{Migration, Migrations};

/// The tables of jobs, on both databases.
///
/// | table | a row is |
/// | --- | --- |
/// | `jobs` | a job. Waiting ones are `scheduled` until their time comes, then `queued` |
/// | `jobs_queues` | a queue that was paused once, or that has a rate |
/// | `jobs_nodes` | a process that works, with its last heartbeat |
/// | `jobs_schedules` | a schedule, with the time of its next run |
pub const TABLES: Migrations = Migrations {
    folder: None,
    sqlite: &[Migration {
        version: 1,
        name: "jobs",
        up: "CREATE TABLE jobs (
    id blob PRIMARY KEY NOT NULL,
    name text NOT NULL,
    queue text NOT NULL,
    status text NOT NULL CHECK (status IN ('scheduled', 'queued', 'running', 'done', 'failed', 'cancelled')),
    priority integer NOT NULL,
    payload text NOT NULL,
    run_at integer NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    max_attempts integer NOT NULL,
    node blob,
    cancel_requested integer NOT NULL DEFAULT 0,
    progress_done integer NOT NULL DEFAULT 0,
    progress_total integer NOT NULL DEFAULT 0,
    unique_key text,
    unique_until integer,
    owner text,
    trace text,
    result text,
    error text,
    created_at integer NOT NULL,
    started_at integer,
    finished_at integer
) STRICT;
CREATE INDEX jobs_queued ON jobs (queue, priority DESC, run_at, id) WHERE status = 'queued';
CREATE INDEX jobs_scheduled ON jobs (run_at) WHERE status = 'scheduled';
CREATE INDEX jobs_running ON jobs (node) WHERE status = 'running';
CREATE INDEX jobs_finished ON jobs (status, finished_at) WHERE finished_at IS NOT NULL;
CREATE UNIQUE INDEX jobs_unique ON jobs (name, unique_key) WHERE unique_key IS NOT NULL;
CREATE TABLE jobs_queues (
    name text PRIMARY KEY NOT NULL,
    paused integer NOT NULL DEFAULT 0,
    full_at integer NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE jobs_nodes (
    id blob PRIMARY KEY NOT NULL,
    seen_at integer NOT NULL
) STRICT;
CREATE TABLE jobs_schedules (
    name text PRIMARY KEY NOT NULL,
    cron text NOT NULL,
    next_at integer NOT NULL
) STRICT;",
        down: "DROP TABLE jobs_schedules; DROP TABLE jobs_nodes; DROP TABLE jobs_queues; DROP TABLE jobs;",
    }],
    postgres: &[Migration {
        version: 1,
        name: "jobs",
        up: "CREATE TABLE jobs (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    queue text NOT NULL,
    status text NOT NULL CHECK (status IN ('scheduled', 'queued', 'running', 'done', 'failed', 'cancelled')),
    priority smallint NOT NULL,
    payload text NOT NULL,
    run_at bigint NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    max_attempts integer NOT NULL,
    node uuid,
    cancel_requested boolean NOT NULL DEFAULT false,
    progress_done bigint NOT NULL DEFAULT 0,
    progress_total bigint NOT NULL DEFAULT 0,
    unique_key text,
    unique_until bigint,
    owner text,
    trace text,
    result text,
    error text,
    created_at bigint NOT NULL,
    started_at bigint,
    finished_at bigint
);
CREATE INDEX jobs_queued ON jobs (queue, priority DESC, run_at, id) WHERE status = 'queued';
CREATE INDEX jobs_scheduled ON jobs (run_at) WHERE status = 'scheduled';
CREATE INDEX jobs_running ON jobs (node) WHERE status = 'running';
CREATE INDEX jobs_finished ON jobs (status, finished_at) WHERE finished_at IS NOT NULL;
CREATE UNIQUE INDEX jobs_unique ON jobs (name, unique_key) WHERE unique_key IS NOT NULL;
CREATE TABLE jobs_queues (
    name text PRIMARY KEY,
    paused boolean NOT NULL DEFAULT false,
    full_at bigint NOT NULL DEFAULT 0
);
CREATE TABLE jobs_nodes (
    id uuid PRIMARY KEY,
    seen_at bigint NOT NULL
);
CREATE TABLE jobs_schedules (
    name text PRIMARY KEY,
    cron text NOT NULL,
    next_at bigint NOT NULL
);",
        down: "DROP TABLE jobs_schedules; DROP TABLE jobs_nodes; DROP TABLE jobs_queues; DROP TABLE jobs;",
    }],
};
