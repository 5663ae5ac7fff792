# One flow for each of several shops, written once. Every shop posts to a path of
# its own and gets a CSV file of its own in out/; a table knows the countries.
#
#   go run ./cmd/syncd run -c examples/shops
#   SYNCD_VAR_minimum=-1 go run ./cmd/syncd validate -c examples/shops

variable "minimum" {
  description = "Orders below this do not count"
  default     = 1
  validation {
    condition     = var.minimum >= 0
    error_message = "A minimum of ${var.minimum} lets nothing be sorted out: take 0 or more."
  }
}

locals {
  shops = {
    santiago = { country = "CL", currency = "CLP" }
    lima     = { country = "PE", currency = "PEN" }
    madrid   = { country = "ES", currency = "EUR" }
  }
}

table "countries" {
  file = "countries.csv"
  key  = "code"
}

source "webhook" "shop" {
  for_each = local.shops
  path     = "/shops/${each.key}"
  verify "none" {} # anybody on this machine may post
}

flow "shop" {
  for_each = local.shops
  from     = source.webhook.shop[each.key]

  filter { when = "body.total >= var.minimum" }

  map {
    order    = "each.key + '-' + string(body.id)"
    customer = "body.customer.name"
    country  = "table('countries', body.customer.country).name ?? 'unknown'"
    vat      = "body.customer.country == each.value.country ? number(table('countries', each.value.country).vat) : 0"
    total    = "body.total"
    currency = each.value.currency
  }

  to = sink.files.shop[each.key]
}

sink "files" "shop" {
  for_each = local.shops
  path     = "out/${each.key}.csv"
  format "csv" { columns = ["order", "customer", "country", "vat", "total", "currency"] }
}
