CREATE TABLE orders (
    id blob PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    article text NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    placed_at text NOT NULL CHECK (placed_at GLOB '????-??-??T??:??:??*+00:00')
) STRICT;

CREATE INDEX orders_by_time ON orders (placed_at, id);

CREATE TABLE stock (
    article text PRIMARY KEY NOT NULL,
    pieces integer NOT NULL CHECK (pieces >= 0)
) STRICT;

INSERT INTO stock (article, pieces) VALUES ('TE-100', 5);
