source "webhook" "a" {
  path = "/a"
  verify "hmac" { secret = "planted-1" header = "X-Sig" } # error: Write it over lines
}
source "webhook" "b" {
  path = "/b"
  verify "hmac" {
    header = "X-Sig"
    secret = "planted-2 # error: string without an end
  }
}
