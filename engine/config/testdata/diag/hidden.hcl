# What secret attributes are set to in so many words is not shown.
source "webhook" "a" {
  path = "/a"
  verify "hmac" { secret = "planted-1" } # error: missing attribute "header"
  verify "hmac" {
    header = "X-Sig"
    secrt  = "planted-2" # error: unknown attribute "secrt" # error -2: missing attribute "secret"
  }
  verify "hmca" { secret = "planted-3" } # error: unknown verify "hmca"
}
connection "http" "crm" {
  base_url = 5
  password = ["planted-4"] # error: password takes text
  headers  = { Authorization = "Bearer plänted-5", "X-B" = [] } # error: headers takes text
}
sink "http" "b" {
  connection = connection.http.crm
  path       = sensitive("planted-6") # error: sensitive value not allowed in path
  headers    = { Authorization = "Bearer planted-7", B = "{{ boddy.b }}" } # error: "boddy"
}
flow "c" {
  from = source.webhook.a
  map { secret = "boddy.c" } # error: "boddy"
  to = sink.http.b
}
