DROP TABLE auth_one_time;
