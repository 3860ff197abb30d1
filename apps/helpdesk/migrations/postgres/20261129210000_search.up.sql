-- Part of PostgreSQL's contrib. It is trusted: the owner of the database may create it.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- `words` is the subject in lower case, with a space before each word: `q=` of one or two characters
-- looks for the beginning of a word. The list of separators is that of
-- `tickets::infrastructure::search`.
CREATE OR REPLACE VIEW ticket_cards AS
SELECT
    tickets.id,
    tickets.subject,
    tickets.body,
    tickets.search,
    tickets.status,
    tickets.priority,
    tickets.reporter_id,
    reporter.name AS reporter_name,
    tickets.assignee_id,
    assignee.name AS assignee_name,
    tickets.comment_count,
    tickets.note_count,
    tickets.created_at,
    tickets.updated_at,
    tickets.version,
    (SELECT string_agg(tag, ' ' ORDER BY tag) FROM ticket_tags WHERE ticket_id = tickets.id) AS tags,
    ' ' || translate(split_part(tickets.search, chr(10), 1), E'\t-_/.,:;([<"''#@&+=', repeat(' ', 18)) AS words
FROM tickets
LEFT JOIN users AS reporter ON reporter.id = tickets.reporter_id
LEFT JOIN users AS assignee ON assignee.id = tickets.assignee_id;
