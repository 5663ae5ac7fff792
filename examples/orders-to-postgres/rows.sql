SELECT id || ': ' || status, email, lines->0->>'sku', total::text, to_char(placed AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') FROM orders
UNION ALL
SELECT sku, '', '', quantity::text, '' FROM picking
ORDER BY 1;
