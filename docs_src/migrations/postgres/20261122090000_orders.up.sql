CREATE TABLE orders (
    id uuid PRIMARY KEY,
    article text NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    placed_at timestamptz NOT NULL
);

CREATE INDEX orders_by_time ON orders (placed_at, id);

CREATE TABLE stock (
    article text PRIMARY KEY,
    pieces bigint NOT NULL CHECK (pieces >= 0)
);

INSERT INTO stock (article, pieces) VALUES ('TE-100', 5);
