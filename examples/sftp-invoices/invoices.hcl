# Invoices that a partner puts on an SFTP server: each row once, whatever happens to the
# connection, and a file is moved away when all its rows are on disk here. A row that
# cannot be read is a dead letter, and the rest of its file goes on.
#
#   PARTNER_HOST=sftp.partner.example PARTNER_KEY="$(cat key)" … syncd run -c examples/sftp-invoices

connection "sftp" "partner" {
  host        = env("PARTNER_HOST", "127.0.0.1")
  port        = env("PARTNER_PORT", "2222")
  user        = env("PARTNER_USER", "acme")
  private_key = env("PARTNER_KEY", "") # in production credential("partner_key")
  password    = env("PARTNER_PASSWORD", "for a first try")
  host_key    = env("PARTNER_HOST_KEY", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIZZR9UgsvEjjPSlYlMg6F1Q3Vd5gyGwsp3Tr2mnW5Mb")
}

locals { dir = env("PARTNER_DIR", "/outgoing") }

source "files" "invoices" {
  connection = connection.sftp.partner
  path       = local.dir
  match      = "**/*.csv"
  every      = "1m"
  settle     = "1s" # a real upload wants more: 10s, the default
  format "csv" {
    delimiter = ";"
    columns   = ["number", "customer", "total", "due"]
    types     = { total = "number", due = "time:02/01/2006" }
    decimal   = ","
  }
  after {
    move   = "${local.dir}/done/{{ meta.file.name }}"
    failed = "${local.dir}/failed/{{ meta.file.name }}"
  }
}

flow "invoices" {
  from = source.files.invoices

  map {
    number   = "body.number"
    customer = "body.customer"
    total    = "body.total"
    due      = "formatTime(body.due, '2006-01-02', 'UTC')"
    file     = "meta.file.path"
    row      = "meta.row"
  }

  to = sink.files.ledger
}

sink "files" "ledger" {
  path = "out/invoices.csv"
  format "csv" {}
}
