variable "limit" { default = 5 }
flow "a" {
  from = source.webhook.a
  filter { when = "'yes'" } # error: Write true.
  filter { when = "body.total + 1" } # error: body.total + 1 > 0
  filter { when = "body.items" }
  filter { when = "keys(body.items)" } # error: len(keys(body.items)) > 0
  filter { when = "body.a == 'x' or 'y'" } # error: Write body.a in ['x', 'y'].
  filter { when = "body.a + true" } # error: + needs a number, but true is true or false
  filter { when = "'a' < 5" } # error: < cannot order text and a number
  filter { when = "len(5) > 0" } # error: len needs text, a list or an object
  filter { when = "not 5" } # error: not needs true or false
  filter { when = "lower(body.a, 'x') == 'y'" } # error: lower takes 1 argument, not 2
  filter { when = "[1, 2].sku == 'y'" } # error: [1, 2] is a list: it has no field sku
  filter { when = "lower(body.a) == 5" } # error: This compares text with a number
  filter { when = "body.a matches '('" } # error: '(' is no pattern
  filter { when = "formatTime(event.time, 'YYYY-MM-DD') == '2026-01-01'" } # error: Write '2006-01-02'.
  filter { when = "body.a > 9223372036854775807 + var.limit" } # error: goes beyond 64 bits
  filter { when = "body.a / 0 > 1" } # error: This divides by zero
  filter { when = "event.time > date('yesterday')" } # error: date: "yesterday" is not a date
  filter { when = "body.a === 'x'" } # error: There is no operator ===
  filter { when = "body.items.any(.vip)" } # error: any(body.items, …)
  filter { when = "{{ body.total }} > 5" } # error: Write body.total > 5.
  filter { when = "${body.total} > 5" } # error: Write "body.total > 5".
  filter { when = "body.site == '${var.limit}'" } # error: Write "body.site == var.limit".
  filter { when = "(body.a > 5" } # error: This ( is never closed.
  to = sink.log.a
}
source "webhook" "a" {
  path = "/a"
  verify "none" {}
}
sink "log" "a" {}
