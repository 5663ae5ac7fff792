curl -H 'Content-Type: application/json' -d '{"id":1,"status":"paid","total":27,"address":"Av. Perú 12, Lima","lines":[{"sku":"tea-100","kind":"parcel"},{"sku":"recipes","kind":"download"}]}' http://127.0.0.1:8080/orders
curl -H 'Content-Type: application/json' -d '{"id":2,"status":"new","total":12,"lines":[{"sku":"recipes","kind":"download"}]}' http://127.0.0.1:8080/orders
