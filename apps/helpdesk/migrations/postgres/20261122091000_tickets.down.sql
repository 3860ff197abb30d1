DROP VIEW comment_cards;
DROP VIEW ticket_cards;
DROP TABLE comments;
DROP TABLE ticket_tags;
DROP TABLE tickets;
