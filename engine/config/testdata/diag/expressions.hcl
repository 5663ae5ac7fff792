variable "site" { default = "scl" }
variable "token" { default = sensitive("abc") }
locals { tag = "t" }
source "webhook" "orders" {
  path = "/orders"
  verify "none" {}
}
sink "log" "debug" {}

flow "orders" {
  from = source.webhook.orders
  filter { when = "boddy.total > 0" } # error: "boddy" is not something an expression can see here
  filter { when = "\"a\\tb\" == body.x\u00e9 or boddy.total > 0" } # error: Did you mean "body"?
  filter { when = "body.total > ${var.site}" } # error: Write "body.total > var.site"
  filter { when = "${local.tag}" } # error: Write "local.tag"
  filter { when = body.total > 0 } # error: expressions are quoted: "body.total > 0"
  filter { when = "Hello {{ body.name }}" } # error: This is an expression
  filter { when = "lower(body.name)" } # error: This yields text, but true or false is needed
  filter { when = 5 } # error: This yields a number, but true or false is needed
  filter { when = var.site == "scl" }
  filter { when = "lower(5)" } # error: lower needs text, but 5 is a number
  filter { when = "lowr(body.x)" } # error: unknown function in expression
  filter { when = "body.total >" } # error: invalid expression
  filter { when = "" } # error: The expression is empty
  filter { when = "sha256(secret.none) == 'a'" } # error: unknown name in expression
  filter { when = "var.sight == 'a' and var.token == 'x'" } # error: unknown name in expression # error: is sensitive
  map {
    secret = var.token # error: sensitive value not allowed in
    nested = { deep = ["body.a", "boddy.b"] } # error: Did you mean "body"?
    call   = upper("x", "y") # error: upper was given 2 arguments
  }
  filter {
    when = <<-EXPR
      body.total > 0 and
        boddy.vip
    EXPR
  } # error -2: Did you mean "body"?
  filter {
    when = <<EXPR
  body.total > 0 and
    boddy.vip
EXPR
  } # error -2: Did you mean "body"?
  to = sink.log.debug
}
