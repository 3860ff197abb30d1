-- doyen: allow drop_column because no release that runs names it
ALTER TABLE people DROP COLUMN nickname;
