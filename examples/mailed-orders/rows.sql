SELECT mail, line, shop, sender, sku, quantity FROM order_lines ORDER BY mail, line;
