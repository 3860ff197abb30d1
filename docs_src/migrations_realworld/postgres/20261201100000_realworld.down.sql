DROP TABLE comments;

DROP TABLE favorites;

DROP TABLE tags;

DROP TABLE articles;

DROP TABLE follows;

DROP TABLE users;
