DROP TABLE auth_key_places;
DROP TABLE auth_keys;
