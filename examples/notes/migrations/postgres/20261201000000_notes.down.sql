DROP TABLE notes;
DROP TABLE teams;
