source "webhook" "orders" {
  path = "/orders"
  verify "hmac" { header = "X-Sig", secret = "s" } # error: more than one argument in a block on one line
}
flow "x" { filter { when = "true" } } # error: more than one argument in a block on one line
