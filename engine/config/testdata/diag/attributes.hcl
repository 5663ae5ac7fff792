source "webhook" "orders" { # error: missing attribute "path"
  methodz  = ["POST"] # error: Did you mean "methods"?
  max_body = 5000000 # error: Did you mean "5000000B"?
  weight   = "heavy" # error: weight takes a number
  strict   = "maybe" # error: strict takes true or false
  verify   = {} # error: verify is a block
  labels   = "team" # error: labels takes an object
}

sink "log" "debug" {
  level = "info" # error: unknown attribute "level"
  methods { # error: unknown block "methods"
  }
  retry "often" { # error: retry takes no label
  }
  timeout { # error: timeout is an attribute
  }
  retry { # error: a second retry block
    initial = "1s"
  }
  retry { # error: a second retry block
    initial = "2s"
  }
}

name = "syncd" # error: attribute "name" outside of a block
