flow "a" {
  map { name = "'日本語 é 🎉' + lowr(body.x)" } # error: There is no function lowr
  map { path = "\"a\\n\u00e9\" + lowr(body.x)" } # error: There is no function lowr
  map { cost = "'$${x}' + lowr(body.x)" } # error: There is no function lowr
  filter {
    # error +3: Did you mean "body"?
    when = <<EOT
body.a == '日本'
  and boddy.b
EOT
  }
  to = [sink.log.日本] # error: there is no sink.log.日本
}
sink "log" "a" {}
