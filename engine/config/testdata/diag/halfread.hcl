# A mistake in the syntax hides what may follow from it, and nothing else of its block.
source "webhook" "a" {
  path = "/a"
  path = "/b" # error: attribute set twice
  pth  = "/c" # error: Did you mean "path"?
  verify "none" {}
}
flow "escapes" {
  from = source.webhook.a
  filter { when = "body.code matches '\d+'" } # error: invalid escape \d
  filter { when = "boddy.total > 0" } # error: "boddy"
  to = sink.log.nope # error: there is no sink.log.nope
}
flow "above" {
  from = source.webhook.nope # error: there is no source.webhook.nope
  filter { when = "boddy.total > 0" } # error: "boddy"
  map {
    a = "lower(5)" # error: lower needs text
    b = 'single' # error: single quotes
    c = "boddy.c"
  }
  to = sink.log.nope
}
flow "quotes" {
  from = source.webhook.a
  filter { whn = "true" } # error: Did you mean "when"?
  filter {
    when = "body.state == "paid"" # error: a quote inside of a quoted string
  }
}
