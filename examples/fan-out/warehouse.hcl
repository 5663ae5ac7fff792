# A stand-in for the warehouse, so that the example runs without one. Leave this file
# out when you have set WAREHOUSE_URL.

source "webhook" "warehouse" {
  path = "/warehouse/shipments"
  verify "none" {}
}

flow "warehouse" {
  from = source.webhook.warehouse
  to   = sink.files.warehouse
}

sink "files" "warehouse" { path = "out/warehouse.ndjson" }
