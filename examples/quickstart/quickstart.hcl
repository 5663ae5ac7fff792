# Orders come in by webhook; those with a total go, in the shape that the shop's
# books need, to a CSV file and an NDJSON file in out/.
#
#   go run ./cmd/syncd run -c examples/quickstart

source "webhook" "orders" {
  path = "/orders"
  verify "none" {} # anybody on this machine may post
}

flow "orders" {
  from = source.webhook.orders

  filter { when = "body.total > 0" }

  map {
    order_id = "body.id"
    email    = "lower(body.customer.email)"
    items    = "sum(body.lines, .quantity)"
    total    = "body.total"
  }

  to = [sink.files.csv, sink.files.ndjson]
}

sink "files" "csv" {
  path = "out/orders.csv"
  format "csv" { columns = ["order_id", "email", "items", "total"] }
}

sink "files" "ndjson" {
  path = "out/orders.ndjson"
  format "ndjson" {}
}
