CREATE TABLE auth_keys (
    id blob PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    owner text NOT NULL,
    name text NOT NULL,
    hint text NOT NULL,
    hash blob NOT NULL UNIQUE CHECK (length(hash) = 32),
    scopes text NOT NULL,
    created_at text NOT NULL,
    expires_at text,
    last_used_at text,
    last_address text,
    revoked_at text
) STRICT;

CREATE INDEX auth_keys_by_owner ON auth_keys (owner, created_at, id);

CREATE TABLE auth_key_places (
    key_id blob NOT NULL REFERENCES auth_keys (id) ON DELETE CASCADE,
    place text NOT NULL,
    last_at text NOT NULL,
    PRIMARY KEY (key_id, place)
) STRICT;
