-- Who somebody is at an outside provider.
CREATE TABLE auth_identities (
    issuer text NOT NULL,
    subject text NOT NULL,
    owner text NOT NULL,
    created_at text NOT NULL,
    PRIMARY KEY (issuer, subject)
) STRICT;

CREATE INDEX auth_identities_by_owner ON auth_identities (owner);

-- Logins that came to their end, as long as they could come again.
CREATE TABLE auth_openid_trips (
    mark blob PRIMARY KEY NOT NULL,
    until text NOT NULL
) STRICT;

CREATE INDEX auth_openid_trips_by_time ON auth_openid_trips (until);
