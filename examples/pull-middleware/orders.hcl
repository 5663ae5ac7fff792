# A shop that has no webhooks, made into one that has: its API is asked for what has
# changed, and each order goes to a URL as soon as it is seen.

connection "http" "shop" {
  base_url = env("SHOP_API", "http://127.0.0.1:8090") # for a first try: see try.sh
}

source "poll" "orders" {
  connection = connection.http.shop
  every      = "10s"
  records    = "response.body.orders"
  id         = "string(record.id) + ' ' + record.updated_at"
  request {
    path  = "/orders.json"
    query = { updated_since = "{{ cursor }}" }
  }
  cursor {
    initial = "2026-01-01T00:00:00Z"
    next    = "record.updated_at"
    overlap = "1m"
  }
}

flow "orders" {
  from        = source.poll.orders
  concurrency = 1 # one after the other, in the order of the API
  map {
    type      = "'order.' + body.status"
    timestamp = "body.updated_at"
    data      = "body"
  }
  to = sink.http.receiver
}

connection "http" "receiver" {
  base_url = env("RECEIVER_URL", "http://127.0.0.1:8080")
  auth "bearer" { token = env("RECEIVER_TOKEN", "for a first try") }
}

sink "http" "receiver" {
  connection = connection.http.receiver
  path       = "/receiver"
}
