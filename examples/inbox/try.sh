curl -H 'Content-Type: application/json' -d '{"hello":["world"]}' 'http://127.0.0.1:8080/inbox/crm?version=2'
curl -H 'Content-Type: application/xml' -d '<order no="7"><sku>tea</sku></order>' http://127.0.0.1:8080/inbox/erp
curl -X DELETE http://127.0.0.1:8080/inbox/crm
