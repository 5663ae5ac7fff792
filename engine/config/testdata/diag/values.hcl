source "webhook" "orders" {
  path       = "hooks/orders" # error: a path begins with /
  methods    = ["POST", "PAST"] # error: Did you mean "POST"?
  max_body   = "5MB/s" # error: "/s" is not understood
  allow_ips  = ["10.0.0.0/8", "office"] # error: "office" is no address
  rate_limit = "10/day" # error: "day" is no unit of rates
  weight     = [1] # error: This is a list
  redact     = "body.card" # error: Put it in brackets: redact = ["body.card"]
  dedupe_window = 90 # error: Did you mean "90s"?
  limits {
    depth = 201 # error: It may be at most 200
    keys  = 1.5 # error: keys takes a whole number
  }
  verify "hmac" {
    header    = "Host" # error: Host carries no signature
    algorithm = "sha265" # error: Did you mean "sha256"?
    secret    = { a = 1 } # error: secret takes text
  }
  header {
    name = "X-A"
  }
  header {
    name = "Cookie" # error: Cookie cannot be asked for
  }
}

connection "http" "crm" {
  base_url = "https://crm.example.com"
  timeout  = "10 s" # error: Did you mean "10s"?
  port     = 70000 # error: port is too large
}
