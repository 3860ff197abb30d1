-- The extension stays: others may use it.
DROP VIEW ticket_cards;

CREATE VIEW ticket_cards AS
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
    (SELECT string_agg(tag, ' ' ORDER BY tag) FROM ticket_tags WHERE ticket_id = tickets.id) AS tags
FROM tickets
LEFT JOIN users AS reporter ON reporter.id = tickets.reporter_id
LEFT JOIN users AS assignee ON assignee.id = tickets.assignee_id;
