# A contact form of a web page, which the browser posts here, into a file for each day.
# Robots fill in the field "website", which people do not see.
#
#   <form method="post" action="https://hooks.example.com/contact">
#     <input name="name"> <input name="email" type="email"> <textarea name="message"></textarea>
#     <input name="website" style="display: none">
#   </form>

source "webhook" "contact" {
  path       = "/contact"
  max_body   = "64KiB"
  rate_limit = "10/s"
  verify "none" {} # it is a public form
}

flow "contact" {
  from = source.webhook.contact

  filter "human" { when = "(body.website ?? '') == ''" }

  map {
    name    = "trim(body.name ?? '')"
    email   = "lower(trim(body.email ?? ''))"
    message = "trim(body.message ?? '')"
    page    = "meta.query.page ?? '/'"
  }

  filter "complete" { when = "body.email contains '@' and body.message != ''" }

  to = sink.files.contact
}

sink "files" "contact" { path = "out/{{ slug(body.page) == '' ? 'home' : slug(body.page) }}.ndjson" }
