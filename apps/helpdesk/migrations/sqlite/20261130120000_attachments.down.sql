DROP VIEW attachment_cards;
DROP TABLE attachments;
