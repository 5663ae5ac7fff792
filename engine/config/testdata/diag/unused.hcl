variable "site" { default = "scl" } # warning: var.site is not used
variable "used" { default = "x" }
variable "deliver" { default = true }
locals {
  a = local.b # warning: local.a is not used
  b = var.used
}
secret "partner" { value = env("HOME") } # warning: secret.partner is not used
secret "key" { value = env("HOME") }

listener "http" "a" { address = "127.0.0.1:8081" }
listener "http" "b" { address = "127.0.0.1:8082" } # warning: listener.http.b is not used

connection "http" "crm" { base_url = "https://crm.example.com" } # warning: connection.http.crm is not used

transform "clean" { # warning: transform.clean is not used
  filter { when = "true" } # warning: when is always true
}

source "webhook" "orders" { # warning: no flow takes
  path     = "/orders"
  listener = listener.http.a
  verify "none" {}
}

source "webhook" "taken" {
  path     = "/taken"
  listener = listener.http.a
  verify "none" {}
}

flow "callee" { # warning: nothing comes to flow "callee"
  to = sink.log.a
}

flow "main" {
  from = source.webhook.taken
  filter { when = "1 > 2" } # warning: when is always false
  filter { when = var.deliver }
  map { sum = "hmacSha256(secret.key, body.a)" }
  to = sink.log.a
}

sink "log" "a" {}
sink "log" "b" {} # warning: nothing goes to
