# The orders of a shop's API, page by page, as rows of a CSV file. An order that has
# changed since comes once more.

connection "http" "shop" {
  base_url = env("SHOP_API", "http://127.0.0.1:8090") # for a first try: see try.sh
}

source "poll" "orders" {
  connection   = connection.http.shop
  every        = "1m"
  records      = "response.body.orders"
  id           = "record.id"
  only_changed = true
  request { path = "/orders.json" }
  paginate "next_url" { next = "response.body.next" }
}

flow "orders" {
  from = source.poll.orders
  map {
    order  = "body.id"
    email  = "lower(body.customer.email)"
    status = "body.status"
    total  = "sum(body.lines, .qty * .price)"
  }
  to = sink.files.orders
}

sink "files" "orders" {
  path = "out/orders.csv"
  format "csv" {}
}
