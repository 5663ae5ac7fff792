flow "x" {
  from = [source.webhook.orders
  to   = sink.log.debug # error: Is the ] missing
}
flow "y" {
  to = sink.log.nowhere # error: there is no sink.log.nowhere
}
source "webhook" "z" {
  path = "/a
} # error -1: string without an end
