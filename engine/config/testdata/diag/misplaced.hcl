source "webhook" "orders" {
  path     = "/orders"
  depth    = 5 # error: limits { depth = … }
  secret   = "planted" # error: verify "hmac" { secret = … }
  listener { # error: listener = listener.http.NAME
  }
  verify "hmac" {
    header   = "X-Signature"
    secret   = "planted"
    max_body = "5MiB" # error: one block up, into source "webhook" "orders"
    limits { # error: one block up, into source "webhook" "orders"
    }
  }
  sink "log" "inner" {} # error: a block of the top level
  filter { # error: filter is a step
    when = "true"
  }
}

state_dir = "/var/lib/syncd" # error: It belongs into daemon: daemon { state_dir = … }
max_size  = "10GiB" # error: max_size = …

daemon {
  retention = "72h" # error: It belongs one block down
  log {
    level     = "info"
    retention = "72h" # error: retention is an attribute of journal in daemon
    reload    = "auto" # error: one block up
  }
}

flow "orders" {
  from = source.webhook.orders
  when = "body.total > 0" # error: filter { when = … }
  retry { # error: retry is a block of any sink
    for = "1h"
  }
  case "big" { # error: It belongs one block down
    when = "true"
  }
  filter {
    when   = "true"
    fields = ["body.x"] # error: fields is an attribute of remove
    to     = sink.log.debug # error: one block up, into flow "orders"
  }
  remove {
    fields = ["x"]
    filter { # error: one block up, into flow "orders"
      when = "true"
    }
  }
  to = sink.log.debug
}

sink "log" "debug" {
  for      = "24h" # error: retry { for = … }
  method   = "PUT" # error: sink "log" "debug" takes
  headers  = {} # error: headers is an attribute of sink "http"
  base_url = "x" # error: base_url is an attribute of connection "http"
  verify "none" {} # error: verify is a block of source "webhook"
  retry {
    concurrency = 5 # error: one block up
    breaker { # error: one block up
    }
  }
}

retry { # error: retry is a block of any sink
}
case "x" { # error: case is a branch
}
journal { # error: It belongs into daemon
}
