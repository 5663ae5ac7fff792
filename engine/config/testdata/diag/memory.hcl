source "webhook" "a" {
  path = "/a"
  verify "none" {}
}
connection "http" "crm" { base_url = "https://crm.example.com" }
sink "http" "long" {
  connection = connection.http.crm
  retry {
    for = "3d" # warning: retry.for outlives the receiver's memory
  }
}
sink "http" "short" {
  connection = connection.http.crm
}
sink "log" "any" {
  retry {
    for = "30d"
  }
}
flow "a" {
  from = source.webhook.a
  to   = [sink.http.long, sink.http.short, sink.log.any]
}
