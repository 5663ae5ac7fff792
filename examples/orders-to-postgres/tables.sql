CREATE TABLE orders (
  id     bigint PRIMARY KEY,
  status text NOT NULL,
  email  text,
  lines  jsonb NOT NULL,
  total  numeric(12,2) NOT NULL,
  placed timestamptz NOT NULL
);
CREATE TABLE picking (
  sku      text PRIMARY KEY,
  quantity bigint NOT NULL
);
