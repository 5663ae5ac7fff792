# A stand-in for the service, so that the example runs without one. Leave this file out
# when you have set STATS_URL.

source "webhook" "stats" {
  path = "/stats/signups"
  verify "none" {}
}

flow "stats" {
  from = source.webhook.stats
  to   = sink.files.stats
}

sink "files" "stats" { path = "out/stats.ndjson" }
