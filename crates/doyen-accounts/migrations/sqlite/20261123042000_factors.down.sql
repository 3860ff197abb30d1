DROP TABLE auth_recovery_codes;
DROP TABLE auth_factors;
