# Signed as GitHub does it: openssl dgst -sha256 -hmac 'for a first try' push.json
# A number behind a line is the status that it is answered by, instead of 202.
curl -H 'Content-Type: application/json' -H 'X-GitHub-Event: push' -H 'X-GitHub-Delivery: 1' -H 'X-Hub-Signature-256: sha256=04c4b58a88b4222143f88dc932c416b3452df7572cfd79d2146c4fcbd526827e' --data-binary @push.json http://127.0.0.1:8080/github
curl -H 'Content-Type: application/json' -H 'X-GitHub-Event: issues' -H 'X-GitHub-Delivery: 2' -H 'X-Hub-Signature-256: sha256=74e7baf1bbd143ac6079e1d93dc5bc2f44477074071022388b9e0aa15aab483e' --data-binary @issue.json http://127.0.0.1:8080/github
# Again, as by GitHub's button "Redeliver": taken once.
curl -H 'Content-Type: application/json' -H 'X-GitHub-Event: issues' -H 'X-GitHub-Delivery: 2' -H 'X-Hub-Signature-256: sha256=74e7baf1bbd143ac6079e1d93dc5bc2f44477074071022388b9e0aa15aab483e' --data-binary @issue.json http://127.0.0.1:8080/github
# Somebody else: turned away.
curl -H 'Content-Type: application/json' -H 'X-GitHub-Event: issues' -H 'X-Hub-Signature-256: sha256=0000' --data-binary @issue.json http://127.0.0.1:8080/github # 401
