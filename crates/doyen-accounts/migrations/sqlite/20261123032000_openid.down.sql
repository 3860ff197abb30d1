DROP TABLE auth_openid_trips;
DROP TABLE auth_identities;
