daemon {
  state_dir      = "/tmp/state"
  shutdown_grace = "10s"
  log { format = "json" }
  journal { max_size = "1GiB" }
}

listener "http" "public" {
  address         = "0.0.0.0:8443"
  trusted_proxies = ["10.0.0.0/8", "192.168.0.1"]
  tls {
    cert = "certs/hook.pem"
    key  = "/etc/ssl/hook.key"
  }
}

variable "site" { default = "scl" }
variable "count" { default = 3 }
locals {
  tag    = "acme-${var.site}"
  nested = { deep = [1, 2.5, local.tag, true, null] }
}
secret "partner" { value = sensitive("hunter2") }

connection "http" "crm" {
  base_url = "https://${var.site}.example.com"
  password = secret.partner
  headers  = { Authorization = "Bearer ${secret.partner}" }
  timeout  = "1m30s"
  port     = env("PORT")
  tls { ca = "ca.pem" }
}

source "webhook" "orders" {
  description = "What the shop sends"
  path        = "/hooks/${var.site}"
  methods     = ["POST", "PUT"]
  max_body    = "2MiB"
  allow_ips   = ["10.0.0.0/8"]
  rate_limit  = "600/m"
  strict      = false
  weight      = 1.5
  answer      = { ok = true, n = 5, list = ["a", 1.5] }
  labels      = { team = "shop" }
  id          = "meta.header['x-event-id']"
  redact      = ["body.card"]
  verify "hmac" {
    header = "X-Signature"
    secret = "plain"
  }
  verify "none" {}
  limits { depth = 20 }
  header { name = "X-A" }
  header { name = "X-B" }
}
