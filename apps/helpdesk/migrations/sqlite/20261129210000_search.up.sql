-- The subject in lower case, with a space before each word: `q=` of one or two characters looks for
-- the beginning of a word. The list of separators is that of `tickets::infrastructure::search`.
ALTER TABLE tickets ADD COLUMN words text GENERATED ALWAYS AS (
    ' ' || replace(replace(replace(replace(replace(replace(replace(replace(replace(
    replace(replace(replace(replace(replace(replace(replace(replace(replace(
    substr(search, 1, instr(search || char(10), char(10)) - 1)
    , char(9), ' '), '-', ' '), '_', ' '), '/', ' '), '.', ' '), ',', ' '), ':', ' ')
    , ';', ' '), '(', ' '), '[', ' '), '<', ' '), '"', ' '), '''', ' '), '#', ' ')
    , '@', ' '), '&', ' '), '+', ' '), '=', ' ')
) VIRTUAL;

-- A number that stays, for the rows of the index: VACUUM may change the `rowid` of a ticket.
CREATE TABLE ticket_numbers (
    number integer PRIMARY KEY,
    ticket_id blob NOT NULL UNIQUE
) STRICT;

-- The trigrams of the texts, without the texts. Words are indexed after two spaces, so that a single
-- first letter is a trigram too.
CREATE VIRTUAL TABLE ticket_index USING fts5 (
    search, words, content = '', columnsize = 0, tokenize = 'trigram case_sensitive 1'
);

INSERT INTO ticket_numbers (ticket_id) SELECT id FROM tickets ORDER BY created_at, id;
INSERT INTO ticket_index (rowid, search, words)
SELECT number, search, replace(words, ' ', '  ')
FROM ticket_numbers CROSS JOIN tickets ON tickets.id = ticket_id ORDER BY number;

CREATE TRIGGER tickets_insert_index AFTER INSERT ON tickets BEGIN
    INSERT INTO ticket_numbers (ticket_id) VALUES (new.id);
    INSERT INTO ticket_index (rowid, search, words)
    SELECT number, new.search, replace(new.words, ' ', '  ') FROM ticket_numbers WHERE ticket_id = new.id;
END;

CREATE TRIGGER tickets_update_index AFTER UPDATE OF search ON tickets WHEN old.search <> new.search BEGIN
    INSERT INTO ticket_index (ticket_index, rowid, search, words)
    SELECT 'delete', number, old.search, replace(old.words, ' ', '  ') FROM ticket_numbers WHERE ticket_id = old.id;
    INSERT INTO ticket_index (rowid, search, words)
    SELECT number, new.search, replace(new.words, ' ', '  ') FROM ticket_numbers WHERE ticket_id = new.id;
END;

CREATE TRIGGER tickets_delete_index AFTER DELETE ON tickets BEGIN
    INSERT INTO ticket_index (ticket_index, rowid, search, words)
    SELECT 'delete', number, old.search, replace(old.words, ' ', '  ') FROM ticket_numbers WHERE ticket_id = old.id;
    DELETE FROM ticket_numbers WHERE ticket_id = old.id;
END;

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
    (SELECT group_concat(tag, ' ') FROM (SELECT tag FROM ticket_tags WHERE ticket_id = tickets.id ORDER BY tag)) AS tags,
    tickets.words
FROM tickets
LEFT JOIN users AS reporter ON reporter.id = tickets.reporter_id
LEFT JOIN users AS assignee ON assignee.id = tickets.assignee_id;
