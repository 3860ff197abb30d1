CREATE TABLE tasks (
    id blob PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    title text NOT NULL,
    due text CHECK (due GLOB '????-??-??T??:??:??*+00:00'),
    done integer NOT NULL CHECK (done IN (0, 1)),
    created_at text NOT NULL CHECK (created_at GLOB '????-??-??T??:??:??*+00:00')
) STRICT;

CREATE INDEX tasks_by_time ON tasks (created_at, id);
