flow "a" {
  filter {
    # error +1: It ends with a line that holds EOT and nothing else.
    when = <<-EOT
      body.total > 5
    EOF
  }
  to = sink.log.a
}
