# Orders of a shop, signed, into an ERP over HTTP: each order by PUT, so that a repeated
# delivery changes nothing, and its lines for the warehouse as CSV.
#
#   SHOP_SECRET=… ERP_URL=https://erp.example.com/api syncd run -c examples/shop-orders-to-erp

source "webhook" "shop" {
  path = "/hooks/shop"
  id   = "string(body.id) + ' ' + body.status" # the shop repeats what it did not see answered
  verify "hmac" {
    header   = "X-Shop-Hmac-Sha256"
    encoding = "base64"
    secret   = env("SHOP_SECRET", "for a first try")
  }
}

flow "orders" {
  from     = source.webhook.shop
  order_by = "body.id" # "paid" after "new", whatever fails in between

  map {
    number = "'S' + string(body.id)"
    status = "body.status"
    email  = "lower(trim(body.customer.email ?? ''))"
    lines  = "map(body.line_items, {{sku: .sku, quantity: .quantity, price: number(.price)}})"
    total  = "sum(body.line_items, number(.price) * .quantity)"
  }

  to = [sink.http.erp, flow.picking]
}

flow "picking" {
  filter { when = "body.status == 'paid'" }
  split { each = "body.lines" }
  map {
    order    = "parent.number"
    sku      = "body.sku"
    quantity = "body.quantity"
  }
  to = sink.files.picking
}

connection "http" "erp" {
  base_url = env("ERP_URL", "http://127.0.0.1:8080/erp")
  auth "bearer" { token = env("ERP_TOKEN", "for a first try") }
}

sink "http" "erp" {
  connection = connection.http.erp
  method     = "PUT"
  path       = "/orders/{{ body.number }}"
  retry { for = "12h" }
}

sink "files" "picking" {
  path = "out/picking.csv"
  format "csv" { delimiter = ";" }
}
