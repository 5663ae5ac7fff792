flow "x" {
  filter { # error: block without an end
    when = "true"
