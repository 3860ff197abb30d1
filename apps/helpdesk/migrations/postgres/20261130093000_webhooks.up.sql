CREATE TABLE webhooks (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL REFERENCES users (id),
    url text NOT NULL CHECK (length(url) BETWEEN 1 AND 2048),
    -- Names, separated by spaces.
    events text NOT NULL,
    description text CHECK (length(description) BETWEEN 1 AND 200),
    enabled boolean NOT NULL,
    failing_since timestamptz,
    -- Encrypted with a key that is derived from the root secret.
    secret bytea NOT NULL,
    previous_secret bytea,
    previous_until timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    version bigint NOT NULL CHECK (version > 0)
);

CREATE INDEX webhooks_by_time ON webhooks (created_at, id);

CREATE TABLE webhook_deliveries (
    id uuid PRIMARY KEY,
    webhook_id uuid NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    -- The same for all webhooks that get the event.
    message_id uuid NOT NULL,
    event text NOT NULL,
    payload text NOT NULL,
    status text NOT NULL CHECK (status IN ('pending', 'delivered', 'failed')),
    tries integer NOT NULL CHECK (tries >= 0),
    -- The latest attempts as JSON.
    attempts text NOT NULL,
    next_try_at timestamptz,
    created_at timestamptz NOT NULL
);

CREATE INDEX webhook_deliveries_by_webhook ON webhook_deliveries (webhook_id, created_at, id);
-- For their removal by age.
CREATE INDEX webhook_deliveries_by_time ON webhook_deliveries (created_at);
