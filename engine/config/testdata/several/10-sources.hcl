# Mistakes in several files; each names the other file where that is to blame.
source "webhook" "shop" {
  path = "/shop"
  verify "none" {}
}
locals { tag = local.suffix }
variable "site" { default = "scl" }
flow "orders" {
  from = source.webhook.shop
  to   = flow.lines
}
