source "webhook" "in" {
  path = "/in"
  verify "none" {}
}

sink "log" "out" {}

flow "a" {
  for_each = { one = "two", two = "one", three = "four" }
  from     = source.webhook.in
  to       = flow.b[each.value]
}

flow "b" {
  for_each = { one = "two", two = "one", four = "five" }
  to       = [flow.a[each.value == "five" ? "three" : each.value], flow.c[each.key]] # error: flow.c["four"] is disabled # error: flow.a["one"] → flow.b["two"] → flow.a["one"]
}

flow "c" {
  for_each = { one = true, two = true, four = false }
  enabled  = each.value
  to       = sink.log.out
}

moved {
  from = source.webhook.in["a"]
  to   = source.webhook.in
}

moved {
  from = flow.a # the address alone is nobody's now
  to   = flow.a["one"]
}

moved {
  from = flow.b["one"] # error: flow.b["one"] is still declared
  to   = flow.b["two"]
}

moved {
  from = flow.gone["x"]
  to   = flow.b # error: flow.b has a for_each
}

moved {
  from = flow.gone["x"]
  to   = flow.a["two"]
}

moved {
  from = flow.gone["x"] # error: flow.gone["x"] moved twice
  to   = flow.a["three"]
}
