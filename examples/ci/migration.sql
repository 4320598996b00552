-- Runs in one transaction: all of it, or nothing.
CREATE TABLE prices (sku text PRIMARY KEY, cents int NOT NULL CHECK (cents >= 0));

COPY prices FROM STDIN (FORMAT csv);
tea,450
cake,680
\.

CREATE INDEX prices_by_cents ON prices (cents);
