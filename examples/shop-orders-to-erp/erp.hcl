# A stand-in for the ERP, so that the example runs without one: it writes down what it
# is sent. Leave this file out when you have set ERP_URL.

source "webhook" "erp" {
  path    = "/erp/orders/{number}"
  methods = ["PUT"]
  verify "bearer" { token = env("ERP_TOKEN", "for a first try") }
}

flow "erp" {
  from = source.webhook.erp
  to   = sink.files.erp
}

sink "files" "erp" { path = "out/erp.ndjson" }
