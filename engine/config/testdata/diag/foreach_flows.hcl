source "webhook" "in" {
  path = "/in"
  verify "none" {}
}

source "webhook" "shop" { # warning: no flow takes source "webhook" "shop"
  for_each = toset(["cl", "pe", "us"])
  path     = "/${each.key}"
  verify "none" {}
}

source "webhook" "unused" { # warning: Name it in a flow: from = [source.webhook.unused]
  for_each = toset(["cl", "pe"])
  path     = "/unused/${each.key}"
  verify "none" {}
}

sink "log" "out" { for_each = { cl = 1, pe = 2 } } # warning: Name it in a flow: to = [sink.log.out["pe"]]

flow "a" {
  for_each = toset(["cl", "pe"])
  from     = source.webhook.shop[each.key]
  to       = sink.log.out["cl"]
}

flow "b" { # warning: nothing comes to flow "b"
  for_each = toset(["x.y", "z"])
  to       = sink.log.out["cl"]
}

flow "c" {
  from = source.webhook.in
  to   = flow.b["x.y"]
}
