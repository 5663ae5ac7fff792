package message

import (
	"crypto/sha256"
	"strings"
)

// Addressed is what the header alone gives to the body of an event: from, to, cc,
// subject, date and message_id, as Decode has them.
func Addressed(raw []byte) map[string]any {
	h, _ := split(raw)
	return addressed(h, raw)
}

// ID is the Message-ID as it stands, with its brackets; "" without one.
func ID(raw []byte) string {
	h, _ := split(raw)
	return strings.TrimSpace(h.Get("Message-Id"))
}

// Digest tells mails apart, wherever they lie: it is made of Message-ID and body, since
// mailboxes may add to a header, and of all where there is no Message-ID.
func Digest(raw []byte) [sha256.Size]byte {
	h, body := split(raw)
	id := strings.TrimSpace(h.Get("Message-Id"))
	if id == "" {
		return sha256.Sum256(raw)
	}
	sum := sha256.New()
	sum.Write([]byte(id + "\n"))
	sum.Write(body)
	return [sha256.Size]byte(sum.Sum(nil))
}
