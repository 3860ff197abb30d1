CREATE TABLE auth_clients (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    scopes text NOT NULL,
    secret_hash bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
    generation integer NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    secret_at timestamptz NOT NULL,
    last_used_at timestamptz,
    revoked_at timestamptz
);

CREATE INDEX auth_clients_by_time ON auth_clients (created_at, id);
