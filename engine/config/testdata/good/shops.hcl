variable "shops" {
  default = {
    "cl"      = { country = "CL", limit = 100, token = sensitive("hunter3") }
    "pe.lima" = { country = "PE", limit = 50, token = sensitive("hunter4") }
  }
  validation {
    condition     = length(var.shops) > 0
    error_message = "There must be a shop."
  }
}

table "countries" {
  file = "countries.csv"
  key  = "code"
}

source "webhook" "shop" {
  for_each = var.shops
  path     = "/shops/${each.key}"
  key      = each.value.country
  id       = "each.key + '-' + string(body.id)"
  verify "hmac" {
    header = "X-Signature"
    secret = each.value.token
  }
}

connection "http" "shop" {
  for_each = var.shops
  base_url = "https://${lower(each.value.country)}.example.com"
}

sink "http" "shop" {
  for_each   = var.shops
  connection = connection.http.shop[each.key]
  path       = "/${each.key}/{{ each.key }}/{{ table('countries', body.country).name }}"
}

flow "shop" {
  for_each = var.shops
  from     = source.webhook.shop[each.key]
  filter { when = "body.country == each.value.country and body.total < each.value.limit" }
  map {
    shop = each.key
    id   = "uuid()"
    vat  = "number(table('countries', each.value.country).vat)"
  }
  to = sink.http.shop[each.key]
}

flow "all" {
  from = source.webhook.shop
  to   = [sink.http.shop["pe.lima"], sink.http.shop["cl"]]
}

moved {
  from = flow.shop
  to   = flow.shop["cl"]
}
