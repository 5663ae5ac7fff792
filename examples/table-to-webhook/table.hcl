# A table as a source of webhooks: what is new or has changed in it is posted to a
# partner, signed, many rows in one request. The shop that fills the table and the
# partner are stand-ins, parts of the same daemon.

connection "sql" "shop" {
  driver = "sqlite"
  dsn    = "shop.db"
}

source "sql" "orders" {
  connection = connection.sql.shop
  table      = "orders"
  every      = "1s"
  cursor { column = "version" } # of a row that changes, the shop raises it
  retry {
    initial = "200ms"
    max     = "5s"
  }
}

flow "orders" {
  from = source.sql.orders
  map {
    order_id = "body.id"
    status   = "body.status"
    cents    = "body.cents"
  }
  to = sink.http.partner
}

connection "http" "partner" {
  base_url = "http://127.0.0.1:8080"
}

sink "http" "partner" {
  connection = connection.http.partner
  path       = "/partner/orders"
  batch {
    max    = 100
    within = "500ms"
  }
  sign "hmac" {
    header = "X-Signature"
    secret = env("PARTNER_SECRET", "for a first try")
  }
}

# The shop: writes what it is sent into its table.
source "webhook" "shop" {
  path = "/shop"
  verify "none" {}
}

flow "shop" {
  from = source.webhook.shop
  split { each = "body" }
  to = sink.sql.shop
}

sink "sql" "shop" {
  connection   = connection.sql.shop
  table        = "orders"
  key          = ["id"]
  create_table = true
  columns = {
    id      = "body.id"
    status  = "body.status"
    cents   = "body.cents"
    version = "body.version"
  }
}

# The partner: checks the signature and keeps the rows.
source "webhook" "partner" {
  path = "/partner/orders"
  id   = "meta.header['idempotency-key']"
  verify "hmac" {
    header = "X-Signature"
    secret = env("PARTNER_SECRET", "for a first try")
  }
}

flow "partner" {
  from = source.webhook.partner
  split { each = "body" }
  to = sink.files.partner
}

sink "files" "partner" {
  path = "out/orders.ndjson"
}
