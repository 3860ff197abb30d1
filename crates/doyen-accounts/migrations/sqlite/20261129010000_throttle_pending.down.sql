ALTER TABLE auth_failures DROP COLUMN pending_at;
ALTER TABLE auth_failures DROP COLUMN pending;
