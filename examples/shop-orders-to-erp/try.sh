# Signed as the shop does it: openssl dgst -sha256 -hmac 'for a first try' -binary new.json | base64
curl -H 'Content-Type: application/json' -H 'X-Shop-Hmac-Sha256: Yb2FmY287qSqH20URv8lu/p7VQEo0oGz5sD27LLUZGc=' --data-binary @new.json http://127.0.0.1:8080/hooks/shop
curl -H 'Content-Type: application/json' -H 'X-Shop-Hmac-Sha256: EdqOZtwEX9poQRNJy6iM0v6lXWW2thyPKgrKdQywwtA=' --data-binary @paid.json http://127.0.0.1:8080/hooks/shop
# Again: taken once.
curl -H 'Content-Type: application/json' -H 'X-Shop-Hmac-Sha256: EdqOZtwEX9poQRNJy6iM0v6lXWW2thyPKgrKdQywwtA=' --data-binary @paid.json http://127.0.0.1:8080/hooks/shop
