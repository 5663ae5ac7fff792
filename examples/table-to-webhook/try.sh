# Three orders, of which two have the same version: a table may well have that.
curl http://127.0.0.1:8080/shop -H 'Content-Type: application/json' -d '[{"id":1,"status":"paid","cents":1990,"version":7},{"id":2,"status":"new","cents":500,"version":8},{"id":3,"status":"paid","cents":250,"version":8}]'
