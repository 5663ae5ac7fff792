curl -H 'Content-Type: application/json' --data-binary @signup.json http://127.0.0.1:8080/signups
