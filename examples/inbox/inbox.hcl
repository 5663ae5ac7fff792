# What does a system send? Point it at /inbox/SOME_NAME and read out/SOME_NAME.ndjson.
#
#   syncd run -c examples/inbox

source "webhook" "inbox" {
  path    = "/inbox/{name}"
  methods = ["POST", "PUT", "PATCH", "DELETE", "GET"]
  accept  = ["*/*"]
  verify "none" {} # anybody on this machine may send
}

flow "inbox" {
  from = source.webhook.inbox

  map {
    method = "meta.method"
    query  = "meta.query"
    type   = "meta.header['content-type']"
    body   = "body"
  }

  to = sink.files.inbox
}

sink "files" "inbox" { path = "out/{{ meta.params.name }}.ndjson" }
