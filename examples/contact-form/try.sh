curl -d 'name=In%C3%A9s&email=Ines@Example.com+&message=Do+you+ship+to+Lima%3F&website=' 'http://127.0.0.1:8080/contact?page=/about/us'
# A robot, and somebody who wrote nothing: filtered.
curl -d 'name=x&email=x@example.com&message=Buy&website=http://example.com' http://127.0.0.1:8080/contact
curl -d 'name=Luis&email=luis@example.com&message=' http://127.0.0.1:8080/contact
