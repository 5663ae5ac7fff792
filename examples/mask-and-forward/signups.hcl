# Sign-ups to a service outside, without what is nobody's business there. redact masks
# before anything is written to disk: a card number is not even in the journal.
#
#   PSEUDONYM_KEY=… STATS_URL=https://stats.example.com syncd run -c examples/mask-and-forward

secret "pseudonym" { value = env("PSEUDONYM_KEY", "for a first try") }

source "webhook" "signups" {
  path   = "/signups"
  redact = ["body.card", "body.phones.number"]
  verify "none" {} # anybody on this machine may post
}

flow "signups" {
  from = source.webhook.signups

  remove { fields = ["card", "customer.name"] }
  set {
    # The same customer has the same number, from which nobody finds the address.
    person   = "hmacSha256(secret.pseudonym, lower(body.customer.email))[:16]"
    customer = { email = "regexReplace(body.customer.email, '^[^@]*', '***')" }
  }

  to = sink.http.stats
}

connection "http" "stats" { base_url = env("STATS_URL", "http://127.0.0.1:8080/stats") }

sink "http" "stats" {
  connection = connection.http.stats
  path       = "/signups"
}
