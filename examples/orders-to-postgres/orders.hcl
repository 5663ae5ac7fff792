# Orders of a shop in PostgreSQL: each order is one row that follows its status, and is
# removed when it is cancelled; a second table adds up what the warehouse has to pick,
# by a statement of its own.
#
#   psql "$ORDERS_DSN" -f examples/orders-to-postgres/tables.sql
#   ORDERS_DSN=… syncd run -c examples/orders-to-postgres

source "webhook" "shop" {
  path = "/hooks/shop"
  id   = "string(body.id) + ' ' + body.status" # the shop repeats what it did not see answered
  verify "bearer" { token = env("SHOP_TOKEN", "for a first try") }
}

flow "orders" {
  from = source.webhook.shop
  to   = [sink.sql.orders, flow.picking]
}

flow "picking" {
  filter { when = "body.status == 'paid'" }
  split { each = "body.line_items" }
  to = sink.sql.picking
}

connection "sql" "shop" {
  driver = "postgres"
  dsn    = env("ORDERS_DSN", "postgres://postgres@127.0.0.1:5432/shop")
}

sink "sql" "orders" {
  connection = connection.sql.shop
  table      = "orders"
  key        = ["id"]
  mode_by    = "body.status == 'cancelled' ? 'delete' : 'upsert'"
  columns = {
    id     = "body.id"
    status = "body.status"
    email  = "lower(trim(body.customer.email ?? ''))"
    lines  = "body.line_items"
    total  = "body.total" # text, and so exact to the cent
    placed = "body.placed_at"
  }
}

sink "sql" "picking" {
  connection = connection.sql.shop
  statement  = <<-SQL
    INSERT INTO picking (sku, quantity) VALUES (:sku, :quantity)
    ON CONFLICT (sku) DO UPDATE SET quantity = picking.quantity + excluded.quantity
  SQL
  params = {
    sku      = "body.sku"
    quantity = "body.quantity"
  }
}
