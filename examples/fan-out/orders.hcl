# One webhook, three destinations: everything into an archive, what is paid to the
# bookkeepers, what must be sent to the warehouse. Each has its own place in the journal,
# so that one that is down delays no other.
#
#   WAREHOUSE_URL=https://… syncd run -c examples/fan-out

source "webhook" "orders" {
  path = "/orders"
  verify "none" {} # anybody on this machine may post
}

flow "orders" {
  from = source.webhook.orders
  to   = [sink.files.archive, flow.books, sink.http.warehouse]
}

flow "books" {
  filter { when = "body.status == 'paid'" }
  map {
    order = "body.id"
    total = "body.total"
  }
  to = sink.files.books
}

sink "files" "archive" { path = "out/archive.ndjson" }

sink "files" "books" {
  path = "out/books.csv"
  format "csv" {}
}

connection "http" "warehouse" { base_url = env("WAREHOUSE_URL", "http://127.0.0.1:8080/warehouse") }

sink "http" "warehouse" {
  connection = connection.http.warehouse
  when       = "any(body.lines, .kind == 'parcel')"
  path       = "/shipments"
  body       = <<-EXPR
    {
      order: body.id,
      address: body.address,
      skus: map(filter(body.lines, .kind == 'parcel'), .sku),
    }
  EXPR
}
