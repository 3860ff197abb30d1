CREATE TABLE auth_sessions (
    id uuid PRIMARY KEY,
    subject text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('bearer', 'cookie')),
    -- Counts up when the rights change.
    generation bigint NOT NULL CHECK (generation >= 0),
    name text,
    agent text,
    created_at timestamptz NOT NULL,
    created_address text,
    seen_at timestamptz NOT NULL,
    seen_address text,
    idle_until timestamptz NOT NULL,
    absolute_until timestamptz NOT NULL,
    ended_at timestamptz,
    -- Counts up with each rotation.
    counter bigint NOT NULL CHECK (counter >= 0),
    -- Goes into the secrets together with a key that is not in the database. No secret by itself.
    salt bytea NOT NULL CHECK (length(salt) = 32),
    -- SHA-256 of the secret that counts now, and of the one before it.
    secret_hash bytea NOT NULL CHECK (length(secret_hash) = 32),
    previous_hash bytea CHECK (length(previous_hash) = 32),
    spent_at timestamptz
);

CREATE INDEX auth_sessions_by_subject ON auth_sessions (subject, created_at);
CREATE INDEX auth_sessions_by_expiry ON auth_sessions (absolute_until);

-- What no longer counts although its tokens have not expired: read by every node, every second. Times are milliseconds of the database's clock.
CREATE TABLE auth_revocations (
    id text PRIMARY KEY,
    floor bigint NOT NULL CHECK (floor > 0),
    at bigint NOT NULL
);

CREATE INDEX auth_revocations_by_time ON auth_revocations (at);
