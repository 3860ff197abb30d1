CREATE TABLE auth_sessions (
    id blob PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    subject text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('bearer', 'cookie')),
    -- Counts up when the rights change.
    generation integer NOT NULL CHECK (generation >= 0),
    name text,
    agent text,
    created_at text NOT NULL,
    created_address text,
    seen_at text NOT NULL,
    seen_address text,
    idle_until text NOT NULL,
    absolute_until text NOT NULL,
    ended_at text,
    -- Counts up with each rotation.
    counter integer NOT NULL CHECK (counter >= 0),
    -- Goes into the secrets together with a key that is not in the database. No secret by itself.
    salt blob NOT NULL CHECK (length(salt) = 32),
    -- SHA-256 of the secret that counts now, and of the one before it.
    secret_hash blob NOT NULL CHECK (length(secret_hash) = 32),
    previous_hash blob CHECK (length(previous_hash) = 32),
    spent_at text
) STRICT;

CREATE INDEX auth_sessions_by_subject ON auth_sessions (subject, created_at);
CREATE INDEX auth_sessions_by_expiry ON auth_sessions (absolute_until);

-- What no longer counts although its tokens have not expired: read by every node, every second. Times are milliseconds of the database's clock.
CREATE TABLE auth_revocations (
    id text PRIMARY KEY NOT NULL,
    floor integer NOT NULL CHECK (floor > 0),
    at integer NOT NULL
) STRICT;

CREATE INDEX auth_revocations_by_time ON auth_revocations (at);
