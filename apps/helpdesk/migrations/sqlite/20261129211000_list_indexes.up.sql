-- The counts of a customer, and filters in the order of the last change.
CREATE INDEX tickets_by_reporter_kind ON tickets (reporter_id, status, priority);
CREATE INDEX tickets_by_reporter_change ON tickets (reporter_id, updated_at, id);
CREATE INDEX tickets_by_assignee_status ON tickets (assignee_id, status, created_at, id);
CREATE INDEX tickets_by_assignee_change ON tickets (assignee_id, updated_at, id);
CREATE INDEX tickets_by_status_change ON tickets (status, updated_at, id);
-- SQLite does not estimate how many rows a filter leaves. Without an index for filter and order it
-- sorts all of them; PostgreSQL reads in the order and checks the filter.
CREATE INDEX tickets_by_reporter_priority ON tickets (reporter_id, priority, created_at, id);
CREATE INDEX tickets_by_assignee_priority ON tickets (assignee_id, priority, created_at, id);
CREATE INDEX tickets_by_status_priority ON tickets (status, priority, created_at, id);
CREATE INDEX tickets_by_priority_change ON tickets (priority, updated_at, id);
