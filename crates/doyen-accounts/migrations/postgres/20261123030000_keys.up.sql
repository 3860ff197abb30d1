CREATE TABLE auth_keys (
    id uuid PRIMARY KEY,
    owner text NOT NULL,
    name text NOT NULL,
    hint text NOT NULL,
    hash bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    scopes text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    last_used_at timestamptz,
    last_address text,
    revoked_at timestamptz
);

CREATE INDEX auth_keys_by_owner ON auth_keys (owner, created_at, id);

CREATE TABLE auth_key_places (
    key_id uuid NOT NULL REFERENCES auth_keys (id) ON DELETE CASCADE,
    place text NOT NULL,
    last_at timestamptz NOT NULL,
    PRIMARY KEY (key_id, place)
);
