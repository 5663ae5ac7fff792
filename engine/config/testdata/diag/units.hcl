sink "log" "a" {
  timeout = "5 min" # error: Did you mean "5m"?
  retry {
    for     = "1h30" # error: Did you mean "1h30m"?
    initial = 30 # error: Did you mean "30s"?
    max     = "PT5M" # error: A duration is a number with a unit
  }
}
source "webhook" "b" {
  path       = "/b"
  max_body   = "5 MB" # error: Did you mean "5MB"?
  rate_limit = "10 per second" # error: Did you mean "10/s"?
  verify "none" {}
  header {
    name = "x"
  }
}
daemon {
  max_in_flight = "256mb" # error: Did you mean "256MB"?
  journal {
    retention = "2 weeks" # error: Did you mean "14d"?
    backlog   = "1KiB" # error: It must be at least 1MiB.
  }
}
flow "c" {
  from = source.webhook.b
  to   = sink.log.a
}
