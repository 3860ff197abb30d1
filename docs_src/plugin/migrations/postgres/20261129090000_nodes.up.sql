CREATE TABLE nodes (
    id uuid PRIMARY KEY,
    state text NOT NULL CHECK (state IN ('running', 'draining')),
    seen_at timestamptz NOT NULL
);
