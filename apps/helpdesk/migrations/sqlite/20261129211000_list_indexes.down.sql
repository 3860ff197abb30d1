-- doyen: allow index_blocks_writer because SQLite has no other way, and the lists need them
DROP INDEX tickets_by_priority_change;
DROP INDEX tickets_by_status_priority;
DROP INDEX tickets_by_assignee_priority;
DROP INDEX tickets_by_reporter_priority;
DROP INDEX tickets_by_status_change;
DROP INDEX tickets_by_assignee_change;
DROP INDEX tickets_by_assignee_status;
DROP INDEX tickets_by_reporter_change;
DROP INDEX tickets_by_reporter_kind;
