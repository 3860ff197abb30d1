DROP INDEX tickets_by_status_change;
DROP INDEX tickets_by_assignee_change;
DROP INDEX tickets_by_assignee_status;
DROP INDEX tickets_by_reporter_change;
DROP INDEX tickets_by_reporter_kind;
DROP INDEX tickets_by_words;
DROP INDEX tickets_by_text;
