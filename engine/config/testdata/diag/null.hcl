source "webhook" "orders" { # warning: no flow takes
  path     = "/orders"
  max_body = null
  id       = null
  verify "none" {}
}
