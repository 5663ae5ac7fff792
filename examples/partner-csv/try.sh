curl -H 'Content-Type: application/json' -d '{"receipt":"A-1","time":"2026-11-22T10:15:00-05:00","amount":12.5}' http://127.0.0.1:8080/sales
curl -H 'Content-Type: application/json' -d '{"receipt":"A-2","time":"2026-11-22T23:59:00-05:00","amount":3}' http://127.0.0.1:8080/sales
# The next day in UTC, the same one in Lima; and the next file, which is not complete yet.
curl -H 'Content-Type: application/json' -d '{"receipt":"A-3","time":"2026-11-23T04:59:59Z","amount":99.99}' http://127.0.0.1:8080/sales
# Sent twice, taken once.
curl -H 'Content-Type: application/json' -d '{"receipt":"A-3","time":"2026-11-23T04:59:59Z","amount":99.99}' http://127.0.0.1:8080/sales
