// Package message takes mails (RFC 5322, MIME) apart: a raw message becomes the body
// of an event, and what its header says. It reads whatever comes: there is no mail
// that it refuses, and what it does not understand it hands on as it is.
package message

// Bounds of what is taken apart. What lies beyond is not lost: it becomes an
// attachment as it stands.
const (
	maxHeader = 1 << 20 // bytes of one header; what follows counts as body
	maxDepth  = 20      // multiparts within each other
	maxParts  = 1000
)

// ContentType is that of a raw message.
const ContentType = "message/rfc822"

// Decode makes the body of an event of a raw message:
//
//	from         address, "" without one
//	to, cc       lists of addresses
//	subject      text
//	date         RFC 3339 in UTC; nil where the mail has none that can be read
//	message_id   without its brackets; made of the content where the mail has none
//	text         all that is to be read, plain; where there is only HTML, its text
//	html         what there is as HTML, "" without any
//	attachments  a list of {name, content_type, size, content}
//
// Lines end with LF. The content of an attachment is text in UTF-8 where its type or
// the ending of its name says that it is text; of all others it is base64, and
// encoding: "base64" stands beside it. size is in bytes, as it was sent. An image that
// the HTML shows has content_id, which stands there as "cid:…".
func Decode(raw []byte) map[string]any {
	head, body := split(raw)
	t := &taking{}
	c := t.part(head, body, 0)
	m := addressed(head, raw)
	if c.text == "" {
		c.text = htmlText(c.html)
	}
	m["text"], m["html"] = c.text, c.html
	if t.attachments == nil {
		t.attachments = []any{}
	}
	m["attachments"] = t.attachments
	return m
}

// addressed is what the header gives to the body of an event.
func addressed(h header, raw []byte) map[string]any {
	m := map[string]any{
		"from": "", "to": list(h.addresses("To")), "cc": list(h.addresses("Cc")),
		"subject": h.text("Subject"), "date": nil, "message_id": h.messageID(raw),
	}
	if from := h.addresses("From"); len(from) > 0 {
		m["from"] = from[0]
	}
	if at, ok := h.date(); ok {
		m["date"] = at.UTC().Format("2006-01-02T15:04:05Z")
	}
	return m
}

func list(texts []string) []any {
	all := make([]any, len(texts))
	for i, t := range texts {
		all[i] = t
	}
	return all
}
