-- no-transaction
-- Concurrently, so that tickets can be written meanwhile; an index whose creation failed is dropped.
-- The text of tickets for `q=`, filters in the order of the last change, and the counts of a customer.
DROP INDEX IF EXISTS tickets_by_text;
CREATE INDEX CONCURRENTLY tickets_by_text ON tickets USING gin (search gin_trgm_ops);
DROP INDEX IF EXISTS tickets_by_words;
CREATE INDEX CONCURRENTLY tickets_by_words ON tickets USING gin ((' ' || translate(split_part(search, chr(10), 1), E'\t-_/.,:;([<"''#@&+=', repeat(' ', 18))) gin_trgm_ops);
DROP INDEX IF EXISTS tickets_by_reporter_kind;
CREATE INDEX CONCURRENTLY tickets_by_reporter_kind ON tickets (reporter_id, status, priority);
DROP INDEX IF EXISTS tickets_by_reporter_change;
CREATE INDEX CONCURRENTLY tickets_by_reporter_change ON tickets (reporter_id, updated_at, id);
DROP INDEX IF EXISTS tickets_by_assignee_status;
CREATE INDEX CONCURRENTLY tickets_by_assignee_status ON tickets (assignee_id, status, created_at, id);
DROP INDEX IF EXISTS tickets_by_assignee_change;
CREATE INDEX CONCURRENTLY tickets_by_assignee_change ON tickets (assignee_id, updated_at, id);
DROP INDEX IF EXISTS tickets_by_status_change;
CREATE INDEX CONCURRENTLY tickets_by_status_change ON tickets (status, updated_at, id);
-- For the statistics of the words.
ANALYZE tickets;
