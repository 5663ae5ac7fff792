source "webhook" "orders" { # warning: anyone may send to this webhook
  path = "/orders"
}
moved {
  from = source.webhook.old
  to   = source.webhook.orders
}
moved {
  from = source.webhook.old # error: It moved already at moved.hcl:4.
  to   = source.webhook.orders
}
moved {
  from = source.webhook.orders # error: source.webhook.orders is still declared
  to   = source.webhook.orders
}
moved {
  from = source.poll.old # error: moved to another kind
  to   = source.webhook.orders
}
moved { # error: missing attribute "from"
  to = source.webhook.nothing # error: Declared are source.webhook.orders.
}
