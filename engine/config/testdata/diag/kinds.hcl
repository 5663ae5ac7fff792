source "webhok" "orders" { # error: Did you mean "webhook"?
}

sink "kafka" "out" { # error: Kinds of sink are files, http and log
}

sauce "webhook" "x" { # error: Did you mean "source"?
}

webhook "y" { # error: Did you mean source "webhook" "name"
}

filter { # error: This is a step
}

source "webhook" { # error: source takes two labels, its kind and its name
}

flow "a" "b" { # error: flow takes one label, its name
}

sink "log" "My-Sink" {} # error: Write "my_sink".

listener "https" "public" { # error: unknown listener "https"
}

source "webhook" "hooks" {
  path = "/x"
  verify "hmak" { # error: Did you mean "hmac"?
  }
  verify { # error: verify takes one label
  }
}

flow "steps" {
  from = source.webhook.hooks
  filtr { # error: Did you mean "filter"?
    when = "true"
  }
  filter "Bad Label" { # error: invalid name "Bad Label"
    when = "true"
  }
  filter "one" "two" { # error: filter takes one label at most
    when = "true"
  }
  to = sink.log.debug
}

sink "log" "debug" {}
