# The stand-in for whoever wants to hear of orders. Delete this file when there is
# somebody.

source "webhook" "receiver" {
  path = "/receiver"
  id   = "meta.header['idempotency-key']"
  verify "bearer" { token = env("RECEIVER_TOKEN", "for a first try") }
}

flow "received" {
  from = source.webhook.receiver
  to   = sink.files.received
}

sink "files" "received" {
  path = "out/received.ndjson"
  format "ndjson" {}
}
