-- Attempts that are being checked, and when the last of them began.
ALTER TABLE auth_failures ADD COLUMN pending integer NOT NULL DEFAULT 0;
ALTER TABLE auth_failures ADD COLUMN pending_at text;
