CREATE TABLE auth_events (
    id blob PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    at text NOT NULL,
    name text NOT NULL,
    subject text,
    actor text,
    session text,
    address text,
    agent text,
    request_id text,
    details text NOT NULL
) STRICT;

CREATE INDEX auth_events_by_time ON auth_events (at, id);
CREATE INDEX auth_events_by_name ON auth_events (name, at, id);
CREATE INDEX auth_events_by_subject ON auth_events (subject, at, id);
