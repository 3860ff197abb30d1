CREATE TABLE webhooks (
    id blob PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    owner_id blob NOT NULL REFERENCES users (id),
    url text NOT NULL CHECK (length(url) BETWEEN 1 AND 2048),
    -- Names, separated by spaces.
    events text NOT NULL,
    description text CHECK (length(description) BETWEEN 1 AND 200),
    enabled integer NOT NULL CHECK (enabled IN (0, 1)),
    failing_since text,
    -- Encrypted with a key that is derived from the root secret.
    secret blob NOT NULL,
    previous_secret blob,
    previous_until text,
    created_at text NOT NULL,
    updated_at text NOT NULL,
    version integer NOT NULL CHECK (version > 0)
) STRICT;

CREATE INDEX webhooks_by_time ON webhooks (created_at, id);

CREATE TABLE webhook_deliveries (
    id blob PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    webhook_id blob NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    -- The same for all webhooks that get the event.
    message_id blob NOT NULL CHECK (length(message_id) = 16),
    event text NOT NULL,
    payload text NOT NULL,
    status text NOT NULL CHECK (status IN ('pending', 'delivered', 'failed')),
    tries integer NOT NULL CHECK (tries >= 0),
    -- The latest attempts as JSON.
    attempts text NOT NULL,
    next_try_at text,
    created_at text NOT NULL
) STRICT;

CREATE INDEX webhook_deliveries_by_webhook ON webhook_deliveries (webhook_id, created_at, id);
-- For their removal by age.
CREATE INDEX webhook_deliveries_by_time ON webhook_deliveries (created_at);
