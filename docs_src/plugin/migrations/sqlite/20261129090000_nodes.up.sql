CREATE TABLE nodes (
    id blob PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    state text NOT NULL CHECK (state IN ('running', 'draining')),
    seen_at text NOT NULL
) STRICT;
