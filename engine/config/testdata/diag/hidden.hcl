# What secret attributes are set to in so many words is not shown.
source "webhook" "a" {
  path = "/a"
  verify "hmac" { secret = "planted-1" } # error: missing attribute "header"
  verify "hmac" {
    header = "X-Sig"
    secrt  = "planted-2" # error: unknown attribute "secrt"
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

connection "http" "bare" {
  base_url = "https://crm.example.com"
  password = planted7 # error: Text is put in quotes
  tls {
    ca = 5
  }
}
connection "http" "number" {
  base_url = [] # error: base_url takes text
  password = 4711
}
connection "http" "url" {
  base_url = "https://me:planted-8@crm.example.com"
  nope     = "https://me:planted-9@crm.example.com" # error: unknown attribute "nope"
}
