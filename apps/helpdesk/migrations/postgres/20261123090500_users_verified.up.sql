-- Who came before anybody had to show that an address is theirs need not do so afterwards.
UPDATE users SET verified_at = created_at WHERE verified_at IS NULL;
