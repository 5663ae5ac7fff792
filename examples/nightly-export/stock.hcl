# An ERP leaves its stock list in a directory each evening, and an empty file NAME.ok once
# the list is complete. At half past two it becomes one JSON document for the shop.
#
#   syncd run -c examples/nightly-export
#   syncd trigger source.files.stock # does not wait for the night

source "files" "stock" {
  path        = "in"
  match       = "stock-*.csv*" # compressed or not
  cron        = "30 2 * * *"
  timezone    = "Europe/Berlin"
  settle      = "1s"
  done_marker = "{{ meta.file.name }}.ok"
  atomic      = true # half a list would show the rest as sold out
  format "csv" {
    delimiter = ";"
    encoding  = "windows-1252"
    types     = { quantity = "number", price = "number" }
    decimal   = ","
  }
  after {
    move   = "in/done/{{ meta.file.name }}"
    failed = "in/failed/{{ meta.file.name }}"
  }
}

flow "stock" {
  from = source.files.stock

  filter { when = "body.quantity > 0" }

  map {
    sku   = "body.article"
    name  = "body.name"
    stock = "body.quantity"
    price = "body.price"
  }

  to = sink.files.shop
}

sink "files" "shop" {
  path = "out/stock.json"
  format "json" {}
  roll {
    every = "1m"
    rows  = 2
  }
}
