source "webhook" "orders" {
  path = "/hooks/orders"
  verify "none" {}
  redact = [
    "body.items.card",
    "body.items[0].card", # error: Leave it out: a list on the way
    "body.items.*.card", # error: Leave it out: a list on the way
    "card", # error: Write "body.card"
  ]
}

flow "orders" {
  from = source.webhook.orders
  to   = sink.log.look
}

sink "log" "look" {}
