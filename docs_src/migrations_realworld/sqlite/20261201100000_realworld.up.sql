CREATE TABLE users (
    id text PRIMARY KEY NOT NULL,
    email text NOT NULL UNIQUE,
    username text NOT NULL UNIQUE,
    password_hash text NOT NULL,
    bio text,
    image text
) STRICT;

CREATE TABLE follows (
    follower text NOT NULL REFERENCES users (id),
    followed text NOT NULL REFERENCES users (id),
    PRIMARY KEY (follower, followed)
) STRICT;

CREATE INDEX follows_by_followed ON follows (followed);

CREATE TABLE articles (
    id text PRIMARY KEY NOT NULL,
    slug text NOT NULL UNIQUE,
    author text NOT NULL REFERENCES users (id),
    title text NOT NULL,
    description text NOT NULL,
    body text NOT NULL,
    created_at text NOT NULL,
    updated_at text NOT NULL
) STRICT;

CREATE INDEX articles_by_author ON articles (author);
CREATE INDEX articles_by_time ON articles (created_at, id);

CREATE TABLE tags (
    article text NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    name text NOT NULL,
    PRIMARY KEY (article, name)
) STRICT;

CREATE INDEX tags_by_name ON tags (name);

CREATE TABLE favorites (
    article text NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    reader text NOT NULL REFERENCES users (id),
    PRIMARY KEY (article, reader)
) STRICT;

CREATE INDEX favorites_by_reader ON favorites (reader);

CREATE TABLE comments (
    id integer PRIMARY KEY AUTOINCREMENT,
    article text NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    author text NOT NULL REFERENCES users (id),
    body text NOT NULL,
    created_at text NOT NULL,
    updated_at text NOT NULL
) STRICT;

CREATE INDEX comments_by_article ON comments (article);
CREATE INDEX comments_by_author ON comments (author);
