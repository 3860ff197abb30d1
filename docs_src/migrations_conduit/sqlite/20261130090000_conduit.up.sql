CREATE TABLE users (
    id text PRIMARY KEY NOT NULL,
    email text NOT NULL UNIQUE,
    username text NOT NULL UNIQUE,
    password_hash text NOT NULL,
    bio text,
    image text
) STRICT;

CREATE TABLE articles (
    slug text PRIMARY KEY NOT NULL,
    author text NOT NULL REFERENCES users (id),
    title text NOT NULL,
    body text NOT NULL,
    created_at text NOT NULL
) STRICT;

CREATE INDEX articles_by_author ON articles (author);
