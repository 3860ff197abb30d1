-- The second factor of somebody: a secret for codes that change with time.
CREATE TABLE auth_factors (
    subject text PRIMARY KEY NOT NULL,
    -- AES-256-GCM with a key that is not in the database: nonce, ciphertext, tag.
    secret blob NOT NULL,
    created_at text NOT NULL,
    -- Not asked for before the first code was right.
    confirmed_at text,
    -- The step of the last code that was taken: it and those before it are never taken again.
    last_step integer NOT NULL
) STRICT;

CREATE TABLE auth_recovery_codes (
    subject text NOT NULL,
    -- HMAC-SHA-256 with a key that is not in the database.
    hash blob NOT NULL CHECK (length(hash) = 32),
    used_at text,
    PRIMARY KEY (subject, hash)
) STRICT;
