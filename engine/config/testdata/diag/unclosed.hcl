flow "x" {
  filter { # error: unclosed configuration block
    when = "true"
