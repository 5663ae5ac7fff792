source "webhook" "orders" {
  path = "/orders"
  verify "none" {}
}

sink "log" "debug" {}

flow "orders" {
  from = [source.webhook.order, "source.webhook.orders", source.webhook.orders] # error: Did you mean source.webhook.orders? # error: A reference is not quoted
  to   = [sink.log.debgu, flow.ordres, source.webhook.orders] # error: Did you mean sink.log.debug? # error: Did you mean flow.orders? # error: source.webhook.orders cannot stand in to
  apply {
    transform = transform.clean # error: There is no transform at all
  }
}

flow "two" {
  from = [source.webhook.orders, source.webhook.orders] # error: stands twice in from
  to   = sink.http.debug # error: Did you mean sink.log.debug?
}

flow "three" {
  from = source.webhook # error: source.webhook cannot stand in from
  to   = 5 # error: a value for a reference
}

sink "http" "erp" {
  connection = connection.http.crn # error: Did you mean connection.http.crm?
}

sink "http" "erp2" {
  connection = "connection.http.crm" # error: a string for a reference
}

sink "http" "erp3" {
  connection = sink.log.debug # error: It takes a reference like connection.http.NAME
}

connection "http" "crm" {
  base_url = source.webhook.orders # error: a reference where a value belongs
}
