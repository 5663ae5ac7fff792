# A first configuration. It runs as it stands: orders that are posted to
# http://127.0.0.1:8080/orders are written to out/orders.ndjson beside this file.
#
#   syncd run -c .           runs it, from this directory
#   syncd validate -c .      tells what is wrong, after a change
#   syncd status             shows how it goes, while it runs
#   syncd dead list          shows what failed, and why
#
# What is commented out with no space behind the # is ready to be used: take away
# the # of each of its lines.

# Where events come from. Without a listener block, only this machine gets through.
source "webhook" "orders" {
  path = "/orders"

  # Anybody on this machine may post. Replace it by the other line, and those who do
  # not send "Authorization: Bearer …" are turned away.
  verify "none" {}
  #verify "bearer" { token = secret.shop }

  # What is sent twice with the same id is taken once.
  #id = "meta.header['x-order-event']"
}

# What happens to them, step by step. Text in quotes is an expression: body is what
# was posted, and ?? says what to take where a field is missing.
flow "orders" {
  from = source.webhook.orders

  # Only orders that have a number go on.
  filter { when = "body.id != nil" }

  # The new body: these fields and no others.
  map {
    order_id = "body.id"
    email    = "lower(body.customer.email ?? '')"
    total    = "body.total ?? 0"
  }

  to = sink.files.orders
  #to = [sink.files.orders, sink.http.erp]
}

# Where they go: a file, one line of JSON for each.
sink "files" "orders" {
  path = "out/orders.ndjson"
  format "ndjson" {}
}

# And another system. How to reach it, which several sinks can share:
#connection "http" "erp" {
#  base_url = "https://erp.example.com/api"
#  auth "bearer" { token = credential("erp") }
#}

# What to send there. While it is down, orders wait; one that it refuses, or that
# fails for a whole day, becomes a dead letter.
#sink "http" "erp" {
#  connection = connection.http.erp
#  method     = "PUT"
#  path       = "/orders/{{ body.order_id }}"
#  retry { for = "24h" }
#}

# Secrets stay out of this file. credential("shop") is the file shop in the directory
# that $CREDENTIALS_DIRECTORY names; under systemd: LoadCredential=shop:/path/to/it.
#secret "shop" { value = credential("shop") }
