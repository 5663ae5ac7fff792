# What depends on an event, where it cannot, or is not written so.
connection "http" "crm" { base_url = "https://{{ body.host }}.example.com" } # warning: base_url is read once, at load
connection "http" "erp" { base_url = "https://${body.host}.example.com" } # error: base_url is read once, at load, and cannot depend
locals {
  a = "order ${body.id}" # error: What stands in ${…} is computed once, at load.
  b = body.id            # error: expressions are quoted: "body.id".
}
sink "http" "a" {
  connection  = connection.http.crm
  description = "PUT {{ body.id }}"
  path        = "/${body.id}/${lower(body.kind)}" # error: {{ body.id }} # error: {{ lower(body.kind) }}
  headers = {
    X = "${event.id}" # error: {{ event.id }}
    Y = body.id       # error: which is quoted: {{ body.id }}.
  }
  body        = body.order # error: expressions are quoted: "body.order".
}
