# Files for a partner who fetches them: each day's sales as CSV with semicolons, decimal
# commas and his own names of columns. A file has its name when it is complete; until then
# it is .NAME.part. Here that is a day after its first row, or with two rows.
#
#   syncd run -c examples/partner-csv

source "webhook" "sales" {
  path = "/sales"
  id   = "body.receipt"
  verify "none" {} # anybody on this machine may post
}

flow "sales" {
  from = source.webhook.sales

  replace {
    body = <<-EXPR
      {
        "Receipt No.": body.receipt,
        "Date": formatTime(body.time, '02.01.2006', 'America/Lima'),
        "Amount": replace(string(body.amount), '.', ','),
      }
    EXPR
  }

  to = sink.files.partner
}

sink "files" "partner" {
  path = "out/sales-{{ body.Date }}.csv"
  format "csv" {
    columns   = ["Receipt No.", "Date", "Amount"]
    delimiter = ";"
  }
  roll {
    every = "24h"
    rows  = 2
  }
}
