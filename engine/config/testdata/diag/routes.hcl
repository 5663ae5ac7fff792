source "webhook" "orders" {
  path = "/orders"
  verify "none" {}
}
sink "log" "debug" {}

flow "x" {
  from = source.webhook.orders
  route {
    mode = "every" # error: It may be "first" or "all".
    case { # error: case takes one label, its name
      when = "true"
    }
    case "a" { # error: missing attribute "when"
    }
    case "a" { # error: The first one stands at routes.hcl:14.
      when = "true"
    }
    case "c" {
      when = "true"
      frm  = 1 # error: unknown attribute "frm"
      fiter { # error: Did you mean "filter"?
        when = "true"
      }
      filter "deep" {
        when = "boddy.a" # error: Did you mean "body"?
      }
    }
    filter { # error: unknown block "filter"
      when = "true"
    }
  }
  to = sink.log.debug
}
