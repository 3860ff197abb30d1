-- Links in mails. One for each purpose and subject: a new one takes the place of the old one.
CREATE TABLE auth_one_time (
    subject text NOT NULL,
    purpose text NOT NULL,
    -- SHA-256 of the purpose and the token.
    hash blob NOT NULL CHECK (length(hash) = 32),
    data text NOT NULL,
    created_at text NOT NULL,
    expires_at text NOT NULL,
    used_at text,
    PRIMARY KEY (subject, purpose)
) STRICT;

CREATE UNIQUE INDEX auth_one_time_by_hash ON auth_one_time (hash);
CREATE INDEX auth_one_time_by_expiry ON auth_one_time (expires_at);
