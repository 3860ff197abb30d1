-- doyen: allow drop_index_not_concurrent because it drops only what a failed attempt left
DROP INDEX tickets_by_status_change;
DROP INDEX tickets_by_assignee_change;
DROP INDEX tickets_by_assignee_status;
DROP INDEX tickets_by_reporter_change;
DROP INDEX tickets_by_reporter_kind;
DROP INDEX tickets_by_words;
DROP INDEX tickets_by_text;
