CREATE TABLE tickets (
    id uuid PRIMARY KEY,
    subject text NOT NULL CHECK (length(subject) BETWEEN 1 AND 200),
    body text NOT NULL CHECK (length(body) BETWEEN 1 AND 20000),
    -- Subject and body in lower case, lowered by the program: SQLite lowers ASCII only, and a search must find the same on both databases.
    search text NOT NULL,
    status text NOT NULL CHECK (status IN ('open', 'pending', 'solved', 'closed')),
    -- 0 low, 1 normal, 2 high, 3 urgent: a number, so that an index sorts by it.
    priority smallint NOT NULL CHECK (priority BETWEEN 0 AND 3),
    reporter_id uuid NOT NULL REFERENCES users (id),
    assignee_id uuid REFERENCES users (id),
    comment_count integer NOT NULL CHECK (comment_count >= 0),
    note_count integer NOT NULL CHECK (note_count >= 0),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    version bigint NOT NULL CHECK (version > 0)
);

-- One for each filter, in the order of the usual list; the first three are those of the sorts too.
CREATE INDEX tickets_by_time ON tickets (created_at, id);
CREATE INDEX tickets_by_change ON tickets (updated_at, id);
CREATE INDEX tickets_by_priority ON tickets (priority, created_at, id);
CREATE INDEX tickets_by_status ON tickets (status, created_at, id);
CREATE INDEX tickets_by_reporter ON tickets (reporter_id, created_at, id);
CREATE INDEX tickets_by_assignee ON tickets (assignee_id, created_at, id);
-- For the counts, which then need not read the table.
CREATE INDEX tickets_by_kind ON tickets (status, priority);

CREATE TABLE ticket_tags (
    ticket_id uuid NOT NULL REFERENCES tickets (id) ON DELETE CASCADE,
    tag text NOT NULL CHECK (length(tag) BETWEEN 1 AND 32),
    PRIMARY KEY (ticket_id, tag)
);

CREATE INDEX ticket_tags_by_tag ON ticket_tags (tag, ticket_id);

CREATE TABLE comments (
    id uuid PRIMARY KEY,
    ticket_id uuid NOT NULL REFERENCES tickets (id) ON DELETE CASCADE,
    author_id uuid NOT NULL REFERENCES users (id),
    body text NOT NULL CHECK (length(body) BETWEEN 1 AND 20000),
    internal boolean NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE INDEX comments_by_ticket ON comments (ticket_id, created_at, id);

-- Tickets with names and tags, so that a page of them is one statement. Both joins are LEFT, although each ticket has a reporter: so the
-- tickets come first in every plan and their index gives the order, and a count leaves the users out.
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

CREATE VIEW comment_cards AS
SELECT
    comments.id,
    comments.ticket_id,
    comments.author_id,
    author.name AS author_name,
    comments.body,
    comments.internal,
    comments.created_at
FROM comments
LEFT JOIN users AS author ON author.id = comments.author_id;
