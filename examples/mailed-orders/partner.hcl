# A stand-in for the mail server of the partner, to whom the confirmations go.

source "smtp" "partner" {
  address    = "127.0.0.1:2526"
  recipients = ["{name}@partner.example"]
}

flow "partner" {
  from = source.smtp.partner

  map {
    to      = "meta.mail.recipient"
    answers = "meta.mail.header['in-reply-to']"
    subject = "body.subject"
    text    = "trim(body.text)"
    kind    = "meta.mail.kind"
  }

  to = sink.files.partner
}

sink "files" "partner" { path = "out/partner.ndjson" }
