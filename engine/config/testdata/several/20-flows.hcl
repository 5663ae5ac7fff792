flow "lines" {
  filter { when = "boddy.total > 0" }
  to = flow.back
}
source "webhook" "shop" {
  path = "/again"
  verify "none" {}
}
source "webhook" "other" {
  path = "/shop"
  verify "none" {}
}
variable "site" {}
locals { tag = "again" }
