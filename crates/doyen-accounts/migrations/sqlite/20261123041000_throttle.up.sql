-- Logins that failed. The key is a keyed hash of an account, of a place, or of both: the table tells neither.
CREATE TABLE auth_failures (
    key blob PRIMARY KEY NOT NULL CHECK (length(key) = 32),
    failures integer NOT NULL CHECK (failures >= 0),
    at text NOT NULL,
    -- Until then nothing is looked at.
    until text NOT NULL
) STRICT;

CREATE INDEX auth_failures_by_time ON auth_failures (at);

-- From where somebody has logged in: a keyed hash of account and network.
CREATE TABLE auth_places (
    key blob PRIMARY KEY NOT NULL CHECK (length(key) = 32),
    subject text NOT NULL,
    seen_at text NOT NULL
) STRICT;

CREATE INDEX auth_places_by_subject ON auth_places (subject, seen_at);
CREATE INDEX auth_places_by_time ON auth_places (seen_at);
