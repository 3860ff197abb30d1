DROP TABLE auth_clients;
