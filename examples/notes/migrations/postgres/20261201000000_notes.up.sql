CREATE TABLE teams (
    id uuid PRIMARY KEY,
    name text NOT NULL UNIQUE,
    -- SHA-256: a key has 256 random bits, so a slow hash protects nothing.
    key_hash bytea NOT NULL UNIQUE
);

CREATE TABLE notes (
    team uuid NOT NULL REFERENCES teams ON DELETE CASCADE,
    id uuid NOT NULL,
    text text NOT NULL,
    created_at timestamptz NOT NULL,
    words tsvector GENERATED ALWAYS AS (to_tsvector('simple', text)) STORED,
    PRIMARY KEY (team, id)
);

CREATE INDEX notes_by_time ON notes (team, created_at, id);
CREATE INDEX notes_by_word ON notes USING gin (words);
