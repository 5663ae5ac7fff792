source "webhook" "shop" {
  path = "/shop"
  verify "none" {}
}

source "webhook" "till" {
  path    = "/till"
  enabled = false
  verify "none" {}
}

flow "orders" {
  from = [source.webhook.shop, source.webhook.till]

  filter "paid" { when = "body.total > 0" }
  apply { transform = transform.clean }
  map { id = "body.id" }
  set { seen = true }

  route {
    case "vip" {
      when = "body.total > 1000"
      route {
        case "abroad" {
          when = "body.country != 'CL'"
          to   = flow.export
        }
      }
      to = [sink.http.erp, sink.log.vip]
    }
    case "test" {
      when = "body.id == 0"
      remove { fields = ["id"] }
    }
    otherwise { to = sink.log.rest }
  }

  to = sink.http.erp
}

flow "export" {
  to = sink.files.export
}

flow "old" {
  enabled = false
  from    = source.webhook.shop
  to      = sink.log.rest
}

transform "clean" {
  remove { fields = ["card"] }
}

connection "http" "erp" { base_url = "https://erp.example.com" }

sink "http" "erp" { connection = connection.http.erp }
sink "log" "vip" {}
sink "log" "rest" {}
sink "log" "unused" {}

sink "files" "export" {
  path = "out/export.ndjson"
  format "ndjson" {}
}
