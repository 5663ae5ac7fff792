source "webhook" "orders" { # error: For example: path = "/hooks/orders"
  verify "hmac" {} # error: missing attribute "header" # error: missing attribute "secret"
}
connection "http" "crm" {} # error: missing attribute "base_url"
sink "files" "f" {} # error: missing attribute "path"
flow "x" {
  from = source.webhook.orders
  filter {} # error: missing attribute "when"
  remove {} # error: For example: fields = ["customer.ssn"]
  to = sink.log.debug
}
sink "log" "debug" {}
