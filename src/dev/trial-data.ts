/** Made-up people. The cards are the networks' published test numbers; the domains are reserved for examples. */
export const TRIAL_DATA = `
CREATE TABLE customers (
  id int PRIMARY KEY,
  name text NOT NULL,
  email text NOT NULL UNIQUE,
  phone text NOT NULL,
  ssn text NOT NULL,
  card text NOT NULL,
  city text NOT NULL,
  password text NOT NULL,
  notes text NOT NULL DEFAULT ''
);
CREATE TABLE payments (
  id int PRIMARY KEY,
  customer_id int NOT NULL REFERENCES customers (id),
  amount numeric(10, 2) NOT NULL CHECK (amount > 0),
  currency char(3) NOT NULL DEFAULT 'USD',
  status text NOT NULL CHECK (status IN ('pending', 'settled', 'refunded', 'failed')),
  paid_with text NOT NULL,
  created_at timestamptz NOT NULL
);
INSERT INTO customers VALUES
  (1, 'Ada Quill', 'ada.quill@example.com', '+1 415 555 2671', '123-45-6789', '4111 1111 1111 1111', 'San Francisco', 'correct horse', 'prefers mail to ada.quill@example.com'),
  (2, 'Ben Okafor', 'ben.okafor@example.org', '+1 212 555 0147', '212-34-5678', '5555 5555 5555 4444', 'New York', 'battery staple', 'call back on +1 212 555 0147'),
  (3, 'Chiara Rossi', 'chiara@rossi.example', '+1 202 555 0172', '536-90-4399', '378282246310005', 'Washington', 'hunter2', 'SSN on file is 536-90-4399'),
  (4, 'Dmitri Hale', 'd.hale@example.net', '+1 312 555 0198', '401-72-8364', '6011 1111 1111 1117', 'Chicago', 'letmein', ''),
  (5, 'Elena Brandt', 'elena.brandt+shop@example.com', '+1 617 555 0113', '527-18-4096', '4012 8888 8888 1881', 'Boston', 'qwertz', 'new card 4012 8888 8888 1881 since May'),
  (6, 'Farid Nasser', 'farid@nasser.example', '+1 206 555 0164', '318-45-9027', '5105 1051 0510 5100', 'Seattle', 'opensesame', ''),
  (7, 'Grace Lin', 'grace.lin@example.org', '+1 503 555 0129', '245-67-1183', '4000 0566 5566 5556', 'Portland', 'rosebud', 'order 4111 1111 1111 1112 was a typing error'),
  (8, 'Hugo Marsh', 'hugo_marsh@example.com', '+1 702 555 0186', '359-81-2740', '3714 496353 98431', 'Las Vegas', 'swordfish', '');
INSERT INTO payments
SELECT n, 1 + n % 8, round((17.5 + n * 23.41)::numeric, 2), 'USD',
       (ARRAY['settled', 'pending', 'settled', 'failed'])[1 + n % 4],
       (SELECT card FROM customers WHERE id = 1 + n % 8),
       timestamptz '2026-01-05 09:00:00Z' + n * interval '7 hours'
FROM generate_series(1, 40) AS n;
`;
