# A shop mails its orders, each as a CSV file attached to a mail. The lines become rows in
# SQLite; when all rows of a mail are there, its sender gets a confirmation.
#
# Where the world can reach it: address = "0.0.0.0:25", a tls block, and
# require = ["dkim"], so that a From is not believed because it stands there.

source "smtp" "orders" {
  address    = "127.0.0.1:2525"
  recipients = ["orders+{shop}@in.example.com"]
  allow_from = ["*@partner.example"]
  id         = "body.message_id + ' ' + meta.mail.recipient" # a mail that comes again is known
}

flow "orders" {
  from = source.smtp.orders

  filter "people" { when = "meta.mail.kind == 'normal'" } # no bounce, no "I am away": no loop of mails

  # A mail with no CSV file, or with several, is a dead letter, for somebody to look at.
  decode "csv" {
    from    = "let files = filter(body.attachments, .name endsWith '.csv'); len(files) == 1 ? files[0] : nil"
    as      = "lines"
    columns = ["sku", "quantity"]
    types   = { quantity = "number" }
  }

  split { each = "map(body.lines, {{line: #index + 1, sku: .sku, quantity: .quantity}})" }

  map {
    mail     = "parent.message_id"
    shop     = "lower(meta.params.shop)"
    line     = "body.line"
    lines    = "len(parent.lines)"
    sender   = "parent.from"
    sku      = "body.sku"
    quantity = "body.quantity"
  }

  to = sink.sql.lines
}

connection "sql" "orders" {
  driver = "sqlite"
  dsn    = "out/orders.db"
}

sink "sql" "lines" {
  connection   = connection.sql.orders
  table        = "order_lines"
  key          = ["mail", "shop", "line"]
  create_table = true
}

# A mail is complete when as many of its rows are there as it has lines.
source "sql" "complete" {
  connection = connection.sql.orders
  every      = "1s"
  id         = "record.mail + ' ' + record.shop"
  query      = <<-SQL
    SELECT mail, shop, sender, count(*) AS stored, max(rowid) AS last_row FROM order_lines
    GROUP BY mail, shop HAVING count(*) = max(lines)
  SQL
  cursor { column = "last_row" }
}

flow "confirmations" {
  from = source.sql.complete
  to   = sink.email.confirmation
}

connection "smtp" "relay" {
  host = "127.0.0.1"
  port = 2526
  tls  = "none"
}

sink "email" "confirmation" {
  connection = connection.smtp.relay
  from       = "Orders <orders+{{ body.shop }}@in.example.com>"
  to         = ["{{ body.sender }}"]
  subject    = "Your order has arrived"
  text       = "We have stored all {{ body.stored }} lines of your order. Thank you."
  headers    = { In-Reply-To = "<{{ body.mail }}>" }
}
