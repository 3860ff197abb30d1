//! The statements, the same on both databases.

pub(crate) const TICKET: &str = "SELECT id, subject, status, priority, reporter_id, assignee_id, created_ms FROM tickets WHERE id = $1";

pub(crate) const PAGE: &str = "SELECT t.id, t.subject, t.status, t.priority, t.created_ms, u.id AS assignee_id, u.name AS assignee_name, \
     (SELECT count(*) FROM comments c WHERE c.ticket_id = t.id) AS comments \
     FROM tickets t LEFT JOIN users u ON u.id = t.assignee_id WHERE t.id < $1 ORDER BY t.id DESC LIMIT 50";

pub(crate) const INSERT: &str = "INSERT INTO tickets (subject, body, status, priority, reporter_id, assignee_id, created_ms) \
     VALUES ($1, $2, 'open', $3, 1, NULL, $4) RETURNING id";
