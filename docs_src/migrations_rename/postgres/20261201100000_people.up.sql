CREATE TABLE people (
    id bigint PRIMARY KEY,
    nickname text
);
