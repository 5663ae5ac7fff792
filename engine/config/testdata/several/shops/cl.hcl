flow "back" { to = [flow.orders, sink.log.nope] }
locals { suffix = local.tag }
sink "log" "look" {
  when = 'true'
}
