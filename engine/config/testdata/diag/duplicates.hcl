source "webhook" "orders" {
  path = "/orders"
  verify "none" {}
}

source "webhook" "orders" { # error: The first one stands at duplicates.hcl:1.
  path = "/orders2"
  verify "none" {}
}

source "webhook" "again" {
  path = "/orders" # error: POST /orders on listener.http.default is taken
  verify "none" {}
}

daemon {
  reload = "auto"
}

daemon { # error: daemon is declared twice
  reload = "sometimes" # error: It may be "auto" or "manual".
}

locals {
  a = 1
}
locals {
  a = 2 # error: local.a is declared twice
}

flow "all" {
  from = [source.webhook.orders, source.webhook.again]
  map {
    x = { a = "body.a", a = "body.b" } # error: field "a" is set twice
  }
  to = sink.log.debug
}

sink "log" "debug" {
  timeout = "1s"
  timeout = "2s" # error: It is set already in line 40.
}
