CREATE TABLE users (
    id blob PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    -- In lower case: `accounts::domain::Email`.
    email text NOT NULL UNIQUE CHECK (length(email) BETWEEN 3 AND 254),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    role text NOT NULL CHECK (role IN ('customer', 'agent', 'admin')),
    password_hash text NOT NULL,
    created_at text NOT NULL,
    updated_at text NOT NULL,
    version integer NOT NULL CHECK (version > 0)
) STRICT;

CREATE INDEX users_by_time ON users (created_at, id);
CREATE INDEX users_by_role ON users (role, created_at, id);
