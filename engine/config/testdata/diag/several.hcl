source "webhook" "a" {
  verify "hmac" { secret = env("HOME") header = "X" } # error: more than one argument
}
source "webhook" "b" {
  verify "hmac" { secret = env("HOME") header = "X" } # error: more than one argument
}
sink "log" "x" { description = 5 + } # error: } where a value belongs
sink "log" "y" { description = "no end } # error: string without an end
sink "log" "z" { when = "boddy.x" } # error: "boddy"
flow "f" {
  from = source.webhook.a
  "x" = 1 # error: Names of attributes are not quoted
  to = sink.log.nope
}
flow "g" {
  from = source.webhook.b
  filter { # error: No } closes filter
    whn = "true"
}
flow "h" {
  from = source.webhook.b
  filter { whn = "true" } # error: unknown attribute "whn"
  to = [sink.log.x, sink.log.nope] # error: there is no sink.log.nope
}
