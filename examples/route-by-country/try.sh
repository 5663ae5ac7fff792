curl -H 'Content-Type: application/json' -d '{"id":1,"country":"pe"}' http://127.0.0.1:8080/orders
curl -H 'Content-Type: application/json' -d '{"id":2,"country":"ES"}' http://127.0.0.1:8080/orders
curl -H 'Content-Type: application/json' -d '{"id":3,"country":"SE"}' http://127.0.0.1:8080/orders
curl -H 'Content-Type: application/json' -d '{"id":4}' http://127.0.0.1:8080/orders
