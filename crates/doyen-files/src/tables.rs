//! The tables of files and of resumable uploads.

use doyen_data::{Migration, Migrations};

/// The tables of files, on both databases. Times are microseconds since 1970 in UTC.
///
/// `files_upload_turns` has one row. The creation of a resumable upload changes it first, so that
/// uploads are admitted one after the other.
pub const TABLES: Migrations = Migrations {
    folder: None,
    sqlite: &[
        Migration {
            version: 1,
            name: "files",
            up: "CREATE TABLE files (
    id blob PRIMARY KEY NOT NULL,
    status text NOT NULL CHECK (status IN ('clean', 'unscanned', 'scanning', 'infected')),
    name text NOT NULL,
    media_type text NOT NULL,
    size integer NOT NULL,
    sha256 text NOT NULL,
    owner text NOT NULL,
    created_at integer NOT NULL
) STRICT;
CREATE INDEX files_owner ON files (owner);",
            down: "DROP TABLE files;",
        },
        Migration {
            version: 2,
            name: "uploads",
            up: "CREATE TABLE files_next (
    id blob PRIMARY KEY NOT NULL,
    status text NOT NULL CHECK (status IN ('clean', 'unscanned', 'scanning', 'infected', 'unscannable')),
    name text NOT NULL,
    media_type text NOT NULL,
    size integer NOT NULL,
    sha256 text NOT NULL,
    owner text NOT NULL,
    created_at integer NOT NULL
) STRICT;
INSERT INTO files_next (id, status, name, media_type, size, sha256, owner, created_at) SELECT id, status, name, media_type, size, sha256, owner, created_at FROM files;
DROP TABLE files;
ALTER TABLE files_next RENAME TO files;
CREATE INDEX files_owner ON files (owner);
CREATE TABLE files_uploads (
    id blob PRIMARY KEY NOT NULL,
    owner text NOT NULL,
    metadata text NOT NULL,
    size integer NOT NULL,
    received integer NOT NULL,
    parts integer NOT NULL,
    writer blob NOT NULL,
    expires_at integer NOT NULL
) STRICT;
CREATE INDEX files_uploads_owner ON files_uploads (owner);
CREATE INDEX files_uploads_expires ON files_uploads (expires_at);
CREATE TABLE files_upload_parts (
    id blob PRIMARY KEY NOT NULL,
    upload_id blob NOT NULL,
    start integer NOT NULL,
    size integer NOT NULL
) STRICT;
CREATE INDEX files_upload_parts_upload ON files_upload_parts (upload_id, start);
CREATE TABLE files_upload_turns (id integer PRIMARY KEY NOT NULL, turn integer NOT NULL) STRICT;
INSERT INTO files_upload_turns (id, turn) VALUES (1, 0);",
            down: "-- doyen: allow table_rebuild because no release had the table before
DROP TABLE files_upload_turns;
DROP TABLE files_upload_parts;
DROP TABLE files_uploads;
CREATE TABLE files_next (
    id blob PRIMARY KEY NOT NULL,
    status text NOT NULL CHECK (status IN ('clean', 'unscanned', 'scanning', 'infected')),
    name text NOT NULL,
    media_type text NOT NULL,
    size integer NOT NULL,
    sha256 text NOT NULL,
    owner text NOT NULL,
    created_at integer NOT NULL
) STRICT;
INSERT INTO files_next (id, status, name, media_type, size, sha256, owner, created_at) SELECT id, CASE status WHEN 'unscannable' THEN 'infected' ELSE status END, name, media_type, size, sha256, owner, created_at FROM files;
DROP TABLE files;
ALTER TABLE files_next RENAME TO files;
CREATE INDEX files_owner ON files (owner);",
        },
    ],
    postgres: &[
        Migration {
            version: 1,
            name: "files",
            up: "CREATE TABLE files (
    id uuid PRIMARY KEY,
    status text NOT NULL CHECK (status IN ('clean', 'unscanned', 'scanning', 'infected')),
    name text NOT NULL,
    media_type text NOT NULL,
    size bigint NOT NULL,
    sha256 text NOT NULL,
    owner text NOT NULL,
    created_at bigint NOT NULL
);
CREATE INDEX files_owner ON files (owner);",
            down: "DROP TABLE files;",
        },
        Migration {
            version: 2,
            name: "uploads",
            up: "ALTER TABLE files DROP CONSTRAINT files_status_check;
ALTER TABLE files ADD CONSTRAINT files_status_check CHECK (status IN ('clean', 'unscanned', 'scanning', 'infected', 'unscannable')) NOT VALID;
ALTER TABLE files VALIDATE CONSTRAINT files_status_check;
CREATE TABLE files_uploads (
    id uuid PRIMARY KEY,
    owner text NOT NULL,
    metadata text NOT NULL,
    size bigint NOT NULL,
    received bigint NOT NULL,
    parts bigint NOT NULL,
    writer uuid NOT NULL,
    expires_at bigint NOT NULL
);
CREATE INDEX files_uploads_owner ON files_uploads (owner);
CREATE INDEX files_uploads_expires ON files_uploads (expires_at);
CREATE TABLE files_upload_parts (
    id uuid PRIMARY KEY,
    upload_id uuid NOT NULL,
    start bigint NOT NULL,
    size bigint NOT NULL
);
CREATE INDEX files_upload_parts_upload ON files_upload_parts (upload_id, start);
CREATE TABLE files_upload_turns (id bigint PRIMARY KEY, turn bigint NOT NULL);
INSERT INTO files_upload_turns (id, turn) VALUES (1, 0);",
            down: "-- doyen: allow constraint_checked_at_once because no release had the table before
DROP TABLE files_upload_turns;
DROP TABLE files_upload_parts;
DROP TABLE files_uploads;
UPDATE files SET status = 'infected' WHERE status = 'unscannable';
ALTER TABLE files DROP CONSTRAINT files_status_check;
ALTER TABLE files ADD CONSTRAINT files_status_check CHECK (status IN ('clean', 'unscanned', 'scanning', 'infected')) NOT VALID;
ALTER TABLE files VALIDATE CONSTRAINT files_status_check;",
        },
    ],
};
