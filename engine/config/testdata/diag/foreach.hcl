variable "token" {
  default   = "planted"
  sensitive = true
}

locals { shops = { cl = "Chile", pe = "Perú" } }

source "webhook" "list" {
  for_each = ["cl", "cl"] # error: key "cl" stands twice in for_each
  path     = "/${each.key}"
  verify "none" {}
}

source "webhook" "twice" {
  for_each = { cl = 1, "cl" = 2 } # error: key "cl" stands twice in for_each
  path     = "/${each.key}"
  verify "none" {}
}

source "webhook" "number" {
  for_each = 5 # error: for_each takes a map or a set
  path     = "/${each.key}"
  verify "none" {}
}

source "webhook" "numbers" {
  for_each = toset([1, 2]) # error: an element of for_each is no text
  path     = "/${each.key}"
  verify "none" {}
}

source "webhook" "none" {
  for_each = null # error: for_each is null
  path     = "/${each.key}"
  verify "none" {}
}

source "webhook" "hidden" {
  for_each = toset([var.token]) # error: sensitive value not allowed in for_each
  path     = "/${each.key}"
  verify "none" {}
}

source "webhook" "control" {
  for_each = { "a\nb" = 1 } # error: invalid key "a\u000ab" in for_each
  path     = "/${each.key}"
  verify "none" {}
}

source "webhook" "empty" {
  for_each = ["cl", ""] # error: an empty key in for_each
  path     = "/${each.key}"
  verify "none" {}
}

source "webhook" "components" {
  for_each = source.webhook.shop # error: for_each over components
  path     = "/${each.key}"
  verify "none" {}
}

source "webhook" "itself" {
  for_each = { (each.key) = 1 } # error: each is not known in for_each
  path     = "/${each.key}"
  verify "none" {}
}

source "webhook" "shop" {
  for_each = local.shops
  path     = "/shop/${each.keys}" # error: Did you mean each.key?
  labels   = { a = each, b = each.value.name } # error: each alone is not a value # error: no such field
  id       = "each.kez + boddy" # error: There is no each.kez # error: Did you mean "body"?
  verify "none" {}
}

# What is wrong with one of them says with which.
source "webhook" "some" {
  for_each = { cl = { path = "/some/cl", size = "1MiB" }, pe = { path = "some/pe", size = "2GiB" }, us = { path = "some/us", size = "1MiB" } }
  path     = each.value.path # error: a path begins with /
  max_body = each.value.size # error: max_body is too large
  verify "none" {}
}

source "webhook" "same" {
  for_each = local.shops
  path     = "/same" # error: source.webhook.same["cl"] and source.webhook.same["pe"], of one for_each, both want it
  verify "none" {}
}

# Nothing to make, and still checked.
source "webhook" "nothing" {
  for_each = {}
  path     = "/nothing"
  pth      = 1 # error: Did you mean "path"?
  verify "none" {}
}

sink "http" "erp" {
  for_each   = local.shops
  connection = connection.http.erp # error: connection.http.erp has a for_each
  path       = "/{{ each.key }}/{{ each.valu }}" # error: Did you mean "value"?
  headers    = { X-Shop = "{{ ${each.key} }}" } # error: Write each.key instead of ${each.key}
}

connection "http" "erp" {
  for_each = local.shops
  base_url = "https://${each.key}.example.com"
}

connection "http" "one" {
  for_each = { cl = 1 }
  base_url = "https://${each.key}.example.com"
}

sink "http" "other" {
  for_each   = toset(["cl", "pe", "uy"])
  connection = connection.http.erp[each.key] # error: there is no connection.http.erp["uy"]
}

sink "http" "one" {
  connection = connection.http.one # error: Did you mean connection.http.one["cl"]?
}

sink "log" "plain" {}

sink "log" "logs" { for_each = local.shops }

sink "log" "no" { for_each = {} }

flow "references" {
  from = [source.webhook.some["cl"], source.webhook.some["p"], source.webhook.some[var.token], source.webhook.some] # error: Did you mean source.webhook.some["pe"]? # error: sensitive value not allowed as a key # error: source.webhook.some["cl"] stands twice in from
  to   = [sink.log.plain["cl"], sink.log.logs["zebra"], sink.log.no, sink.log.no["a"], sink.log.logs[*], sink.log.lgos["cl"]] # error: sink.log.plain has no for_each # error: The keys of its for_each are "cl" and "pe" # error: there is no sink.log.no # error: there is no sink.log.no["a"] # error: sink.log.logs # error: Did you mean sink.log.logs?
}

flow "outside" {
  from = source.webhook.some[each.key] # error: each is not known here
  filter { when = "body.country == each.key" } # error: this block has none
  to = sink.log.plain
}

flow "loop" {
  from = source.webhook.some
  filter {
    for_each = local.shops # error: for_each cannot stand in filter
    when     = "true"
  }
  map {
    for_each = local.shops # error: A field of this name is set by replace
    name     = "each.value" # error: this block has none
  }
  to = sink.log.plain
}

flow "inner" {
  for_each = local.shops
  from     = source.webhook.some[each.key]
  filter { when = "lower(each.value) == '' or lower(5) == ''" } # error: lower needs text
  map { name = each.value.name } # error: no such field
  to = sink.log.logs[each.key]
}

listener "http" "many" {
  for_each = local.shops # error: for_each cannot stand in listener
  address  = "127.0.0.1:8080"
}

transform "many" {
  for_each = local.shops # error: for_each cannot stand in transform
}
