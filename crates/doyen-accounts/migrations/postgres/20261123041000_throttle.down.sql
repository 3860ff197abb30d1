DROP TABLE auth_places;
DROP TABLE auth_failures;
