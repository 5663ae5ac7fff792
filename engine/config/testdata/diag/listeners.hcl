listener "http" "a" {
  address = "0.0.0.0:8080"
}
listener "http" "b" {
  address = "8081" # error: Write host and port
}
listener "http" "c" {
  address = "0.0.0.0:8080" # error: address 0.0.0.0:8080 is taken
}
listener "http" "e" {
  address = "0.0.0.0:8082"
  tls { # error: missing attribute "key"
    cert = "x.pem"
  }
}
listener "http" "d" {
  address         = "example.com:99999" # error: invalid port "99999" # error: invalid host "example.com"
  trusted_proxies = ["proxy"] # error: "proxy" is no address
}
source "webhook" "orders" { # error: There are several listeners
  path = "/orders"
  verify "none" {}
}
source "webhook" "named" {
  path     = "/orders"
  listener = listener.http.a
  verify "none" {}
}
