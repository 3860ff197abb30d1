-- The version of the API whose shape the data of messages has; NULL for the newest.
ALTER TABLE webhooks ADD COLUMN api_version text;
