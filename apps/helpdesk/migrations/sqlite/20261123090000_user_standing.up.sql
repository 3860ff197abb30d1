-- When the address was found to be theirs, and since when they are kept out.
ALTER TABLE users ADD COLUMN verified_at text;
ALTER TABLE users ADD COLUMN disabled_at text;
