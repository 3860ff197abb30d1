-- doyen: allow index_blocks_writer because the table is small
CREATE INDEX people_by_name ON people (name);
