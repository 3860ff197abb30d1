-- The rest is in the table of the plugin `files`, under the same id.
CREATE TABLE attachments (
    id uuid PRIMARY KEY,
    ticket_id uuid NOT NULL REFERENCES tickets (id) ON DELETE CASCADE,
    uploaded_by uuid NOT NULL REFERENCES users (id),
    note text CHECK (length(note) BETWEEN 1 AND 1000),
    created_at timestamptz NOT NULL
);

CREATE INDEX attachments_by_ticket ON attachments (ticket_id, created_at, id);

CREATE VIEW attachment_cards AS
SELECT
    attachments.id,
    attachments.ticket_id,
    attachments.uploaded_by,
    uploader.name AS uploader_name,
    attachments.note,
    attachments.created_at
FROM attachments
JOIN users AS uploader ON uploader.id = attachments.uploaded_by;
