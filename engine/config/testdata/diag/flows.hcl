source "webhook" "orders" {
  path = "/orders"
  verify "none" {}
}
sink "log" "debug" {}

flow "nowhere" { # error: leads nowhere
  from = source.webhook.orders
}

flow "half" { # error: leads nowhere
  from = source.webhook.orders
  route {
    case "a" {
      when = "true"
      to   = sink.log.debug
    }
    case "b" {
      when = "false"
    }
  }
}

flow "ended" {
  from = source.webhook.orders
  route {
    case "a" {
      when = "true"
      to   = sink.log.debug
    }
    otherwise {
      to = sink.log.debug
    }
    otherwise { # error: otherwise is there twice
    }
  }
  filter { # warning: nothing gets here
    when = "true"
  }
  to = sink.log.debug # warning: nothing gets here
}

flow "a" {
  to = flow.b
}
flow "b" {
  to = flow.c
}
flow "c" {
  to = [sink.log.debug, flow.a] # error: flow.a → flow.b → flow.c → flow.a
}

flow "self" {
  from = source.webhook.orders
  to   = flow.self # error: flow.self → flow.self
}

flow "off" {
  enabled = false
  to      = sink.log.debug
}
flow "to_off" {
  from = source.webhook.orders
  to   = flow.off # error: flow.off is disabled
}

flow "lonely" {
  to = sink.log.debug
}

flow "started" {
  from  = source.webhook.orders
  start = "yesterday" # error: invalid start "yesterday"
  to    = sink.log.debug
  route { # error: a route without cases
  }
  route "Bad" { # error: invalid name "Bad"
    case {
      when = "true"
    }
    mode = "all"
  }
}
