CREATE TABLE auth_clients (
    id blob PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    name text NOT NULL,
    scopes text NOT NULL,
    secret_hash blob NOT NULL CHECK (length(secret_hash) = 32),
    generation integer NOT NULL,
    created_at text NOT NULL,
    created_by text NOT NULL,
    secret_at text NOT NULL,
    last_used_at text,
    revoked_at text
) STRICT;

CREATE INDEX auth_clients_by_time ON auth_clients (created_at, id);
