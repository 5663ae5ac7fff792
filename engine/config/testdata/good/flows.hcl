flow "orders" {
  from        = source.webhook.orders
  description = "Orders"
  order_by    = "body.customer_id"
  concurrency = 16
  start       = "2h"

  filter "positive" { when = "body.total > 0" }

  apply { transform = transform.clean }

  map {
    zeta  = "body.id"
    alpha = var.site
    obj   = { b = "body.b", a = 5, "two words" = ["body.c", true] }
  }

  route {
    case "vip" {
      when = <<-EXPR
        body.total > 1000 and
          body.vip
      EXPR
      to   = flow.vip
    }
    case "big" {
      when = "body.total > 100"
      remove { fields = ["ssn"] }
    }
    otherwise {
      to = sink.log.debug
    }
  }

  to = [sink.http.erp, sink.files.export]
}

flow "vip" {
  to = sink.http.erp
}

transform "clean" {
  remove { fields = ["card"] }
}

sink "http" "erp" {
  connection = connection.http.crm
  path       = "/orders/${var.site}/{{ body.id }}"
  headers    = { X-Order = "{{ body.id }}", Authorization = "Bearer ${secret.partner}" }
  success    = "response.status < 300"
  columns    = { id = "body.id", site = var.site }
  timeout    = "5s"
  retry { for = "1h" }
}

sink "files" "export" {
  path    = "out/{{ body.day }}.csv"
  lookup  = "countries.csv"
  command = ["/bin/label", "--id", "{{ body.id }}"]
}

sink "log" "debug" {
  description = "keeps ${var.count} of ${length(local.nested.deep)}"
}

moved {
  from = source.webhook.old
  to   = source.webhook.orders
}
