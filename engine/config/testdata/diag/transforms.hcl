source "webhook" "orders" {
  path = "/orders"
  verify "none" {}
}
sink "log" "debug" {}

transform "a" {
  apply { transform = transform.b }
}
transform "b" {
  route {
    case "x" {
      when = "true"
      apply { transform = transform.a } # error: transform.a → transform.b → transform.a
    }
  }
}
transform "ends" {
  route {
    case "x" {
      when = "true"
      to   = sink.log.debug # error: to in a transform
    }
  }
}
transform "from" {
  from = source.webhook.orders # error: unknown attribute "from"
}
flow "x" {
  from = source.webhook.orders
  apply {} # error: missing attribute "transform"
  apply { transform = transform.a }
  to = sink.log.debug
}
