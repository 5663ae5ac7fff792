# What people write who come from Terraform and other programs.
terraform { # error: all kinds are built in
  required_version = ">= 1"
}
provider "http" {} # error: How another system is reached is said by connection
resource "webhook" "shop" {} # error: source "KIND" "NAME", sink "KIND" "NAME"
data "http" "x" {} # error: Lookup data of a file is declared by table
output "x" {} # error: Where events go is declared by sink
module "x" {} # error: All *.hcl files of a directory
pipeline "x" {} # error: The way of events is declared by flow
variable "typed" {
  type     = string # error: The type of a variable is that of its default.
  nullable = false # error: A variable without a default must be set from outside.
  default  = "x"
}
locals {
  a = tolist(["x"]) # error: a set or tuple stands where a list may
  b = try(var.typed, "x") # error: lookup(OBJECT, "NAME", DEFAULT)
  c = sha256(var.typed) # error: sha256 is a function of expressions, which are quoted
  d = templatefile("x", {}) # error: 'syncd explain function' lists what there is
}
source "shop" { # error: Write it as source "KIND" "shop" { … }.
  path = "/a"
}
source "webhook" { # error: Write it as source "webhook" "NAME" { … }.
  path = "/a"
}
source "webhook" "counted" {
  count      = 3 # error: for_each = toset(["a", "b"])
  path       = "/a/{n}"
  depends_on = [] # error: Order means nothing here
  verify "none" {}
}
source "webhook" "many" {
  for_each = toset(["cl", "pe"])
  path     = "/many/${each.key}"
  verify "none" {}
}
source "webhook" "größe" { # error: Write "grosse".
  path = "/a"
}
flow "f" {
  from   = "${source.webhook.many}" # error: A reference is not quoted: from = source.webhook.many.
  map    = { a = "body.x" } # error: map is a block, which has no equals sign: map { … }.
  filter = "body.x > 5" # error: filter is a block, which has no equals sign: filter { when = "body.x > 5" }.
  to     = sink.log.look
}
flow "g" {
  from = source.webhook.many.cl # error: One component of a for_each is written source.webhook.many["cl"].
  to   = [sink.log.look["x"].id] # error: A reference ends with the component
}
flow "h" {
  from = source.webhook.many[*] # error: All components of a for_each are meant by the address alone: source.webhook.many.
  to   = sink.log.* # error: to takes a reference like
}
sink "log" "look" {}
